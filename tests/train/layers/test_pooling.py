"""Pooling layers against loops over windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.kernels.oracles import seen

pytestmark = pytest.mark.usefixtures("graph")


RNG = np.random.default_rng(0)
SIZES = {1: (9,), 2: (7, 6), 3: (5, 4, 5)}


def pooled(value: Any, taps: Any, strides: Any, padding: str, reduce: Any) -> Any:
    """The reduction of what each window sees of the input."""
    windows: dict[Any, list[Any]] = {}
    ones = (1,) * len(taps)
    for output, _, position in seen(value.shape[1:-1], taps, strides, ones, padding):
        windows.setdefault(output, []).append(value[(slice(None), *position)])
    shape = [max(output[axis] for output in windows) + 1 for axis in range(len(taps))]
    result = np.zeros([value.shape[0], *shape, value.shape[-1]])
    for output, items in windows.items():
        result[(slice(None), *output)] = reduce(items, axis=0)
    return result


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("kind", "reduce"), [("Max", np.max), ("Average", np.mean)])
@pytest.mark.parametrize(
    ("taps", "strides"),
    [((3,), (2,)), ((2,), (3,)), ((3, 2), (2, 1)), ((2, 2), (2, 2)), ((2, 3, 2), (2, 2, 1))],
)
def test_pooling(
    taps: Any, strides: Any, kind: str, reduce: Any, padding: str, channels_first: bool
) -> None:
    rank = len(taps)
    layer = getattr(tf.layers, f"{kind}Pooling{rank}D")(
        taps, strides, padding, "channels_first" if channels_first else "channels_last"
    )
    value = RNG.standard_normal((2, *SIZES[rank], 3)).astype(np.float32)
    fed = np.moveaxis(value, -1, 1) if channels_first else value
    a = tf.placeholder(tf.float32, [None, *fed.shape[1:]])
    y = layer(a)
    with tf.Session() as session:
        result = session.run(y, {a: fed})
    assert y.shape.as_list() == [None, *result.shape[1:]]
    assert layer.compute_output_shape(a.shape).as_list() == y.shape.as_list()
    result = np.moveaxis(result, 1, -1) if channels_first else result
    expected = pooled(value, taps, strides, padding.upper(), reduce)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["max", "average"])
def test_functions(rank: int, kind: str) -> None:
    function = getattr(tf.layers, f"{kind}_pooling{rank}d")
    y = function(tf.ones([2, *[6] * rank, 3]), pool_size=2, strides=2, name="pool")
    assert y.shape.as_list() == [2, *[3] * rank, 3]
    assert y.op.name.startswith("pool/")


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: tf.layers.MaxPooling2D((1, 2, 3), 1), "`pool_size` argument"),
        (lambda: tf.layers.MaxPooling2D(1, (1, 2, 3)), "`strides` argument"),
        (lambda: tf.layers.MaxPooling2D(1, 1, padding="none"), "`padding` argument"),
        (lambda: tf.layers.MaxPooling2D(1, 1, data_format="NCHW"), "`data_format` argument"),
        (lambda: tf.layers.max_pooling2d(tf.ones([1, 2, 3]), 1, 1), "expected ndim=4"),
    ],
)
def test_wrong_arguments(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()
