"""Kernels that repeat or surround a tensor: pads, mirror pads, tiles."""

from __future__ import annotations

import numpy as np

from workbench.core.kernels.support import invalid, spelled


def pad(input: np.ndarray, paddings: np.ndarray) -> np.ndarray:
    """``input`` with zeros around it: ``paddings[d]`` are the counts before and after dimension d.

    >>> pad(np.array([1, 2]), np.array([[1, 2]]))
    array([0, 1, 2, 0, 0])
    """
    zero = b"" if input.dtype == object else 0
    return pad_v2(input, paddings, np.array(zero, input.dtype))


def pad_v2(input: np.ndarray, paddings: np.ndarray, constant_values: np.ndarray) -> np.ndarray:
    """``input`` with copies of one value around it.

    >>> pad_v2(np.array([1, 2]), np.array([[1, 0]]), np.array(9))
    array([9, 1, 2])
    """
    input = np.asarray(input)
    widths = _widths(input.shape, paddings)
    shape = tuple(
        before + size + after for size, (before, after) in zip(input.shape, widths, strict=True)
    )
    if shape == input.shape:
        return input
    result = np.empty(shape, input.dtype)
    result.fill(np.asarray(constant_values)[()])
    result[_centre(input.shape, widths)] = input
    return result


def mirror_pad(input: np.ndarray, paddings: np.ndarray, *, mode: str) -> np.ndarray:
    """``input`` surrounded by its own mirror image.

    REFLECT leaves the border element out of the image, SYMMETRIC repeats it.

    >>> mirror_pad(np.array([1, 2, 3]), np.array([[2, 1]]), mode="REFLECT")
    array([3, 2, 1, 2, 3, 2])
    """
    input = np.asarray(input)
    widths = _mirror_widths(input.shape, paddings, mode)
    offset = _offset(mode)
    shape = tuple(
        before + size + after for size, (before, after) in zip(input.shape, widths, strict=True)
    )
    result = np.empty(shape, input.dtype)
    result[_centre(input.shape, widths)] = input
    # Axis by axis, so that the corners are images of what earlier axes have mirrored already.
    for axis, (size, (before, after)) in enumerate(zip(input.shape, widths, strict=True)):
        lines = np.moveaxis(result, axis, 0)
        end = before + size
        if before:
            lines[:before] = lines[before + offset : 2 * before + offset][::-1]
        if after:
            lines[end:] = lines[end - offset - after : end - offset][::-1]
    return result


def mirror_pad_grad(input: np.ndarray, paddings: np.ndarray, *, mode: str) -> np.ndarray:
    """The gradient of ``mirror_pad``: the border folded back onto the elements it showed.

    >>> mirror_pad_grad(np.array([1.0, 1.0, 1.0, 1.0]), np.array([[0, 2]]), mode="SYMMETRIC")
    array([2., 2.])
    """
    result = np.array(input)
    pairs = _pairs(result.ndim, paddings)
    inner = tuple(
        size - before - after for size, (before, after) in zip(result.shape, pairs, strict=True)
    )
    if min(inner, default=0) < 0:
        raise invalid(f"the paddings {pairs} are wider than the padded shape {result.shape}")
    offset = _offset(mode)
    _mirror_widths(inner, paddings, mode)
    for axis, (size, (before, after)) in enumerate(zip(inner, pairs, strict=True)):
        lines = np.moveaxis(result, axis, 0)
        end = before + size
        if before:
            lines[before + offset : 2 * before + offset] += lines[:before][::-1]
        if after:
            lines[end - offset - after : end - offset] += lines[end:][::-1]
        result = np.moveaxis(lines[before:end], 0, axis)
    return result


def tile(input: np.ndarray, multiples: np.ndarray) -> np.ndarray:
    """``input`` repeated ``multiples[d]`` times along each dimension d.

    >>> tile(np.array([[1, 2]]), np.array([2, 2]))
    array([[1, 2, 1, 2],
           [1, 2, 1, 2]])
    """
    input = np.asarray(input)
    counts = _multiples(input.ndim, multiples)
    # Each dimension becomes (count, size) with a repeating count: one copy makes the result.
    repeated = input.reshape([part for size in input.shape for part in (1, size)])
    spread = np.broadcast_to(
        repeated,
        [part for count, size in zip(counts, input.shape, strict=True) for part in (count, size)],
    )
    return spread.reshape([count * size for count, size in zip(counts, input.shape, strict=True)])


def tile_grad(input: np.ndarray, multiples: np.ndarray) -> np.ndarray:
    """The gradient of ``tile``: the sum over the repetitions.

    >>> tile_grad(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2]))
    array([4., 6.])
    """
    input = np.asarray(input)
    counts = _multiples(input.ndim, multiples)
    if any(
        size % count if count else size for size, count in zip(input.shape, counts, strict=True)
    ):
        raise invalid(f"shape {input.shape} is not a multiple of {tuple(counts)}")
    parts = [
        part
        for size, count in zip(input.shape, counts, strict=True)
        for part in (count, size // max(count, 1))
    ]
    repetitions = tuple(range(0, 2 * input.ndim, 2))
    return np.asarray(input.reshape(parts).sum(repetitions, dtype=input.dtype))


def _pairs(rank: int, paddings: np.ndarray) -> list[tuple[int, int]]:
    paddings = np.asarray(paddings)
    if paddings.shape != (rank, 2):
        raise invalid(
            "The first dimension of paddings must be the rank of inputs: expected shape "
            f"[{rank},2], got {spelled(paddings.shape)}"
        )
    pairs = [(before, after) for before, after in paddings.tolist()]
    for pair in pairs:
        if min(pair) < 0:
            raise invalid(f"Paddings must be non-negative: {pair[0]} {pair[1]}")
    return pairs


def _widths(shape: tuple[int, ...], paddings: np.ndarray) -> list[tuple[int, int]]:
    return _pairs(len(shape), paddings)


def _mirror_widths(
    shape: tuple[int, ...], paddings: np.ndarray, mode: str
) -> list[tuple[int, int]]:
    pairs = _pairs(len(shape), paddings)
    offset = _offset(mode)
    for axis, (size, pair) in enumerate(zip(shape, pairs, strict=True)):
        if max(pair) > size - offset and max(pair) > 0:
            raise invalid(
                f"paddings must be {'less' if offset else 'no greater'} than the dimension size "
                f"for a {mode} pad: {pair[0]}, {pair[1]} of dimension {axis}, which has size {size}"
            )
    return pairs


def _offset(mode: str) -> int:
    try:
        return {"REFLECT": 1, "SYMMETRIC": 0}[mode]
    except KeyError:
        raise invalid(f"mode must be 'REFLECT' or 'SYMMETRIC', got {mode!r}") from None


def _centre(shape: tuple[int, ...], widths: list[tuple[int, int]]) -> tuple[slice, ...]:
    return tuple(
        slice(before, before + size) for size, (before, _) in zip(shape, widths, strict=True)
    )


def _multiples(rank: int, multiples: np.ndarray) -> list[int]:
    if np.ndim(multiples) != 1:
        raise invalid(f"Expected multiples to be 1-D, but got shape {list(np.shape(multiples))}")
    counts: list[int] = np.asarray(multiples).tolist()
    if len(counts) != rank:
        raise invalid(
            f"Expected multiples argument to be a vector of length {rank} but got length "
            f"{len(counts)}"
        )
    for axis, count in enumerate(counts):
        if count < 0:
            raise invalid(f"Expected multiples[{axis}] >= 0, but got {count}")
    return counts
