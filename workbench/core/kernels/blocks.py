"""Kernels that trade space for batch or depth in blocks, and image patches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from workbench.core.kernels.padding import pad
from workbench.core.kernels.support import invalid, spelled
from workbench.core.kernels.windows import Axis, tap_positions, tap_slices, window_axes


def space_to_batch_nd(
    input: np.ndarray, block_shape: np.ndarray, paddings: np.ndarray
) -> np.ndarray:
    """Pad the dimensions after the first, then move the elements of each block to the batch.

    >>> space_to_batch_nd(np.arange(4).reshape(1, 4), np.array([2]), np.array([[0, 0]]))
    array([[0, 2],
           [1, 3]])
    """
    input = np.asarray(input)
    blocks = _block_shape(input, block_shape)
    count = len(blocks)
    around = np.zeros((input.ndim, 2), np.int64)
    around[1 : count + 1] = _pairs(paddings, count, "paddings")
    padded = pad(input, around)
    parts = [padded.shape[0]]
    for axis, block in enumerate(blocks, 1):
        if padded.shape[axis] % block:
            raise invalid(
                f"padded_shape[{axis - 1}]={padded.shape[axis]} is not divisible by "
                f"block_shape[{axis - 1}]={block}"
            )
        parts += [padded.shape[axis] // block, block]
    rest = padded.shape[count + 1 :]
    inner, outer = range(2, 2 * count + 1, 2), range(1, 2 * count + 1, 2)
    moved = padded.reshape(*parts, *rest).transpose(
        *inner, 0, *outer, *range(2 * count + 1, 2 * count + 1 + len(rest))
    )
    return moved.reshape(math.prod(blocks) * parts[0], *parts[1::2], *rest)


def batch_to_space_nd(input: np.ndarray, block_shape: np.ndarray, crops: np.ndarray) -> np.ndarray:
    """The inverse of ``space_to_batch_nd``: blocks back from the batch, then cropped.

    >>> batch_to_space_nd(np.array([[0, 2], [1, 3]]), np.array([2]), np.array([[0, 1]]))
    array([[0, 1, 2]])
    """
    input = np.asarray(input)
    blocks = _block_shape(input, block_shape)
    count, size = len(blocks), math.prod(blocks)
    pairs = _pairs(crops, count, "crops").tolist()
    if input.shape[0] % size:
        raise invalid(
            f"Input batch dimension ({input.shape[0]}) is not divisible by product of block sizes "
            f"({size})"
        )
    batch, rest = input.shape[0] // size, input.shape[count + 1 :]
    outer = input.shape[1 : count + 1]
    order = [count]
    for axis in range(count):
        order += [count + 1 + axis, axis]
    order += range(2 * count + 1, 2 * count + 1 + len(rest))
    whole = input.reshape(*blocks, batch, *outer, *rest).transpose(order)
    sizes = [block * length for block, length in zip(blocks, outer, strict=True)]
    index = [slice(None)]
    for axis, (length, (before, after)) in enumerate(zip(sizes, pairs, strict=True), 1):
        if before + after > length:
            raise invalid(
                f"cropped_shape[{axis - 1}]={length - before - after} must be non-negative: crops "
                f"of {before} and {after} from {length}"
            )
        index.append(slice(before, length - after))
    return whole.reshape(batch, *sizes, *rest)[tuple(index)]


def space_to_batch(input: np.ndarray, paddings: np.ndarray, *, block_size: int) -> np.ndarray:
    """``space_to_batch_nd`` of images (batch, height, width, depth) with a square block."""
    return space_to_batch_nd(input, _square(input, block_size), paddings)


def batch_to_space(input: np.ndarray, crops: np.ndarray, *, block_size: int) -> np.ndarray:
    """``batch_to_space_nd`` of images (batch, height, width, depth) with a square block."""
    return batch_to_space_nd(input, _square(input, block_size), crops)


def space_to_depth(input: np.ndarray, *, block_size: int, data_format: str = "NHWC") -> np.ndarray:
    """Square blocks of pixels moved into the depth dimension.

    >>> space_to_depth(np.arange(4).reshape(1, 2, 2, 1), block_size=2)
    array([[[[0, 1, 2, 3]]]])
    """
    _square(input, block_size)
    if data_format == "NHWC":
        batch, height, width, depth = input.shape
        rows, columns = _blocks_in(height, width, block_size)
        split = input.reshape(batch, rows, block_size, columns, block_size, depth)
        return split.transpose(0, 1, 3, 2, 4, 5).reshape(
            batch, rows, columns, depth * block_size**2
        )
    _require_format(data_format)
    batch, depth, height, width = input.shape
    rows, columns = _blocks_in(height, width, block_size)
    split = input.reshape(batch, depth, rows, block_size, columns, block_size)
    return split.transpose(0, 3, 5, 1, 2, 4).reshape(batch, depth * block_size**2, rows, columns)


def depth_to_space(input: np.ndarray, *, block_size: int, data_format: str = "NHWC") -> np.ndarray:
    """The inverse of ``space_to_depth``.

    >>> depth_to_space(np.arange(4).reshape(1, 1, 1, 4), block_size=2)[0, :, :, 0]
    array([[0, 1],
           [2, 3]])
    """
    _square(input, block_size)
    area = block_size**2
    depth = input.shape[3 if data_format == "NHWC" else 1]
    if depth % area:
        raise invalid(f"Input depth dimension {depth} should be divisible by: {area}")
    depth //= area
    if data_format == "NHWC":
        batch, rows, columns, _ = input.shape
        split = input.reshape(batch, rows, columns, block_size, block_size, depth)
        return split.transpose(0, 1, 3, 2, 4, 5).reshape(
            batch, rows * block_size, columns * block_size, depth
        )
    _require_format(data_format)
    batch, _, rows, columns = input.shape
    split = input.reshape(batch, block_size, block_size, depth, rows, columns)
    return split.transpose(0, 3, 4, 1, 5, 2).reshape(
        batch, depth, rows * block_size, columns * block_size
    )


def extract_image_patches(
    images: np.ndarray,
    *,
    ksizes: Sequence[int],
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
) -> np.ndarray:
    """The pixels of every window laid out along the depth: rows, then columns, then channels.

    >>> extract_image_patches(
    ...     np.arange(9).reshape(1, 3, 3, 1),
    ...     ksizes=(1, 2, 2, 1),
    ...     strides=(1, 1, 1, 1),
    ...     rates=(1, 1, 1, 1),
    ...     padding="VALID",
    ... )[0, 1, 1]
    array([4, 5, 7, 8])
    """
    images = np.asarray(images)
    axes = _windows(images.shape, ksizes, strides, rates, padding)
    shape = _patches_shape(images.shape, axes)
    result = np.zeros((*shape[:3], axes[0].taps, axes[1].taps, images.shape[3]), images.dtype)
    for row, column in tap_positions(axes):
        height, width = tap_slices(axes[0], row), tap_slices(axes[1], column)
        result[:, height[0], width[0], row, column] = images[:, height[1], width[1]]
    return result.reshape(shape)


def extract_image_patches_grad(
    shape: np.ndarray,
    dy: np.ndarray,
    *,
    ksizes: Sequence[int],
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
) -> np.ndarray:
    """The gradient of ``extract_image_patches``: every pixel sums what its patches received.

    >>> extract_image_patches_grad(
    ...     np.array([1, 3, 3, 1]),
    ...     np.ones((1, 2, 2, 4)),
    ...     ksizes=(1, 2, 2, 1),
    ...     strides=(1, 1, 1, 1),
    ...     rates=(1, 1, 1, 1),
    ...     padding="VALID",
    ... )[0, 1, :, 0]
    array([2., 4., 2.])
    """
    dy = np.asarray(dy)
    sizes = tuple(np.asarray(shape).tolist())
    axes = _windows(sizes, ksizes, strides, rates, padding)
    expected = _patches_shape(sizes, axes)
    if dy.shape != expected:
        raise invalid(
            f"the gradient has shape {dy.shape}, but the patches it belongs to have {expected}"
        )
    patches = dy.reshape(*expected[:3], axes[0].taps, axes[1].taps, sizes[3])
    result = np.zeros(sizes, dy.dtype)
    for row, column in tap_positions(axes):
        height, width = tap_slices(axes[0], row), tap_slices(axes[1], column)
        result[:, height[1], width[1]] += patches[:, height[0], width[0], row, column]
    return result


def _windows(
    shape: tuple[int, ...],
    ksizes: Sequence[int],
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
) -> tuple[Axis, ...]:
    """The windows along the height and the width of images of ``shape``."""
    if len(shape) != 4:
        raise invalid(f"images must have shape (batch, height, width, depth), got {shape}")
    for name, values in (("ksizes", ksizes), ("strides", strides), ("rates", rates)):
        if len(values) != 4 or values[0] != 1 or values[3] != 1 or min(values) < 1:
            raise invalid(f"{name} must be [1, rows, columns, 1], got {list(values)}")
    return window_axes(shape[1:3], ksizes[1:3], strides[1:3], rates[1:3], padding)


def _patches_shape(shape: tuple[int, ...], axes: tuple[Axis, ...]) -> tuple[int, ...]:
    depth = axes[0].taps * axes[1].taps * shape[3]
    return (shape[0], axes[0].output, axes[1].output, depth)


def _block_shape(input: np.ndarray, block_shape: np.ndarray) -> list[int]:
    blocks: list[int] = np.asarray(block_shape).reshape(-1).tolist()
    if len(blocks) + 1 > input.ndim:
        raise invalid(
            f"a block of {len(blocks)} dimensions needs an input of at least {len(blocks) + 1}, "
            f"got shape {input.shape}"
        )
    if min(blocks, default=1) < 1:
        raise invalid(f"All values in block_shape must be positive, got {blocks}")
    return blocks


def _pairs(values: np.ndarray, count: int, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.shape != (count, 2):
        raise invalid(f"{name} should have shape [{count}, 2] instead of {spelled(values.shape)}")
    if values.size and values.min() < 0:
        raise invalid(f"{name.capitalize()} must be non-negative, got {values.tolist()}")
    return values


def _square(input: np.ndarray, block_size: int) -> np.ndarray:
    if np.ndim(input) != 4:
        raise invalid(f"Input rank should be 4 instead of {np.ndim(input)}")
    if block_size < 2:
        raise invalid(f"block_size must be at least 2, got {block_size}")
    return np.array([block_size, block_size])


def _blocks_in(height: int, width: int, block_size: int) -> tuple[int, int]:
    if height % block_size or width % block_size:
        raise invalid(
            f"Image width {width} and height {height} should be divisible by block_size: "
            f"{block_size}"
        )
    return height // block_size, width // block_size


def _require_format(data_format: str) -> None:
    if data_format != "NCHW":
        raise invalid(f"data_format must be 'NHWC' or 'NCHW', got {data_format!r}")
