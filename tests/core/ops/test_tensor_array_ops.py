"""TensorArrayV3 and its older spellings: what they give, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core import errors
from workbench.core.ops.creation import create

VERSIONS = ["V3", "V2", ""]


class Array:
    """An array of one spelling, with its flow."""

    def __init__(self, version: str, size: Any, dtype: Any = tf.float32, **more: Any) -> None:
        self.version, self.dtype = version, dtype
        made = create(f"TensorArray{version}", None, size=size, dtype=dtype, **more)
        self.handle = made.outputs[0]
        self.flow: Any = made.outputs[1] if version == "V3" else tf.constant(0.0)

    def op(self, name: str, *outputs: int, **more: Any) -> Any:
        op = create(
            f"TensorArray{name}{self.version}", None, handle=self.handle, flow_in=self.flow, **more
        )
        return [op.outputs[i] for i in outputs] if outputs else op.outputs[0]

    def write(self, index: Any, value: Any) -> Array:
        self.flow = self.op("Write", index=index, value=value)
        return self

    def read(self, index: Any) -> Any:
        return self.op("Read", index=index, dtype=self.dtype)


def run(*fetches: Any) -> Any:
    with tf.Session() as session:
        return session.run(list(fetches))


def refused(fetch: Any, message: str) -> None:
    with (
        tf.Session() as session,
        pytest.raises(errors.InvalidArgumentError, match=message),
    ):
        session.run(fetch)


@pytest.mark.parametrize("version", VERSIONS)
def test_elements_are_read_as_they_were_written(version: str) -> None:
    array = Array(version, 3).write(0, [1.0, 2.0]).write(2, [[3.0]])
    zero, two, size = run(array.read(0), array.read(2), array.op("Size"))
    assert (zero.tolist(), two.tolist(), size) == ([1.0, 2.0], [[3.0]], 3)


@pytest.mark.parametrize("version", VERSIONS)
def test_elements_are_gathered_scattered_joined_and_split(version: str) -> None:
    value = np.arange(6.0, dtype=np.float32).reshape(3, 2)
    array = Array(version, 3, clear_after_read=False)
    array.flow = array.op("Scatter", indices=[2, 0, 1], value=value)
    gathered = array.op("Gather", indices=[0, 2], dtype=tf.float32)
    joined, lengths = array.op("Concat", 0, 1, dtype=tf.float32)
    parts = Array(version, 2)
    parts.flow = parts.op("Split", value=value, lengths=np.array([1, 2], np.int64))
    found = run(gathered, joined, lengths, parts.read(0), parts.read(1))
    assert found[0].tolist() == [[2.0, 3.0], [0.0, 1.0]]
    assert found[1].tolist() == [2.0, 3.0, 4.0, 5.0, 0.0, 1.0]
    assert found[2].tolist() == [2, 2, 2]
    assert found[3].tolist() == [[0.0, 1.0]]
    assert found[4].tolist() == [[2.0, 3.0], [4.0, 5.0]]


def test_every_run_has_an_array_of_its_own() -> None:
    array = Array("V3", 1).write(0, 1.0)
    read = array.read(0)
    with tf.Session() as session:
        assert [session.run(read) for _ in range(3)] == [1.0, 1.0, 1.0]
        assert not session.state.resources


def test_what_is_kept_is_a_copy() -> None:
    variable = tf.Variable([1.0, 2.0])
    array = Array("V3", 1, clear_after_read=False).write(0, variable)
    with tf.control_dependencies([array.flow]):
        changed = tf.assign(variable, [7.0, 8.0])
    with tf.control_dependencies([changed]):
        first, second = array.read(0), array.read(0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        a, b = session.run([first + 1.0, second])
    assert (a.tolist(), b.tolist()) == ([2.0, 3.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Array("V3", 2).write(2, 1.0).flow, "not resizeable and size is: 2"),
        (lambda: Array("V3", 2).write(-1, 1.0).flow, "index -1"),
        (lambda: Array("V3", 2).read(2), "index 2 but array size is: 2"),
        (lambda: Array("V3", 2).read(0), "element shape is not fully defined"),
        (lambda: Array("V3", 2).write(0, 1.0).write(0, 2.0).flow, "already been written to"),
        (lambda: Array("V3", 2).write(0, 1).flow, "float32 but Op is trying to write dtype int32"),
        (
            lambda: Array("V3", 1, element_shape=[2]).write(0, [1.0]).flow,
            "incompatible with the TensorArray's inferred element shape",
        ),
        (lambda: Array("V3", -1).op("Size"), "Size should be >= 0"),
        (
            lambda: (
                Array("V3", 2)
                .write(0, [1.0])
                .write(1, [1.0, 2.0])
                .op("Gather", indices=[0, 1], dtype=tf.float32)
            ),
            "inconsistent shapes",
        ),
        (
            lambda: Array("V3", 0).op("Gather", indices=np.zeros(0, np.int32), dtype=tf.float32),
            "size zero, but element shape <unknown> is not fully defined",
        ),
        (
            lambda: Array("V3", 2).op("Split", value=[1.0, 2.0], lengths=np.array([1, 2])),
            "sum of lengths is 3",
        ),
    ],
)
def test_what_cannot_be_is_refused(build: Any, message: str) -> None:
    refused(build(), message)


def test_an_element_is_read_once_where_reading_clears() -> None:
    array = Array("V3", 1).write(0, 1.0)
    first = array.read(0)
    with tf.control_dependencies([first]):
        second = array.read(0)
    refused(second, "Could not read index 0 twice")


def test_a_dynamic_array_grows() -> None:
    array = Array("V3", 0, dynamic_size=True, element_shape=[]).write(3, 5.0)
    assert run(array.op("Gather", indices=[0, 3], dtype=tf.float32))[0].tolist() == [0.0, 5.0]


def test_a_closed_array_is_refused() -> None:
    array = Array("V3", 1).write(0, 1.0)
    with tf.control_dependencies([array.flow]):
        close = create("TensorArrayCloseV3", None, handle=array.handle)
    with tf.control_dependencies([close]):
        refused(array.read(0), "already been closed")


def test_gradients_flow_through_writes_and_reads() -> None:
    x = tf.constant([1.0, 2.0])
    array = Array("V3", 2, clear_after_read=False).write(0, x * 3.0).write(1, x * x)
    y = array.read(0) * array.read(1) + array.read(1)
    # y = 3 x^3 + x^2
    (gradient,) = tf.gradients(y, x)
    assert run(gradient)[0].tolist() == [11.0, 40.0]


def test_gradients_flow_through_gather_scatter_concat_and_split() -> None:
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    array = Array("V3", 2, clear_after_read=False)
    array.flow = array.op("Scatter", indices=[1, 0], value=x)
    gathered = array.op("Gather", indices=[0], dtype=tf.float32)
    joined, _ = array.op("Concat", 0, 1, dtype=tf.float32)
    parts = Array("V3", 2)
    parts.flow = parts.op("Split", value=joined * 10.0, lengths=np.array([1, 3], np.int64))
    gradients = tf.gradients([gathered * 2.0, parts.read(1)], x)
    # gathered is row 1; joined is row 1 then row 0; the second part leaves the first number out.
    assert run(*gradients)[0].tolist() == [[10.0, 10.0], [2.0, 12.0]]
