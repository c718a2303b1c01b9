"""Views and a real kernel, while its shell is free and while a cell blocks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.notebook.kernel_client import View


@pytest.fixture(scope="module")
def view(kernel: Any) -> View:
    view = View(kernel, kernel.subshell())
    view.find_data_comm()
    return view


def test_says_who_it_is(view: View) -> None:
    hello = view.result("hello")
    assert hello["protocol"] == 1
    assert hello["graphs"][0]["graph"] == "default"


def test_sends_a_graph_as_tables(kernel: Any, view: View) -> None:
    kernel.execute(
        "tf.reset_default_graph()\n"
        "x = tf.placeholder(tf.float32, [None, 3], name='x')\n"
        "y = tf.matmul(x, tf.ones([3, 2]), name='y')"
    )
    message = view.ask("graph.get", graph="default")
    header, buffers = message["content"]["data"]["result"], message["buffers"]
    names = bytes(buffers[0]).decode().split("\n")
    assert header["operations"] == len(names)
    assert {"x", "y"} <= set(names)
    types = np.frombuffer(bytes(buffers[1]), "<u2")
    assert header["types"][types[names.index("y")]] == "MatMul"
    node = view.result("graph.node", graph="default", node=names.index("y"))
    assert node["line"]["line"] == 3
    assert node["line"]["file"].startswith("cell [")


TRAINING = """
import numpy as np
tf.reset_default_graph()
lr = wb.hyperparameter("lr", 0.01, low=1e-4, high=1.0, log=True)
x = tf.placeholder(tf.float32, [None, 64], name="x")
w = tf.Variable(tf.ones([64, 64]) * 0.01, name="w")
loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1.0), name="loss")
train_op = tf.train.GradientDescentOptimizer(lr).minimize(loss)
data = np.random.default_rng(0).random((128, 64), np.float32)
run = wb.run(train_op, feed={x: data}, track={"loss": loss}, folder=None)
run
"""
#: A cell that keeps the main thread busy until a file is there, but lets other threads work.
BLOCKING = """
import os, time
end = time.monotonic() + 60
while not os.path.exists({file!r}) and time.monotonic() < end:
    time.sleep(0.01)
