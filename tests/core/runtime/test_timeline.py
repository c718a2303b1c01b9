"""Chrome traces of traced steps."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

import workbench as tf
from workbench.core.runtime.timeline import Timeline


def step_stats(*rows: tuple[str, str, int, int, int]) -> Any:
    """A device's operations: name, type and inputs, start, length, bytes."""
    stats = tf.RunMetadata().step_stats
    device = stats.dev_stats.add()
    device.device = "/device:CPU:0"
    for name, call, start, length, size in rows:
        node = device.node_stats.add()
        node.node_name = name
        node.timeline_label = f"{name} = {call}"
        node.all_start_micros = start
        node.all_end_rel_micros = length
        allocation = node.output.add().tensor_description.allocation_description
        allocation.allocator_name = "cpu"
        allocation.requested_bytes = size
    return stats


DIAMOND = (
    ("a", "Const()", 0, 10, 4),
    ("left", "Neg(a)", 10, 20, 8),
    ("right", "Exp(a:0)", 12, 5, 16),
    ("sum", "Add(left, right, ^a)", 40, 0, 32),
)


def events(trace: str, phase: str) -> list[dict[str, Any]]:
    return [each for each in json.loads(trace)["traceEvents"] if each["ph"] == phase]


def test_operations_have_their_times_types_and_inputs() -> None:
    trace = Timeline(step_stats=step_stats(*DIAMOND)).generate_chrome_trace_format()
    runs = {each["args"]["name"]: each for each in events(trace, "X")}
    assert [runs[name]["name"] for name in ("a", "left", "right", "sum")] == [
        "Const",
        "Neg",
        "Exp",
        "Add",
    ]
    assert (runs["left"]["ts"], runs["left"]["dur"]) == (10, 20)
    assert runs["sum"]["args"]["input0"] == "left"
    assert runs["sum"]["args"]["input1"] == "right"
    assert runs["sum"]["dur"] == 1  # what takes no time could not be seen
    assert [each["args"]["name"] for each in events(trace, "M")] == ["/device:CPU:0 Compute"]


def test_what_overlaps_stands_in_lanes_of_its_own() -> None:
    trace = Timeline(step_stats(*DIAMOND)).generate_chrome_trace_format()
    lanes = {each["args"]["name"]: each["tid"] for each in events(trace, "X")}
    assert lanes == {"a": 0, "left": 0, "right": 1, "sum": 0}


def test_arrows_go_from_lane_to_lane() -> None:
    timeline = Timeline(step_stats(*DIAMOND))
    trace = timeline.generate_chrome_trace_format()
    starts, ends = events(trace, "s"), events(trace, "t")
    assert [(each["name"], each["ts"], each["id"]) for each in starts] == [
        ("a", 10, 0),
        ("right", 17, 1),
    ]
    assert [(each["ts"], each["tid"], each["id"]) for each in ends] == [(12, 1, 0), (40, 0, 1)]
    bare = timeline.generate_chrome_trace_format(show_dataflow=False)
    assert not events(bare, "s") and not events(bare, "t")


def test_memory_is_counted_until_the_last_use() -> None:
    trace = Timeline(step_stats(*DIAMOND)).generate_chrome_trace_format(show_memory=True)
    counts = [(each["ts"], each["args"]["cpu"]) for each in events(trace, "C")]
    assert counts == [
        (0, 4),
        (10, 12),
        (12, 28),
        (40, 60),
        (41, 28),
        (41, 12),
        (41, 4),
        (41, 0),
    ]


def test_a_traced_run_names_its_inputs() -> None:
    fed = tf.placeholder(tf.float32, [2, 2], name="x")
    product = tf.matmul(fed, tf.exp(fed, name="e"), name="m")
    metadata = tf.RunMetadata()
    with tf.Session() as session:
        session.run(
            product,
            {fed: [[1, 2], [3, 4]]},
            options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE),
            run_metadata=metadata,
        )
    trace = Timeline(metadata.step_stats).generate_chrome_trace_format(show_memory=True)
    runs = {each["args"]["name"]: each for each in events(trace, "X")}
    assert runs["m"]["name"] == "MatMul"
    assert runs["m"]["args"]["input1"] == "e"


def test_the_graph_of_a_step_can_be_asked_for() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        one = tf.constant(1, name="one")
        two = tf.add(one, one, name="two")
        tf.identity(two, name="unused")
        metadata = tf.RunMetadata()
        options = tf.RunOptions(output_partition_graphs=True)
        assert session.run(two, options=options, run_metadata=metadata) == 2
        (graph,) = metadata.partition_graphs
        assert [node.name for node in graph.node] == ["one", "two"]
        assert not metadata.step_stats.dev_stats


@pytest.mark.parametrize("waits", [False, True])
def test_runs_that_are_traced_at_the_same_time_are_told_apart(waits: bool) -> None:
    threads = 4
    with tf.Graph().as_default() as graph, tf.Session() as session:
        together = threading.Barrier(threads)

        def meet(number: Any) -> Any:
            together.wait(60)
            return number

        given = tf.placeholder(tf.float32, [None], name="given")
        met = tf.py_func(meet, [given], tf.float32, name="meet")
        met.set_shape([None])
        if waits:
            queues = [tf.FIFOQueue(threads, tf.float32, []) for _ in range(2)]
            session.run([q.enqueue_many([[1.0] * threads]) for q in queues])
            met *= queues[0].dequeue() * queues[1].dequeue()
        last = tf.identity(tf.tanh(met, name="tanh") + 1.0, name="last")
        told: dict[int, Any] = {}

        def run(size: int) -> None:
            metadata = tf.RunMetadata()
            options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            with graph.as_default():
                session.run(last, {given: [0.0] * size}, options, metadata)
            told[size] = metadata

        workers = [threading.Thread(target=run, args=(n,)) for n in range(1, threads + 1)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
    assert sorted(told) == [1, 2, 3, 4]
    for size, metadata in told.items():
        steps = metadata.step_stats.dev_stats[0].node_stats
        names = [step.node_name for step in steps]
        assert names.count("meet") == names.count("tanh") == 1
        (tanh,) = (step for step in steps if step.node_name == "tanh")
        assert [d.size for d in tanh.output[0].tensor_description.shape.dim] == [size]


def test_what_is_told_of_a_run_replaces_what_was_told() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        one = tf.constant(1, name="one")
        metadata = tf.RunMetadata()
        trace = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE, output_partition_graphs=True)
        for _ in range(2):
            session.run(one, options=trace, run_metadata=metadata)
            assert len(metadata.partition_graphs) == len(metadata.step_stats.dev_stats) == 1
        session.run(one, run_metadata=metadata)
        assert not metadata.partition_graphs and not metadata.step_stats.dev_stats
