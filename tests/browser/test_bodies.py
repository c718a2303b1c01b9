"""Loops and conditions in the graph view of JupyterLab: opened, searched, beside a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab, LabPage, notebook_page
from tests.browser.test_graph_view import View

CELLS = [
    "import numpy as np\nimport workbench as wb\nimport workbench as tf",
    """%%graph recurrent
rows = tf.placeholder(tf.float32, [None, 6, 4], name="rows")
_, last = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(8), rows, dtype=tf.float32, scope="reader")
norm = tf.norm(last, name="norm")
# How often it halves depends on the numbers.
halved = tf.while_loop(
    lambda size: size > 0.1, lambda size: tf.multiply(size, 0.5, name="half"), [norm], name="halve")
square = tf.matmul(last, last, transpose_b=True)
loss = tf.cond(norm > 0.0, lambda: tf.reduce_sum(tf.matmul(square, square)) - halved,
               lambda: tf.exp(norm, name="never"), name="choose")
train = tf.train.GradientDescentOptimizer(1e-6).minimize(loss)""",
    """data = np.random.RandomState(0).randn(256, 6, 4).astype("f4")
run = wb.run(train, feed=wb.batches({rows: data}, 32, seed=0),
             track={"loss": loss}, name="reading")""",
]
GRAPH, RUN = 1, 2

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def page(browser: Any, lab: Lab) -> Iterator[LabPage]:
    """One notebook for all of these tests, with its cells run."""
    with notebook_page(browser, lab, "bodies", CELLS) as made:
        yield made
        made.evaluate("run.stop()")


def open_in_sight(view: View, *names: str) -> dict[str, Any]:
    """Opens one after the other as a double click does; gives all boxes by their names."""
    for name in names:
        view.script(
            "const {navigator} = view; const {scene} = navigator.geometry;"
            f"navigator.toggle(scene.item[scene.names.indexOf('{name}')]);"
        )
        view.wait(f"v.picture.open.includes('{name}')")
    view.script("view.navigator.fit();")
    state = view.wait("v.picture.boxes.length === v.picture.scene.boxes")
    return {box["name"]: box for box in state["picture"]["boxes"]}


def close_all(view: View) -> None:
    view.script("view.navigator.select(null); view.navigator.setOpen(new Uint32Array(), -1);")
    view.wait("v.picture.open.length === 0")


def test_a_loop_is_opened_and_shows_what_is_inside(page: LabPage) -> None:
    view = View(page, GRAPH)
    close_all(view)
    view.script("view.navigator.fit();")
    view.wait("v.picture.boxes.some(b => b.name === 'halve')")
    view.click_button("halve")
    view.wait("v.picture.open.includes('halve')")
    boxes = open_in_sight(view)
    assert boxes["halve/While"]["kind"] == "loop"
    # The scope that was made for the loop opens with the loop and its bodies.
    assert boxes["halve/While"]["open"]
    assert boxes["halve/While/body"]["open"]
    assert "halve/While/cond" in boxes
    assert "halve/While/body/half" in boxes
    back = view.script(
        "const {edgeFlag, edgeTarget, names} = view.navigator.geometry.scene;"
        "return [...edgeFlag.keys()].filter(e => edgeFlag[e] & 2).map(e => names[edgeTarget[e]]);"
    )
    assert any(name.startswith("halve/") for name in back)
    view.click_button("halve")
    view.wait("!v.picture.open.includes('halve')")


def test_search_opens_what_is_around_an_operation_inside(page: LabPage, artifacts: Path) -> None:
    view = View(page, GRAPH)
    close_all(view)
    search = view.element.get_by_role("combobox", name="Search operations")
    search.fill("never")
    view.wait("v.search.open && v.search.hits.includes('choose/never')")
    search.press("Enter")
    state = view.wait("v.picture.selection?.name === 'choose/never'")
    assert "choose/If/else" in state["picture"]["open"]
    state = view.wait("v.details.includes('choose/If, else')")
    # The line of the notebook that made it, and no value: there is none outside of the step.
    assert "cell [2], line 10" in state["details"]
    assert state["value"] is None
    page.page.screenshot(path=artifacts / "bodies-search.png")
    view.canvas.focus()
    view.press("Escape")


def test_a_run_tells_how_often_and_which_way(page: LabPage, artifacts: Path) -> None:
    view = View(page, GRAPH)
    close_all(view)
    view.element.get_by_role("combobox", name="Colours").select_option("time")
    view.script("view.navigator.fit();")
    view.wait("v.picture.boxes.some(b => b.name === 'choose/If' && b.note === 'then')")
    view.wait("v.picture.boxes.some(b => b.name === 'halve' && b.note?.slice(1) > 0)")
    open_in_sight(view, "reader", "reader/while")
    view.wait(
        "v.picture.boxes.some(b => b.name === 'reader/while/While' && b.note?.slice(1) === '6')"
    )
    # Where a loop became its passes, what is inside has times of its own.
    view.wait(
        "v.picture.boxes.some(b => b.name.startsWith('reader/while/While/body/') && b.value > 0)"
    )
    view.script(
        "const {scene} = view.navigator.geometry;"
        "view.navigator.select({kind: 'item', item: scene.item[scene.names.indexOf("
        "'reader/while/While')]});"
    )
    state = view.wait("v.details.includes('6 passes in step')")
    assert "reader/while/While" in state["details"]
    for dark in (False, True):
        page.set_theme(dark)
        view.wait(f"v.dark === {str(dark).lower()}")
        page.page.screenshot(path=artifacts / f"bodies-{'dark' if dark else 'light'}.png")
    page.set_theme(False)
