"""How variables are divided into parts: what part one is, and functions that decide on parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.shapes import TensorShape

#: `partitioner(shape=TensorShape, dtype=DType)` gives the number of parts along each axis.
Partitioner = Callable[..., list[int]]


class PartitionInfo:
    """Which part of a variable an initializer is asked for.

    `full_shape` is the shape of the whole, `var_offset` where the part starts along each axis.
    """

    def __init__(self, full_shape: Any, var_offset: Any) -> None:
        for name, value in (("full_shape", full_shape), ("var_offset", var_offset)):
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise TypeError(f"`{name}` must be a sequence (like tuple or list), not {value!r}")
        if len(full_shape) != len(var_offset):
            raise ValueError(
                f"Expected equal length, but `full_shape` has {len(full_shape)} entries and "
                f"`var_offset` {len(var_offset)}"
            )
        for offset, size in zip(var_offset, full_shape, strict=True):
            if offset < 0 or offset >= max(size, 1):
                raise ValueError(
                    f"Expected 0 <= offset < size, but found offset {offset} along an axis of "
                    f"size {size} (var_offset {list(var_offset)}, full_shape {list(full_shape)})"
                )
        self._full_shape: list[int] = full_shape
        self._var_offset: list[int] = var_offset

    @property
    def full_shape(self) -> list[int]:
        """The shape of the whole variable."""
        return self._full_shape

    @property
    def var_offset(self) -> list[int]:
        """Where the part starts along each axis."""
        return self._var_offset

    def single_offset(self, shape: Any) -> int:
        """Where a part of this shape starts along the one axis that is divided; 0 where none is."""
        axis = self.single_slice_dim(shape)
        return 0 if axis is None else self._var_offset[axis]

    def single_slice_dim(self, shape: Any) -> int | None:
        """The one axis that is divided when a part has this shape, None where none is.

        Raises ValueError where the part would not fit or several axes are divided.
        """
        if not isinstance(shape, Sequence) or isinstance(shape, str):
            raise TypeError(f"`shape` must be a sequence (like tuple or list), not {shape!r}")
        if len(shape) != len(self._full_shape):
            raise ValueError(
                f"Expected equal length, but shape {list(shape)} has {len(shape)} entries and "
                f"full_shape {list(self._full_shape)} has {len(self._full_shape)}"
            )
        ends = [offset + size for offset, size in zip(self._var_offset, shape, strict=True)]
        if any(end > full for end, full in zip(ends, self._full_shape, strict=True)):
            raise ValueError(
                f"A part of shape {list(shape)} at {list(self._var_offset)} does not fit in the "
                f"full shape {list(self._full_shape)}"
            )
        axes = [i for i, size in enumerate(shape) if size != self._full_shape[i]]
        if len(axes) > 1:
            raise ValueError(
                f"Cannot use single_slice_dim() with shape {list(shape)} and full_shape "
                f"{list(self._full_shape)}: the axes {axes} are divided"
            )
        return axes[0] if axes else None


#: Its name in TensorFlow, where it is not public either.
_PartitionInfo = PartitionInfo


def slice_axis_and_shape(full_shape: list[int], slicing: Sequence[int]) -> tuple[int, list[int]]:
    """The axis that is divided, and the shape of the smaller parts.

    Raises ValueError where an axis cannot be divided so often, or several are divided.
    """
    for size, count in zip(full_shape, slicing, strict=True):
        if count <= 0 or size < count:
            raise ValueError(
                f"Cannot create {count} slices for size {size}. shape: {full_shape}, slicing: "
                f"{list(slicing)}"
            )
    axes = [i for i, count in enumerate(slicing) if count > 1]
    if len(axes) > 1:
        raise ValueError(
            f"Can only slice a variable along one dimension: shape: {full_shape}, slicing: "
            f"{list(slicing)}"
        )
    sizes = [size // count for size, count in zip(full_shape, slicing, strict=True)]
    return (axes[0] if axes else 0), sizes


def partition_counts(
    partitioner: Callable[..., Any], name: str, shape: Any, dtype: Any
) -> list[int]:
    """What a partitioner decides for a variable; ValueError where that cannot be."""
    if not shape.is_fully_defined():
        raise ValueError(
            f"Shape of a new partitioned variable ({name}) must be fully defined, but instead was "
            f"{shape}."
        )
    if shape.ndims < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1, shape: {shape}")
    counts = partitioner(shape=shape, dtype=dtype)
    if not isinstance(counts, Sequence):
        raise ValueError(f"Partitioner must return a sequence, but saw: {counts}")
    if len(counts) != shape.ndims:
        raise ValueError(
            "Partitioner returned a partition list that does not match the Variable's rank: "
            f"{counts} vs. {shape}"
        )
    if any(count < 1 for count in counts):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {counts}")
    return [int(count) for count in counts]


def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Partitioner:
    """A partitioner that makes `num_shards` parts along `axis`, or as many as its size allows.

    >>> import workbench as tf
    >>> tf.fixed_size_partitioner(3)(shape=tf.TensorShape([10, 4]), dtype=tf.float32)
    [3, 1]
    """

    def partitioner(shape: TensorShape, **unused: Any) -> list[int]:
        counts = [1] * len(shape)
        counts[axis] = min(num_shards, int(shape[axis]))
        return counts

    return partitioner


def variable_axis_size_partitioner(
    max_shard_bytes: int,
    axis: int = 0,
    bytes_per_string_element: int = 16,
    max_shards: int | None = None,
) -> Partitioner:
    """A partitioner that keeps parts along `axis` at or below `max_shard_bytes` bytes.

    `max_shards` limits their number; strings count as `bytes_per_string_element`.

    >>> import workbench as tf
    >>> partitioner = tf.variable_axis_size_partitioner(max_shard_bytes=80)
    >>> partitioner(shape=tf.TensorShape([10, 4]), dtype=tf.float32)
    [2, 1]
    """
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError("Both max_shard_bytes and bytes_per_string_element must be positive.")
    if max_shards is not None and max_shards < 1:
        raise ValueError("max_shards must be positive.")

    def partitioner(shape: TensorShape, dtype: Any) -> list[int]:
        _check_arguments(shape, dtype)
        sizes = [int(size) for size in shape]
        total = math.prod(sizes) * _element_bytes(dtype, bytes_per_string_element)
        rows_per_part = max(1, max_shard_bytes * sizes[axis] // max(total, 1))
        count = -(-sizes[axis] // rows_per_part)
        counts = [1] * len(sizes)
        counts[axis] = max(1, count if max_shards is None else min(max_shards, count))
        return counts

    return partitioner


def min_max_variable_partitioner(
    max_partitions: int = 1,
    axis: int = 0,
    min_slice_size: int = 256 << 10,
    bytes_per_string_element: int = 16,
) -> Partitioner:
    """A partitioner that makes parts of at least `min_slice_size` bytes, `max_partitions` at most.

    >>> import workbench as tf
    >>> partitioner = tf.min_max_variable_partitioner(max_partitions=8, min_slice_size=40)
    >>> partitioner(shape=tf.TensorShape([10, 4]), dtype=tf.float32)
    [4, 1]
    """

    def partitioner(shape: TensorShape, dtype: Any) -> list[int]:
        _check_arguments(shape, dtype)
        if axis >= len(shape):
            raise ValueError(
                f"Cannot partition variable along axis {axis} when shape is only {shape}"
            )
        sizes = [int(size) for size in shape]
        total = math.prod(sizes) * _element_bytes(dtype, bytes_per_string_element)
        wanted = math.ceil(total / min_slice_size)
        counts = [1] * len(sizes)
        counts[axis] = max(1, min(sizes[axis], max_partitions, wanted))
        return counts

    return partitioner


def _check_arguments(shape: Any, dtype: Any) -> None:
    if not isinstance(shape, TensorShape):
        raise ValueError(f"shape is not a TensorShape: {shape}")
    if not shape.is_fully_defined():
        raise ValueError(f"shape is not fully defined: {shape}")
    if not isinstance(dtype, dtypes.DType):
        raise ValueError(f"dtype is not a DType: {dtype}")


def _element_bytes(dtype: Any, bytes_per_string: int) -> int:
    if dtype.base_dtype is dtypes.string:
        return bytes_per_string
    size: int = dtype.size
    return size
