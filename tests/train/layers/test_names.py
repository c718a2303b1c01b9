"""The names that layers give operations and variables: they are TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


def names() -> list[str]:
    """The operations, without what brings variables their values and reads them."""
    tails = ("/Assign", "/read", "/shape", "/dim", "/decay", "/reduction_indices", "/y", "/scale")
    return [
        op.name
        for op in tf.get_default_graph().get_operations()
        if "Initializer" not in op.name and not op.name.endswith(tails) and op.name != "x"
    ]


def x(*shape: int | None) -> Any:
    return tf.placeholder(tf.float32, shape, name="x")


layers = tf.layers
BN = ["batch_normalization/" + name for name in ("gamma", "beta", "moving_mean", "moving_variance")]
MOMENTS = [
    "batch_normalization/moments/" + name
    for name in ("mean", "StopGradient", "SquaredDifference", "variance", "Squeeze", "Squeeze_1")
]
UPDATES = [
    f"batch_normalization/AssignMovingAvg{number}{part}"
    for number in ("", "_1")
    for part in ("/sub", "/mul", "")
]
NORMALISED = [
    "batch_normalization/batchnorm/" + name
    for name in ("add", "Rsqrt", "mul", "mul_1", "mul_2", "sub", "add_1")
]


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (
            lambda: layers.dense(x(None, 4), 3, activation=tf.nn.relu),
            "dense/kernel dense/bias dense/MatMul dense/BiasAdd dense/Relu",
        ),
        (lambda: layers.dense(x(None, 4), 3, use_bias=False, name="fc"), "fc/kernel fc/MatMul"),
        (
            lambda: layers.dense(layers.dense(x(None, 4), 3), 2),
            "dense/kernel dense/bias dense/MatMul dense/BiasAdd "
            "dense_1/kernel dense_1/bias dense_1/MatMul dense_1/BiasAdd",
        ),
        (
            lambda: layers.dense(
                x(None, 4),
                3,
                kernel_regularizer=tf.nn.l2_loss,
                bias_regularizer=tf.nn.l2_loss,
                activity_regularizer=tf.nn.l2_loss,
            ),
            "dense/kernel dense/kernel/Regularizer/L2Loss dense/bias dense/bias/Regularizer/L2Loss "
            "dense/MatMul dense/BiasAdd dense/ActivityRegularizer/L2Loss",
        ),
        (lambda: layers.dropout(x(None, 4), 0.5), "dropout/Identity"),
        (lambda: layers.flatten(x(None, 4, 3)), "flatten/Reshape"),
        (
            lambda: layers.conv1d(x(2, 9, 3), 4, 3),
            "conv1d/kernel conv1d/bias conv1d/conv1d/ExpandDims conv1d/conv1d/ExpandDims_1 "
            "conv1d/conv1d/Conv2D conv1d/conv1d/Squeeze conv1d/BiasAdd",
        ),
        (
            lambda: layers.conv2d(x(2, 9, 9, 3), 4, 3, activation=tf.nn.relu),
            "conv2d/kernel conv2d/bias conv2d/Conv2D conv2d/BiasAdd conv2d/Relu",
        ),
        (
            lambda: layers.conv3d(x(2, 4, 4, 4, 3), 4, 3),
            "conv3d/kernel conv3d/bias conv3d/Conv3D conv3d/BiasAdd",
        ),
        (
            lambda: layers.conv2d_transpose(x(2, 4, 4, 3), 4, 3, name="up"),
            "up/kernel up/bias up/conv2d_transpose/output_shape up/conv2d_transpose up/BiasAdd",
        ),
        (
            lambda: layers.separable_conv2d(x(2, 4, 4, 3), 4, 3),
            "separable_conv2d/depthwise_kernel separable_conv2d/pointwise_kernel "
            "separable_conv2d/bias separable_conv2d/separable_conv2d/depthwise "
            "separable_conv2d/separable_conv2d separable_conv2d/BiasAdd",
        ),
        (
            lambda: layers.max_pooling1d(x(2, 9, 3), 2, 2),
            "max_pooling1d/ExpandDims max_pooling1d/MaxPool max_pooling1d/Squeeze",
        ),
        (lambda: layers.max_pooling2d(x(2, 9, 9, 3), 2, 2), "max_pooling2d/MaxPool"),
        (lambda: layers.average_pooling2d(x(2, 9, 9, 3), 2, 2), "average_pooling2d/AvgPool"),
        (lambda: layers.max_pooling3d(x(2, 4, 4, 4, 3), 2, 2), "max_pooling3d/MaxPool3D"),
        (lambda: layers.average_pooling3d(x(2, 4, 4, 4, 3), 2, 2), "average_pooling3d/AvgPool3D"),
        (lambda: layers.batch_normalization(x(None, 4)), " ".join(BN + NORMALISED)),
        (
            lambda: layers.batch_normalization(x(None, 4), training=True),
            " ".join(BN + MOMENTS + UPDATES + NORMALISED),
        ),
        (
            lambda: layers.batch_normalization(x(None, 4, 4, 3)),
            " ".join([*BN, "batch_normalization/FusedBatchNorm"]),
        ),
        (
            lambda: layers.batch_normalization(x(None, 4, 4, 3), training=True),
            " ".join(
                [
                    *BN,
                    "batch_normalization/Const",
                    "batch_normalization/Const_1",
                    "batch_normalization/FusedBatchNorm",
                    *UPDATES,
                ]
            ),
        ),
    ],
)
def test_operations(build: Callable[[], Any], expected: str) -> None:
    build()
    assert names() == expected.split()


def test_scopes() -> None:
    a = x(None, 4)
    with tf.variable_scope("s"):
        layer = layers.Dense(3)
        layer(a)
        with tf.name_scope("n"):
            layer(a)
        layers.dense(a, 2, use_bias=False)
        layers.dense(a, 2, use_bias=False, name="q")
    with tf.variable_scope("s", reuse=True):
        layers.dense(a, 2, use_bias=False, name="q")
    with tf.name_scope("ns"):
        layers.dense(a, 2, use_bias=False)
        layers.dense(a, 2, use_bias=False, name="z")
    layers.dense(a, 2, use_bias=False, name="z", reuse=True)
    assert (
        names()
        == (
            "s/dense/kernel s/dense/bias s/dense/MatMul s/dense/BiasAdd s/dense/MatMul_1 "
            "s/dense/BiasAdd_1 s/dense_1/kernel s/dense_1/MatMul s/q/kernel s/q/MatMul "
            "s_1/q/MatMul dense/kernel ns/dense/MatMul z/kernel ns/z/MatMul z/MatMul"
        ).split()
    )


def test_layer_and_scope_names() -> None:
    first, second, named = layers.Dense(2), layers.Dense(2), layers.Dense(2, name="my")
    assert [first.name, second.name, named.name] == ["dense_1", "dense_2", "my"]
    with pytest.raises(ValueError, match="before querying `scope_name`"):
        _ = first.scope_name
    a = x(None, 4)
    second(a)
    first(a)
    named(a)
    layers.Dense(2, name="my")(a)
    assert [first.scope_name, second.scope_name, named.scope_name] == ["dense_1", "dense", "my"]
    assert tf.global_variables()[-1].name == "my_1/bias:0"


def test_scope_object_as_name() -> None:
    with tf.variable_scope("s") as scope:
        layers.dense(x(None, 4), 2, name=scope)
    assert [v.name for v in tf.global_variables()] == ["s/kernel:0", "s/bias:0"]
