"""Running an operation at a dilation rate: by moving the positions between into the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.nn.window_shapes import is_channels_first


def with_space_to_batch(
    input: Any,
    dilation_rate: Any,
    padding: str,
    op: Callable[[Tensor, int, str], Tensor],
    filter_shape: Any = None,
    spatial_dims: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """`op` on `input` as if its windows had holes of `dilation_rate` (int32, one per axis).

    `op(input, number_of_spatial_axes, padding)` is called once, on a tensor whose batch holds each
    `rate`-th position; padding="SAME" needs the window's `filter_shape`. `spatial_dims` are the
    axes, in order (by default those of `data_format`). Raises ValueError for arguments that do not
    fit together.

    >>> import workbench as tf
    >>> row = tf.reshape(tf.range(4.0), [1, 4, 1])
    >>> tf.nn.with_space_to_batch(
    ...     row, [2], "VALID", lambda x, axes, padding: x[:, 1:] + x[:, :-1]
    ... ).eval().ravel().tolist()
    [2.0, 4.0]
    """
    input = convert_to_tensor(input, name="input")
    rate = convert_to_tensor(dilation_rate, dtype="int32", name="dilation_rate")
    if rate.shape.ndims not in (None, 1):
        raise ValueError("rate must be rank 1")
    if not rate.shape.is_fully_defined():
        raise ValueError("rate must have known shape")
    count = rate.shape.as_list()[0]
    axes = _spatial_dims(spatial_dims, count, data_format)
    least = axes[-1] + (1 if is_channels_first(data_format) else 2)
    if input.shape.ndims is not None and input.shape.ndims < least:
        raise ValueError(f"input tensor must have rank {least} at least, got {input.shape}")
    known_rate = constant_value(rate)
    if known_rate is not None:
        if np.any(known_rate < 1):
            raise ValueError(f"dilation_rate must be positive, got {known_rate.tolist()}")
        if np.all(known_rate == 1):
            return op(input, count, padding)
    blocks: Any = rate if known_rate is None else known_rate
    base = _base_paddings(padding, filter_shape, count, blocks)
    sizes = _spatial_sizes(input, axes)
    paddings, crops = api.required_space_to_batch_paddings(sizes, blocks, base)
    blocks = _for_all_axes(blocks, axes, [1])
    parts = api.space_to_batch_nd(input, blocks, _for_all_axes(paddings, axes, [[0, 0]]))
    whole: Tensor = api.batch_to_space_nd(
        op(parts, count, "VALID"), blocks, _for_all_axes(crops, axes, [[0, 0]])
    )
    return whole


def _spatial_dims(spatial_dims: Any, count: int, data_format: str | None) -> list[int]:
    if spatial_dims is None:
        first = 2 if is_channels_first(data_format) else 1
        return list(range(first, first + count))
    given = [int(a) for a in spatial_dims]
    axes = sorted(set(given))
    if axes != given or any(a < 1 for a in axes):
        raise ValueError(
            "spatial_dims must be a monotonically increasing sequence of positive integers, got "
            f"{given}"
        )
    return axes


def _base_paddings(padding: str, filter_shape: Any, count: int, rate: Any) -> Any:
    """The zeros that the padding itself asks for, before and after each axis."""
    if padding == "VALID":
        return np.zeros([count, 2], np.int32)
    if padding != "SAME":
        raise ValueError(f"Invalid padding method {padding!r}: use 'SAME' or 'VALID'")
    if filter_shape is None:
        raise ValueError("filter_shape must be specified for SAME padding")
    if isinstance(filter_shape, TensorShape):
        filter_shape = filter_shape.as_list()
    window: Any = convert_to_tensor(filter_shape, dtype="int32", name="filter_shape")
    known = constant_value(window)
    if known is not None and isinstance(rate, np.ndarray):
        total = (known[:count] - 1) * rate
        return np.stack([total // 2, total - total // 2], axis=-1)
    extent = (window[:count] - 1) * rate
    before = api.floor_div(extent, 2)
    return api.stack([before, extent - before], axis=1)


def _spatial_sizes(input: Tensor, axes: list[int]) -> Any:
    if input.shape.ndims is not None:
        sizes = [input.shape.as_list()[a] for a in axes]
        if None not in sizes:
            return np.array(sizes, np.int32)
    return api.gather(api.shape(input), axes)


def _for_all_axes(values: Any, axes: list[int], neutral: list[Any]) -> Any:
    """One row for every axis from 1 to the last spatial one: `neutral` between those of `axes`."""
    if axes == list(range(1, len(axes) + 1)):
        return values
    known = values if isinstance(values, np.ndarray) else constant_value(values)
    if known is not None:
        full = np.tile(np.array(neutral, np.int32), [axes[-1]] + [1] * (known.ndim - 1))
        full[np.array(axes) - 1] = known
        return full
    rows, at = [], 0
    for axis in range(1, axes[-1] + 1):
        if axis in axes:
            rows.append(values[at : at + 1])
            at += 1
        else:
            rows.append(convert_to_tensor(neutral, dtype="int32"))
    return api.concat(rows, 0)
