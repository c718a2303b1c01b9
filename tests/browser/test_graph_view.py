"""The graph view in a real JupyterLab: mouse, keyboard alone, a diff, and colours of a real run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab, LabPage, notebook_page

CELLS = [
    """import numpy as np
import workbench as wb
import workbench as tf

def build(units, dropout):
    x = tf.placeholder(tf.float32, [None, 8], name="x")
    hidden = tf.layers.dense(x, units, tf.nn.relu, name="hidden")
    if dropout:
        hidden = tf.nn.dropout(hidden, 0.7)
    loss = tf.reduce_mean(tf.square(tf.layers.dense(hidden, 1, name="out") - 1.0), name="loss")
    return x, loss, tf.train.AdamOptimizer(0.001).minimize(loss)
""",
    "%%graph explored\nx, loss, train = build(16, False)",
    """feed = wb.batches({x: np.random.RandomState(0).randn(256, 8).astype("f4")}, 32, seed=0)
run = wb.run(train, feed=feed, track={"loss": loss}, name="coloured")
""",
    "%%graph other\nbuild(32, True);",
    "%graph other --diff explored",
]
MODEL, GRAPH, RUN, DIFF = 0, 1, 2, 4

#: The view below a cell, as JavaScript sees it: the argument is the cell's index.
_HOST = (
    "[...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell')[cell]"
    ".querySelectorAll('.workbench-cell-host')].find(element => element.workbench)"
)

pytestmark = pytest.mark.timeout(240)


class View:
    """The graph view below a cell, as a person has it before them."""

    def __init__(self, page: LabPage, cell: int) -> None:
        self.page = page
        self.cell = cell
        page.scroll_to(cell)
        page.wait_for_view(cell)
        self.element = page.cell(cell)
        self.canvas = self.element.locator("canvas.workbench-graph-canvas")

    def state(self) -> dict[str, Any]:
        """The view's snapshot."""
        found = self.page.view(self.cell)
        assert found is not None
        return found

    def wait(self, condition: str) -> dict[str, Any]:
        """The snapshot (`v` in the condition), once it holds and nothing moves."""
        self.page.page.wait_for_function(
            f"cell => {{ const v = window.workbench_view(cell);"
            f" return v?.picture?.settled && ({condition}); }}",
            arg=self.cell,
            timeout=15_000,
        )
        return self.state()

    def box(self, name: str) -> dict[str, Any]:
        """A box that is in sight."""
        return next(box for box in self.state()["picture"]["boxes"] if box["name"] == name)

    def click(self, x: float, y: float) -> None:
        """A click on a point of the stage."""
        self.canvas.click(position={"x": x, "y": y})

    def click_box(self, name: str) -> None:
        """A click on the middle of a box."""
        place = self.box(name)["rectangle"]
        self.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)

    def click_button(self, name: str) -> None:
        """A click on the button that opens or closes a scope."""
        place = self.box(name)["rectangle"]
        self.click(place["x"] + 12, place["y"] + min(place["height"], 26) / 2)

    def script(self, body: str) -> Any:
        """What a function of the view gives."""
        return self.page.page.evaluate(
            f"cell => {{ const view = {_HOST}.workbench; {body} }}", self.cell
        )

    def press(self, *keys: str) -> None:
        """Keys for whatever has the focus."""
        for key in keys:
            self.page.page.keyboard.press(key)

    def names(self) -> set[str]:
        return {box["name"] for box in self.state()["picture"]["boxes"]}


@pytest.fixture(scope="module")
def page(browser: Any, lab: Lab) -> Iterator[LabPage]:
    """One notebook for all of these tests, with its cells run."""
    with notebook_page(browser, lab, "graph_view", CELLS) as made:
        yield made


def test_first_view_is_readable_and_has_gradients_folded(page: LabPage, artifacts: Path) -> None:
    view = View(page, GRAPH)
    state = view.state()
    assert state["picture"]["zoom"] >= 0.7
    roles = {box["name"]: box["role"] for box in state["picture"]["boxes"]}
    assert roles["x"] == "forward"
    gradients = view.box("gradients")
    assert gradients["role"] == "backward"
    assert gradients["aside"]
    assert not gradients["open"]
    for dark in (False, True):
        page.set_theme(dark)
        view.wait(f"v.dark === {str(dark).lower()}")
        page.page.screenshot(path=artifacts / f"graph-{'dark' if dark else 'light'}.png")
    page.set_theme(False)


