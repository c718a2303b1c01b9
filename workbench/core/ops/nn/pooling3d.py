"""Pooling of volumes, and pooling over any number of axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import pooling as kernels
from workbench.core.ops import api
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.nn import pooling_rules as rules
from workbench.core.ops.nn.dilated import strides_and_rate
from workbench.core.ops.nn.pooling import avg_pool, max_pool
from workbench.core.ops.nn.pooling_rules import ATTRS_3D, FORMATS_3D
from workbench.core.ops.nn.space_to_batch import with_space_to_batch
from workbench.core.ops.nn.window_shapes import is_channels_first, spread

_VOLUME = (np.arange(27) * 7 % 27 / 4.0).reshape(1, 3, 3, 3, 1).tolist()
_FLAT = [[[[[1.0], [3.0], [2.0], [5.0]]]]]
_PAIRS: dict[str, Any] = {
    "ksize": [1, 1, 1, 2, 1],
    "strides": [1, 1, 1, 2, 1],
    "padding": "VALID",
}
_CUBE: dict[str, Any] = {"ksize": [1, 2, 2, 2, 1], "strides": [1] * 5, "padding": "VALID"}
#: TensorFlow's maxima stop at float; double is there for those who check gradients.
_MAXIMUM = "{half, bfloat16, float, double}"

declare(
    "MaxPool3D",
    inputs="input: T",
    outputs="output: T",
    attrs=f"{ATTRS_3D}, {FORMATS_3D}, T: {_MAXIMUM}",
    shape=rules.pooled(5),
    kernel=kernels.max_pool3d,
    gradient=rules.maximum_gradient("MaxPool3DGrad"),
    samples=[
        sample(_FLAT, **_PAIRS, want=[[[[[3.0], [5.0]]]]]),
        sample(_VOLUME, **_CUBE, want=lambda x: rules.windows(x, np.max, 2, 1)),
    ],
)
declare(
    "MaxPool3DGrad",
    inputs="orig_input: TInput, orig_output: TInput, grad: T",
    outputs="output: T",
    attrs=f"{ATTRS_3D}, {FORMATS_3D}, T: {_MAXIMUM} = DT_FLOAT, TInput: {_MAXIMUM} = DT_FLOAT",
    shape=rules.like_input(5),
    kernel=kernels.max_pool3d_grad,
    gradient=rules.maximum_second("MaxPool3DGradGrad"),
    samples=[
        sample(
            _FLAT,
            [[[[[3.0], [5.0]]]]],
            [[[[[10.0], [20.0]]]]],
            **_PAIRS,
            want=[[[[[0.0], [10.0], [0.0], [20.0]]]]],
            gradient=[2],
        )
    ],
)
declare(
    "MaxPool3DGradGrad",
    inputs="orig_input: T, orig_output: T, grad: T",
    outputs="output: T",
    attrs=f"{ATTRS_3D}, {FORMATS_3D}, T: {{real}}",
    shape=rules.pooled(5),
    kernel=kernels.max_pool3d_grad_grad,
    gradient=rules.maximum_second("MaxPool3DGrad"),
    samples=[
        sample(
            _FLAT,
            [[[[[3.0], [5.0]]]]],
            [[[[[1.0], [2.0], [3.0], [4.0]]]]],
            **_PAIRS,
            want=[[[[[2.0], [4.0]]]]],
            gradient=[2],
        )
    ],
)
declare(
    "AvgPool3D",
    inputs="input: T",
    outputs="output: T",
    attrs=f"{ATTRS_3D}, {FORMATS_3D}, T: {{floating}}",
    shape=rules.pooled(5),
    kernel=kernels.avg_pool3d,
    gradient=rules.average_gradient("AvgPool3DGrad"),
    samples=[
        sample(_FLAT, **_PAIRS, want=[[[[[2.0], [3.5]]]]]),
        sample(_VOLUME, **_CUBE, want=lambda x: rules.windows(x, np.mean, 2, 1)),
    ],
)
declare(
    "AvgPool3DGrad",
    inputs="orig_input_shape: int32, grad: T",
    outputs="output: T",
    attrs=f"{ATTRS_3D}, {FORMATS_3D}, T: {{floating}}",
    shape=rules.like_shape_input(5),
    kernel=kernels.avg_pool3d_grad,
    gradient=rules.average_second("AvgPool3D", "input"),
    samples=[
        sample(
            [1, 1, 1, 4, 1],
            [[[[[10.0], [20.0]]]]],
            **_PAIRS,
            want=[[[[[5.0], [5.0], [10.0], [10.0]]]]],
        )
    ],
)


def _pool3d(
    type_name: str,
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    name: str | None,
) -> Tensor:
    return call(
        type_name,
        name,
        input=input,
        ksize=spread(ksize, 5, data_format, "ksize"),
        strides=spread(strides, 5, data_format, "strides"),
        padding=padding,
        data_format=data_format,
    )


def max_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The largest element of each window of `input` [batch, depth, height, width, channels].

    `ksize` and `strides` have one number for each of the five axes, `padding` is "SAME" or
    "VALID".
    """
    return _pool3d("MaxPool3D", input, ksize, strides, padding, data_format, name)


