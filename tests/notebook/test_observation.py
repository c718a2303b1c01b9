"""Overlays and taps of a run that really trains, and values of every kind as small pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import workbench as wb
from tests.notebook.fakes import FakeView
from workbench.live.statistics import statistics
from workbench.live.taps import Sample, cut
from workbench.notebook import protocol
from workbench.notebook.hub import Hub
from workbench.notebook.tap_message import BINS, IMAGES, SIDE, sample_message


@pytest.fixture
def run() -> Iterator[Any]:
    """A run of steps of a millisecond or so, without end."""
    x = wb.placeholder(wb.float32, [None, 64], name="x")
    w = wb.Variable(wb.ones([64, 64]) * 0.01, name="w")
    hidden = wb.nn.relu(wb.matmul(x, w), name="hidden")
    loss = wb.reduce_mean(wb.square(hidden - 1.0), name="loss")
    train = wb.train.GradientDescentOptimizer(0.01).minimize(loss)
    data = np.random.default_rng(0).random((128, 64), np.float32)
    run = wb.run(train, feed={x: data}, track={"loss": loss}, folder=None)
    yield run
    run.close()


def accepts(method: str) -> Callable[[Any], bool]:
    return lambda message: message.get("method") == method


def test_overlay_frames_follow_the_graph(hub: Hub, run: Any) -> None:
    view = FakeView(hub)
    channels = ["time", "mean", "nonfinite"]
    answer = view.result("overlay.subscribe", run=run.id, channels=channels)
    assert answer == {"channels": channels, "rate": 10}
    graph = view.result("runs.list")["runs"][0]["graph"]
    header = view.result("graph.get", graph=graph)

    def known(message: Any) -> bool:
        if not accepts("overlay")(message):
            return False
        buffers = next(b for m, b in view.messages if m is message)
        columns = [np.frombuffer(b, "<f4") for b in buffers]
        hidden = run.graph.get_operation_by_name("hidden")._id - 1
        return columns[0][hidden] > 0 and np.isfinite(columns[1][hidden])

    message, buffers = view.wait(known)
    params = message["params"]
    assert (params["graph"], params["version"]) == (graph, header["version"])
    assert params["channels"] == channels and params["step"] > 0
    assert [len(buffer) for buffer in buffers] == [4 * header["operations"]] * 3
    view.result("overlay.unsubscribe", run=run.id)
    assert not run._loop.observer.active


def test_overlay_stops_with_the_view(hub: Hub, run: Any) -> None:
    view = FakeView(hub)
    view.result("overlay.subscribe", run=run.id, channels=["time"])
    view.result("tap.open", run=run.id, tensor="loss:0")
    assert run._loop.observer.active
    view.connection.close()
    assert not run._loop.observer.active


def test_a_tap_shows_values_and_their_history(hub: Hub, run: Any) -> None:
    view = FakeView(hub)
    tap = view.result("tap.open", run=run.id, tensor="loss:0")["tap"]
    message, buffers = view.wait(
        lambda m: accepts("tap")(m) and m["params"]["tap"] == tap and m["params"]["samples"] >= 3
    )
    params = message["params"]
    assert (params["kind"], params["shape"], params["dtype"]) == ("number", [], "float32")
    value = np.frombuffer(buffers[0], "<f4")[0]
    steps, values = np.frombuffer(buffers[2], "<f8"), np.frombuffer(buffers[3], "<f4")
    assert len(steps) == len(values) == params["samples"]
    assert value == values[-1]
    recorded = dict(zip(run.history.steps.tolist(), run.history["loss"].tolist(), strict=False))
    np.testing.assert_allclose(values, [recorded[step] for step in steps], rtol=1e-6)
    view.result("tap.close", tap=tap)
    assert view.error("tap.close", tap=tap)["code"] == protocol.BAD_PARAMETERS


def test_a_tap_of_a_paused_run_shows_the_value_of_now(hub: Hub, run: Any) -> None:
    run.pause()
    view = FakeView(hub)
    view.result("tap.open", run=run.id, tensor="w:0")
    message, buffers = view.wait(accepts("tap"))
    assert message["params"]["kind"] == "matrix"
    assert message["params"]["step"] == run.step_number
    shown = np.frombuffer(buffers[0], "<f4").reshape(64, 64)
    np.testing.assert_array_equal(shown, run.peek("w:0"))


def test_refuses_what_cannot_be_tapped(hub: Hub, run: Any) -> None:
    view = FakeView(hub)
    error = view.error("tap.open", run=run.id, tensor="hiden:0")
    assert error["code"] == protocol.BAD_PARAMETERS and "hidden:0" in error["message"]
    assert view.error("overlay.subscribe", run=run.id, channels=[])["code"] == -32602
    for _ in range(32):
        view.result("tap.open", run=run.id, tensor="loss:0")
    assert "at most" in view.error("tap.open", run=run.id, tensor="loss:0")["message"]


def test_a_tensor_that_the_steps_cannot_compute_says_why(hub: Hub, run: Any) -> None:
    with run.graph.as_default():
        wb.identity(wb.placeholder(wb.float32, [], name="unfed"), name="reads")
    view = FakeView(hub)
    view.result("tap.open", run=run.id, tensor="reads:0")
    message, _ = view.wait(accepts("tap"))
    assert message["params"]["kind"] == "text"
    assert "unfed" in message["params"]["text"]


def sample_of(array: Any) -> Sample:
    with np.errstate(all="ignore"):
        return Sample(1, cut(array), array.shape, statistics(array))


def message_of(array: Any, is_variable: bool = False) -> tuple[dict[str, Any], np.ndarray]:
    said, buffers = sample_message(sample_of(np.asarray(array)), is_variable)
    return said, np.frombuffer(buffers[0], "<f4")


@pytest.mark.parametrize(
    ("array", "is_variable", "kind", "images", "rows", "columns"),
    [
        (np.float32(3), False, "number", None, None, None),
        (np.zeros((1, 1)), False, "number", None, None, None),
        (np.zeros(10), False, "vector", None, 1, 10),
        (np.zeros(5000), False, "histogram", None, None, None),
        (np.zeros((8, 12)), False, "matrix", None, 8, 12),
        (np.zeros((500, 10)), False, "matrix", None, 64, 10),
        (np.zeros((32, 28, 28, 1)), False, "image", 16, 28, 28),
        (np.zeros((2, 200, 100, 3)), False, "image", 2, 50, 25),
        (np.zeros((32, 14, 14, 8)), False, "image", 8, 14, 14),
        (np.zeros((5, 5, 1, 32)), True, "image", 16, 5, 5),
        (np.zeros((3, 3, 64, 128)), True, "image", 16, 3, 3),
        (np.zeros((1, 1, 64, 128)), True, "matrix", None, 64, 64),
        (np.zeros((4, 28, 28)), False, "image", 4, 28, 28),
        (np.zeros((2, 3, 4, 5, 6)), False, "histogram", None, None, None),
        (np.array(b"text"), False, "text", None, None, None),
        (np.zeros((0, 3)), False, "text", None, None, None),
    ],
)
def test_each_value_has_the_picture_that_fits(
    array: Any, is_variable: bool, kind: str, images: Any, rows: Any, columns: Any
) -> None:
    said, _ = message_of(array, is_variable)
    assert (said["kind"], said["images"], said["rows"], said["columns"]) == (
        kind, images, rows, columns,
    )  # fmt: skip


def test_a_filter_is_shown_as_it_is() -> None:
    filters = np.arange(3 * 3 * 1 * 2, dtype=np.float32).reshape(3, 3, 1, 2)
    said, values = message_of(filters, is_variable=True)
    assert (said["images"], said["color"]) == (2, False)
    np.testing.assert_array_equal(values.reshape(2, 3, 3)[1], filters[:, :, 0, 1])


@settings(max_examples=80, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int32, np.uint8, np.bool_, np.complex64]),
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=9),
        elements=None,
    ),
    st.booleans(),
)
def test_every_value_makes_a_message_of_bounded_size(array: Any, is_variable: bool) -> None:
    said, buffers = sample_message(sample_of(array), is_variable)
    shown = len(buffers[0]) // 4
    if said["kind"] in ("vector", "matrix"):
        assert shown == said["rows"] * said["columns"] <= SIDE * SIDE
    elif said["kind"] == "image":
        assert said["images"] <= IMAGES
        pixels = said["images"] * said["rows"] * said["columns"]
        assert shown == pixels * (3 if said["color"] else 1)
    elif said["kind"] == "histogram":
        counts, edges = (np.frombuffer(b, "<f4") for b in buffers)
        assert (len(counts), len(edges)) == (BINS, BINS + 1)
        assert (np.diff(edges) > 0).all()
        numbers = np.abs(array) if array.dtype.kind == "c" else array
        assert counts.sum() == np.isfinite(numbers).sum()
    if said["summary"] is not None:
        assert said["summary"]["size"] == math.prod(array.shape)


def test_nonfinite_numbers_are_words_in_json() -> None:
    said, values = message_of(np.float32("nan"))
    assert said["summary"]["mean"] == "NaN" and said["summary"]["nonfinite"] == 1
    assert np.isnan(values[0])
    said, _ = message_of(np.array([np.inf, -np.inf]))
    assert said["summary"]["minimum"] is None


def test_looking_costs_little(hub: Hub, run: Any) -> None:
    views = [FakeView(hub) for _ in range(20)]
    for view in views:
        view.result("overlay.subscribe", run=run.id, channels=["time", "mean", "zeros"])
        view.result("run.subscribe", run=run.id)
    start, seconds = time.monotonic(), hub.publisher.seconds
    time.sleep(1.0)
    share = (hub.publisher.seconds - seconds) / (time.monotonic() - start)
    assert run.step_number > 0 and share < 0.1


def test_two_pictures_on_one_page_have_their_own_channels(hub: Hub, run: Any) -> None:
    view = FakeView(hub)
    for name, channel in (("left", "time"), ("right", "mean")):
        view.result("overlay.subscribe", run=run.id, channels=[channel], subscription=name)
    for name, channel in (("left", "time"), ("right", "mean")):

        def is_its(message: Any, name: str = name) -> bool:
            return accepts("overlay")(message) and message["params"]["subscription"] == name

        message, buffers = view.wait(is_its)
        assert message["params"]["channels"] == [channel] and len(buffers) == 1
    view.result("overlay.unsubscribe", run=run.id, subscription="left")
    assert len(run._loop.observer._observations) == 1
    view.result("overlay.unsubscribe", run=run.id, subscription="right")
    assert not run._loop.observer.active


def test_operations_in_bodies_come_after_those_of_the_graph(hub: Hub) -> None:
    with wb.Graph().as_default() as graph:
        x = wb.placeholder(wb.float32, [16, 16], name="x")
        limit = wb.placeholder(wb.int32, [], name="limit")
        fixed = wb.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, wb.matmul(y, x, name="product")), [0, x]
        )[1]
        free = wb.while_loop(lambda i: i < limit, lambda i: i + 1, [0], name="free")
        loss = wb.reduce_sum(fixed) + wb.to_float(free)
        feed = {x: np.eye(16, dtype=np.float32), limit: 4}
        run = wb.run(loss, feed=feed, folder=None)
    try:
        view = FakeView(hub)
        message, buffers = view.ask("graph.get", graph=hub.graphs.add(graph, "looping"))
        names = bytes(buffers[0]).decode().split("\n")
        view.result("overlay.subscribe", run=run.id, channels=["passes", "calls"])
        _, sent = view.wait(accepts("overlay"))
        passes, calls = (np.frombuffer(each, "<f4") for each in sent)
        assert len(names) == len(passes) == len(calls) == message["result"]["operations"]
        assert passes[names.index("free/While")] == 4
        assert passes[names.index("while/While")] == 3
        product = names.index("while/product")
        assert product >= graph.version
        assert calls[product] == 3 and np.isnan(passes[product])
    finally:
        run.close()
