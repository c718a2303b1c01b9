"""A tensor's value as a small picture of itself: number, vector, images, matrix or histogram.

Whatever its size, a few thousand numbers leave the kernel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.live.statistics import has_numbers
from workbench.live.taps import Sample
from workbench.notebook.run_message import wire

_Array = np.ndarray[Any, Any]

#: The sides of a picture, and how many there are at most.
SIDE = 64
IMAGES = 16
BINS = 30
#: Filters are small; larger squares in a tensor of rank 4 are feature maps.
_LARGEST_FILTER = 16
_MAXIMUM_TEXT = 200
#: What a view can draw in 32 bits.
_LARGEST = 3e38


def sample_message(sample: Sample, is_variable: bool) -> tuple[dict[str, Any], list[bytes]]:
    """The parts of a `tap` notification that say what a value is like, and buffers 0 and 1.

    `is_variable` tells filters from feature maps, which have the same rank.
    """
    array = np.asarray(sample.array)
    said: dict[str, Any] = {
        "step": sample.step,
        "shape": list(sample.shape),
        "dtype": "string" if array.dtype.kind in "OSU" else array.dtype.name,
        "kind": "text",
        "summary": None,
        "text": None,
        "images": None,
        "rows": None,
        "columns": None,
        "color": None,
    }
    if not has_numbers(array.dtype) or not array.size:
        said["text"] = _text(array)
        return said, [b"", b""]
    numbers = _real(array)
    said["summary"] = _summary(sample, numbers)
    if numbers.size == 1:
        said["kind"] = "number"
        return said, [_f32(numbers), b""]
    picture = _picture(numbers, sample.shape, is_variable)
    if picture is not None:
        said["kind"], values, layout = picture
        said.update(layout)
        return said, [_f32(values), b""]
    said["kind"] = "histogram"
    counts, edges = histogram(numbers)
    return said, [_f32(counts), _f32(edges)]


def histogram(numbers: _Array) -> tuple[_Array, _Array]:
    """Counts of the finite elements in equal bins, and the bins' edges."""
    finite = numbers[np.isfinite(numbers)].astype(np.float64)
    if not finite.size:
        return np.zeros(BINS), np.linspace(0.0, 1.0, BINS + 1)
    finite = finite.clip(-_LARGEST, _LARGEST)
    low, high = float(finite.min()), float(finite.max())
    # Bins need a width that survives in 32 bits.
    width = max(high - low, abs(low) * 1e-5, abs(high) * 1e-5, 1e-30)
    bins = ((finite - low) * (BINS / width)).astype(np.int64).clip(0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    return counts, low + np.arange(BINS + 1) * (width / BINS)


_Picture = tuple[str, _Array, dict[str, Any]]


def _picture(numbers: _Array, whole: tuple[int, ...], is_variable: bool) -> _Picture | None:
    """Kind, values and layout of what fits into a picture; None for everything else.

    `whole` is the shape of the value before it was cut, which gives a picture its proportions.
    """
    sides = [i for i, size in enumerate(numbers.shape) if size != 1]
    if len(sides) == 1:
        if whole[sides[0]] > SIDE * SIDE:
            return None
        return "vector", numbers.reshape(-1), {"rows": 1, "columns": numbers.size}
    images = _images(numbers, whole, is_variable)
    if images is not None:
        count, rows, columns, depth = images.shape
        layout = {"images": count, "rows": rows, "columns": columns, "color": depth == 3}
        return "image", images, layout
    if len(sides) == 2:
        matrix = numbers.reshape([numbers.shape[i] for i in sides])
        for axis, side in enumerate(sides):
            matrix = _resampled(matrix, axis, min(SIDE, whole[side]))
        return "matrix", matrix, {"rows": matrix.shape[0], "columns": matrix.shape[1]}
    return None


def _images(numbers: _Array, whole: tuple[int, ...], is_variable: bool) -> _Array | None:
    """The value as [images, rows, columns, 1 or 3], None where it is nothing of the kind."""
    if numbers.ndim == 3:
        if numbers.shape[-1] in (1, 3):  # one image
            return _small(numbers[None], whole[0], whole[1])
        return _small(numbers[..., None], whole[1], whole[2])
    if numbers.ndim != 4:
        return None
    rows, columns, inputs, outputs = whole
    if is_variable and max(rows, columns) <= _LARGEST_FILTER:
        filters = np.moveaxis(numbers, 3, 0)
        return _small(filters if inputs in (1, 3) else filters[..., :1], rows, columns)
    if outputs in (1, 3):
        return _small(numbers, whole[1], whole[2])
    maps = np.moveaxis(numbers[0], 2, 0)  # of one example
    return _small(maps[..., None], whole[1], whole[2])


def _small(images: _Array, rows: int, columns: int) -> _Array | None:
    """The first images with sides of at most `SIDE`, in the proportions of `rows`, `columns`."""
    if min(rows, columns) < 2:
        return None
    step = -(-max(rows, columns) // SIDE)
    images = _resampled(images[:IMAGES], 1, -(-rows // step))
    return _resampled(images, 2, -(-columns // step))


def _resampled(array: _Array, axis: int, size: int) -> _Array:
    """The array with `size` elements along an axis, at equal distances."""
    have = array.shape[axis]
    return array if have == size else array.take(np.arange(size) * have // size, axis)


def _real(array: _Array) -> _Array:
    if array.dtype.kind == "c":
        return np.abs(array)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _f32(values: Any) -> bytes:
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, "<f4").tobytes()


def _summary(sample: Sample, numbers: _Array) -> dict[str, Any]:
    found = sample.statistics
    finite = numbers[np.isfinite(numbers)]
    return {
        "mean": wire(found.mean) if found else None,
        "deviation": wire(found.deviation) if found else None,
        "minimum": wire(float(finite.min())) if finite.size else None,
        "maximum": wire(float(finite.max())) if finite.size else None,
        "zeros": wire(found.zeros) if found else None,
        "nonfinite": found.nonfinite if found else None,
        "size": math.prod(sample.shape),
    }


def _text(array: _Array) -> str:
    if not array.size:
        return "empty"
    texts = [
        item.decode("utf-8", "backslashreplace") if isinstance(item, bytes) else str(item)
        for item in array.reshape(-1)[:8].tolist()
    ]
    text = texts[0] if array.size == 1 else ", ".join(map(repr, texts))
    text = text if len(text) <= _MAXIMUM_TEXT else f"{text[:_MAXIMUM_TEXT]}..."
    return f"{text}, ..." if array.size > 8 else text
