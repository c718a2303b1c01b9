"""Every example notebook runs from top to bottom in a kernel, and shows what it promises."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb

NOTEBOOKS = sorted((Path(__file__).parents[2] / "examples").glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"


def _required(name: str) -> Any:
    if os.environ.get("CI"):
        return __import__(name)
    return pytest.importorskip(name, reason=f"{name} is missing: the notebooks were NOT executed")


def end_pools() -> None:
    """Ends the pools that a notebook left behind."""
    from workbench.pool.pool import stop
    from workbench.pool.records import records

    for record in list(records()):
        stop(record)


class Executed:
    """A notebook that was executed in a folder of its own."""

    def __init__(self, path: Path, folder: Path) -> None:
        _required("ipykernel")
        _required("nbclient")
        if path.stem == "pool":
            _required("distributed")
        import nbformat
        from nbclient import NotebookClient

        self.folder = folder
        self.notebook = nbformat.read(path, as_version=4)
        resources = {"metadata": {"path": str(folder)}}
        # Not the kernel that the notebook names: that one may not be installed, or be another copy.
        client = NotebookClient(
            self.notebook, timeout=240, resources=resources, kernel_name="python3"
        )
        with pytest.MonkeyPatch.context() as patch:
            # On a busy machine threads of BLAS wait for each other far longer than they compute.
            patch.setenv("OPENBLAS_NUM_THREADS", "1")
            patch.setenv("WORKBENCH_HOME", str(folder / "home"))
            try:
                client.execute()
            finally:
                end_pools()

    @functools.cached_property
    def outputs(self) -> list[Any]:
        """The outputs of all cells."""
        return [output for cell in self.notebook.cells for output in cell.get("outputs", [])]

    @functools.cached_property
    def printed(self) -> str:
        """Everything that was printed."""
        return "".join(o.text for o in self.outputs if o.output_type == "stream")

    @functools.cached_property
    def texts(self) -> list[str]:
        """The text alternatives of everything that was shown."""
        return [o.data.get("text/plain", "") for o in self.outputs if "data" in o]

    def number(self, pattern: str) -> float:
        """The one number that `pattern` finds in what was printed."""
        (found,) = re.findall(pattern, self.printed)
        return float(found)

    def shown(self, *beginnings: str) -> None:
        """Views that begin so were shown, each with a widget."""
        for beginning in beginnings:
            assert any(
                o.data["text/plain"].startswith(beginning)
                for o in self.outputs
                if WIDGET in o.get("data", {})
            ), beginning

    def runs(self) -> Any:
        """The runs that it left in its folder."""
        return wb.runs(self.folder / "runs")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Executes a notebook once, however many tests look at it."""

    @functools.cache
    def execute(name: str) -> Executed:
        (path,) = [each for each in NOTEBOOKS if each.stem == name]
        return Executed(path, tmp_path_factory.mktemp(name))

    yield execute


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
@pytest.mark.timeout(300)
def test_notebook_runs(executed: Any, name: str) -> None:
    errors = [
        output
        for output in executed(name).outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert not errors, errors


@pytest.mark.timeout(300)
def test_recurrent_network_knows_sooner_or_later(executed: Any) -> None:
    found = executed("recurrent")
    found.shown("Graph: ", "<wb.Run 'rows'")
    known = [float(share) for share in re.findall(r"after row \d: +([\d.]+)%", found.printed)]
    assert len(known) == 8 and known[0] < 60 < 85 < known[-1]
    assert found.number(r"([\d.]+)% of the digits held out are read correctly") > 85
    assert found.number(r"the quickest (\d)") < 8
    assert any("until_sure" in text for text in found.texts)


@pytest.mark.timeout(300)
def test_quickstart_shows_the_whole_way(executed: Any) -> None:
    found = executed("quickstart")
    found.shown(
        "Graph: ",
        "<wb.Run 'digits'",
        "<wb.picture of 'digits' at step",
        "<wb.Run 'bold'",
    )
    assert any("network/edges/kernel: 16 filters of 3 x 3" in text for text in found.texts)
    assert any(" operations added" in t and "network/dropout" in t for t in found.texts)
    assert found.number(r"steps, ([\d.]+)% of the digits held out") > 90
    assert "500 equal losses" in found.printed
    # The watch names the operation and the line of the notebook that made it.
    assert "quality/loss:0 is not finite" in found.printed
    operation, line = re.findall(
        r"'(network/\S+)' was made at cell \[\d+\]:\d+: (.+)", found.printed
    )[0]
    assert any(line in cell.source for cell in found.notebook.cells), (operation, line)
    assert re.search(
        r"digits: 9\d\.\d% correct with lr 0.05\nbold: 9\d\.\d% correct", found.printed
    )


@pytest.mark.timeout(300)
def test_quickstart_leaves_runs_that_share_their_past(executed: Any) -> None:
    runs = executed("quickstart").runs()
    digits, bold = runs["digits"], runs["bold"]
    fork = bold.status().parent["step"]
    assert digits.state == bold.state == "stopped" and fork > 100
    one, two = digits.history["loss"], bold.history["loss"]
    count = min(len(one), len(two))
    assert count > fork
    np.testing.assert_array_equal(one[:fork], two[:fork])
    assert (one[fork:count] != two[fork:count]).mean() > 0.9
    kinds = {event.kind for event in digits.history.events}
    # The watches came after the step that the notebook goes back to at last.
    assert {"set", "rewind", "fork", "stop"} <= kinds
    assert np.isfinite(one).all(), "what came before the rewind is no more"


@pytest.mark.timeout(300)
def test_the_decision_surface_bends(executed: Any) -> None:
    found = executed("decision-surface")
    found.shown(
        "<wb.Run 'surface'", "VBox", "<wb.picture of 'surface' at step 0", "<wb.picture of 'smooth'"
    )
    assert found.number(r"steps ([\d.]+)% of the points are on the right side") > 95
    assert found.number(r"(\d+)% of the picture is other") > 50
    assert found.runs()["smooth"].status().parent["step"] > 0


@pytest.mark.timeout(300)
def test_the_convolution_shows_filters_and_activations(executed: Any) -> None:
    found = executed("convolution")
    pictures = [text for text in found.texts if text.startswith("<wb.picture")]
    for part in ("12 filters of 5 x 5", "24 images of 4 x 4", "confusion_matrix: 10 x 10"):
        assert any(part in text for text in pictures), part
    assert found.number(r"steps ([\d.]+)% of the digits") > 93
    assert found.number(r"(\d+)% of the picture has changed") > 50
    correct = found.number(r"with all of them ([\d.]+)%")
    assert found.number(r"without filter \d+ it is ([\d.]+)%") < correct


@pytest.mark.timeout(300)
def test_the_nan_is_found_and_mended(executed: Any) -> None:
    found = executed("nan-hunt")
    assert re.search(
        r"'logarithm' was made at cell \[\d+\]:\d+: logarithm = tf.log\(probability \+ floor",
        found.printed,
    )
    assert "0 x -inf = NaN" in found.printed
    runs = found.runs()
    by_hand, mended = runs["by-hand"], runs["mended"]
    fork = mended.status().parent["step"]
    assert mended.state == runs["with-logits"].state == "finished"
    np.testing.assert_array_equal(by_hand.history["loss"][:fork], mended.history["loss"][:fork])
    assert np.isfinite(mended.history["loss"]).all() and len(mended.history["loss"]) == 1000


@pytest.mark.timeout(300)
def test_the_training_survives_a_worker(executed: Any) -> None:
    found = executed("pool")
    found.shown("Graph: ", "<wb.Run 'digits'")
    assert re.search(r"worker \d leads \w+\nworker \d follows", found.printed), found.printed
    assert re.search(r"worker 1 left\nworker 1 joined", found.printed), found.printed
    assert re.search(r"worker 1 is gone: 1 replica\n", found.printed), found.printed
    assert found.number(r"(\d+) steps, each of them once") > 200
    assert found.number(r"steps ([\d.]+)% of the digits held out") > 90


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_is_committed_without_outputs(path: Path) -> None:
    notebook = _required("nbformat").read(path, as_version=4)
    assert notebook.cells
    assert notebook.metadata.kernelspec == {
        "name": "workbench", "display_name": "Workbench", "language": "python",
    }  # fmt: skip
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
            assert max(map(len, cell.source.splitlines())) <= 100


def test_there_are_notebooks() -> None:
    names = {path.stem for path in NOTEBOOKS}
    assert names >= {"quickstart", "decision-surface", "convolution", "nan-hunt", "pool"}
