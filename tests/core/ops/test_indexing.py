"""Slices and indexing: against NumPy, and as the user calls them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf

ARRAY = np.random.default_rng(3).normal(size=(4, 3, 5))


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _item(size: int) -> Any:
    bound = st.none() | st.integers(-size - 2, size + 2)
    stride = st.none() | st.sampled_from([-2, -1, 1, 2])
    return (
        st.integers(-size, size - 1) | st.builds(slice, bound, bound, stride) | st.just(slice(None))
    )


@st.composite
def _keys(draw: Any) -> Any:
    """An index of an array of shape (4, 3, 5), perhaps with an ellipsis and new axes."""
    count = draw(st.integers(0, 3))
    from_left = draw(st.integers(0, count))
    left = [draw(_item(ARRAY.shape[i])) for i in range(from_left)]
    right = [draw(_item(ARRAY.shape[i])) for i in range(3 - count + from_left, 3)]
    key = left + ([Ellipsis] if right or draw(st.booleans()) else []) + right
    for _ in range(draw(st.integers(0, 2))):
        key.insert(draw(st.integers(0, len(key))), None)
    return tuple(key)


@given(_keys(), st.sampled_from(["known", "sizes unknown", "unknown"]))
@settings(max_examples=150, deadline=None)
def test_indexing_is_numpys(key: Any, mode: str) -> None:
    shape = {"known": ARRAY.shape, "sizes unknown": [None] * 3, "unknown": None}[mode]
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float64, shape)
        y = x[key]
        want = ARRAY[key]
        weights = np.random.default_rng(1).normal(size=want.shape)
        (gradient,) = tf.gradients(y, x, weights)
        value, slope = session.run([y, gradient], {x: ARRAY})
    np.testing.assert_array_equal(value, want)
    assert y.shape.is_compatible_with(want.shape)
    assert mode != "known" or y.shape.is_fully_defined()
    back = np.zeros_like(ARRAY)
    back[key] = weights
    np.testing.assert_array_equal(slope, back)


def test_symbols_pass_through() -> None:
    x = tf.placeholder(tf.float32, ["batch", 3, 4])
    assert x[0].entries == (3, 4)
    assert x[:, 1].entries == ("batch", 4)
    assert x[..., tf.newaxis, 0:2].entries == ("batch", 3, 1, 2)
    assert x[0:].entries == ("batch", 3, 4)
    assert x[1:].entries == x[::-1].entries == (None, 3, 4)
    index = tf.placeholder(tf.int32, [])
    assert x[:, index].entries == ("batch", 4)
    assert x[:, index:, 1:3].entries == ("batch", None, 2)
    assert tf.slice(x, [0, 1, 0], [-1, 2, -1]).entries == ("batch", 2, 4)
    assert tf.reshape(x, [tf.shape(x)[0], 12]).entries == ("batch", 12)


def test_tensors_as_indices(session: Any) -> None:
    x = tf.constant(np.arange(10))
    low = tf.constant(2)
    assert session.run(x[low]) == 2
    assert session.run(x[low : low + 3]).tolist() == [2, 3, 4]
    assert session.run(x[tf.constant(1, tf.int64) : tf.constant(3)]).tolist() == [1, 2]
    assert session.run(x[np.int64(3)]) == 3
    assert session.run(x[tf.Dimension(3)]) == 3
    mask = np.arange(10) % 3 == 0
    assert session.run(x[mask]).tolist() == [0, 3, 6, 9]
    assert session.run(x[x > 7]).tolist() == [8, 9]


def test_names() -> None:
    x = tf.zeros([3])
    assert x[1].op.name == "strided_slice"
    assert x[1:].op.inputs[1].op.name == "strided_slice_1/stack"
    assert tf.slice(x, [0], [1], name="part").op.name == "part"


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        ((0, 0, 0, 0), ValueError, "Index out of range using input dim 3"),
        (4, ValueError, "slice index 4 of dimension 0 out of bounds"),
        ((Ellipsis, Ellipsis), ValueError, "Multiple ellipses"),
        (slice(None, None, 0), ValueError, r"strides\[0\] must be non-zero"),
        (1.5, TypeError, "Only integers, slices"),
        ("a", TypeError, "Only integers, slices"),
        (([0, 1],), TypeError, "Only integers, slices"),
        (np.float32(1), TypeError, "Only integers, slices"),
    ],
)
def test_errors(key: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        tf.zeros([4, 3, 5])[key]


def test_errors_of_slices(session: Any) -> None:
    x = tf.zeros([2, 3])
    with pytest.raises(ValueError, match="3 elements from 1 on along axis 1 of size 3"):
        tf.slice(x, [0, 1], [1, 3])
    with pytest.raises(ValueError, match="Shape must be rank 1 but is rank 2"):
        tf.slice(x, [0], [1])
    begin = tf.placeholder(tf.int32, [2])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"size\[1\]"):
        session.run(tf.slice(x, begin, [1, 2]), {begin: [0, 2]})
    with pytest.raises(TypeError, match="sparse"):
        tf.SparseTensor([[0]], [1.0], [1])[0]


def test_strided_slice(session: Any) -> None:
    x = tf.constant(ARRAY)
    part = tf.strided_slice(x, [1, -1], [3, -4], [1, -1], shrink_axis_mask=1)
    np.testing.assert_array_equal(session.run(part), ARRAY[1, -1:-4:-1])
    whole = tf.strided_slice(x, [1], [3])
    np.testing.assert_array_equal(session.run(whole), ARRAY[1:3])


def test_assigning_to_a_slice(session: Any) -> None:
    v = tf.Variable(np.zeros((3, 4)), name="v")
    w = tf.Variable(1.0)
    session.run(tf.global_variables_initializer())
    assign = v[1:, ::2].assign([[1.0, 2.0], [3.0, 4.0]])
    assert assign.op.name == "strided_slice_assign" and assign.op.type == "StridedSliceAssign"
    want = np.zeros((3, 4))
    want[1:, ::2] = [[1.0, 2.0], [3.0, 4.0]]
    np.testing.assert_array_equal(session.run(assign), want)
    session.run(v[0, 1].assign(9.0))
    want[0, 1] = 9.0
    session.run(tf.strided_slice(v, [2, 3], [3, 4], var=v).assign([[7.0]]))
    want[2, 3] = 7.0
    np.testing.assert_array_equal(session.run(v), want)
    assert session.run(w[...].assign(5.0)) == 5.0
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"slice of shape \[4\]"):
        session.run(v[0].assign([1.0, 2.0]))
    np.testing.assert_array_equal(session.run(v), want)
    session.run(v[9:, 1].assign([]))
    np.testing.assert_array_equal(session.run(tf.assign(v[0, :2], [4.0, 4.0]))[0, :2], [4.0, 4.0])
    with pytest.raises(ValueError, match="only supported for variables"):
        tf.zeros([3])[0].assign(1.0)
