"""Reductions as the user calls them: arguments, static shapes, gradients and their size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf

REDUCTIONS = ["reduce_sum", "reduce_mean", "reduce_prod", "reduce_max", "reduce_min"]
rng = np.random.default_rng(17)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("name", [*REDUCTIONS, "reduce_logsumexp"])
def test_spellings(name: str, session: Any) -> None:
    function = getattr(tf, name)
    x = tf.constant(rng.normal(size=(2, 3)))
    found = session.run(
        [
            function(x, 1, True),
            function(x, axis=[1], keepdims=True),
            function(x, reduction_indices=-1, keep_dims=True),
            function(x, axis=tf.constant([1]), keep_dims=True),
        ]
    )
    for other in found:
        np.testing.assert_array_equal(other, found[0])
        assert other.shape == (2, 1)
    with pytest.raises(ValueError, match="Cannot specify both 'axis' and 'reduction_indices'"):
        function(x, axis=0, reduction_indices=0)
    with pytest.raises(ValueError, match="Cannot specify both 'keepdims' and 'keep_dims'"):
        function(x, keepdims=True, keep_dims=True)


def test_names() -> None:
    x = tf.placeholder(tf.float32, [None, 3])
    mean = tf.reduce_mean(x)
    assert mean.op.name == "Mean" and mean.op.inputs[1].op.name == "Const"
    assert tf.reduce_sum(x, 1).op.inputs[1].op.name == "Sum/reduction_indices"
    assert tf.reduce_max(x, name="top").op.name == "top"


def test_static_shapes() -> None:
    x = tf.placeholder(tf.float32, ["batch", 4, 5])
    assert tf.reduce_sum(x).shape.as_list() == []
    assert tf.reduce_sum(x, [1, 2]).entries == ("batch",)
    assert tf.reduce_sum(x, -2, keep_dims=True).entries == ("batch", 1, 5)
    axes = tf.placeholder(tf.int32, [None])
    assert tf.reduce_sum(x, axes).shape.ndims is None
    assert tf.reduce_sum(x, axes, keep_dims=True).shape.as_list() == [None, None, None]
    unknown = tf.placeholder(tf.float32)
    assert tf.reduce_sum(unknown).shape.as_list() == []
    assert tf.reduce_sum(unknown, 0).shape.ndims is None
    assert tf.argmax(x, 1).entries == ("batch", 5)
    with pytest.raises(ValueError, match="Invalid reduction dimension 3 for input with 3 dim"):
        tf.reduce_sum(x, 3)
    with pytest.raises(ValueError, match="must be at most rank 1 but is rank 2"):
        tf.reduce_sum(x, [[0], [1]])
    with pytest.raises(ValueError, match=r"Dimension \(3\) must be in the range \[-3, 3\)"):
        tf.argmin(x, 3)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, 1, [0, 2], [-1], []])
@pytest.mark.parametrize("shape", [[2, 3, 4], [None, 3, 4], [None, None, 4], None])
def test_gradients(name: str, axis: Any, shape: Any, session: Any) -> None:
    """Through static, partly known and unknown shapes alike."""
    start = rng.uniform(0.5, 2, (2, 3, 4))
    x = tf.placeholder(tf.float64, shape)
    y = getattr(tf, name)(x, axis)
    over = None if axis is None else tuple(np.atleast_1d(axis).astype(int))
    oracle = getattr(np, name.removeprefix("reduce_"))
    weights = rng.normal(size=oracle(start, axis=over).shape)
    gradient = tf.gradients(y, x, tf.constant(weights))[0]
    assert gradient.shape.is_compatible_with([2, 3, 4])
    found = session.run(gradient, {x: start})
    for index in [(0, 0, 0), (1, 2, 3), (0, 1, 2)]:
        step = np.zeros_like(start)
        step[index] = 1e-6
        moved = oracle(start + step, axis=over) - oracle(start - step, axis=over)
        assert found[index] == pytest.approx((moved * weights).sum() / 2e-6, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", ["reduce_sum", "reduce_mean"])
def test_gradients_of_static_shapes_are_small(name: str) -> None:
    x = tf.placeholder(tf.float32, [64, 100])
    loss = getattr(tf, name)(x)
    before = len(tf.get_default_graph().get_operations())
    gradient = tf.gradients(loss, x)[0]
    assert gradient.op.type == "BroadcastTo"
    added = tf.get_default_graph().get_operations()[before:]
    assert {op.type for op in added} <= {"Const", "BroadcastTo", "RealDiv", "Fill"}


def test_extremes_share_the_gradient(session: Any) -> None:
    x = tf.constant([[1.0, 2.0], [1.0, 3.0], [0.0, 3.0]])
    gradient = session.run(tf.gradients(tf.reduce_max(x, 0), x)[0])
    assert gradient.tolist() == [[0.5, 0], [0.5, 0.5], [0, 0.5]]


def test_products_with_zeros_have_a_gradient(session: Any) -> None:
    x = tf.constant([[2.0, 0.0, 5.0], [0.0, 0.0, 3.0]])
    rows, everything = tf.reduce_prod(x, 1), tf.reduce_prod(x[:1])
    found = session.run([tf.gradients(rows, x)[0], tf.gradients(everything, x)[0]])
    assert found[0].tolist() == [[0, 10, 0], [0, 0, 0]]
    assert found[1].tolist() == [[0, 10, 0], [0, 0, 0]]


@pytest.mark.parametrize("fed", ["shape", "axes", "both"])
@pytest.mark.parametrize(("axes", "keep"), [(-1, False), ([0, -1], True), ([1], False), ([], True)])
def test_products_with_zeros_over_what_a_run_knows(
    axes: Any, keep: bool, fed: str, session: Any
) -> None:
    values = np.array([[[2.0, 3.0, 4.0], [0.0, 5.0, 7.0]], [[0.0, 0.0, 2.0], [1.0, 6.0, -1.0]]])
    numbers = np.array(axes, np.int32)
    x = tf.placeholder_with_default(values, None if fed != "axes" else values.shape)
    over = numbers if fed == "shape" else tf.placeholder_with_default(numbers, numbers.shape)
    product = tf.reduce_prod(x, over, keep_dims=keep)
    (gradient,) = tf.gradients(product, x)
    along = {int(a) % 3 for a in np.atleast_1d(numbers)}
    expected = np.ones_like(values)
    for place in np.ndindex(values.shape):
        for other in np.ndindex(values.shape):
            beside = all(place[d] == other[d] for d in range(3) if d not in along)
            if beside and place != other:
                expected[place] *= values[other]
    found = session.run(gradient)
    assert found.shape == values.shape
    np.testing.assert_allclose(found, expected)


def test_truths(session: Any) -> None:
    x = tf.constant([[True, False], [True, True]])
    found = session.run([tf.reduce_all(x, 1), tf.reduce_any(x), tf.reduce_all([])])
    assert [np.asarray(f).tolist() for f in found] == [[False, True], True, True]


def test_logsumexp_at_infinity(session: Any) -> None:
    x = tf.constant([[-np.inf, -np.inf], [np.inf, 1.0], [1e4, 1e4]], tf.float64)
    y = tf.reduce_logsumexp(x, 1)
    found, slopes = session.run([y, tf.gradients(y, x)[0]])
    np.testing.assert_allclose(found, [-np.inf, np.inf, 1e4 + np.log(2)])
    np.testing.assert_allclose(slopes[2], [0.5, 0.5])


def test_positions(session: Any) -> None:
    x = tf.constant([[1, 9, 3], [4, 5, 6]])
    found = session.run(
        [
            tf.argmax(x),
            tf.argmax(x, dimension=1),
            tf.argmin(x, axis=-1, output_type=tf.int32),
            tf.arg_max(x, 1),
        ]
    )
    assert [f.tolist() for f in found] == [[1, 0, 1], [1, 2], [0, 0], [1, 2]]
    assert [f.dtype.name for f in found] == ["int64", "int64", "int32", "int64"]
    with pytest.raises(ValueError, match="Cannot specify both 'axis' and 'dimension'"):
        tf.argmax(x, axis=0, dimension=1)


def test_broadcast_to(session: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 1])
    wide = tf.broadcast_to(x, [2, 3, 4])
    gradient = tf.gradients(wide, x)[0]
    found = session.run([wide, gradient], {x: np.ones((3, 1))})
    assert found[0].shape == (2, 3, 4)
    assert found[1].tolist() == [[8.0]] * 3
    with pytest.raises(ValueError, match="does not broadcast to"):
        tf.broadcast_to(tf.zeros([2, 2]), [2, 3])
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match="does not broadcast"):
        session.run(wide, {x: np.ones((2, 1))})
