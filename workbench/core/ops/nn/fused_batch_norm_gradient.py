"""The gradients of batch normalisation, and the gradients of those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.ops import api
from workbench.core.ops.creation import create
from workbench.core.ops.nn.zeros import is_zeros


def norm_gradient(grad_type: str) -> Any:
    """The gradient of the version whose gradient operation is `grad_type`."""

    def gradient(op: Any, dy: Any, *others: Any) -> Any:
        x, scale, _, mean, variance = op.inputs
        training = op.attrs["is_training"]
        arguments = {"reserve_space_1": mean, "reserve_space_2": variance}
        if training:
            arguments = {"reserve_space_1": op.outputs[3], "reserve_space_2": op.outputs[4]}
        if grad_type == "FusedBatchNormGradV3":
            arguments["reserve_space_3"] = op.outputs[5]
        dx, d_scale, d_offset, *_ = create(
            grad_type,
            None,
            y_backprop=dy,
            x=x,
            scale=scale,
            epsilon=op.attrs["epsilon"],
            data_format=op.attrs["data_format"],
            is_training=training,
            **arguments,
        ).outputs
        if training:
            return _add_statistics(op, dx, others), d_scale, d_offset, None, None
        inverse = api.rsqrt(variance + op.attrs["epsilon"])
        d_mean = others[0] + others[2] - scale * inverse * d_offset
        d_variance = others[1] + others[3] - 0.5 * scale * api.square(inverse) * d_scale
        return dx, d_scale, d_offset, d_mean, d_variance

    return gradient


def _add_statistics(op: Any, dx: Any, others: Sequence[Any]) -> Any:
    """`dx` and what flows back through the mean and the variance of the batch.

    They are mostly used for moving averages, through which nothing flows: then `dx` it is.
    """
    by_mean, by_unbiased, by_saved_mean, by_variance = others[:4]
    if all(is_zeros(g) for g in others[:4]):
        return dx
    x = op.inputs[0]
    numbers = op.inputs[1].dtype.base_dtype
    by_channel = op.attrs["data_format"] == "NCHW"
    total = api.size(x) // api.size(op.outputs[3])
    count = api.cast(total, numbers)
    unbiased = by_unbiased * count / api.cast(api.maximum(total - 1, 1), numbers)

    def shaped(vector: Any) -> Any:
        return api.reshape(vector, [1, -1, 1, 1]) if by_channel else vector

    centered = api.cast(x, numbers) - shaped(op.outputs[3])
    flow = shaped(by_mean + by_saved_mean) + 2 * centered * shaped(unbiased + by_variance)
    return dx + api.cast(flow / count, dx.dtype)


def norm_second(op: Any, ddx: Any, dd_scale: Any, dd_offset: Any, *unused: Any) -> Any:
    """The gradient of the gradient, by differentiating the latter written out."""
    # Copies, because dy may itself depend on x: what flows through dy is the engine's to add.
    sources = [api.identity(tensor) for tensor in op.inputs[:5]]
    written = _written_out(op, *sources)
    used = sources[:3] if op.attrs["is_training"] else sources
    found = api.gradients(written, used, [ddx, dd_scale, dd_offset])
    return [*found, *[None] * (len(op.inputs) - len(found))]


def _written_out(op: Any, dy: Any, x: Any, scale: Any, mean: Any, variance: Any) -> list[Any]:
    """What the gradient operation computes, in operations that have gradients themselves."""
    by_channel = op.attrs["data_format"] == "NCHW"
    axes = [0, 2, 3] if by_channel else [0, 1, 2]
    out_type = x.dtype.base_dtype
    numbers = scale.dtype.base_dtype
    if out_type is not numbers:
        dy, x = api.cast(dy, numbers), api.cast(x, numbers)

    def shaped(vector: Any) -> Any:
        return api.reshape(vector, [1, -1, 1, 1]) if by_channel else vector

    d_offset = api.reduce_sum(dy, axes)
    if op.attrs["is_training"]:
        mean = api.reduce_mean(x, axes, keep_dims=True)
        centered = x - mean
        inverse = api.rsqrt(
            api.reduce_mean(api.square(centered), axes, keep_dims=True) + op.attrs["epsilon"]
        )
        normal = centered * inverse
        d_scale = api.reduce_sum(dy * normal, axes)
        rest = (
            dy
            - api.reduce_mean(dy, axes, keep_dims=True)
            - normal * api.reduce_mean(dy * normal, axes, keep_dims=True)
        )
        dx = shaped(scale) * inverse * rest
    else:
        inverse = shaped(api.rsqrt(variance + op.attrs["epsilon"]))
        d_scale = api.reduce_sum(dy * (x - shaped(mean)) * inverse, axes)
        dx = dy * shaped(scale) * inverse
    return [dx if out_type is numbers else api.cast(dx, out_type), d_scale, d_offset]
