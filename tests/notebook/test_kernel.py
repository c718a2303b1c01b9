"""Views and a real kernel, while its shell is free and while a cell blocks it."""

from __future__ import annotations

import time
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


def test_answers_while_a_cell_blocks(kernel: Any, view: View) -> None:
    if view.subshell is None:
        pytest.skip("this kernel has no subshells")
    cell = kernel.submit("import time\ntime.sleep(1.5)")
    time.sleep(0.3)
    start = time.monotonic()
    view.result("hello")
    assert time.monotonic() - start < 0.9
    kernel.finish(cell)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ([], -32700),
        ("hello", -32700),
        ({}, -32600),
        ({"id": 1}, -32600),
        ({"id": "one", "method": "hello"}, -32600),
        ({"id": 2, "method": "hello", "params": {"a": "b" * (1 << 20)}}, -32600),
        ({"id": 3, "method": "no.such"}, -32601),
        ({"id": 4, "method": "graph.get", "params": {"graph": "no such graph"}}, -32602),
        ({"id": 5, "method": "graph.node", "params": {"graph": "default", "node": -1}}, -32602),
    ],
)
def test_refuses_what_makes_no_sense(view: View, message: Any, code: int) -> None:
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
