"""Convolutional layers, plain, transposed and separable, against loops over windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.kernels.oracles import output_size, seen
from workbench.train.layers import arguments

pytestmark = pytest.mark.usefixtures("graph")


RNG = np.random.default_rng(0)


def convolved(
    value: Any, kernel: Any, strides: Any, padding: str, dilations: Any
) -> np.ndarray[Any, Any]:
    """A convolution [batch, spatial..., in] one tap after the other."""
    taps, sizes = kernel.shape[:-2], value.shape[1:-1]
    numbers = list(zip(sizes, taps, strides, dilations, strict=True))
    outputs = [output_size(*axis, padding) for axis in numbers]
    result = np.zeros([value.shape[0], *outputs, kernel.shape[-1]])
    for output, tap, position in seen(sizes, taps, strides, dilations, padding):
        result[(slice(None), *output)] += value[(slice(None), *position)] @ kernel[tap]
    return result


def painted(value: Any, kernel: Any, strides: Any, padding: str) -> np.ndarray[Any, Any]:
    """The transpose of a convolution, whose kernel is [spatial..., out, in]."""
    taps = kernel.shape[:-2]
    extra = [max(t - s, 0) if padding == "VALID" else 0 for t, s in zip(taps, strides, strict=True)]
    sizes = tuple(n * s + e for n, s, e in zip(value.shape[1:-1], strides, extra, strict=True))
    result = np.zeros([value.shape[0], *sizes, kernel.shape[-2]])
    for output, tap, position in seen(sizes, taps, strides, (1,) * len(taps), padding):
        result[(slice(None), *position)] += value[(slice(None), *output)] @ kernel[tap].T
    return result


def run(layer: Any, value: Any, channels_first: bool) -> tuple[Any, list[Any]]:
    """The layer's result in the order channels_last, and its weights."""
    fed = np.moveaxis(value, -1, 1) if channels_first else value
    y = layer(tf.placeholder_with_default(fed, [None, *fed.shape[1:]]))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        result, weights = session.run([y, layer.weights])
    assert y.shape.as_list() == [None, *result.shape[1:]]
    assert y.shape == layer.compute_output_shape([None, *fed.shape[1:]])
    return np.moveaxis(result, 1, -1) if channels_first else result, weights


def order(channels_first: bool) -> str:
    return "channels_first" if channels_first else "channels_last"


