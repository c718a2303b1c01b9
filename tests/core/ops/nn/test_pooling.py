"""Pools of every kind, against loops over windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import assert_gradients, evaluate
from tests.core.ops.numeric import Array

RANDOM = np.random.RandomState(0)


def pooled(
    x: Array, window: list[int], strides: list[int], padding: str, reduce: Callable[..., Any]
) -> Array:
    """`reduce` of what each window meets of the input."""
    count = len(window)
    starts, sizes = [], []
    for i in range(count):
        size = x.shape[1 + i]
        if padding == "SAME":
            outputs = -(-size // strides[i])
            total = max((outputs - 1) * strides[i] + window[i] - size, 0)
            before = total // 2
        else:
            outputs, before = (size - window[i]) // strides[i] + 1, 0
        starts.append([o * strides[i] - before for o in range(outputs)])
        sizes.append(outputs)
    y = np.zeros((x.shape[0], *sizes, x.shape[-1]))
    for place in np.ndindex(*sizes):
        cut = tuple(
            slice(max(starts[i][p], 0), starts[i][p] + window[i]) for i, p in enumerate(place)
        )
        y[(slice(None), *place)] = reduce(x[(slice(None), *cut)], axis=tuple(range(1, count + 1)))
    return y


def distinct(*shape: int) -> Array:
    """Numbers far enough from each other for differences to move no maximum."""
    return RANDOM.permutation(int(np.prod(shape))).reshape(shape) / 4.0


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("window", [[2, 2], [3, 2], [1, 3]])
@pytest.mark.parametrize(("name", "reduce"), [("max_pool", np.max), ("avg_pool", np.mean)])
def test_pools(
    name: str, reduce: Callable[..., Any], window: list[int], stride: int, padding: str
) -> None:
    x = distinct(2, 5, 6, 2)
    function = getattr(tf.nn, name)
    expected = pooled(x, window, [stride] * 2, padding, reduce)
    image = tf.placeholder(tf.float64, [None, 5, 6, 2])
    y = function(image, [1, *window, 1], [1, stride, stride, 1], padding)
    assert y.shape.as_list() == [None, *expected.shape[1:]]
    np.testing.assert_allclose(evaluate(y, {image: x}), expected)
    first = function(np.moveaxis(x, 3, 1), [1, 1, *window], [1, 1, stride, stride], padding, "NCHW")
    np.testing.assert_allclose(evaluate(first), np.moveaxis(expected, 3, 1))


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", ["max_pool", "avg_pool"])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
def test_gradients(name: str, padding: str, stride: int, data_format: str) -> None:
    x = distinct(1, 3, 4, 3)
    function = getattr(tf.nn, name)
    assert_gradients(lambda t: function(t, 2, stride, padding, data_format), x)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("name", "reduce"), [("max_pool3d", np.max), ("avg_pool3d", np.mean)])
def test_volumes(name: str, reduce: Callable[..., Any], padding: str) -> None:
    x = distinct(2, 3, 4, 5, 2)
    function = getattr(tf.nn, name)
    expected = pooled(x, [2, 1, 3], [1, 2, 2], padding, reduce)
    y = function(x, [1, 2, 1, 3, 1], [1, 1, 2, 2, 1], padding)
    np.testing.assert_allclose(evaluate(y), expected)
    assert_gradients(
        lambda t: function(t, [1, 2, 1, 2, 1], [1, 1, 1, 1, 1], padding), distinct(1, 2, 2, 3, 1)
    )


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(("kind", "reduce"), [("MAX", np.max), ("AVG", np.mean)])
def test_pool_of_any_rank(kind: str, reduce: Callable[..., Any], count: int) -> None:
    x = distinct(2, *[6] * count, 2)
    for padding in ("SAME", "VALID"):
        expected = pooled(x, [2] * count, [2] * count, padding, reduce)
        y = tf.nn.pool(x, [2] * count, kind, padding, strides=[2] * count)
        np.testing.assert_allclose(evaluate(y), expected)
        data_format = {1: "NCW", 2: "NCHW", 3: "NCDHW"}[count]
        first = tf.nn.pool(
            np.moveaxis(x, -1, 1),
            [2] * count,
            kind,
            padding,
            strides=[2] * count,
            data_format=data_format,
        )
        np.testing.assert_allclose(evaluate(first), np.moveaxis(expected, -1, 1))
    dilated = evaluate(tf.nn.pool(x, [2] * count, kind, "VALID", dilation_rate=[2] * count))
    cuts = [slice(0, 4), slice(2, 6)]
    parts = [x[(slice(None), *[cuts[i] for i in at])] for at in np.ndindex(*[2] * count)]
    np.testing.assert_allclose(dilated, reduce(np.stack(parts), axis=0))


def test_pool_errors() -> None:
    x = tf.ones([1, 6, 6, 1])
    with pytest.raises(ValueError, match="strides > window_shape not supported"):
        tf.nn.pool(x, [2, 2], "MAX", "VALID", strides=[3, 3])
    with pytest.raises(ValueError, match="SAME padding is not implemented for dilation_rate > 1"):
        tf.nn.pool(x, [2, 2], "MAX", "SAME", dilation_rate=[2, 2])
    with pytest.raises(ValueError, match="2-D MEDIAN pooling is not supported"):
        tf.nn.pool(x, [2, 2], "MEDIAN", "SAME")
    with pytest.raises(ValueError, match="1 <= num_spatial_dims <= 3"):
        tf.nn.pool(x, [2] * 4, "MAX", "SAME")
    with pytest.raises(ValueError, match="Negative dimension size caused by subtracting 7 from 6"):
        tf.nn.avg_pool(x, [1, 7, 1, 1], [1, 1, 1, 1], "VALID")
    with pytest.raises(tf.errors.UnimplementedError, match="not yet supported on the batch"):
        tf.nn.max_pool(x, [2, 1, 1, 1], [1, 1, 1, 1], "VALID")


def test_maxima_over_channels() -> None:
    x = distinct(1, 2, 2, 4)
    y = evaluate(tf.nn.max_pool(x, [1, 1, 1, 2], [1, 1, 1, 2], "SAME"))
    np.testing.assert_allclose(y, x.reshape(1, 2, 2, 2, 2).max(-1))
    for ksize, strides, problem in (
        ([1, 2, 2, 2], [1, 1, 1, 2], "exactly one of pooling across depth"),
        ([1, 1, 1, 2], [1, 1, 1, 1], "depth window to equal the depth stride"),
        ([1, 1, 1, 3], [1, 1, 1, 3], "evenly divide"),
    ):
        with pytest.raises(tf.errors.UnimplementedError, match=problem):
            tf.nn.max_pool(x, ksize, strides, "SAME")


def test_places_of_the_maxima() -> None:
    x = distinct(2, 3, 4, 2)
    for whole in (False, True):
        found = tf.nn.max_pool_with_argmax(
            x, [1, 2, 2, 1], [1, 1, 2, 1], "VALID", include_batch_in_index=whole
        )
        output, places = evaluate([found.output, found.argmax])
        assert places.dtype == np.int64
        flat = x.reshape(-1) if whole else x.reshape(2, -1)
        picked = flat[places] if whole else np.stack([flat[i][places[i]] for i in range(2)])
        np.testing.assert_array_equal(picked, output)
        np.testing.assert_array_equal(output, pooled(x, [2, 2], [1, 2], "VALID", np.max))
    assert_gradients(
        lambda t: tf.nn.max_pool_with_argmax(t, [1, 2, 2, 1], [1, 1, 1, 1], "SAME").output,
        distinct(2, 3, 3, 1),
    )


def test_windows_as_inputs() -> None:
    from workbench.core.ops.creation import call

    x = distinct(1, 4, 4, 1)
    ksize = tf.placeholder(tf.int32, [4])
    y = call("MaxPoolV2", input=x, ksize=ksize, strides=[1, 2, 2, 1], padding="VALID")
    assert y.shape.as_list() == [None] * 4
    for size in (2, 3):
        found = evaluate(y, {ksize: [1, size, size, 1]})
        np.testing.assert_array_equal(found, pooled(x, [size] * 2, [2, 2], "VALID", np.max))


@pytest.mark.parametrize("name", ["fractional_max_pool", "fractional_avg_pool"])
@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("pseudo_random", [False, True])
def test_fractional_pools(name: str, overlapping: bool, pseudo_random: bool) -> None:
    x = distinct(2, 10, 9, 1)
    pool = getattr(tf.nn, name)(
        tf.constant(x), [1.0, 1.5, 1.4, 1.0], pseudo_random, overlapping, seed=4
    )
    assert pool.output.shape.as_list() == [2, 6, 6, 1]
    output, rows, columns, gradient = evaluate(
        [*pool, tf.gradients(tf.reduce_sum(pool.output * pool.output), pool.output)[0]]
    )
    assert rows[0] == columns[0] == 0 and rows[-1] == 10 and columns[-1] == 9
    assert set(np.diff(rows)) <= {1, 2} and set(np.diff(columns)) <= {1, 2}
    more = int(overlapping)
    reduce = np.max if "max" in name else np.mean
    for i, j in np.ndindex(6, 6):
        part = x[:, rows[i] : rows[i + 1] + more, columns[j] : columns[j + 1] + more]
        np.testing.assert_allclose(output[:, i, j], reduce(part, axis=(1, 2)))
    np.testing.assert_allclose(gradient, 2 * output)


def test_fractional_pools_by_seed() -> None:
    x = tf.constant(distinct(1, 20, 20, 1))
    fixed = tf.nn.fractional_max_pool(x, [1.0, 1.5, 1.5, 1.0], deterministic=True, seed=1, seed2=2)
    free = tf.nn.fractional_max_pool(x, [1.0, 1.5, 1.5, 1.0], seed=1, seed2=2)
    with tf.Session() as session:
        first, second = (session.run([*fixed, *free]) for _ in range(2))
    assert first[1].tolist() == second[1].tolist() and first[2].tolist() == second[2].tolist()
    assert first[4].tolist() != second[4].tolist() or first[5].tolist() != second[5].tolist()
    assert evaluate(free[1]).tolist() == first[4].tolist()


def test_symbolic_sizes() -> None:
    x = tf.placeholder(tf.float32, ["batch", "height", None, 3])
    assert tf.nn.max_pool(x, 2, 1, "SAME").shape.entries == ("batch", "height", None, 3)  # type: ignore[attr-defined]
    assert tf.nn.avg_pool(x, 2, 2, "SAME").shape.as_list() == [None, None, None, 3]
