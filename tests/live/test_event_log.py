"""What a run writes for TensorBoard, read by TensorBoard's own accumulator."""

from __future__ import annotations

import time

import numpy as np
import pytest

import workbench as tf
from tests.live.support import FullDisk
from workbench.core.errors import OpError
from workbench.live.event_log import EventLog
from workbench.train.event_files import summary_iterator


def accumulated(folder):
    """TensorBoard's view of a folder, with every event kept."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    reader = accumulator.EventAccumulator(str(folder), size_guidance={accumulator.SCALARS: 0})
    reader.Reload()
    return reader


def test_every_step_is_there(tmp_path):
    steps = np.arange(1, 20_000)
    values = np.random.default_rng(0).normal(size=(2, steps.size)).astype(np.float32)
    with EventLog(tmp_path) as log:
        for start in range(0, steps.size, 700):
            rows = slice(start, start + 700)
            log.scalars(["loss", "Genauigkeit größer"], steps[rows], values[:, rows])
    reader = accumulated(tmp_path)
    assert sorted(reader.Tags()["scalars"]) == ["Genauigkeit größer", "loss"]
    for name, row in zip(["loss", "Genauigkeit größer"], values, strict=True):
        found = reader.Scalars(name)
        assert [e.step for e in found] == steps.tolist()
        np.testing.assert_array_equal(np.float32([e.value for e in found]), row)
        assert all(abs(e.wall_time - time.time()) < 60 for e in found)


@pytest.mark.parametrize("width", range(1, 10))
def test_steps_of_any_size(tmp_path, width):
    """Their bytes grow with the step: around each limit, and the largest."""
    limit = 1 << 7 * width
    steps = [0, limit - 2, limit - 1, min(limit, 2**63 - 1)]
    with EventLog(tmp_path) as log:
        log.scalars(["a"], steps, [np.arange(4)])
    found = list(summary_iterator(log.path))[1:]
    assert [event.step for event in found] == steps
    assert [event.summary.value[0].simple_value for event in found] == [0, 1, 2, 3]


def test_values_times_and_nothing(tmp_path):
    special = [np.nan, np.inf, -np.inf, 1e300]
    with np.errstate(over="ignore"), EventLog(tmp_path) as log:
        log.scalars(["a"], [1, 2, 3, 4], [special], times=[1.5, 2.5, 3.5, 4.5])
        log.scalars(["a" * 300], [5], [[7]], times=9.0)
        log.scalars([], [6], np.empty((0, 1)))
        log.scalars(["a"], [], np.empty((1, 0)))
    found = list(summary_iterator(log.path))[1:]
    assert [event.wall_time for event in found[:5]] == [1.5, 2.5, 3.5, 4.5, 9.0]
    values = [event.summary.value[0].simple_value for event in found[:4]]
    np.testing.assert_array_equal(values, [np.nan, np.inf, -np.inf, np.inf])
    assert found[4].summary.value[0].tag == "a" * 300
    assert [event.step for event in found] == [1, 2, 3, 4, 5, 6]
    with EventLog(tmp_path) as log, pytest.raises(ValueError, match=r"shape \(2, 1\)"):
        log.scalars(["a", "b"], [1], [[1]])


def test_the_graph_comes_with_its_shapes(tmp_path):
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        tf.layers.dense(x, 2, name="dense")
    EventLog(tmp_path, graph).close()
    nodes = {node.name: node for node in accumulated(tmp_path).Graph().node}
    assert set(nodes) == {op.name for op in graph.get_operations()}
    shape = nodes["dense/MatMul"].attr["_output_shapes"].list.shape[0]
    assert [dimension.size for dimension in shape.dim] == [-1, 2]
    first, second, *rest = summary_iterator(next(tmp_path.iterdir()))
    assert first.file_version == "brain.Event:2"
    assert second.graph_def and not rest


def test_a_rewind_drops_later_points(tmp_path):
    with EventLog(tmp_path) as log:
        log.scalars(["loss"], range(1, 11), [np.zeros(10)])
        log.restart(4)
        log.scalars(["loss"], [5, 6], [[1, 1]])
    found = accumulated(tmp_path).Scalars("loss")
    assert [(e.step, e.value) for e in found] == [
        *((step, 0.0) for step in range(1, 5)),
        (5, 1.0),
        (6, 1.0),
    ]


def test_what_was_added_is_readable_at_once(tmp_path):
    log = EventLog(tmp_path)
    try:
        for step in range(1, 4):
            log.scalars(["loss"], [step], [[step]])
            assert [e.step for e in summary_iterator(log.path)][1:] == list(range(1, step + 1))
    finally:
        log.close()


def test_a_full_disk_leaves_whole_records(tmp_path, monkeypatch):
    with EventLog(tmp_path) as log:
        log.scalars(["loss"], [1], [[1]])
        inner = log._file
        monkeypatch.setattr(log, "_file", FullDisk(inner))
        with pytest.raises(OpError, match="No space left"):
            log.scalars(["loss"], [2], [[2]])
        monkeypatch.setattr(log, "_file", inner)
        log.scalars(["loss"], [3], [[3]])
    assert [e.step for e in summary_iterator(log.path)] == [0, 1, 3]
