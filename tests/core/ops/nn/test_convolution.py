"""Convolutions of every kind, against one that is written as loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import assert_gradients, evaluate
from tests.core.ops.numeric import Array

RANDOM = np.random.RandomState(0)


def convolved(
    x: Array,
    w: Array,
    strides: tuple[int, ...],
    padding: str,
    dilations: tuple[int, ...] | None = None,
) -> Array:
    """The definition: every output is a sum over taps and channels."""
    count = len(strides)
    dilations = dilations or (1,) * count
    reach = [(w.shape[i] - 1) * dilations[i] + 1 for i in range(count)]
    if padding == "SAME":
        pads = [(0, 0)]
        for i in range(count):
            size = x.shape[1 + i]
            total = max((-(-size // strides[i]) - 1) * strides[i] + reach[i] - size, 0)
            pads.append((total // 2, total - total // 2))
        x = np.pad(x, [*pads, (0, 0)])
    sizes = [(x.shape[1 + i] - reach[i]) // strides[i] + 1 for i in range(count)]
    y = np.zeros((x.shape[0], *sizes, w.shape[-1]))
    for place in np.ndindex(*sizes):
        for tap in np.ndindex(*w.shape[:count]):
            at = [place[i] * strides[i] + tap[i] * dilations[i] for i in range(count)]
            y[(slice(None), *place)] += x[(slice(None), *at)] @ w[tap]
    return y


def numbers(*shape: int) -> Array:
    return RANDOM.standard_normal(shape)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("window", [(1, 1), (3, 2), (2, 4)])
def test_conv2d(padding: str, strides: tuple[int, int], window: tuple[int, int]) -> None:
    x, w = numbers(2, 5, 6, 2), numbers(*window, 2, 3)
    expected = convolved(x, w, strides, padding)
    image = tf.placeholder(tf.float64, [None, 5, 6, 2])
    y = tf.nn.conv2d(image, w, [1, *strides, 1], padding)
    assert y.shape.as_list() == [None, *expected.shape[1:]]
    np.testing.assert_allclose(evaluate(y, {image: x}), expected, atol=1e-12)
    first = tf.nn.conv2d(np.moveaxis(x, 3, 1), w, [1, 1, *strides], padding, data_format="NCHW")
    np.testing.assert_allclose(evaluate(first), np.moveaxis(expected, 3, 1), atol=1e-12)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("options", [{"strides": 2}, {"dilations": [1, 2, 1, 1]}])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
def test_conv2d_gradients(padding: str, options: dict[str, Any], data_format: str) -> None:
    x, w = numbers(1, 4, 5, 2), numbers(2, 2, 2, 2)
    if data_format == "NCHW":
        x = np.moveaxis(x, 3, 1)
        options = {"strides": 2} if "strides" in options else {"dilations": [1, 1, 2, 1]}
    assert_gradients(
        lambda a, b: tf.nn.conv2d(a, b, padding=padding, data_format=data_format, **options), x, w
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("data_format", [None, "NWC", "NHWC", "NCW", "NCHW"])
def test_conv1d(padding: str, stride: int, data_format: str | None) -> None:
    x, w = numbers(2, 7, 2), numbers(3, 2, 4)
    expected = convolved(x, w, (stride,), padding)
    channels_first = bool(data_format) and str(data_format).startswith("NC")
    given = np.moveaxis(x, 2, 1) if channels_first else x
    found = evaluate(tf.nn.conv1d(given, w, stride, padding, data_format=data_format))
    found = np.moveaxis(found, 1, 2) if channels_first else found
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
def test_conv3d(padding: str, stride: int) -> None:
    x, w = numbers(2, 4, 3, 5, 2), numbers(2, 2, 3, 2, 2)
    expected = convolved(x, w, (stride,) * 3, padding)
    y = tf.nn.conv3d(x, w, [1, stride, stride, stride, 1], padding)
    np.testing.assert_allclose(evaluate(y), expected, atol=1e-12)
    first = tf.nn.conv3d(np.moveaxis(x, 4, 1), w, [1, 1] + [stride] * 3, padding, "NCDHW")
    np.testing.assert_allclose(evaluate(first), np.moveaxis(expected, 4, 1), atol=1e-12)


def test_conv3d_gradients() -> None:
    assert_gradients(
        lambda a, b: tf.nn.conv3d(a, b, [1, 1, 2, 1, 1], "SAME"),
        numbers(1, 2, 3, 2, 1),
        numbers(2, 2, 1, 1, 2),
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
def test_transposes_are_transposes(padding: str, stride: int) -> None:
    """<conv(x), y> = <x, transpose(y)>, in 2 and 3 dimensions."""
    for count, forward, transpose in (
        (2, tf.nn.conv2d, tf.nn.conv2d_transpose),
        (3, tf.nn.conv3d, tf.nn.conv3d_transpose),
    ):
        x, w = numbers(2, *[5] * count, 3), numbers(*[2] * count, 3, 4)
        strides = [1, *[stride] * count, 1]
        there = evaluate(forward(x, w, strides, padding))
        y = numbers(*there.shape)
        back = transpose(y, w, list(x.shape), strides, padding)
        assert back.shape.as_list() == list(x.shape)
        np.testing.assert_allclose((there * y).sum(), (x * evaluate(back)).sum())


def test_transpose_with_a_shape_of_the_run() -> None:
    x = tf.placeholder(tf.float32, ["batch", 2, 2, 1])
    sizes = tf.stack([tf.shape(x)[0], 4, 4, 3])
    y = tf.nn.conv2d_transpose(x, tf.ones([2, 2, 3, 1]), sizes, [1, 2, 2, 1])
    assert y.shape.as_list() == [None, 4, 4, 3]
    assert evaluate(y, {x: np.ones([5, 2, 2, 1])}).shape == (5, 4, 4, 3)


def test_transpose_with_a_shape_of_64_bits() -> None:
    x = tf.ones([1, 2, 2, 1])
    for dtype in (np.int64, np.int32):
        y = tf.nn.conv2d_transpose(
            x, tf.ones([2, 2, 3, 1]), tf.constant(np.array([1, 4, 4, 3], dtype)), [1, 2, 2, 1]
        )
        assert y.shape.as_list() == [1, 4, 4, 3]
        np.testing.assert_array_equal(evaluate(y), np.ones([1, 4, 4, 3]))


def test_transpose_errors() -> None:
    x, w = tf.ones([1, 2, 2, 3]), tf.ones([2, 2, 5, 4])
    with pytest.raises(ValueError, match="input channels does not match filter's input channels"):
        tf.nn.conv2d_transpose(x, w, [1, 4, 4, 5], [1, 2, 2, 1])
    with pytest.raises(ValueError, match="does not match filter's output channels, 6 != 5"):
        tf.nn.conv2d_transpose(tf.ones([1, 2, 2, 4]), w, [1, 4, 4, 6], [1, 2, 2, 1])
    with pytest.raises(ValueError, match=r"output_shape must have shape \(4,\), got \(3,\)"):
        tf.nn.conv2d_transpose(tf.ones([1, 2, 2, 4]), w, [4, 4, 5], [1, 2, 2, 1])
    with pytest.raises(ValueError, match="padding must be either VALID or SAME"):
        tf.nn.conv2d_transpose(tf.ones([1, 2, 2, 4]), w, [1, 4, 4, 5], [1, 2, 2, 1], "FULL")


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_convolution_of_any_rank(padding: str, count: int) -> None:
    x, w = numbers(2, *[6] * count, 2), numbers(*[2] * count, 2, 3)
    for strides, rate in (((1,) * count, (2,) * count), ((2,) * count, (1,) * count)):
        expected = convolved(x, w, strides, padding, rate)
        y = tf.nn.convolution(x, w, padding, strides=strides, dilation_rate=rate)
        np.testing.assert_allclose(evaluate(y), expected, atol=1e-12)
        data_format = {1: "NCW", 2: "NCHW", 3: "NCDHW"}[count]
        first = tf.nn.convolution(
            np.moveaxis(x, -1, 1), w, padding, strides, rate, data_format=data_format
        )
        np.testing.assert_allclose(evaluate(first), np.moveaxis(expected, -1, 1), atol=1e-12)


def test_convolution_errors() -> None:
    x, w = tf.ones([1, 5, 5, 2]), tf.ones([2, 2, 2, 3])
    with pytest.raises(ValueError, match="input tensor must have rank 4"):
        tf.nn.convolution(tf.ones([1, 5, 2]), w, "VALID")
    with pytest.raises(ValueError, match="number of input channels does not match"):
        tf.nn.convolution(tf.ones([1, 5, 5, 4]), w, "VALID")
    with pytest.raises(ValueError, match="strides > 1 not supported in conjunction with"):
        tf.nn.convolution(x, w, "VALID", strides=[2, 1], dilation_rate=[1, 2])
    with pytest.raises(ValueError, match=r"len\(dilation_rate\)=3 but should be 2"):
        tf.nn.convolution(x, w, "VALID", dilation_rate=[1, 2, 3])
    with pytest.raises(ValueError, match="must be positive"):
        tf.nn.convolution(x, w, "VALID", dilation_rate=[0, 2])
    with pytest.raises(ValueError, match="rank of input or filter must be known"):
        tf.nn.convolution(tf.placeholder(tf.float32), tf.placeholder(tf.float32), "VALID")
    with pytest.raises(ValueError, match="data_format"):
        tf.nn.convolution(x, w, "VALID", data_format="NWC")


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("rate", [1, 2, 3])
def test_atrous(padding: str, rate: int) -> None:
    x, w = numbers(1, 9, 8, 2), numbers(3, 2, 2, 3)
    expected = convolved(x, w, (1, 1), padding, (rate, rate))
    y = evaluate(tf.nn.atrous_conv2d(x, w, rate, padding))
    np.testing.assert_allclose(y, expected, atol=1e-12)
    other = numbers(*y.shape)
    back = evaluate(tf.nn.atrous_conv2d_transpose(other, w, x.shape, rate, padding))
    np.testing.assert_allclose((expected * other).sum(), (x * back).sum())


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("known", [True, False])
def test_space_to_batch_dilates_any_operation(padding: str, known: bool) -> None:
    x, w = numbers(2, 7, 6, 2), numbers(3, 2, 2, 3)
    image = tf.placeholder(tf.float64, x.shape if known else [None] * 4)
    rate: Any = [2, 3] if known else tf.placeholder(tf.int32, [2])
    feeds = {image: x} if known else {image: x, rate: [2, 3]}
    y = tf.nn.with_space_to_batch(
        image,
        rate,
        padding,
        lambda part, axes, inner: tf.nn.conv2d(part, w, [1] * 4, inner),
        filter_shape=[3, 2],
    )
    np.testing.assert_allclose(
        evaluate(y, feeds), convolved(x, w, (1, 1), padding, (2, 3)), atol=1e-12
    )


def test_space_to_batch_along_chosen_axes() -> None:
    x = numbers(1, 2, 8, 1)
    y = tf.nn.with_space_to_batch(
        x, [2], "VALID", lambda t, axes, padding: t[:, :, 1:] - t[:, :, :-1], spatial_dims=[2]
    )
    np.testing.assert_allclose(evaluate(y), x[:, :, 2:] - x[:, :, :-2])
    with pytest.raises(ValueError, match="monotonically increasing"):
        tf.nn.with_space_to_batch(x, [2, 2], "VALID", lambda *a: a[0], spatial_dims=[2, 1])
    with pytest.raises(ValueError, match="filter_shape must be specified"):
        tf.nn.with_space_to_batch(x, [2, 2], "SAME", lambda *a: a[0])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("multiplier", [1, 3])
def test_depthwise_and_separable(padding: str, stride: int, multiplier: int) -> None:
    x, w = numbers(2, 5, 6, 2), numbers(2, 3, 2, multiplier)
    parts = [
        convolved(x[..., c : c + 1], w[:, :, c : c + 1], (stride, stride), padding)
        for c in range(2)
    ]
    expected = np.concatenate(parts, axis=-1)
    y = tf.nn.depthwise_conv2d(x, w, [1, stride, stride, 1], padding)
    np.testing.assert_allclose(evaluate(y), expected, atol=1e-12)
    first = tf.nn.depthwise_conv2d(
        np.moveaxis(x, 3, 1), w, [1, 1, stride, stride], padding, data_format="NCHW"
    )
    np.testing.assert_allclose(evaluate(first), np.moveaxis(expected, 3, 1), atol=1e-12)
    mix = numbers(1, 1, 2 * multiplier, 3)
    both = tf.nn.separable_conv2d(x, w, mix, [1, stride, stride, 1], padding)
    np.testing.assert_allclose(evaluate(both), expected @ mix[0, 0], atol=1e-12)


def test_depthwise_gradients_and_rate() -> None:
    x, w = numbers(1, 5, 5, 2), numbers(2, 2, 2, 2)
    assert_gradients(lambda a, b: tf.nn.depthwise_conv2d(a, b, [1, 2, 2, 1], "SAME"), x, w)
    y = evaluate(tf.nn.depthwise_conv2d(x, w, [1] * 4, "VALID", rate=[2, 3]))
    parts = [
        convolved(x[..., c : c + 1], w[:, :, c : c + 1], (1, 1), "VALID", (2, 3)) for c in range(2)
    ]
    np.testing.assert_allclose(y, np.concatenate(parts, axis=-1), atol=1e-12)


def test_erosion_is_the_dilation_of_the_negative() -> None:
    x, w = numbers(1, 6, 5, 2), numbers(2, 3, 2)
    ones = [1] * 4
    eroded = evaluate(tf.nn.erosion2d(x, w, ones, ones, "VALID"))
    expected = np.full_like(eroded, np.inf)
    for i, j in np.ndindex(2, 3):
        part = x[:, i : i + eroded.shape[1], j : j + eroded.shape[2]]
        # The kernel is turned around, as the duality of dilation and erosion wants it.
        expected = np.minimum(expected, part - w[1 - i, 2 - j])
    np.testing.assert_allclose(eroded, expected)


def test_unknown_and_symbolic_sizes() -> None:
    w = tf.ones([3, 3, 2, 4])
    x = tf.placeholder(tf.float32, ["batch", "height", None, 2])
    assert tf.nn.conv2d(x, w, 1, "SAME").shape.entries == ("batch", "height", None, 4)  # type: ignore[attr-defined]
    assert tf.nn.conv2d(x, w, 2, "VALID").shape.as_list() == [None, None, None, 4]
    unknown = tf.placeholder(tf.float32)
    assert tf.nn.conv2d(unknown, w, 1, "SAME").shape.as_list() == [None, None, None, 4]
    (dx,) = tf.gradients(tf.nn.conv2d(x, w, 1, "SAME"), x)
    assert dx.shape.as_list() == [None, None, None, 2]
    assert evaluate(dx, {x: np.ones([1, 4, 5, 2])}).shape == (1, 4, 5, 2)


def test_errors_are_tensorflows() -> None:
    x = tf.ones([1, 3, 3, 3], name="image")
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 4"):
        tf.nn.conv2d(x, tf.ones([2, 2, 4, 1]), [1, 1, 1, 1], "SAME")
    with pytest.raises(ValueError, match="Negative dimension size caused by subtracting 5 from 3"):
        tf.nn.conv2d(x, tf.ones([5, 1, 3, 1]), [1, 1, 1, 1], "VALID")
    with pytest.raises(ValueError, match="Shape must be rank 4 but is rank 3"):
        tf.nn.conv2d(tf.ones([3, 3, 3]), tf.ones([1, 1, 3, 1]), [1, 1, 1, 1], "VALID")
    with pytest.raises(tf.errors.InvalidArgumentError, match="strides in the batch and depth"):
        tf.nn.conv2d(x, tf.ones([1, 1, 3, 1]), [2, 1, 1, 1], "VALID")
    with pytest.raises(ValueError, match="padding.*'FULL'"):
        tf.nn.conv2d(x, tf.ones([1, 1, 3, 1]), [1, 1, 1, 1], "FULL")
    with pytest.raises(ValueError, match="strides must have 1, 2 or 4 values"):
        tf.nn.conv2d(x, tf.ones([1, 1, 3, 1]), [1, 1, 1], "VALID")
    with pytest.raises(TypeError, match="int32 not in list of allowed values"):
        tf.nn.conv2d(tf.ones([1, 3, 3, 3], tf.int32), tf.ones([1, 1, 3, 1], tf.int32), 1, "SAME")