def avg_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The mean of each window of `input` [batch, depth, height, width, channels]."""
    return _pool3d("AvgPool3D", input, ksize, strides, padding, data_format, name)


_POOLS = {"MAX": (max_pool, max_pool, max_pool3d), "AVG": (avg_pool, avg_pool, avg_pool3d)}


def pool(
    input: Any,
    window_shape: Sequence[int],
    pooling_type: str,
    padding: str,
    dilation_rate: Any = None,
    strides: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Pools `input` [batch, spatial..., channels] over windows of `window_shape`, in 1 to 3-D.

    `pooling_type` is "MAX" or "AVG". `strides` and `dilation_rate` have one number for each spatial
    axis. A `data_format` that starts with "NC" puts the channels second. Raises ValueError where
    the arguments do not fit together.

    >>> import workbench as tf
    >>> row = tf.reshape(tf.range(6.0), [1, 6, 1])
    >>> tf.nn.pool(row, [2], "AVG", "VALID", strides=[2]).eval().ravel().tolist()
    [0.5, 2.5, 4.5]
    """
    with name_scope(name, f"{pooling_type.lower()}_pool", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        window = [int(w) for w in window_shape]
        count = len(window)
        if not 1 <= count <= 3:
            raise ValueError(f"It is required that 1 <= num_spatial_dims <= 3, got {count}")
        if pooling_type not in _POOLS:
            raise ValueError(f"{count}-D {pooling_type} pooling is not supported: use MAX or AVG")
        input.shape.with_rank(count + 2)
        rates = dilation_rate if dilations is None else dilations
        steps, rate = strides_and_rate(count, strides, rates)
        if padding == "SAME" and max(rate) > 1:
            raise ValueError("pooling with SAME padding is not implemented for dilation_rate > 1")
        if any(s > w for s, w in zip(steps, window, strict=True)):
            raise ValueError(
                "strides > window_shape not supported due to inconsistency between CPU and GPU "
                "implementations"
            )
        first = 2 if is_channels_first(data_format) else 1

        function = _POOLS[pooling_type][count - 1]

        def apply(part: Tensor, axes: int, part_padding: str) -> Tensor:
            return _pooled(part, window, steps, function, part_padding, data_format, scope)

        return with_space_to_batch(
            input,
            rate,
            padding,
            apply,
            filter_shape=window,
            spatial_dims=range(first, first + count),
            data_format=data_format,
        )


def _pooled(
    part: Tensor,
    window: Sequence[int],
    steps: Sequence[int],
    function: Any,
    padding: str,
    data_format: str | None,
    scope: str,
) -> Tensor:
    if len(window) > 1:
        result: Tensor = function(part, window, steps, padding, data_format, scope)
        return result
    # A row is an image of height 1.
    axis = 2 if is_channels_first(data_format) else 1
    image = api.expand_dims(part, axis)
    pooled = function(
        image, [1, *window], [1, *steps], padding, "NCHW" if axis == 2 else "NHWC", scope
    )
    flat: Tensor = api.squeeze(pooled, [axis])
    return flat