BIAS = tf.random_normal_initializer(seed=3)
KINDS = {1: tf.layers.Conv1D, 2: tf.layers.Conv2D, 3: tf.layers.Conv3D}
SIZES = {1: (9,), 2: (7, 6), 3: (5, 4, 5)}


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("taps", "strides", "dilations"),
    [
        ((3,), (1,), (1,)),
        ((3,), (2,), (1,)),
        ((2,), (1,), (3,)),
        ((3, 2), (1, 1), (1, 1)),
        ((3, 2), (2, 1), (1, 1)),
        ((2, 3), (1, 1), (2, 1)),
        ((2, 1, 3), (1, 1, 1), (1, 1, 1)),
        ((2, 2, 2), (2, 1, 2), (1, 1, 1)),
    ],
)
def test_convolution(
    taps: Any, strides: Any, dilations: Any, padding: str, channels_first: bool
) -> None:
    rank = len(taps)
    layer = KINDS[rank](
        4,
        taps,
        strides,
        padding,
        order(channels_first),
        dilations,
        activation=tf.tanh,
        bias_initializer=BIAS,
    )
    value = RNG.standard_normal((2, *SIZES[rank], 3))
    result, (kernel, bias) = run(layer, value, channels_first)
    assert kernel.shape == (*taps, 3, 4)
    expected = convolved(value, kernel, strides, padding.upper(), dilations)
    np.testing.assert_allclose(result, np.tanh(expected + bias), atol=1e-12)


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("taps", "strides"),
    [
        ((3, 3), (1, 1)),
        ((3, 2), (2, 3)),
        ((2, 2), (2, 2)),
        ((3, 2, 2), (2, 1, 2)),
        ((2, 2, 1), (1, 2, 2)),
    ],
)
def test_transposed_convolution(
    taps: Any, strides: Any, padding: str, channels_first: bool
) -> None:
    rank = len(taps)
    kind = {2: tf.layers.Conv2DTranspose, 3: tf.layers.Conv3DTranspose}[rank]
    layer = kind(4, taps, strides, padding, order(channels_first), bias_initializer=BIAS)
    value = RNG.standard_normal((2, *(3, 4, 2)[:rank], 3))
    result, (kernel, bias) = run(layer, value, channels_first)
    assert kernel.shape == (*taps, 4, 3)
    expected = painted(value, kernel, strides, padding.upper())
    np.testing.assert_allclose(result, expected + bias, atol=1e-12)


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("strides", "dilations", "multiplier"), [((1, 1), (1, 1), 1), ((2, 2), (1, 1), 2), (1, 2, 3)]
)
def test_separable_convolution(
    strides: Any, dilations: Any, multiplier: int, padding: str, channels_first: bool
) -> None:
    layer = tf.layers.SeparableConv2D(
        4,
        (3, 2),
        strides,
        padding,
        order(channels_first),
        dilations,
        depth_multiplier=multiplier,
        bias_initializer=BIAS,
    )
    value = RNG.standard_normal((2, 7, 6, 3))
    result, (depthwise, pointwise, bias) = run(layer, value, channels_first)
    numbers = (layer.strides, padding.upper(), layer.dilation_rate)
    middle = [
        convolved(value[..., c : c + 1], depthwise[:, :, c : c + 1], *numbers) for c in range(3)
    ]
    expected = np.concatenate(middle, -1) @ pointwise[0, 0] + bias
    np.testing.assert_allclose(result, expected, atol=1e-12)


def test_sizes_that_are_known_in_the_run_alone() -> None:
    a = tf.placeholder(tf.float32, [None, None, None, 3])
    up = tf.layers.conv2d_transpose(a, 2, 3, strides=2)
    down = tf.layers.conv2d(a, 2, 3, strides=2, padding="same")
    assert up.shape.as_list() == down.shape.as_list() == [None, None, None, 2]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        large, small = session.run([up, down], {a: np.ones([2, 4, 5, 3])})
    assert (large.shape, small.shape) == ((2, 9, 11, 2), (2, 2, 3, 2))


def test_arguments_reach_the_variables() -> None:
    def keep(value: Any) -> Any:
        return value

    layer = tf.layers.SeparableConv2D(
        2,
        1,
        depthwise_initializer=tf.constant_initializer(2.0),
        pointwise_initializer=tf.constant_initializer(3.0),
        depthwise_regularizer=tf.reduce_sum,
        pointwise_regularizer=tf.reduce_sum,
        bias_regularizer=tf.reduce_sum,
        activity_regularizer=tf.reduce_sum,
        depthwise_constraint=keep,
        pointwise_constraint=keep,
        bias_constraint=keep,
        trainable=False,
    )
    layer(tf.ones([1, 1, 1, 1]))
    assert all(v.constraint is keep for v in layer.weights)
    assert layer.trainable_weights == []
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(layer.losses) == [2.0, 6.0, 0.0, 12.0]


def test_functions_share_by_name() -> None:
    a = tf.ones([1, 5, 5, 2])
    for function in (tf.layers.conv2d, tf.layers.conv2d_transpose, tf.layers.separable_conv2d):
        before = len(tf.global_variables())
        first = function(a, 3, 2, name=function.__name__, use_bias=False)
        made = len(tf.global_variables())
        second = function(a, 3, 2, name=function.__name__, use_bias=False, reuse=True)
        assert before < made == len(tf.global_variables())
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            one, other = session.run([first, second])
        np.testing.assert_array_equal(one, other)