assert time.monotonic() < end
"""


@pytest.fixture
def training(kernel: Any) -> Iterator[list[dict[str, Any]]]:
    """What the cell published that started a run; the run is closed in the end."""
    yield kernel.execute(TRAINING)
    kernel.execute("run.close()")


def test_a_run_is_told_and_shown_while_a_cell_blocks(
    kernel: Any, view: View, training: list[dict[str, Any]], tmp_path: Path
) -> None:
    if view.subshell is None:
        pytest.skip("this kernel has no subshells")
    [shown] = [m for m in training if m["msg_type"] == "execute_result"]
    assert shown["content"]["data"]["text/plain"].startswith("<wb.Run 'run' ")
    run = view.result("runs.list")["runs"][0]["run"]
    view.result("run.subscribe", run=run)
    file = tmp_path / "told"
    cell = kernel.submit(BLOCKING.format(file=str(file)))
    kernel.wait(lambda m: m["msg_type"] == "execute_input" and m["parent_header"]["msg_id"] == cell)
    answer = view.result("run.command", run=run, command="set", arguments={"lr": 0.5})
    assert answer["step"] > 0
    view.result("overlay.subscribe", run=run, channels=["time", "mean"])
    frame = view.receive(lambda data: data.get("method") == "overlay")
    operations = view.result("graph.get", graph="default")["operations"]
    assert [len(buffer) for buffer in frame["buffers"]] == [4 * operations] * 2
    view.receive(
        lambda data: (
            data.get("method") == "run.update"
            and [event["text"] for event in data["params"]["events"]] == ["lr 0.01 -> 0.5"]
        )
    )
    file.touch()
    kernel.finish(cell)
    view.result("overlay.unsubscribe", run=run)
    view.result("run.unsubscribe", run=run)


def test_garbage_leaves_a_run_as_it_is(
    kernel: Any, view: View, training: list[dict[str, Any]]
) -> None:
    run = view.result("runs.list")["runs"][0]["run"]
    view.result("run.command", run=run, command="pause")
    before = view.result("runs.list")
    for message in (
        {"id": 900, "method": "run.command", "params": {"run": run, "command": "set"}},
        {"id": 901, "method": "run.command", "params": {"run": run, "command": "step", "x": 1}},
        {"id": 902, "method": "run.command", "params": {"run": run * 100, "command": "stop"}},
        {"id": 903, "method": "run.command", "params": {"run": run, "command": "stop" * 9}},
        {"id": 904, "method": "runs.delete", "params": {"run": run}},
        {"id": 905, "method": "tap.open", "params": {"run": run, "tensor": "no:0"}},
        ["stop"],
    ):
        view.send(message)
    for identity in range(900, 906):
        answer = view.receive(lambda data, wanted=identity: data.get("id") == wanted)
        assert answer["content"]["data"]["error"]["code"] == -32602
    assert view.result("runs.list") == before


def test_a_view_that_closes_ends_what_it_follows(
    kernel: Any, training: list[dict[str, Any]]
) -> None:
    view = View(kernel, kernel.subshell())
    view.find_data_comm()
    run = view.result("runs.list")["runs"][0]["run"]
    view.result("overlay.subscribe", run=run, channels=["time"])
    view.close()
    kernel.wait(lambda m: m["msg_type"] == "comm_close" and m["content"]["comm_id"] == view.data)
    kernel.execute("assert not run._loop.observer.active")


def test_a_view_without_an_id_is_turned_away(kernel: Any, view: View) -> None:
    stranger = View(kernel, view.subshell, data={"view": 7})
    kernel.wait(
        lambda m: m["msg_type"] == "comm_close" and m["content"]["comm_id"] == stranger.control
    )
    assert view.result("hello")["protocol"] == 1


def test_a_view_without_a_subshell_is_answered_between_cells(kernel: Any) -> None:
    view = View(kernel)
    view.find_data_comm()
    assert view.result("hello")["protocol"] == 1
    view.close()


def test_an_error_of_the_core_names_the_cell(kernel: Any) -> None:
    published = kernel.execute(
        "a = tf.ones([2, 3])\nb = tf.ones([4, 5])\ntf.matmul(a, b)", fails=True
    )
    [error] = [m for m in published if m["msg_type"] == "error"]
    assert re.search(r"cell \[\d+\]:3: tf\.matmul\(a, b\)", error["content"]["evalue"])


def test_lines_of_a_graph_cell_are_those_of_the_cell(kernel: Any, view: View) -> None:
    kernel.execute(
        "%%graph lined\n\nfirst = tf.constant(1.0, name='first')\ntf.exp(first, name='e')"
    )
    header = view.ask("graph.get", graph="lined")
    names = bytes(header["buffers"][0]).decode().split("\n")
    line = view.result("graph.node", graph="lined", node=names.index("e"))["line"]
    assert (line["line"], line["text"]) == (4, "tf.exp(first, name='e')")
    assert re.fullmatch(r"cell \[\d+\]", line["file"])


def test_a_typing_error_is_one_line_without_a_traceback(kernel: Any) -> None:
    published = kernel.execute("%peek nothing --run none", fails=True)
    texts = [m["content"].get("text", "") for m in published if m["msg_type"] == "stream"]
    assert "".join(texts).count("\n") == 1 and texts[0].startswith("UsageError: there is no run")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ([], -32700),
        ("hello", -32700),
        ({}, -32600),
        ({"id": 1001}, -32600),
        ({"id": "one", "method": "hello"}, -32600),
        ({"id": 1002, "method": "hello", "params": {"a": "b" * (1 << 20)}}, -32600),
        ({"id": 1003, "method": "no.such"}, -32601),
        ({"id": 1004, "method": "graph.get", "params": {"graph": "no such graph"}}, -32602),
        ({"id": 1005, "method": "graph.node", "params": {"graph": "default", "node": -1}}, -32602),
    ],
)
def test_refuses_what_makes_no_sense(view: View, message: Any, code: int) -> None:
    """The numbers are none that the view itself gives to what it asks."""
    view.kernel.published.clear()
    view.start = 0
    view.send(message)
    answer = view.receive(lambda data: "error" in data)["content"]["data"]
    assert answer["error"]["code"] == code
    assert view.result("hello")["protocol"] == 1


def test_a_cell_shows_a_graph(kernel: Any) -> None:
    published = kernel.execute("tf.get_default_graph()")
    [shown] = [m for m in published if m["msg_type"] == "execute_result"]
    data = shown["content"]["data"]
    assert data["text/plain"].startswith("Graph: ")
    assert "application/vnd.jupyter.widget-view+json" in data


def test_the_end_of_the_kernel_closes_everything(kernel: Any) -> None:
    kernel.execute("%unload_ext workbench")
    kernel.execute(
        "import threading\n"
        "assert 'workbench-publisher' not in [t.name for t in threading.enumerate()]"
    )
    kernel.execute("%load_ext workbench")
