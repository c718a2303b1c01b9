"""What a worker does before it is asked for a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.pool import preparation
from workbench.pool.preparation import Preparation
from workbench.pool.runs import service

FIRST_STEP = """
import sys
from types import SimpleNamespace
from pathlib import Path
from workbench.pool.preparation import Preparation

prepared = Preparation(SimpleNamespace(folder=Path(sys.argv[1])))
prepared.wait()
prepared.close()
before = set(sys.modules)
from workbench.core.runtime.session import Session
from workbench.pool.runs.package import graph_from

graph = graph_from(Path(sys.argv[1], "graph").read_bytes())
with Session(graph=graph) as session:
    session.run("init")
    session.run("train")
print(sorted(name for name in set(sys.modules) - before if ".ops" in name or "proto" in name))
"""


def test_the_first_step_has_its_operations_already(tmp_path: Path) -> None:
    import workbench as wb
    from workbench.train.meta_graph_export import export_meta_graph

    w = wb.Variable([1.0, 2.0])
    wb.train.GradientDescentOptimizer(0.5).minimize(wb.reduce_sum(wb.square(w)), name="train")
    wb.global_variables_initializer()
    (tmp_path / "graph").write_bytes(export_meta_graph().SerializeToString())
    command = [sys.executable, "-W", "error", "-c", FIRST_STEP, str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (found.returncode, found.stdout) == (0, "[]\n"), found.stderr


@pytest.mark.parametrize("has_runs", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_it_goes_on_with_the_runs_of_an_earlier_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_runs: bool, fails: bool
) -> None:
    """Whatever cannot be imported: who needs it says so."""
    asked: list[Any] = []
    done: list[str] = []

    def import_parts() -> None:
        done.append("imported")
        if fails:
            raise ImportError("no such module")

    monkeypatch.setattr(preparation, "import_parts", import_parts)
    monkeypatch.setattr(service, "host_of", asked.append)
    if has_runs:
        (tmp_path / "runs").mkdir()
    runtime: Any = SimpleNamespace(folder=tmp_path)
    prepared = Preparation(runtime)
    prepared.begin()
    prepared.wait()
    prepared.close()
    assert asked == [runtime] * has_runs and done == ["imported"]
