"""Encodings of what goes between tasks: chosen by the session's options, or edge by edge."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as tf
from tests.cluster.processes import Processes
from tests.cluster.servers import near
from workbench.cluster.execution.edge_encodings import wire_encoding

#: A number that shorter encodings round.
THIRD = np.float32(1 / 3)


def across(session_target, config=None, encoding=None, dtype=tf.float32):
    """What arrives of thirds that one task makes and another one adds one to, minus one."""
    with tf.Graph().as_default():
        with tf.device("/job:worker/task:0"):
            made = tf.cast(tf.fill([1000], 1.0) / 3.0, dtype) * 1
        if encoding is not None:
            wire_encoding(made, encoding)
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


def test_only_float32_has_encodings():
    with tf.Graph().as_default():
        with pytest.raises(TypeError, match="only float32"):
            wire_encoding(tf.constant(1), "int8")
        with pytest.raises(ValueError, match="no encoding"):
            wire_encoding(tf.constant(1.0), "int4")