def test_mouse(page: LabPage, artifacts: Path) -> None:
    view = View(page, GRAPH)
    before = view.box("gradients")["rectangle"]
    view.click_button("gradients")
    state = view.wait("v.picture.open.includes('gradients')")
    after = view.box("gradients")["rectangle"]
    assert (after["x"], after["y"]) == pytest.approx((before["x"], before["y"]), abs=1)
    view.click_button("gradients")
    view.wait("!v.picture.open.includes('gradients')")

    view.click_box("x")
    view.wait("v.details.includes('float32[?,8]')")
    view.element.get_by_role("button", name="cell [1], line 6").click()
    page.page.wait_for_function(
        "() => document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell')"
        ".classList.contains('jp-mod-active')"
    )

    page.scroll_to(GRAPH)
    search = view.element.get_by_role("combobox", name="Search operations")
    search.fill("loss")
    view.wait("v.search.open && v.search.hits.includes('loss')")
    page.page.screenshot(path=artifacts / "graph-search.png")
    search.press("Enter")
    state = view.wait("v.picture.selection?.name.includes('loss')")
    assert state["picture"]["zoom"] >= 1, "a hit is shown at reading size"

    view.element.get_by_role("button", name="What the selection needs (u)").click()
    view.wait("v.picture.highlighted > 2")
    view.script("view.navigator.fit();")
    state = view.wait("v.picture.boxes.some(b => b.name === 'gradients')")
    dimmed = {box["name"] for box in state["picture"]["boxes"] if box["dimmed"]}
    assert "gradients" in dimmed
    assert "x" not in dimmed
    view.canvas.focus()
    view.press("Escape")
    view.wait("v.picture.highlighted === null")

    with page.page.expect_download() as saved:
        view.element.get_by_role("button", name="Save as SVG").click()
    drawn = Path(saved.value.path()).read_text()
    assert saved.value.suggested_filename == "explored.svg"
    assert drawn.startswith("<svg")
    assert all(f"<title>{name}" in drawn for name in view.names() - {"hidden", "out"})
    with page.page.expect_download() as saved:
        view.element.get_by_role("button", name="Save as PNG").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")


def test_keyboard_alone_suffices(page: LabPage, artifacts: Path) -> None:
    view = View(page, GRAPH)
    view.canvas.focus()
    view.press("/")
    page.page.keyboard.type("type:Placeholder")
    view.press("Enter")
    view.wait("v.picture.selection?.name === 'x'")

    view.press("p", "/")
    page.page.keyboard.type("loss")
    view.press("Enter")
    view.wait("v.picture.selection?.name === 'loss'")
    view.press("p")
    state = view.wait("v.picture.highlighted !== null")
    assert state["trace"] == "path between x and loss"
    page.page.screenshot(path=artifacts / "graph-path.png")
    view.press("Escape")
    view.wait("v.picture.highlighted === null")

    view.press("/")
    page.page.keyboard.type("gradients")
    view.press("Enter")
    view.wait("v.picture.selection?.name === 'gradients'")
    view.press("Enter")
    view.wait("v.picture.open.includes('gradients')")
    view.press("Enter")
    view.wait("!v.picture.open.includes('gradients')")
    view.press("[")
    view.wait("v.picture.open.includes('gradients')")
    view.press("]")
    view.wait("!v.picture.open.includes('gradients')")

    before = view.state()["picture"]["zoom"]
    view.press("+")
    view.wait(f"v.picture.zoom > {before}")
    view.press("0")
    view.wait("v.picture.zoom <= 1")
    view.press("?")
    view.wait("v.help")
    view.press("Escape")
    view.wait("!v.help")

    # Letters on a button of the view are no commands of the notebook: "dd" would delete the cell.
    cells = page.cell_count
    page.cell(view.cell).locator(".workbench-graph button:visible").last.focus()
    view.press("d", "d")
    page.page.keyboard.press("b")
    assert page.cell_count == cells


def test_tree_mirrors_the_picture(page: LabPage) -> None:
    view = View(page, GRAPH)
    tree = view.element.get_by_role("tree", name="Operations of the graph")
    items = tree.get_by_role("treeitem")
    assert items.count() >= 4
    gradients = tree.locator("[data-item]", has_text="gradients").first
    assert "backward" in gradients.inner_text()
    assert gradients.get_attribute("aria-expanded") == "false"
    gradients.focus()
    view.press("ArrowRight")
    view.wait("v.picture.open.includes('gradients')")
    page.page.wait_for_function(
        "node => node.getAttribute('aria-expanded') === 'true'"
        " && node.querySelector('[role=group]')",
        arg=gradients.element_handle(),
    )
    inside = gradients.get_by_role("treeitem").first
    assert inside.get_attribute("aria-level") == "2"
    view.press("ArrowDown", "Enter")
    state = view.wait("v.picture.selection !== null")
    assert state["picture"]["selection"]["name"].startswith("gradients/")
    assert inside.get_attribute("aria-selected") == "true"
    view.press("ArrowLeft")
    view.press("ArrowLeft")
    view.wait("!v.picture.open.includes('gradients')")


