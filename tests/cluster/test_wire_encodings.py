"""Encodings of what goes between tasks: chosen by the session's options, or edge by edge."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as tf
from tests.cluster.processes import Processes
from tests.cluster.servers import near

#: A number that shorter encodings round.
THIRD = np.float32(1 / 3)


def across(session_target, config=None, encoding=None, dtype=tf.float32):
    """What arrives of thirds that one task makes and another one adds one to, minus one."""
    with tf.Graph().as_default():
        with tf.device("/job:worker/task:0"):
            made = tf.cast(tf.fill([1000], 1.0) / 3.0, dtype) * 1
        if encoding is not None:
            tf.wire_encoding(made, encoding)
        with tf.device("/job:worker/task:1"):
            taken = made * 2
        with tf.Session(session_target, config=config) as session:
            return session.run(taken)


@pytest.mark.slow
def test_values_between_processes_have_the_encoding_that_was_chosen():
    short = tf.ConfigProto(graph_options=tf.GraphOptions(enable_bfloat16_sendrecv=True))
    with Processes(worker=2) as processes:
        target = processes.target("worker", 0)
        exact = across(target)
        assert (exact == 2 * THIRD).all()
        for config, encoding, error in [
            (short, None, 2**-8),
            (None, "bfloat16", 2**-8),
            (None, "float16", 2**-11),
            (None, "int8", 1 / 254),
        ]:
            found = across(target, config, encoding)
            assert np.abs(found / exact - 1).max() <= error
            assert encoding == "int8" or (found != exact).all()
        for kind, error in [("float16", 2**-11), ("int8+feedback", 1 / 254), ("float32", 0)]:
            chosen = tf.ConfigProto(graph_options=tf.GraphOptions(wire_encoding=kind))
            found = across(target, chosen)
            assert np.abs(found / exact - 1).max() <= error
        assert (across(target, short, "float32") == exact).all()
        doubles = across(target, short, dtype=tf.float64)
        assert doubles.dtype == np.float64 and (doubles == np.float64(THIRD) * 2).all()


def test_what_stays_in_the_process_is_not_encoded():
    short = tf.ConfigProto(graph_options=tf.GraphOptions(enable_bfloat16_sendrecv=True))
    with near(worker=2) as servers:
        assert (across(servers["worker:0"].target, short, "int8") == 2 * THIRD).all()
        counts = servers["worker:0"].wire_statistics()
        (only,) = counts.values()
        assert only.bytes_handed >= 4000 and only.bytes_sent == only.bytes_saved == 0


@pytest.mark.slow
def test_the_trace_of_a_step_tells_what_a_transfer_took_and_what_was_saved():
    with Processes(worker=2) as processes, tf.Graph().as_default():
        with tf.device("/job:worker/task:0"):
            made = tf.wire_encoding(tf.fill([1000], 1.0) / 3.0, "bfloat16")
        with tf.device("/job:worker/task:1"):
            taken = made * 2
        with tf.Session(processes.target("worker", 0)) as session:
            metadata = tf.RunMetadata()
            options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            session.run(taken, options=options, run_metadata=metadata)
    labels = [
        (device.device, node.timeline_label)
        for device in metadata.step_stats.dev_stats
        for node in device.node_stats
        if node.node_name.startswith("_Send")
    ]
    ((device, label),) = labels
    assert device == "/job:worker/replica:0/task:0/device:CPU:0"
    assert "task:1" in label and made.name in label and "2000 saved by encodings" in label


def test_a_session_with_an_encoding_that_does_not_exist_is_refused():
    config = tf.ConfigProto(graph_options=tf.GraphOptions(wire_encoding="int4"))
    with near(worker=1) as servers, pytest.raises(ValueError, match="no encoding 'int4'"):
        tf.Session(servers["worker:0"].target, config=config)


def test_only_float32_has_encodings():
    with tf.Graph().as_default():
        with pytest.raises(TypeError, match="only float32"):
            tf.wire_encoding(tf.constant(1), "int8")
        with pytest.raises(ValueError, match="no encoding"):
            tf.wire_encoding(tf.constant(1.0), "int4")
