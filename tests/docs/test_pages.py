"""The Python of the pages about pools and clusters: it runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.ports import free_port

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.usefixtures("graph")


def blocks(page: str) -> list[str]:
    """The blocks of Python of a page, for ports that are free."""
    text = (DOCS / page).read_text("utf-8")
    ports = sorted(set(re.findall(r"localhost:(\d+)", text)))
    for port in ports:
        text = text.replace(f"localhost:{port}", f"localhost:{free_port()}")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def run(page: str, **names: Any) -> dict[str, Any]:
    """Runs the blocks of a page one after the other; what they have made."""
    made = dict(names)
    for number, block in enumerate(blocks(page)):
        exec(compile(block, f"{page}, block {number}", "exec"), made)
    return made


def test_the_page_about_clusters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made = run("distributed.md")
    said = capsys.readouterr().out
    assert said.startswith("3.0\n") and "/job:worker/replica:0/task:1/device:CPU:0" in said
    assert (tmp_path / "wire.keys").stat().st_mode & 0o077 == 0
    assert made["keys"].admitted == frozenset([made["keys"].public.encode()])


@pytest.mark.slow
def test_the_page_about_pools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    x = wb.placeholder(wb.float32, [None], name="x")
    w = wb.Variable(0.0, name="w")
    loss = wb.reduce_mean(wb.square(w * x - 1.0))
    train = wb.train.GradientDescentOptimizer(0.1).minimize(loss)
    feed = wb.batches({x: np.ones(64, np.float32)}, 16)
    try:
        made = run("pools.md", train=train, feed=feed, loss=loss)
        assert made["run"].name and not made["pool"].is_alive
    finally:
        for pool in wb.pools():
            pool.close()
