"""Joining tensors and taking them apart, as the user calls it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(-2, 1), st.booleans())
@settings(max_examples=40, deadline=None)
def test_concat_and_its_gradient(sizes: list[int], axis: int, known: bool) -> None:
    shapes = [(n, 2) if axis % 2 == 0 else (2, n) for n in sizes]
    arrays = [np.random.default_rng(i).normal(size=s) for i, s in enumerate(shapes)]
    with tf.Graph().as_default(), tf.Session() as session:
        parts = [tf.placeholder(tf.float64, s if known else [None, None]) for s in shapes]
        whole = tf.concat(parts, axis)
        weights = np.random.default_rng(9).normal(size=np.concatenate(arrays, axis).shape)
        gradients = tf.gradients(whole, parts, weights)
        feed = dict(zip(parts, arrays, strict=True))
        value, slopes = session.run([whole, gradients], feed)
    np.testing.assert_array_equal(value, np.concatenate(arrays, axis))
    for slope, want in zip(slopes, np.split(weights, np.cumsum(sizes)[:-1], axis), strict=True):
        np.testing.assert_array_equal(slope, want)


def test_static_shapes() -> None:
    x = tf.placeholder(tf.float32, ["batch", 3])
    y = tf.placeholder(tf.float32, ["batch", None])
    assert tf.concat([x, x], 1).entries == ("batch", 6)
    assert tf.concat([x, y], 1).entries == ("batch", None)
    assert tf.concat([x, x], 0).entries == (None, 3)
    assert tf.concat([x, x], tf.placeholder(tf.int32, [])).shape.as_list() == [None, None]
    assert tf.stack([x, x], axis=-1).entries == ("batch", 3, 2)
    assert [t.entries for t in tf.unstack(x, axis=1)] == [("batch",)] * 3
    assert [t.entries for t in tf.split(x, 3, 1)] == [("batch", 1)] * 3
    assert [t.entries for t in tf.split(x, [1, -1], 1)] == [("batch", 1), ("batch", 2)]


def test_names_and_shortcuts() -> None:
    x = tf.zeros([2, 2])
    assert tf.concat([x, x], 0).op.name == "concat"
    assert tf.concat([x], 0, name="only").op.type == "Identity"
    assert tf.concat(x, 0).op.type == "Identity"
    # A nest of numbers is a constant, not an operation.
    assert tf.stack([[1, 2], [3, 4]]).op.type == "Const"
    assert tf.stack([x, x]).op.type == "Pack"
    assert tf.split(x, tf.Dimension(2))[0].op.type == "Split"
    assert tf.parallel_stack([x, x]).shape.as_list() == [2, 2, 2]


def test_values(session: Any) -> None:
    assert session.run(tf.concat([tf.constant([1.0]), [2]], 0)).tolist() == [1.0, 2.0]
    assert session.run(tf.stack([tf.constant("a"), "b"])).tolist() == [b"a", b"b"]
    assert session.run(tf.unstack([["a"], ["b"]], axis=1)[0]).tolist() == [b"a", b"b"]
    sizes = tf.placeholder(tf.int64, [2])
    first, second = tf.split([1, 2, 3], sizes)
    assert session.run(second, {sizes: [1, 2]}).tolist() == [2, 3]
    assert len(tf.split([1, 2, 3], tf.placeholder(tf.int32, [None]), num=2)) == 2
    assert [v.tolist() for v in session.run(tf.unstack(tf.placeholder_with_default([1, 2], [2])))]
    # A list of one is still a list.
    x = tf.placeholder(tf.float32, [1, 2])
    found = session.run([tf.unstack(x), tf.split(x, 1)], {x: [[1.0, 2.0]]})
    assert found[0][0].tolist() == [1.0, 2.0] and found[1][0].tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x, y: tf.concat([x, y], 0),
            "Dimension 1 in both shapes must be equal",
        ),
        (lambda x, y: tf.concat([x, y], 2), "Shape must be at least rank 3 but is rank 2"),
        (lambda x, y: tf.concat([1, 2], 0), "Can't concatenate scalars"),
        (lambda x, y: tf.concat([x, [1.0]], 0), "Shapes must be equal rank, but are 2 and 1"),
        (lambda x, y: tf.stack([x, y]), r"Shapes are \[2,3\] and \[2,4\]"),
        (lambda x, y: tf.stack([x, x], 3), r"axis = 3 not in \[-3, 3\)"),
        (lambda x, y: tf.unstack(x, axis=-3), r"axis = -3 not in \[-2, 2\)"),
        (lambda x, y: tf.unstack(x, num=3), "not compatible"),
        (lambda x, y: tf.unstack(tf.placeholder(tf.float32)), "Cannot infer num"),
        (lambda x, y: tf.split(x, 2, 1), "must be evenly divisible by 2 but is 3"),
        (lambda x, y: tf.split(x, [1, 1], 1), "do not add up"),
        (lambda x, y: tf.split(x, tf.placeholder(tf.int32, [None])), "Cannot infer num"),
    ],
)
def test_errors_at_creation(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(tf.zeros([2, 3]), tf.zeros([2, 4]))


def test_errors_of_a_run(session: Any) -> None:
    x, y = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    axis = tf.placeholder(tf.int32, [])
    feed = {x: np.zeros([2, 3]), y: np.zeros([2, 4]), axis: 0}
    for tensor in (tf.concat([x, y], axis), tf.stack([x, y]), tf.split(x, 2, axis + 1)[0]):
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(tensor, feed)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ([], r"must have exactly one element, got shape \[0\]"),
        ([0, 1], r"must have exactly one element, got shape \[2\]"),
        (2, r"must be in \[-2, 2\), got 2|range \[-2, 2\), but got 2"),
    ],
)
@pytest.mark.parametrize(
    "function",
    [
        lambda x, axis: tf.split(x, 2, axis),
        lambda x, axis: tf.split(x, tf.placeholder_with_default([1, 1], [2]), axis),
        lambda x, axis: tf.gather(x, [0], axis=axis),
    ],
    ids=["split", "split_v", "gather"],
)
def test_axes_of_a_run_are_checked(function: Any, axis: Any, message: str, session: Any) -> None:
    x = tf.placeholder_with_default(np.ones([2, 2]), None)
    chosen = tf.placeholder(tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(function(x, chosen), {chosen: np.array(axis, np.int32)})