def test_diff_begins_at_the_first_difference(page: LabPage, artifacts: Path) -> None:
    view = View(page, DIFF)
    state = view.state()
    assert state["against"] == "explored"
    assert "gradients" not in state["picture"]["open"], "only the forward part is opened"
    first = state["differences"][0]
    assert first.startswith("hidden/")
    assert view.box(first)["status"] == "changed"
    assert state["picture"]["zoom"] >= 0.7
    added = next(name for name in state["differences"] if "dropout" in name)

    view.canvas.focus()
    view.press("n")
    view.wait(f"v.picture.selection?.name === '{first}'")
    at = state["differences"].index(added)
    view.press(*["n"] * at)
    view.wait(f"v.picture.selection?.name === '{added}'")
    assert view.box(added)["status"] == "added"
    view.press("N")
    view.wait(f"v.picture.selection?.name === '{state['differences'][at - 1]}'")
    runs = view.element.get_by_role("combobox", name="Run", exact=True)
    assert runs.is_disabled()
    assert runs.inner_text().strip() == "No run"
    for dark in (False, True):
        page.set_theme(dark)
        view.wait(f"v.dark === {str(dark).lower()}")
        page.page.screenshot(path=artifacts / f"diff-{'dark' if dark else 'light'}.png")
    page.set_theme(False)


def test_a_run_colours_its_graph_and_a_watch_pauses_it(page: LabPage, artifacts: Path) -> None:
    view = View(page, GRAPH)
    view.script("view.navigator.select(null); view.navigator.fit();")
    assert page.evaluate("run.state") == "running"
    began = page.page.evaluate("() => performance.now()")
    view.element.get_by_role("combobox", name="Colours").select_option("time")
    state = view.wait("v.overlay.step !== null && v.picture.boxes.some(b => b.value > 0)")
    took = page.page.evaluate("() => performance.now()") - began
    assert took < 5000, "a second on a machine that has nothing else to do"
    assert state["overlay"]["scale"].startswith("Time: ")
    step = state["overlay"]["step"]
    view.wait(f"v.overlay.step > {step}")
    page.page.screenshot(path=artifacts / "overlay.png")

    # A tensor, by its edge: the middle of the line from x into the first layer.
    x, y = view.script(
        """
        const {geometry, stage} = view.navigator;
        const {edgeSource, edgeFlag, points, pointStart, names} = geometry.scene;
        const edge = edgeSource.findIndex(
          (box, at) => names[box] === 'x' && (edgeFlag[at] & 4) === 0);
        const {x, y, zoom} = stage.camera;
        const [from, to] = [pointStart[edge], pointStart[edge] + 1];
        return [(points[2 * from] + points[2 * to]) / 2 * zoom + x,
                (points[2 * from + 1] + points[2 * to + 1]) / 2 * zoom + y];
        """
    )
    view.click(x, y)
    state = view.wait("v.value?.tensor === 'x:0' && v.value.history.length > 2")
    assert state["picture"]["selection"]["kind"] == "edge"
    assert state["value"]["dtype"] == "float32"

    view.canvas.focus()
    view.press("/")
    page.page.keyboard.type("loss")
    view.press("Enter")
    state = view.wait("v.value?.tensor === 'loss:0' && v.value.history.length > 2")
    assert state["value"]["kind"] == "number"
    page.page.screenshot(path=artifacts / "value.png")

    view.element.get_by_label("Pause the run when").select_option("above")
    view.element.get_by_label("Threshold").fill("-1")
    view.element.get_by_role("button", name="Watch", exact=True).click()
    state = view.wait("v.report.includes('paused at step')")
    assert "cell [1], line 10" in state["report"]
    assert "run.watch" in state["python"]
    assert page.evaluate("run.state") == "paused"
    assert str(page.evaluate("run.step_number")) in state["report"].replace(",", "")
    page.page.screenshot(path=artifacts / "watch.png")

    # The panel shows the same graph, and offers the same run.
    page.command("apputils:activate-command-palette")
    page.page.locator(".lm-CommandPalette-input").fill("workbench graph")
    page.page.locator(".lm-CommandPalette-item", has_text="raph").first.click()
    page.page.wait_for_function(
        "() => { const v = document.querySelector('.workbench-graph-place')?.workbench?.snapshot();"
        " return v?.picture?.settled && v.overlay.run; }",
        timeout=15_000,
    )
    panel = page.snapshot(".workbench-graph-place")
    assert panel is not None
    assert panel["picture"]["graph"] == "explored"
    assert panel["overlay"]["run"] == page.evaluate("run.id")
    page.page.screenshot(path=artifacts / "graph-panel.png")
    page.evaluate("run.stop() and None")
