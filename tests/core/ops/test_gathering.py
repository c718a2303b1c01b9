"""Gathering, scattering, one-hot, partitions: arguments, static shapes and gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf

TABLE = np.random.default_rng(5).normal(size=(4, 3, 2))


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@given(
    st.lists(st.lists(st.integers(0, 1), min_size=2, max_size=2), max_size=3),
    st.integers(-3, 2),
    st.sampled_from(["known", "sizes unknown", "unknown"]),
)
@settings(max_examples=60, deadline=None)
def test_gather_along_any_axis(indices: list[list[int]], axis: int, mode: str) -> None:
    shape = {"known": TABLE.shape, "sizes unknown": [None] * 3, "unknown": None}[mode]
    rows = np.array(indices, np.int32).reshape(-1, 2)
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float64, shape)
        y = tf.gather(x, rows, axis=axis)
        want = np.take(TABLE, rows, axis)
        weights = np.random.default_rng(1).normal(size=want.shape)
        (gradient,) = tf.gradients(y, x, weights)
        value, slope = session.run([y, tf.convert_to_tensor(gradient)], {x: TABLE})
    np.testing.assert_array_equal(value, want)
    assert mode != "known" or y.shape.as_list() == list(want.shape)
    at = axis % 3
    back = np.zeros_like(TABLE)
    for position in np.ndindex(*rows.shape):
        target = (slice(None),) * at + (rows[position],)
        back[target] += weights[(slice(None),) * at + position]
    np.testing.assert_allclose(slope, back)


def test_gradient_of_rows_is_sparse(session: Any) -> None:
    table = tf.Variable(TABLE)
    session.run(table.initializer)
    (gradient,) = tf.gradients(tf.gather(table, [[3, 1]]), table)
    assert isinstance(gradient, tf.IndexedSlices)
    assert gradient.values.shape.as_list() == [2, 3, 2]
    assert session.run(gradient.indices).tolist() == [3, 1]
    assert session.run(gradient.dense_shape).tolist() == [4, 3, 2]
    single = tf.gradients(tf.gather(table, 2), table)[0]
    assert single.values.shape.as_list() == [1, 3, 2]


def test_gradient_of_whole_rows_by_position_is_sparse(session: Any) -> None:
    x = tf.constant(TABLE)
    weights = np.arange(18.0).reshape(3, 3, 2)
    (gradient,) = tf.gradients(tf.gather_nd(x, [[3], [1], [3]]), x, weights)
    assert isinstance(gradient, tf.IndexedSlices)
    assert session.run(gradient.indices).tolist() == [3, 1, 3]
    np.testing.assert_array_equal(session.run(gradient.values), weights)
    wanted = np.zeros_like(TABLE)
    wanted[3], wanted[1] = weights[0] + weights[2], weights[1]
    np.testing.assert_array_equal(session.run(tf.convert_to_tensor(gradient)), wanted)
    # By elements it is dense.
    assert isinstance(tf.gradients(tf.gather_nd(x, [[3, 0]]), x)[0], tf.Tensor)


def test_strings_and_truths_are_scattered(session: Any) -> None:
    joined = tf.scatter_nd([[3], [0], [3]], ["a", "b", "c"], [4])
    rows = tf.scatter_nd([[1]], [["x", "y"]], [2, 2])
    true = tf.scatter_nd([[1], [1]], [True, False], [3])
    found = session.run([joined, rows, true])
    assert found[0].tolist() == [b"b", b"", b"", b"ac"]
    assert found[1].tolist() == [[b"", b""], [b"x", b"y"]]
    assert found[2].tolist() == [False, True, False]


def test_gather_shapes_and_errors(session: Any) -> None:
    x = tf.placeholder(tf.float32, [5, "width"])
    rows = tf.placeholder(tf.int32, ["batch"])
    assert tf.gather(x, rows).entries == ("batch", "width")
    assert tf.gather(x, rows, axis=1).entries == (5, "batch")
    assert tf.gather(x, 0).entries == ("width",)
    assert tf.gather(x, rows).op.type == "Gather"
    with pytest.raises(ValueError, match="at least rank 1"):
        tf.gather(1.0, [0])
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"indices\[1\] = 5 is not in \[0, 5\)"
    ):
        session.run(tf.gather(x, rows), {x: np.zeros([5, 1]), rows: [0, 5]})
    with pytest.raises(ValueError, match=r"indices.shape\[-1\] must be <= params.rank"):
        tf.gather_nd(x, [[0, 0, 0]])
    assert tf.gather_nd(x, [[0], [1]]).entries == (2, "width")
    assert tf.gather_nd(x, [0, 1]).entries == ()


def test_gather_nd_and_scatter_nd_undo_each_other(session: Any) -> None:
    places = [[0, 2], [3, 1], [0, 2]]
    x = tf.placeholder(tf.float64, [None, None, None])
    taken = tf.gather_nd(x, places)
    weights = np.arange(6.0).reshape(3, 2)
    (gradient,) = tf.gradients(taken, x, weights)
    want = np.zeros_like(TABLE)
    for place, row in zip(places, weights, strict=True):
        want[tuple(place)] += row
    np.testing.assert_array_equal(session.run(gradient, {x: TABLE}), want)
    updates = tf.constant(weights)
    whole = tf.scatter_nd(places, updates, [4, 3, 2])
    (back,) = tf.gradients(whole * TABLE, updates)
    np.testing.assert_allclose(session.run(back), [TABLE[tuple(p)] for p in places])
    with pytest.raises(ValueError, match=r"The inner 1 dimensions of output.shape=\[4,3\]"):
        tf.scatter_nd([[0]], [[1.0, 2.0]], [4, 3])
    with pytest.raises(ValueError, match=r"The outer 1 dimensions of indices.shape=\[1,1\]"):
        tf.scatter_nd([[0]], [1.0, 2.0], [4])
    with pytest.raises(ValueError, match="for empty output shape"):
        tf.scatter_nd([[0]], [1.0], [0])
    with pytest.raises(ValueError, match="exceeds the rank"):
        tf.scatter_nd([[0, 0]], [1.0], [4])


def test_one_hot(session: Any) -> None:
    assert tf.one_hot([1], 2).dtype is tf.float32
    assert tf.one_hot([1], 2, dtype=tf.int64).dtype is tf.int64
    assert tf.one_hot([1], 2, on_value=True).dtype is tf.bool
    assert tf.one_hot([1], 2, off_value=np.int8(3)).dtype is tf.int8
    assert session.run(tf.one_hot([1, -1], 2, 5, 7)).tolist() == [[7, 5], [7, 7]]
    assert session.run(tf.one_hot([1], 2, 1, dtype=tf.float16)).tolist() == [[0.0, 1.0]]
    assert session.run(tf.one_hot([0], 2, "a", "b")).tolist() == [[b"a", b"b"]]
    x = tf.placeholder(tf.int32, ["batch", None])
    assert tf.one_hot(x, 3).entries == ("batch", None, 3)
    assert tf.one_hot(x, 3, axis=0).entries == (3, "batch", None)
    assert tf.one_hot(x, tf.placeholder(tf.int32, [])).entries == ("batch", None, None)
    with pytest.raises(TypeError, match="float32 of on_value does not match dtype parameter int32"):
        tf.one_hot([1], 2, on_value=1.0, dtype=tf.int32)
    with pytest.raises(TypeError, match="int32 of off_value does not match"):
        tf.one_hot([1], 2, on_value=1.0, off_value=0)
    with pytest.raises(ValueError, match="out of range"):
        tf.one_hot(x, 3, axis=3)


def test_partition_and_stitch(session: Any) -> None:
    x = tf.placeholder(tf.float64, [None, 3, 2])
    owners = tf.placeholder(tf.int32, [None])
    parts = tf.dynamic_partition(x, owners, 3)
    assert [p.shape.as_list() for p in parts] == [[None, 3, 2]] * 3
    numbers = tf.dynamic_partition(tf.range(tf.shape(x)[0]), owners, 3)
    again = tf.dynamic_stitch(numbers, parts)
    assert again.shape.as_list() == [None, 3, 2]
    feed = {x: TABLE, owners: [2, 0, 2, 1]}
    np.testing.assert_array_equal(session.run(again, feed), TABLE)
    weights = np.random.default_rng(2).normal(size=TABLE.shape)
    (gradient,) = tf.gradients(again, x, weights)
    np.testing.assert_array_equal(session.run(gradient, feed), weights)
    # Of two pieces for one row the later wins, and only it has an influence.
    a, b = tf.constant([1.0, 2.0]), tf.constant([3.0])
    merged = tf.dynamic_stitch([[0, 1], [1]], [a, b])
    assert session.run(merged).tolist() == [1.0, 3.0]
    assert tf.dynamic_stitch([[0, 1], [1]], [a, b]).shape.as_list() == [2]
    with pytest.raises(ValueError):
        tf.dynamic_partition(tf.zeros([3]), [0, 1], 2)
