"""Pooling layers: `tf.contrib.layers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import api
from workbench.core.ops.nn.pooling import avg_pool, max_pool
from workbench.core.ops.nn.pooling3d import avg_pool3d as avg_pool_3d
from workbench.core.ops.nn.pooling3d import max_pool3d as max_pool_3d
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.support import (
    check_data_format,
    collect_named_outputs,
    n_positive_integers,
)


def _windowed(
    operation: Callable[..., Any],
    axes: int,
    default_name: str,
    default_format: str,
) -> Callable[..., Any]:
    """The function of a pooling over so many axes."""

    def pooled(
        inputs: Any,
        kernel_size: Any,
        stride: Any = 2,
        padding: str = "VALID",
        data_format: str = default_format,
        outputs_collections: Any = None,
        scope: Any = None,
    ) -> Any:
        channels_first = f"{default_format[0]}C{default_format[1:-1]}"
        check_data_format(data_format, (channels_first, default_format))
        window, strides = (n_positive_integers(axes, each) for each in (kernel_size, stride))
        first = data_format != default_format
        with name_scope(scope, default_name, [inputs]) as opened:
            outputs = operation(
                convert_to_tensor(inputs),
                [1, 1, *window] if first else [1, *window, 1],
                [1, 1, *strides] if first else [1, *strides, 1],
                padding.upper(),
                data_format=data_format,
            )
            return collect_named_outputs(outputs_collections, opened, outputs)

    return pooled


def _named(function: Callable[..., Any], name: str, what: str) -> Callable[..., Any]:
    """A layer with its name, which stacks of layers take theirs from, and a description."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""The {what} of each window of `kernel_size`, every `stride` places.

    `data_format` is the order of the axes, with the channels last by default; `outputs_collections`
    are collections for the output, `scope` its name scope.
    """
    return add_arg_scope(function)


avg_pool2d = _named(_windowed(avg_pool, 2, "AvgPool2D", "NHWC"), "avg_pool2d", "mean")
max_pool2d = _named(_windowed(max_pool, 2, "MaxPool2D", "NHWC"), "max_pool2d", "largest value")
avg_pool3d = _named(_windowed(avg_pool_3d, 3, "AvgPool3D", "NDHWC"), "avg_pool3d", "mean")
max_pool3d = _named(_windowed(max_pool_3d, 3, "MaxPool3D", "NDHWC"), "max_pool3d", "largest value")


@add_arg_scope
def pool(
    inputs: Any,
    kernel_size: Any,
    pooling_type: str,
    padding: str = "VALID",
    data_format: str | None = None,
    dilation_rate: Any = 1,
    stride: Any = 1,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """Pooling of any rank: `pooling_type` is "AVG" or "MAX"; numbers may stand for all axes.

    >>> import workbench as tf
    >>> pool(tf.ones([1, 6, 2]), [2], "MAX", stride=2).shape.as_list()
    [1, 3, 2]
    """
    with name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as opened:
        tensor = convert_to_tensor(inputs)
        if tensor.shape.ndims is None:
            raise ValueError("Rank of inputs must be known")
        if tensor.shape.ndims < 3:
            raise ValueError("Rank of inputs must be >= 3")
        axes = tensor.shape.ndims - 2
        outputs = api.pool(
            tensor,
            _for_each(kernel_size, axes),
            pooling_type,
            padding,
            dilation_rate=_for_each(dilation_rate, axes),
            strides=_for_each(stride, axes),
            data_format=data_format,
            name=opened,
        )
        return collect_named_outputs(outputs_collections, opened, outputs)


def _for_each(value: Any, axes: int) -> list[int]:
    if isinstance(value, (list, tuple, TensorShape)):
        return [int(each) for each in value]
    return [value] * axes
