"""Running and plain sums of tensors: arguments, gradients through zeros, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf

rng = np.random.default_rng(23)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("zeros", [0, 1, 3])
def test_gradients_of_running_products(
    zeros: int, exclusive: bool, reverse: bool, session: Any
) -> None:
    start = rng.uniform(0.5, 1.5, (2, 6))
    start[0, rng.choice(6, zeros, replace=False)] = 0
    weights = rng.normal(size=(2, 6))
    x = tf.placeholder(tf.float64, [2, 6])
    loss = tf.reduce_sum(tf.cumprod(x, 1, exclusive, reverse) * weights)
    gradient = session.run(tf.gradients(loss, x)[0], {x: start})
    run = session.make_callable(loss, [x])
    for index in np.ndindex(2, 6):
        step = np.zeros((2, 6))
        step[index] = 1e-6
        slope = (run(start + step) - run(start - step)) / 2e-6
        assert gradient[index] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_running_sums(session: Any) -> None:
    x = tf.constant([[1, 2, 3], [4, 5, 6]])
    found = session.run([tf.cumsum(x), tf.cumsum(x, axis=-1, reverse=True), tf.cumprod(x, 1)])
    assert [f.tolist() for f in found] == [
        [[1, 2, 3], [5, 7, 9]],
        [[6, 5, 3], [15, 11, 6]],
        [[1, 2, 6], [4, 20, 120]],
    ]
    for axis, message in ((2, r"in the range \[-2, 2\), but got 2"), ([0], "must be a scalar")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.run(tf.cumsum(x, axis))


def test_add_n(session: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 2])
    total = tf.add_n([x, x * 2, np.ones((1, 2), np.float32)])
    assert total.shape.as_list() == [1, 2]
    found = session.run([total, *tf.gradients(total, x)], {x: [[1, 2]]})
    assert [f.tolist() for f in found] == [[[4, 7]], [[3, 3]]]
    assert tf.add_n([x]) is x
    assert tf.add_n([x], name="alone").op.name == "alone"


def test_add_n_does_not_overwrite_what_it_still_needs() -> None:
    from workbench.core.ops import registry

    kernel: Any = registry.get("AddN").kernel
    for overwritten in range(4):
        terms = [np.full(5, float(10**i)) for i in range(4)]
        out = terms[overwritten]
        assert kernel(tuple(terms), out=out) is out
        assert out.tolist() == [1111.0] * 5


def test_accumulate_n(session: Any) -> None:
    x = tf.placeholder(tf.float32, [None, 2])
    total = tf.accumulate_n([x, x], shape=[3, 2], tensor_dtype=tf.float32)
    assert total.shape.as_list() == [3, 2] and total.op.type == "AccumulateNV2"
    assert session.run(total, {x: np.ones((3, 2))}).tolist() == [[2, 2]] * 3


@pytest.mark.parametrize("function", ["add_n", "accumulate_n"])
def test_errors(function: str) -> None:
    add = getattr(tf, function)
    with pytest.raises(ValueError, match="inputs must be a list of at least one Tensor"):
        add([])
    with pytest.raises(ValueError, match="inputs must be a list of at least one Tensor"):
        add(tf.zeros([2]))
    with pytest.raises(TypeError, match="got the types float32, int32"):
        add([tf.constant(1.0), tf.constant(1)])
    with pytest.raises(ValueError, match=r"2.*3|3.*2"):
        add([tf.zeros([2]), tf.zeros([3])])
    with pytest.raises(TypeError, match="tensor_dtype is int32, but input is of type float32"):
        tf.accumulate_n([tf.zeros([2])], tensor_dtype=tf.int32)
