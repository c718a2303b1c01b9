"""Work on pixels in machine code, which other threads need not wait for."""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.core.codegen.compiler import KernelLibrary, Source
from workbench.core.codegen.pixels_text import (
    MIRRORED_SIZES,
    PACKED,
    mirrored_name,
    pixels_names,
    pixels_text,
)
from workbench.core.codegen.resizing_text import (
    CHANNELS,
    resized_name,
    resizing_names,
    resizing_text,
)

_POINTER, _WORD = ctypes.c_void_p, ctypes.c_int64


class Axis(Protocol):
    """Between which two inputs each output along an axis lies, and how far from the first."""

    @property
    def lower(self) -> NDArray[np.int64]: ...

    @property
    def upper(self) -> NDArray[np.int64]: ...

    @property
    def distance(self) -> NDArray[np.float32]: ...


def _address(array: Any) -> int:
    """Where a new array is: its own attribute for that takes three times as long."""
    return ctypes.addressof(ctypes.c_char.from_buffer(array))


class Places:
    """An axis as machine code takes it, for pixels of so many channels (1 for rows)."""

    def __init__(self, axis: Axis, channels: int) -> None:
        # Kept for as long as their addresses are used.
        self._arrays = axis.lower * channels, axis.upper * channels, axis.distance.copy()
        self.count = len(axis.lower)
        self.arguments = (self.count, *map(_address, self._arrays))


class Pixels:
    """The functions of this process.

    Raises:
      Unsupported: nothing can be compiled here.
    """

    def __init__(self) -> None:
        addresses = KernelLibrary.shared().load(
            [Source(pixels_text(), pixels_names()), Source(resizing_text(), resizing_names())]
        )
        packing = ctypes.CFUNCTYPE(None, _POINTER, _POINTER, _WORD)
        mirroring = ctypes.CFUNCTYPE(None, _POINTER, _WORD, _WORD, _WORD, _POINTER)
        axis = (_WORD, _POINTER, _POINTER, _POINTER)
        resizing = ctypes.CFUNCTYPE(None, _POINTER, _WORD, *axis, *axis, _POINTER, _POINTER)
        self._packed: Any = packing(addresses[PACKED])
        self._mirrored: dict[int, Any] = {
            size: mirroring(addresses[mirrored_name(size)]) for size in MIRRORED_SIZES
        }
        self._resized: dict[int, Any] = {
            channels: resizing(addresses[resized_name(channels)]) for channels in CHANNELS
        }

    def packed(self, address: int, height: int, width: int) -> NDArray[np.uint8]:
        """The first three bytes of each pixel of an image in memory, which has four for each."""
        result = np.empty((height, width, 3), np.uint8)
        self._packed(address, _address(result), height * width)
        return result

    def mirrored(self, rows: NDArray[Any]) -> NDArray[Any] | None:
        """Rows of pixels (row, column, parts of a pixel), each from its end; None where there is no
        function for them."""
        count, width, parts = rows.shape
        size = parts * rows.itemsize
        is_dense = rows.strides[1] == size and (parts == 1 or rows.strides[2] == rows.itemsize)
        if size not in self._mirrored or not rows.size or not is_dense:
            return None
        result = np.empty(rows.shape, rows.dtype)
        self._mirrored[size](rows.ctypes.data, rows.strides[0], count, width, result.ctypes.data)
        return result

    def resized(
        self, images: NDArray[np.float32], rows: Places, columns: Places
    ) -> NDArray[np.float32] | None:
        """Images (image, row, column, channel) resized, linear between pixels; None where there is
        no function for them. `columns` are those of as many channels, `rows` of one."""
        channels = images.shape[3]
        if channels not in self._resized or images.strides[2:] != (4 * channels, 4):
            return None
        result = np.empty((len(images), rows.count, columns.count, channels), np.float32)
        memory = np.empty(2 * columns.count * channels, np.float32)
        source, target, scratch = images.ctypes.data, _address(result), _address(memory)
        for number in range(len(images)):
            self._resized[channels](
                source + number * images.strides[0],
                images.strides[1],
                *rows.arguments,
                *columns.arguments,
                scratch,
                target + number * result.strides[0],
            )
        return result
