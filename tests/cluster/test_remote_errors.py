"""What errors are at the other end of the wire."""

from __future__ import annotations

import pytest

import workbench as tf
from workbench.cluster.remote_errors import from_fields, to_fields


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (tf.errors.OutOfRangeError(None, None, "why"), tf.errors.OutOfRangeError),
        (ValueError("why"), tf.errors.InvalidArgumentError),
        (TypeError("why"), tf.errors.InvalidArgumentError),
        (NotImplementedError("why"), tf.errors.UnimplementedError),
        (RuntimeError("why"), tf.errors.InternalError),
        (MemoryError("why"), tf.errors.InternalError),
    ],
)
def test_an_error_is_the_same_elsewhere_in_the_words_of_tensorflow(error, kind):
    found = from_fields(to_fields(error), "/job:ps")
    assert type(found) is kind and "why" in str(found) and "on /job:ps" in str(found)


def test_an_operation_that_is_unknown_there_is_said_to_be(servers):
    """A part of a graph may come from a program that knows other operations."""
    with tf.Graph().as_default() as graph:
        with tf.device("/job:ps/task:0"):
            graph.create_op("Strange", [], [tf.float32], name="strange")
        with (
            tf.Session(servers["worker:0"].target) as session,
            pytest.raises(tf.errors.UnimplementedError, match="'strange'.*'Strange'"),
        ):
            session.run("strange:0")
