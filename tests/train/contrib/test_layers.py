"""The layers of contrib: names, collections and values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.train.contrib.support import convert_collection_to_dict

pytestmark = pytest.mark.usefixtures("graph")


layers = tf.contrib.layers


def evaluated(*tensors: Any, feed: Any = None) -> Any:
    """The values after initialisation."""
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        values = session.run(list(tensors), feed)
    return values if len(values) > 1 else values[0]


def names(variables: Any) -> list[str]:
    return [variable.op.name for variable in variables]


#: A layer, its arguments, an input's shape, the output's shape, and the variables by name.
CASES: list[tuple[str, dict[str, Any], list[int], list[int], dict[str, list[int]]]] = [
    (
        "fully_connected",
        {"num_outputs": 5},
        [2, 3],
        [2, 5],
        {"fully_connected/weights": [3, 5], "fully_connected/biases": [5]},
    ),
    (
        "fully_connected",
        {"num_outputs": 5, "scope": "fc", "biases_initializer": None},
        [2, 4, 3],
        [2, 4, 5],
        {"fc/weights": [3, 5]},
    ),
    (
        "conv2d",
        {"num_outputs": 6, "kernel_size": [3, 2], "stride": 2},
        [2, 8, 9, 3],
        [2, 4, 5, 6],
        {"Conv/weights": [3, 2, 3, 6], "Conv/biases": [6]},
    ),
    (
        "conv2d",
        {"num_outputs": 6, "kernel_size": 3, "padding": "VALID", "rate": 2},
        [2, 8, 9, 3],
        [2, 4, 5, 6],
        {"Conv/weights": [3, 3, 3, 6], "Conv/biases": [6]},
    ),
    (
        "convolution",
        {"num_outputs": 2, "kernel_size": 3},
        [2, 8, 3],
        [2, 8, 2],
        {"Conv/weights": [3, 3, 2], "Conv/biases": [2]},
    ),
    (
        "conv2d_transpose",
        {"num_outputs": 4, "kernel_size": 3, "stride": 2},
        [1, 4, 5, 3],
        [1, 8, 10, 4],
        {"Conv2d_transpose/weights": [3, 3, 4, 3], "Conv2d_transpose/biases": [4]},
    ),
    (
        "separable_conv2d",
        {"num_outputs": 4, "kernel_size": 3, "depth_multiplier": 2},
        [1, 4, 5, 3],
        [1, 4, 5, 4],
        {
            "SeparableConv2d/depthwise_weights": [3, 3, 3, 2],
            "SeparableConv2d/pointwise_weights": [1, 1, 6, 4],
            "SeparableConv2d/biases": [4],
        },
    ),
    (
        "separable_conv2d",
        {"num_outputs": None, "kernel_size": 3, "depth_multiplier": 2},
        [1, 4, 5, 3],
        [1, 4, 5, 6],
        {"SeparableConv2d/depthwise_weights": [3, 3, 3, 2], "SeparableConv2d/biases": [6]},
    ),
    (
        "conv2d_in_plane",
        {"kernel_size": 3},
        [1, 4, 5, 3],
        [1, 4, 5, 3],
        {"ConvInPlane/weights": [3, 3, 1, 1], "ConvInPlane/biases": [3]},
    ),
    (
        "batch_norm",
        {"scale": True},
        [4, 3],
        [4, 3],
        {f"BatchNorm/{name}": [3] for name in ("gamma", "beta", "moving_mean", "moving_variance")},
    ),
    (
        "layer_norm",
        {},
        [4, 3, 2],
        [4, 3, 2],
        {"LayerNorm/beta": [2], "LayerNorm/gamma": [2]},
    ),
    (
        "instance_norm",
        {},
        [4, 3, 2],
        [4, 3, 2],
        {"InstanceNorm/beta": [2], "InstanceNorm/gamma": [2]},
    ),
    ("bias_add", {}, [4, 3], [4, 3], {"BiasAdd/biases": [3]}),
    ("max_pool2d", {"kernel_size": 2}, [1, 4, 6, 3], [1, 2, 3, 3], {}),
    ("avg_pool2d", {"kernel_size": [2, 3], "stride": 1}, [1, 4, 6, 3], [1, 3, 4, 3], {}),
    ("max_pool3d", {"kernel_size": 2}, [1, 4, 6, 2, 3], [1, 2, 3, 1, 3], {}),
    ("flatten", {}, [2, 3, 4], [2, 12], {}),
    ("dropout", {"keep_prob": 0.5}, [2, 3], [2, 3], {}),
    ("softmax", {}, [2, 3, 4], [2, 3, 4], {}),
    ("unit_norm", {"dim": 1}, [2, 3, 4], [2, 3, 4], {}),
    ("spatial_softmax", {}, [2, 3, 4, 5], [2, 10], {"spatial_softmax/temperature": []}),
]


@pytest.mark.parametrize(("layer", "arguments", "given", "expected", "variables"), CASES)
def test_shapes_and_names(
    layer: str, arguments: Any, given: Any, expected: Any, variables: Any
) -> None:
    outputs = getattr(layers, layer)(tf.ones(given), **arguments)
    assert outputs.shape.as_list() == expected
    assert {v.op.name: v.shape.as_list() for v in tf.model_variables()} == variables
    assert names(tf.global_variables()) == names(tf.model_variables())
    assert evaluated(outputs).shape == tuple(expected)


def test_channels_first() -> None:
    x = np.random.default_rng(0).normal(size=[2, 3, 6, 4]).astype(np.float32)
    turned = x.transpose(0, 2, 3, 1)
    for name, arguments in (
        ("max_pool2d", {"kernel_size": 2}),
        ("instance_norm", {}),
        ("bias_add", {"initializer": tf.constant_initializer([1.0, 2.0, 3.0])}),
        ("spatial_softmax", {}),
    ):
        layer = getattr(layers, name)
        first, last = evaluated(
            layer(tf.constant(x), data_format="NCHW", **arguments),
            layer(tf.constant(turned), data_format="NHWC", **arguments),
        )
        back = last if last.ndim == 2 else last.transpose(0, 3, 1, 2)
        np.testing.assert_allclose(first, back, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="data_format has to be either"):
        layers.max_pool2d(tf.constant(x), 2, data_format="CHWN")


def test_values_of_a_connected_layer() -> None:
    numbers = np.random.default_rng(1)
    x, w = (numbers.normal(size=size).astype(np.float32) for size in ([4, 3], [3, 2]))
    b = np.array([0.5, -0.5], np.float32)
    outputs = layers.fully_connected(
        tf.constant(x),
        2,
        weights_initializer=tf.constant_initializer(w),
        biases_initializer=tf.constant_initializer(b),
    )
    np.testing.assert_allclose(evaluated(outputs), np.maximum(x @ w + b, 0), rtol=1e-5)


def test_collections() -> None:
    layers.fully_connected(
        tf.ones([1, 2]),
        3,
        weights_regularizer=layers.l2_regularizer(0.5),
        weights_initializer=tf.ones_initializer(),
        variables_collections={"weights": ["mine"], "biases": ["mine", "b"]},
        outputs_collections="ends",
        trainable=False,
        scope="fc",
    )
    assert names(tf.get_collection("mine")) == ["fc/weights", "fc/biases"]
    assert names(tf.get_collection("b")) == ["fc/biases"]
    assert tf.trainable_variables() == []
    (end,) = tf.get_collection("ends")
    assert list(convert_collection_to_dict("ends", clear_collection=True)) == ["fc"]
    assert end.aliases == ["fc"] and tf.get_collection("ends") == []
    (loss,) = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert evaluated(loss) == 0.5 * 6 / 2


def test_variables_can_be_shared() -> None:
    x = tf.ones([1, 2])
    first = layers.fully_connected(x, 3, scope="fc")
    second = layers.fully_connected(x, 3, scope="fc", reuse=True)
    other = layers.fully_connected(x, 3)
    assert names(tf.model_variables())[::2] == ["fc/weights", "fully_connected/weights"]
    same, again, _ = evaluated(first, second, other)
    np.testing.assert_array_equal(same, again)


def test_a_normalizer_takes_the_place_of_biases() -> None:
    with tf.contrib.framework.arg_scope(
        [layers.conv2d], normalizer_fn=layers.batch_norm, normalizer_params={"scale": True}
    ):
        layers.conv2d(tf.ones([2, 4, 4, 1]), 2, 3, scope="c")
    assert sorted(names(tf.model_variables())) == [
        "c/BatchNorm/beta",
        "c/BatchNorm/gamma",
        "c/BatchNorm/moving_mean",
        "c/BatchNorm/moving_variance",
        "c/weights",
    ]


def test_stacks_and_repetitions() -> None:
    x = tf.ones([1, 4, 4, 2])
    layers.stack(x, layers.conv2d, [(3, 1), (4, 3)], scope="s")
    layers.repeat(x, 2, layers.conv2d, 2, [3, 3], biases_initializer=None)
    assert names(v for v in tf.model_variables() if "weights" in v.name) == [
        "s/s_1/weights",
        "s/s_2/weights",
        "Repeat/convolution_1/weights",
        "Repeat/convolution_2/weights",
    ]
    with pytest.raises(ValueError, match="stack_args need to be a list or tuple"):
        layers.stack(x, layers.conv2d, 3)


def test_embeddings() -> None:
    table = np.arange(10, dtype=np.float32).reshape(5, 2)
    initial = tf.constant_initializer(table)
    ids = np.array([[1, 3, 1], [4, 0, 0]])
    plain = layers.embed_sequence(tf.constant(ids), 5, 2, initializer=initial, scope="e")
    again = layers.embed_sequence(tf.constant(ids), scope="e", reuse=True, unique=True)
    bag = layers.bow_encoder(tf.constant([[1, 3, -1], [-1, -1, -1]]), 5, 2, initializer=initial)
    first, second, mean = evaluated(plain, again, bag)
    np.testing.assert_array_equal(first, table[ids])
    np.testing.assert_array_equal(second, table[ids])
    np.testing.assert_array_equal(mean, [(table[1] + table[3]) / 2, table[0]])
    with pytest.raises(ValueError, match="Must specify vocab size"):
        layers.embed_sequence(tf.constant(ids))


def test_places_of_features() -> None:
    image = np.zeros([1, 3, 5, 2], np.float32)
    image[0, 0, 4, 0] = image[0, 2, 0, 1] = 1000.0
    places = evaluated(layers.spatial_softmax(tf.constant(image)))
    np.testing.assert_allclose(places, [[-1, 1, 1, -1]], atol=1e-6)


def test_one_hot_and_maxout() -> None:
    hot = layers.one_hot_encoding(tf.constant([1, 0]), 3, on_value=2.0, off_value=-1.0)
    x = np.random.default_rng(2).normal(size=[2, 3, 6]).astype(np.float32)
    value, widest = evaluated(hot, layers.maxout(tf.constant(x), 2))
    assert value.tolist() == [[-1, 2, -1], [2, -1, -1]]
    np.testing.assert_array_equal(widest, x.reshape(2, 3, 3, 2).max(2))


@pytest.mark.parametrize("mode", ["FAN_IN", "FAN_OUT", "FAN_AVG"])
@pytest.mark.parametrize("uniform", [True, False])
def test_initializers_have_the_variance_they_say(mode: str, uniform: bool) -> None:
    initializer = layers.variance_scaling_initializer(2.0, mode, uniform, seed=3)
    values = evaluated(initializer([5, 5, 40, 80]))
    fans = {"FAN_IN": 1000, "FAN_OUT": 2000, "FAN_AVG": 1500}
    np.testing.assert_allclose(values.var(), 2.0 / fans[mode], rtol=0.03)
    with pytest.raises(TypeError, match="non-floating"):
        layers.variance_scaling_initializer(dtype=tf.int32)
    with pytest.raises(TypeError, match="mode"):
        layers.variance_scaling_initializer(mode="FAN")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.fully_connected(tf.ones([1, 2]), "3"), "num_outputs should be int"),
        (lambda: layers.conv2d(tf.ones([1, 2]), 3, 3), "not supported for input with rank 2"),
        (lambda: layers.conv2d(tf.ones([1, 2, 2, 1]), 3, 3, data_format="X"), "Invalid data_f"),
        (lambda: layers.layer_norm(tf.placeholder(tf.float32)), "undefined rank"),
        (lambda: layers.layer_norm(tf.ones([1, 2]), begin_norm_axis=2), "must be < rank"),
        (lambda: layers.batch_norm(tf.placeholder(tf.float32)), "undefined rank"),
        (
            lambda: layers.batch_norm(tf.placeholder(tf.float32, [2, None])),
            "undefined channels dimension",
        ),
        (lambda: layers.unit_norm(tf.ones([1, 2]), 2), "smaller than the input rank"),
        (lambda: layers.maxout(tf.ones([1, 5]), 2), "not a multiple of num_units"),
        (lambda: layers.pool(tf.ones([1, 5]), 2, "MAX"), "must be >= 3"),
        (lambda: layers.max_pool2d(tf.ones([1, 4, 4, 1]), [2, 2, 2]), "2 positive integers"),
    ],
)
def test_arguments_are_checked(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
