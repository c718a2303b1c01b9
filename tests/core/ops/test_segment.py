"""Reductions by segment: static shapes, gradients where rows tie or drop out, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.numeric import derivative

ROWS = np.random.default_rng(4).normal(size=(5, 2)) + 3.0


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_static_shapes() -> None:
    x = tf.placeholder(tf.float32, [3, "width"])
    ids = tf.placeholder(tf.int32, [3])
    assert tf.segment_sum(x, ids).entries == (None, "width")
    assert tf.segment_max(x, [0, 0, 4]).entries == (5, "width")
    assert tf.unsorted_segment_sum(x, ids, 7).entries == (7, "width")
    assert tf.unsorted_segment_sum(x, ids, tf.placeholder(tf.int32, [])).entries == (None, "width")
    assert tf.unsorted_segment_prod(tf.zeros([2, 3]), [[0, 1, 1]] * 2, 2).entries == (2,)
    assert tf.sparse_segment_mean(x, [0, 2], [0, 0]).entries == (1, "width")
    with pytest.raises(ValueError, match="but are 3 and 2"):
        tf.segment_sum(x, [0, 1])
    with pytest.raises(ValueError, match="Dimension 0 in both shapes must be equal"):
        tf.unsorted_segment_sum(x, [0, 1], 2)


@pytest.mark.parametrize("kind", ["sum", "mean", "min", "max"])
def test_gradients_of_sorted_segments(kind: str, session: Any) -> None:
    x = tf.placeholder(tf.float64, [None, None])
    y = tf.reduce_sum(tf.square(getattr(tf, f"segment_{kind}")(x, [0, 0, 2, 2, 2])))
    (slope,) = session.run(tf.gradients(y, x), {x: ROWS})
    numeric = derivative(lambda a: session.run(y, {x: a}), ROWS)
    np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["sum", "prod", "min", "max"])
@pytest.mark.parametrize("known", [True, False])
def test_gradients_with_dropped_rows(kind: str, known: bool, session: Any) -> None:
    x = tf.placeholder(tf.float64, ROWS.shape if known else None)
    ids = tf.constant([1, -1, 0, 1, 0])
    y = tf.reduce_sum(tf.square(getattr(tf, f"unsorted_segment_{kind}")(x, ids, 2)))
    (slope,) = session.run(tf.gradients(y, x), {x: ROWS})
    numeric = derivative(lambda a: session.run(y, {x: a}), ROWS)
    np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-6)
    assert not slope[1].any()


def test_ties_share_the_gradient(session: Any) -> None:
    x = tf.constant([2.0, 2.0, 1.0])
    for best in (tf.segment_max(x, [0, 0, 0]), tf.unsorted_segment_max(x, [0, 0, 0], 1)):
        assert session.run(tf.gradients(best, x)[0]).tolist() == [0.5, 0.5, 0.0]


def test_products_with_zeros(session: Any) -> None:
    x = tf.constant([0.0, 3.0, 4.0, 0.0, 0.0, 5.0])
    y = tf.unsorted_segment_prod(x, [0, 0, 0, 1, 1, 1], 2)
    # One zero: only its own factor matters. Two: none does.
    assert session.run(tf.gradients(y, x)[0]).tolist() == [12.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_empty_segments(session: Any) -> None:
    x = tf.constant([1.0])
    found = session.run([tf.unsorted_segment_max(x, [1], 2), tf.unsorted_segment_min(x, [1], 2)])
    assert found[0][0] == np.finfo(np.float32).min and found[1][0] == np.finfo(np.float32).max
    assert session.run(tf.unsorted_segment_prod(x, [1], 2)).tolist() == [1.0, 1.0]
    assert session.run(tf.segment_mean(x, [2])).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("kind", ["sum", "mean", "sqrt_n"])
def test_gradients_of_picked_rows(kind: str, session: Any) -> None:
    x = tf.placeholder(tf.float64, [None, 2])
    function = getattr(tf, f"sparse_segment_{kind}")
    y = tf.reduce_sum(tf.square(function(x, [4, 0, 4, 1], [0, 0, 1, 1])))
    (slope,) = session.run(tf.gradients(y, x), {x: ROWS})
    numeric = derivative(lambda a: session.run(y, {x: a}), ROWS)
    np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["sum", "mean", "sqrt_n"])
def test_picked_rows_of_a_number_of_segments(kind: str, session: Any) -> None:
    x = tf.placeholder(tf.float64, [None, 2])
    function = getattr(tf, f"sparse_segment_{kind}")
    indices, ids = [4, 0, 4, 1], [0, 0, 2, 2]
    y = function(x, indices, ids, num_segments=5)
    assert y.shape.as_list() == [5, 2]
    power = {"sum": 0.0, "mean": 1.0, "sqrt_n": 0.5}[kind]
    expected = np.zeros((5, 2))
    for index, segment in zip(indices, ids, strict=True):
        expected[segment] += ROWS[index] / ids.count(segment) ** power
    np.testing.assert_allclose(session.run(y, {x: ROWS}), expected)
    loss = tf.reduce_sum(tf.square(y))
    (slope,) = session.run(tf.gradients(loss, x), {x: ROWS})
    numeric = derivative(lambda a: session.run(loss, {x: a}), ROWS)
    np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="segment ids must be < num_segments"):
        session.run(function(x, indices, ids, num_segments=2), {x: ROWS})
    with pytest.raises(ValueError, match="Cannot specify a negative value for num_segments"):
        function(x, indices, ids, num_segments=-1)


def test_errors_of_a_run(session: Any) -> None:
    for tensor, message in (
        (tf.segment_sum([1, 2], [1, 0]), "not increasing"),
        (tf.unsorted_segment_sum([1, 2], [0, 5], 2), r"segment_ids\[1\] = 5"),
        (tf.sparse_segment_sum([1, 2], [3], [0]), "indices"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.run(tensor)
    with pytest.raises(LookupError, match="SegmentProd"):
        x = tf.constant([1.0])
        tf.gradients(tf.segment_prod(x, [0]), x)


@pytest.mark.parametrize("ids", [[1, 0, -1, 1, 1], [[1, 0], [2, -1], [0, 0], [2, 2], [1, 2]]])
@pytest.mark.parametrize("name", ["mean", "sqrt_n"])
def test_means_of_unsorted_segments(name: str, ids: Any, session: Any) -> None:
    function = getattr(tf, f"unsorted_segment_{name}")
    numbers = np.array(ids)
    x = tf.placeholder(tf.float64)
    y = function(x, numbers, 4)
    expected = np.zeros((4, *ROWS.shape[numbers.ndim :]))
    for segment in range(4):
        members = ROWS[numbers == segment]
        if len(members):
            expected[segment] = members.sum(0) / len(members) ** (1 if name == "mean" else 0.5)
    np.testing.assert_allclose(session.run(y, {x: ROWS}), expected)
    known = function(ROWS, numbers, 4)
    assert known.shape.as_list() == list(expected.shape)
    loss = tf.reduce_sum(tf.sin(y))
    (slope,) = tf.gradients(loss, x)
    value = session.make_callable(loss, [x])
    np.testing.assert_allclose(session.run(slope, {x: ROWS}), derivative(value, ROWS), atol=1e-6)
