"""Accumulators of a session."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.queues.threads import Task, wait_for


@pytest.fixture
def session() -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64, tf.int32, tf.complex64])
def test_mean_has_the_type_of_the_gradients(session: Any, dtype: Any) -> None:
    accumulator = tf.ConditionalAccumulator(dtype, shape=[2])
    assert accumulator.dtype == dtype
    gradients = [np.array(g, dtype.as_numpy_dtype) for g in ([1, 2], [4, 4], [8, 1])]
    for gradient in gradients:
        session.run(accumulator.apply_grad(tf.constant(gradient)))
    mean = session.run(accumulator.take_grad(2))
    assert mean.dtype == dtype.as_numpy_dtype
    wanted = [13 // 3, 7 // 3] if dtype == tf.int32 else np.mean(np.stack(gradients), 0)
    np.testing.assert_allclose(mean, wanted, rtol=1e-3)


def test_stale_gradients_do_not_count(session: Any) -> None:
    accumulator = tf.ConditionalAccumulator(tf.float32, shape=[])
    step = tf.placeholder(tf.int64, [])
    apply, mean = accumulator.apply_grad(6.0, local_step=step), accumulator.take_grad(1)
    session.run(accumulator.set_global_step(3))
    count = accumulator.num_accumulated()
    for local in (2, 3, 4):
        session.run(apply, {step: local})
    assert session.run(count) == 2
    assert session.run(mean) == 6.0
    session.run(apply, {step: 3})
    assert session.run(count) == 0


def test_take_waits_for_enough(session: Any) -> None:
    accumulator = tf.ConditionalAccumulator(tf.float32, shape=[])
    apply, mean = accumulator.apply_grad(3.0), accumulator.take_grad(2)
    task = Task(session.run, mean)
    wait_for(session, 1)
    session.run(apply)
    session.run(apply)
    assert task.end() == 3.0


def test_gradient_of_another_shape_is_refused(session: Any) -> None:
    accumulator = tf.ConditionalAccumulator(tf.float32, shape=[None, 2])
    with pytest.raises(ValueError, match="ncompatible|not compatible"):
        accumulator.apply_grad([1.0])
    x = tf.placeholder(tf.float32)
    apply = accumulator.apply_grad(x)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"expected \[\?,2\], got \[1,3\]"):
        session.run(apply, {x: np.zeros([1, 3])})
    session.run(apply, {x: np.zeros([1, 2])})
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"expected \[1,2\], got \[2,2\]"):
        session.run(apply, {x: np.zeros([2, 2])})
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be positive, but was 0"):
        session.run(accumulator.take_grad(0))


def test_mean_of_a_row_is_that_of_those_that_have_it(session: Any) -> None:
    accumulator = tf.SparseConditionalAccumulator(tf.float32, shape=[4, 2])
    gradients = [([0, 2], [[1, 1], [2, 4]]), ([2, 3], [[6, 0], [5, 5]]), ([2], [[1, 2]])]
    dense, having = np.zeros([4, 2]), np.zeros(4)
    for indices, values in gradients:
        session.run(accumulator.apply_grad(indices, np.array(values, np.float32), [4, 2]))
        for index, value in zip(indices, values, strict=True):
            dense[index] += value
            having[index] += 1
    taken = session.run(accumulator.take_indexed_slices_grad(3))
    assert taken.indices.tolist() == [0, 2, 3]
    assert taken.dense_shape.tolist() == [4, 2]
    np.testing.assert_allclose(taken.values, dense[[0, 2, 3]] / having[[0, 2, 3], None])
    assert session.run(accumulator.num_accumulated()) == 0


def test_indexed_slices_are_gradients(session: Any) -> None:
    accumulator = tf.SparseConditionalAccumulator(tf.float64)
    slices = tf.IndexedSlices(tf.constant([[2.0]], tf.float64), tf.constant([5]))
    session.run(accumulator.apply_indexed_slices_grad(slices))
    indices, values, shape = session.run(list(accumulator.take_grad(1)))
    assert (indices.tolist(), values.tolist(), shape.tolist()) == ([5], [[2.0]], [-1, 1])


@pytest.mark.parametrize(
    ("indices", "values", "shape", "message"),
    [
        ([[0]], [[1.0, 1.0]], None, "should be vector"),
        ([0], 1.0, None, "0-dimensional"),
        ([0, 1], [[1.0, 1.0]], None, "Expected 2 non-empty input values, got 1"),
        ([3], [[1.0, 1.0]], None, "index is 3 exceeded 3"),
        ([0], [[1.0]], None, "values dim 1 to be 2, got 1"),
        ([0], [1.0], None, "values rank at least 2, got 1"),
        ([0], [[1.0, 1.0]], [3], "shape rank at least 2, got 1"),
        ([0], [[1.0, 1.0]], [4, 2], "shape dim 0 to be 3, got 4"),
    ],
)
def test_slices_that_do_not_fit_are_refused(
    session: Any, indices: Any, values: Any, shape: Any, message: str
) -> None:
    accumulator = tf.SparseConditionalAccumulator(tf.float32, shape=[3, 2])
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(accumulator.apply_grad(indices, values, shape))


def test_accumulators_of_one_name_must_be_alike(session: Any) -> None:
    first = tf.ConditionalAccumulator(tf.float32, shape=[], shared_name="sum")
    second = tf.ConditionalAccumulator(tf.float32, shape=[], shared_name="sum")
    other = tf.ConditionalAccumulator(tf.float32, shape=[2], shared_name="sum")
    session.run(first.apply_grad(2.0))
    assert session.run(second.num_accumulated()) == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="another type or shape"):
        session.run(other.num_accumulated())