def test_training_a_convolution() -> None:
    """A kernel is learnt back from what it makes."""
    value = RNG.standard_normal((8, 6, 6, 1)).astype(np.float32)
    kernel = np.array([[1.0, -2.0], [0.5, 3.0]]).reshape(2, 2, 1, 1)
    wanted = convolved(value, kernel, (1, 1), "VALID", (1, 1)) + 0.25
    layer = tf.layers.Conv2D(1, 2)
    loss = tf.reduce_mean(tf.square(layer(tf.constant(value)) - wanted.astype(np.float32)))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(200):
            session.run(train)
        found, bias = session.run(layer.weights)
    np.testing.assert_allclose(found, kernel, atol=1e-3)
    np.testing.assert_allclose(bias, [0.25], atol=1e-3)


# Refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: tf.layers.Conv2D(1, (1, 2, 3)), "`kernel_size` argument must be an int or a tup"),
        (lambda: tf.layers.Conv2D(1, None), "`kernel_size`"),
        (lambda: tf.layers.Conv1D(1, 2, strides=(1, 2)), "`strides` argument .* tuple of 1 int"),
        (lambda: tf.layers.Conv2D(1, 2, dilation_rate=(1,)), "`dilation_rate`"),
        (lambda: tf.layers.Conv2D(1, 2, padding="full"), '`padding` .* "valid", "same"'),
        (lambda: tf.layers.Conv2D(1, 2, data_format="NHWC"), '`data_format` .* "channels_first"'),
        (
            lambda: tf.layers.conv2d(tf.placeholder(tf.float32, [1, 4, 4, None]), 1, 2),
            "channel dimension of the inputs should be defined. Found `None`",
        ),
        (lambda: tf.layers.conv2d(tf.ones([1, 4, 4]), 1, 2), "expected ndim=4, found ndim=3"),
        (
            lambda: tf.layers.conv2d(tf.ones([1, 4, 4, 1]), 1, 2, 2, dilation_rate=2),
            "strides > 1 not supported in conjunction with dilation_rate > 1",
        ),
    ],
)
def test_wrong_arguments(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()


def test_later_inputs_keep_the_channels() -> None:
    layer = tf.layers.Conv2D(2, 1, data_format="channels_first")
    layer(tf.ones([1, 3, 4, 4]))
    with pytest.raises(ValueError, match="expected axis 1 of input shape to have value 3"):
        layer(tf.ones([1, 2, 4, 4]))


# Lengths ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 4, 7])
@pytest.mark.parametrize("taps", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_lengths(size: int, taps: int, stride: int, padding: str) -> None:
    found = arguments.conv_output_length(size, taps, padding, stride)
    assert found == max(0, output_size(size, taps, stride, 1, padding.upper()))
    larger = arguments.deconv_output_length(size, taps, padding, stride)
    assert arguments.conv_output_length(larger, taps, padding, stride) == size


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (arguments.conv_output_length(4, 2, "full", 2), 3),
        (arguments.conv_output_length(5, 2, "valid", 2, 2), 2),
        (arguments.conv_output_length(None, 2, "same", 1), None),
        (arguments.conv_input_length(2, 2, "valid", 2), 4),
        (arguments.conv_input_length(2, 2, "same", 2), 2),
        (arguments.conv_input_length(3, 2, "full", 2), 4),
        (arguments.conv_input_length(None, 2, "full", 2), None),
        (arguments.deconv_output_length(4, 2, "full", 2), 6),
        (arguments.deconv_output_length(None, 2, "same", 2), None),
        (arguments.convert_data_format("channels_last", 5), "NDHWC"),
        (arguments.normalize_data_format("CHANNELS_FIRST"), "channels_first"),
        (arguments.normalize_padding("SAME"), "same"),
    ],
)
def test_small_functions(found: Any, expected: Any) -> None:
    assert found == expected


def test_ranks_without_a_name() -> None:
    with pytest.raises(ValueError, match="rank not supported: 2"):
        arguments.convert_data_format("channels_last", 2)
