"""Batch normalisation of images as one operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import normalization as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import Sample, declare, sample
from workbench.core.ops.nn.fused_batch_norm_gradient import norm_gradient, norm_second
from workbench.core.ops.nn.window_shapes import channel_axis

_NORM_ATTRS = (
    "epsilon: float = 0.0001, exponential_avg_factor: float = 1.0, "
    "data_format: {'NHWC', 'NCHW'} = 'NHWC', is_training: bool = true"
)
_GRAD_ATTRS = (
    "epsilon: float = 0.0001, data_format: {'NHWC', 'NCHW'} = 'NHWC', is_training: bool = true"
)


def _norm_shape(op: Any) -> list[Entries]:
    x = shape_rules.with_rank(op.inputs[0].entries, 4, "x")
    axis = channel_axis(4, op.attrs["data_format"])
    channels = x[axis]
    for tensor in op.inputs[1 : 3 if op.attrs["is_training"] else 5]:
        (size,) = shape_rules.with_rank(tensor.entries, 1, "a number for each channel")
        channels = shape_rules.equal_sizes(channels, size, "channels of x and its numbers")
    return [(*x[:axis], channels, *x[axis + 1 :]), *[(channels,)] * 4]


def _norm_grad_shape(op: Any) -> list[Entries]:
    x = shape_rules.with_rank(op.inputs[1].entries, 4, "x")
    channels = x[channel_axis(4, op.attrs["data_format"])]
    # The last two outputs are for other devices; here they are empty.
    return [x, (channels,), (channels,), (0,), (0,)]


def _third_version(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any,
    variance: Any,
    *,
    epsilon: float,
    data_format: str,
    is_training: bool,
) -> Any:
    outputs = kernels.fused_batch_norm(
        x,
        scale,
        offset,
        mean,
        variance,
        epsilon=epsilon,
        data_format=data_format,
        is_training=is_training,
    )
    return (*outputs, np.zeros(0, scale.dtype))


def _third_version_grad(
    y_backprop: Any,
    x: Any,
    scale: Any,
    reserve_space_1: Any,
    reserve_space_2: Any,
    reserve_space_3: Any,
    *,
    epsilon: float,
    data_format: str,
    is_training: bool,
) -> Any:
    return kernels.fused_batch_norm_grad(
        y_backprop,
        x,
        scale,
        reserve_space_1,
        reserve_space_2,
        epsilon=epsilon,
        data_format=data_format,
        is_training=is_training,
    )


def _expected(x: Any, scale: Any, offset: Any, *unused: Any) -> Any:
    """In training, with the epsilon 0.01."""
    axes = (0, 1, 2)
    mean, variance = x.mean(axes), x.var(axes)
    count = x.size / x.shape[-1]
    y = (x - mean) / np.sqrt(variance + 0.01) * scale + offset
    return y, mean, variance * count / (count - 1), mean, variance


def _expected_grad(dy: Any, x: Any, scale: Any, mean: Any, variance: Any, *unused: Any) -> Any:
    """By the chain rule through mean and variance, with the epsilon 0.01."""
    axes = (0, 1, 2)
    inverse = 1 / np.sqrt(variance + 0.01)
    normal = (x - mean) * inverse
    d_normal = dy * scale
    dx = inverse * (d_normal - d_normal.mean(axes) - normal * (d_normal * normal).mean(axes))
    return dx, (dy * normal).sum(axes), dy.sum(axes)


_X = [[[[1.0, -2.0], [3.0, 0.5]], [[0.0, 4.0], [2.0, 1.0]]]]
_DY = [[[[1.0, 0.5], [-1.0, 2.0]], [[0.25, 1.0], [3.0, -1.0]]]]
_SCALE, _OFFSET, _MEAN, _VARIANCE = [2.0, 0.5], [1.0, -1.0], [0.5, 1.0], [4.0, 2.0]
_BATCH_MEAN, _BATCH_VARIANCE = [1.5, 0.875], [1.25, 4.546875]

_SAMPLES = [
    sample(_X, _SCALE, _OFFSET, [], [], epsilon=0.01, want=_expected),
    sample(
        _X,
        _SCALE,
        _OFFSET,
        _MEAN,
        _VARIANCE,
        epsilon=0.01,
        is_training=False,
        want=lambda x, s, o, m, v: ((x - m) / np.sqrt(v + 0.01) * s + o, m, v),
    ),
    sample(
        np.moveaxis(np.array(_X), -1, 1).tolist(),
        _SCALE,
        _OFFSET,
        [],
        [],
        epsilon=0.01,
        data_format="NCHW",
        want=lambda x, *rest: (np.moveaxis(_expected(np.moveaxis(x, 1, -1), *rest)[0], -1, 1),),
    ),
]


def _grad_samples(*rest: Any) -> list[Sample]:
    """`rest` is what the version takes behind the common inputs.

    Mean and variance depend on x, which finite differences of the operation alone do not see.
    """
    return [
        sample(
            _DY,
            _X,
            _SCALE,
            _BATCH_MEAN,
            _BATCH_VARIANCE,
            *rest,
            epsilon=0.01,
            gradient=[0, 2],
            want=_expected_grad,
        ),
        sample(
            _DY,
            _X,
            _SCALE,
            _MEAN,
            _VARIANCE,
            *rest,
            epsilon=0.01,
            is_training=False,
            want=lambda dy, x, s, m, v, *r: (dy * s / np.sqrt(v + 0.01),),
        ),
    ]


declare(
    "FusedBatchNorm",
    inputs="x: T, scale: T, offset: T, mean: T, variance: T",
    outputs="y: T, batch_mean: T, batch_variance: T, reserve_space_1: T, reserve_space_2: T",
    attrs=f"T: {{float, double}}, {_NORM_ATTRS}",
    shape=_norm_shape,
    kernel=kernels.fused_batch_norm,
    gradient=norm_gradient("FusedBatchNormGrad"),
    samples=_SAMPLES,
)
declare(
    "FusedBatchNormGrad",
    inputs="y_backprop: T, x: T, scale: T, reserve_space_1: T, reserve_space_2: T",
    outputs="x_backprop: T, scale_backprop: T, offset_backprop: T, reserve_space_3: T, "
    "reserve_space_4: T",
    attrs=f"T: {{float, double}}, {_GRAD_ATTRS}",
    shape=_norm_grad_shape,
    kernel=kernels.fused_batch_norm_grad,
    gradient=norm_second,
    samples=_grad_samples(),
)
declare(
    "FusedBatchNormV2",
    inputs="x: T, scale: U, offset: U, mean: U, variance: U",
    outputs="y: T, batch_mean: U, batch_variance: U, reserve_space_1: U, reserve_space_2: U",
    attrs=f"T: {{half, bfloat16, float}}, U: {{float}}, {_NORM_ATTRS}",
    shape=_norm_shape,
    kernel=kernels.fused_batch_norm,
    gradient=norm_gradient("FusedBatchNormGradV2"),
    samples=_SAMPLES,
)
declare(
    "FusedBatchNormGradV2",
    inputs="y_backprop: T, x: T, scale: float, reserve_space_1: U, reserve_space_2: U",
    outputs="x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_3: U, "
    "reserve_space_4: U",
    attrs=f"T: {{half, bfloat16, float}}, U: {{float}}, {_GRAD_ATTRS}",
    shape=_norm_grad_shape,
    kernel=kernels.fused_batch_norm_grad,
    gradient=norm_second,
    samples=_grad_samples(),
)
declare(
    "FusedBatchNormV3",
    inputs="x: T, scale: U, offset: U, mean: U, variance: U",
    outputs="y: T, batch_mean: U, batch_variance: U, reserve_space_1: U, reserve_space_2: U, "
    "reserve_space_3: U",
    attrs=f"T: {{half, bfloat16, float}}, U: {{float}}, {_NORM_ATTRS}",
    shape=lambda op: [*_norm_shape(op), (0,)],
    kernel=_third_version,
    gradient=norm_gradient("FusedBatchNormGradV3"),
    samples=_SAMPLES,
)
declare(
    "FusedBatchNormGradV3",
    inputs="y_backprop: T, x: T, scale: float, reserve_space_1: U, reserve_space_2: U, "
    "reserve_space_3: U",
    outputs="x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_4: U, "
    "reserve_space_5: U",
    attrs=f"T: {{half, bfloat16, float}}, U: {{float}}, {_GRAD_ATTRS}",
    shape=_norm_grad_shape,
    kernel=_third_version_grad,
    gradient=norm_second,
    samples=_grad_samples([]),
)


def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalisation of images: the normalised `x`, and the mean and variance used.

    In training these are the batch's own (the variance with n - 1 in place of n, for moving
    averages); otherwise `mean` and `variance`, which must then be given. `scale` and `offset` have
    one number for each channel. Raises ValueError where `mean` or `variance` are given in training.

    >>> import workbench as tf
    >>> image = tf.constant([[[[1.0], [3.0]]]])
    >>> y, mean, variance = tf.nn.fused_batch_norm(image, [1.0], [0.0], epsilon=0.0)
    >>> y.eval().round(3).ravel().tolist(), mean.eval().tolist(), variance.eval().tolist()
    ([-1.0, 1.0], [2.0], [2.0])
    """
    x = convert_to_tensor(x, name="input")
    scale = convert_to_tensor(scale, name="scale")
    offset = convert_to_tensor(offset, name="offset")
    if is_training and not (mean is None and variance is None):
        raise ValueError("Both 'mean' and 'variance' must be None if is_training is True.")
    numbers = scale.dtype.base_dtype
    mean = api.constant([], dtype=numbers) if mean is None else mean
    variance = api.constant([], dtype=numbers) if variance is None else variance
    halves = x.dtype.base_dtype is not numbers
    y, batch_mean, batch_variance, *_ = create(
        "FusedBatchNormV2" if halves else "FusedBatchNorm",
        name,
        x=x,
        scale=scale,
        offset=offset,
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        data_format=data_format,
        is_training=is_training,
    ).outputs
    return y, batch_mean, batch_variance
