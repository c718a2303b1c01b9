"""Slices: TensorFlow's strided slice with all its masks, its gradient, and the plain slice.

The masks are bit sets over the positions of ``begin``, ``end`` and ``strides``, which is how
``x[1:, tf.newaxis, ..., 0]`` reaches an operation. They are turned into the equal NumPy index once,
and everything else (the value, its gradient, an assignment, the static shape) follows from that.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from workbench.core.kernels.support import invalid, spelled

Index: TypeAlias = tuple[builtins.slice | int | None, ...]


class _Item(NamedTuple):
    """One position of the index; ``begin`` and ``end`` are None where they are masked."""

    dimension: int
    begin: int | None
    end: int | None
    stride: int | None
    shrink: bool
    #: False where a bound is a number that is not known yet.
    known: bool


def strided_slice_index(
    shape: Sequence[int | None],
    begin: Sequence[int],
    end: Sequence[int],
    strides: Sequence[int],
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Index:
    """The NumPy index (slices, integers, None) that a strided slice of this shape stands for.

    Raises:
      InvalidArgumentError: more positions than dimensions, two ellipses, a stride of zero, or an
        integer index out of bounds.

    >>> strided_slice_index(
    ...     (4, 5, 6), [1, 0, 2], [3, 0, 0], [1, 1, 1], ellipsis_mask=2, shrink_axis_mask=4
    ... )
    (slice(1, 3, 1), slice(None, None, None), 2)
    """
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    index: list[builtins.slice | int | None] = []
    for item in _items(shape, begin, end, strides, masks):
        if item is None:
            index.append(None)
        elif item.shrink:
            assert item.begin is not None
            index.append(item.begin)
        else:
            index.append(builtins.slice(item.begin, item.end, item.stride))
    return tuple(index)


def strided_slice_shape(
    shape: Sequence[int | None],
    begin: Sequence[int | None] | None,
    end: Sequence[int | None] | None,
    strides: Sequence[int | None],
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> tuple[int | None, ...]:
    """The shape of a strided slice; dimensions, bounds and strides not known yet may be None.

    >>> strided_slice_shape((None, 5, 6), [0, None, 4], [0, 0, 0], [1, 1, -1], end_mask=4)
    (None, None, 5)
    """
    count = len(strides)
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    begin = [None] * count if begin is None else begin
    end = [None] * count if end is None else end
    result: list[int | None] = []
    for item in _items(shape, begin, end, strides, masks):
        if item is None:
            result.append(1)
        elif not item.shrink:
            size = shape[item.dimension]
            if size is None or not item.known:
                result.append(None)
            else:
                part = builtins.slice(item.begin, item.end, item.stride)
                result.append(len(range(*part.indices(size))))
    return tuple(result)


def strided_slice(
    input: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    strides: np.ndarray,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> np.ndarray:
    """A view of the part of ``input`` that the bounds, strides and masks select.

    >>> strided_slice(np.arange(6), np.array([4]), np.array([0]), np.array([-2]))
    array([4, 2])
    """
    input = np.asarray(input)
    index = strided_slice_index(
        input.shape,
        np.asarray(begin).tolist(),
        np.asarray(end).tolist(),
        np.asarray(strides).tolist(),
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
    )
    # With the ellipsis a single element stays an array, also where it is a string.
    return np.asarray(input[(*index, ...)])


def strided_slice_grad(
    shape: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    strides: np.ndarray,
    dy: np.ndarray,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> np.ndarray:
    """Zeros of ``shape`` with ``dy`` where the slice was taken.

    >>> strided_slice_grad(np.array([4]), np.array([1]), np.array([3]), np.array([1]), np.ones(2))
    array([0., 1., 1., 0.])
    """
    sizes = np.asarray(shape).tolist()
    index = strided_slice_index(
        sizes,
        np.asarray(begin).tolist(),
        np.asarray(end).tolist(),
        np.asarray(strides).tolist(),
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
    )
    result = np.zeros(sizes, np.asarray(dy).dtype)
    part = result[(*index, ...)]
    if part.shape != np.shape(dy):
        raise invalid(f"shape of dy was {spelled(np.shape(dy))} instead of {spelled(part.shape)}")
    part[...] = dy
    return result


def slice(input: np.ndarray, begin: np.ndarray, size: np.ndarray) -> np.ndarray:
    """A view of ``size`` elements of each dimension from ``begin`` on; a size of -1 is the rest.

    >>> slice(np.arange(6), np.array([2]), np.array([-1]))
    array([2, 3, 4, 5])
    """
    input = np.asarray(input)
    if not np.shape(begin) == np.shape(size) == (input.ndim,):
        raise invalid(
            f"Expected begin and size arguments to be 1-D tensors of size {input.ndim}, the rank "
            f"of the input, but got shapes {list(np.shape(begin))} and {list(np.shape(size))}"
        )
    starts, sizes = np.asarray(begin).tolist(), np.asarray(size).tolist()
    index: list[Any] = []
    for axis, (length, start, count) in enumerate(zip(input.shape, starts, sizes, strict=True)):
        if not 0 <= start <= length:
            raise invalid(f"Expected begin[{axis}] in [0, {length}], but got {start}")
        if count < -1 or start + count > length:
            raise invalid(
                f"Expected size[{axis}] in [0, {length - start}], but got {count} (-1 takes all "
                "that is left)"
            )
        index.append(builtins.slice(start, length if count == -1 else start + count))
    return np.asarray(input[(*index, ...)])


def _items(
    shape: Sequence[int | None],
    begin: Sequence[int | None],
    end: Sequence[int | None],
    strides: Sequence[int | None],
    masks: tuple[int, int, int, int, int],
) -> Iterator[_Item | None]:
    """The positions of the index with the ellipsis spelled out; None for a new axis."""
    begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask = masks
    count = len(strides)
    if not len(begin) == len(end) == count:
        raise invalid(
            "Expected begin, end, and strides to be 1D equal size tensors, but got "
            f"{len(begin)}, {len(end)} and {count} values"
        )
    ellipses = [i for i in range(count) if ellipsis_mask >> i & 1]
    if len(ellipses) > 1:
        raise invalid("Multiple ellipses in slice spec not allowed")
    used = sum(1 for i in range(count) if i not in ellipses and not new_axis_mask >> i & 1)
    if used > len(shape):
        raise invalid(
            f"Index out of range using input dim {len(shape)}; input has only {len(shape)} dims, "
            f"but the slice indexes {used}"
        )
    dimension = 0
    for i in range(count + 1):
        if i == (ellipses[0] if ellipses else count):
            for _ in range(len(shape) - used):
                yield _Item(dimension, None, None, None, False, True)
                dimension += 1
        elif i < count and new_axis_mask >> i & 1:
            yield None
        elif i < count:
            bit = 1 << i
            yield _item(
                dimension,
                shape[dimension],
                (begin[i], bool(begin_mask & bit)),
                (end[i], bool(end_mask & bit)),
                strides[i],
                bool(shrink_axis_mask & bit),
            )
            dimension += 1


def _item(
    dimension: int,
    size: int | None,
    begin: tuple[int | None, bool],
    end: tuple[int | None, bool],
    stride: int | None,
    shrink: bool,
) -> _Item:
    if stride == 0:
        raise invalid(f"strides[{dimension}] must be non-zero")
    start, stop = (None if masked else value for value, masked in (begin, end))
    if shrink:
        start = begin[0]
        if stride is not None and stride < 0:
            raise invalid(
                f"only stride 1 allowed on non-range indexing, got {stride} for dimension "
                f"{dimension}"
            )
        if start is not None and size is not None and not -size <= start < size:
            raise invalid(
                f"slice index {start} of dimension {dimension} out of bounds: it has size {size}"
            )
    known = all(masked or value is not None for value, masked in (begin, end))
    return _Item(dimension, start, stop, stride, shrink, known and stride is not None)
