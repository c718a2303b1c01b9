"""Pooling layers: `tf.contrib.layers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops import api
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.support import (
    check_data_format,
    collect_named_outputs,
    format_of_layers,
)
from workbench.train.layers import pooling


def _pool2d(function: Callable[..., Any], kind: str) -> Callable[..., Any]:
    @add_arg_scope
    def pool2d(
        inputs: Any,
        kernel_size: Any,
        stride: Any = 2,
        padding: str = "VALID",
        data_format: str = "NHWC",
        outputs_collections: Any = None,
        scope: Any = None,
    ) -> Any:
        check_data_format(data_format)
        return _pooled(
            function,
            f"{kind}Pool2D",
            inputs,
            kernel_size,
            stride,
            padding,
            data_format,
            outputs_collections,
            scope,
        )

    return pool2d


def _pool3d(function: Callable[..., Any], kind: str) -> Callable[..., Any]:
    @add_arg_scope
    def pool3d(
        inputs: Any,
        kernel_size: Any,
        stride: Any = 2,
        padding: str = "VALID",
        data_format: str = "NDHWC",
        outputs_collections: Any = None,
        scope: Any = None,
    ) -> Any:
        check_data_format(data_format, ("NCDHW", "NDHWC"))
        return _pooled(
            function,
            f"{kind}Pool3D",
            inputs,
            kernel_size,
            stride,
            padding,
            data_format,
            outputs_collections,
            scope,
        )

    return pool3d


def _pooled(
    function: Callable[..., Any],
    default_name: str,
    inputs: Any,
    kernel_size: Any,
    stride: Any,
    padding: str,
    data_format: str,
    collections: Any,
    scope: Any,
) -> Any:
    with name_scope(scope, default_name, [inputs]) as opened:
        outputs = function(
            convert_to_tensor(inputs),
            kernel_size,
            stride,
            padding=padding,
            data_format=format_of_layers(data_format),
        )
        return collect_named_outputs(collections, opened, outputs)


def _named(function: Callable[..., Any], name: str, what: str) -> Callable[..., Any]:
    """Gives a function its name, which stacks of layers are named after, and a description."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""The {what} of each window of `kernel_size`, every `stride` places.

    `data_format` is the order of the axes, with the channels last by default; `outputs_collections`
    are collections for the output, `scope` its name scope.
    """
    return function


avg_pool2d = _named(_pool2d(pooling.average_pooling2d, "Avg"), "avg_pool2d", "mean")
max_pool2d = _named(_pool2d(pooling.max_pooling2d, "Max"), "max_pool2d", "largest value")
avg_pool3d = _named(_pool3d(pooling.average_pooling3d, "Avg"), "avg_pool3d", "mean")
max_pool3d = _named(_pool3d(pooling.max_pooling3d, "Max"), "max_pool3d", "largest value")


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
        )
        return collect_named_outputs(outputs_collections, opened, outputs)


def _for_each(value: Any, axes: int) -> list[int]:
    return list(value) if isinstance(value, (list, tuple)) else [value] * axes
