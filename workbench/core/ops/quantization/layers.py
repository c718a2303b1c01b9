"""The public functions for layers of quantised networks."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import create
from workbench.core.ops.quantization import network as network


class QuantizedOutput(NamedTuple):
    """A quantised tensor and the ends of the range it stands for."""

    output: Tensor
    min_output: Tensor
    max_output: Tensor


class QuantizedActivations(NamedTuple):
    """Quantised activations and the ends of the range they stand for."""

    activations: Tensor
    min_activations: Tensor
    max_activations: Tensor


def quantized_conv2d(
    input: Any,
    filter: Any,
    min_input: Any,
    max_input: Any,
    min_filter: Any,
    max_filter: Any,
    strides: Any,
    padding: str,
    out_type: Any = "qint32",
    name: str | None = None,
) -> QuantizedOutput:
    """`tf.nn.conv2d` of a quantised NHWC batch and bank of filters, in wider integers.

    >>> import workbench as tf
    >>> image, bank = (tf.constant(value, tf.quint8) for value in ([[[[3]]]], [[[[5]]]]))
    >>> y, low, high = tf.nn.quantized_conv2d(
    ...     image, bank, 0.0, 255.0, 0.0, 255.0, [1, 1, 1, 1], "SAME"
    ... )
    >>> y.eval().tolist()
    [[[[15]]]]
    """
    op = create(
        "QuantizedConv2D",
        name,
        input=input,
        filter=filter,
        min_input=min_input,
        max_input=max_input,
        min_filter=min_filter,
        max_filter=max_filter,
        strides=strides,
        padding=padding,
        out_type=out_type,
    )
    return QuantizedOutput(*op.outputs)


def quantized_relu_x(
    features: Any,
    max_value: Any,
    min_features: Any,
    max_features: Any,
    out_type: Any = "quint8",
    name: str | None = None,
) -> QuantizedActivations:
    """Quantised features cut to 0 ... `max_value`, in the range that they have.

    >>> import workbench as tf
    >>> x = tf.constant([0, 50, 100], tf.quint8)
    >>> tf.nn.quantized_relu_x(x, 60.0, 0.0, 255.0)[0].eval().tolist()
    [0, 50, 60]
    """
    op = create(
        "QuantizedReluX",
        name,
        features=features,
        max_value=max_value,
        min_features=min_features,
        max_features=max_features,
        out_type=out_type,
    )
    return QuantizedActivations(*op.outputs)


def _pooled(type_name: str, name: str | None, **arguments: Any) -> QuantizedOutput:
    return QuantizedOutput(*create(type_name, name, **arguments).outputs)


def quantized_avg_pool(
    input: Any,
    min_input: Any,
    max_input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    name: str | None = None,
) -> QuantizedOutput:
    """`tf.nn.avg_pool` of a quantised NHWC batch; means are cut to integers."""
    return _pooled(
        "QuantizedAvgPool",
        name,
        input=input,
        min_input=min_input,
        max_input=max_input,
        ksize=ksize,
        strides=strides,
        padding=padding,
    )


def quantized_max_pool(
    input: Any,
    min_input: Any,
    max_input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    name: str | None = None,
) -> QuantizedOutput:
    """`tf.nn.max_pool` of a quantised NHWC batch."""
    return _pooled(
        "QuantizedMaxPool",
        name,
        input=input,
        min_input=min_input,
        max_input=max_input,
        ksize=ksize,
        strides=strides,
        padding=padding,
    )
