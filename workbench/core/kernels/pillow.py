"""Pillow, which reads image files: an extra that is loaded with its first use."""

from __future__ import annotations

import ctypes
import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import FailedPreconditionError
from workbench.core.kernels.pixels import machine_pixels
from workbench.core.kernels.support import invalid

if TYPE_CHECKING:
    from PIL.Image import Image

#: The modes of images that need no conversion.
_MODES = ("L", "LA", "RGB", "RGBA")
#: Bytes that Pillow has for each pixel of colours.
_WIDE = 4


def library() -> Any:
    """Pillow's module for images; FailedPreconditionError where there is none."""
    try:
        from PIL import Image
    except ImportError:
        raise FailedPreconditionError(
            None,
            None,
            "reading image files and writing JPEG files needs Pillow, which is not installed: "
            "pip install workbench[image]",
        ) from None
    return Image


@contextmanager
def opened(data: bytes, kind: str) -> Iterator[Image]:
    """A file opened as ``kind`` and nothing else; Pillow's errors become ours."""
    module = library()
    try:
        with module.open(io.BytesIO(data), formats=[kind]) as image:
            yield image
    except (
        # What Pillow's readers are known to end in when the data makes no sense.
        OSError,
        SyntaxError,
        ValueError,
        ArithmeticError,
        EOFError,
        LookupError,
        struct.error,
        module.DecompressionBombError,
    ) as error:
        raise invalid(
            f"the contents ({len(data)} bytes) are not those of a whole {kind} file: {error}"
        ) from None


def plain(image: Image, keep_alpha: bool = True) -> Image:
    """An image as grey, grey and opacity, RGB or RGBA, whichever loses nothing of it."""
    if image.mode in _MODES:
        return image
    if image.mode in ("1", "I", "F") or image.mode.startswith("I;16"):
        return image.convert("L")
    if keep_alpha and image.format == "PNG" and "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


class Canvas:
    """An image that others are decoded into, one after the other.

    Making one anew takes a tenth of the time of decoding into it, and holds up other threads.

    Args:
      mode: "L" (grey) or "RGB".
      size: width and height.
    """

    def __init__(self, mode: str, size: tuple[int, int]) -> None:
        self.mode = mode
        self.size = size
        # Without a colour, it is not filled with one.
        self._image: Image = library().new(mode, size, None)
        self._memory: _Memory | None = None

    def decode(self, data: bytes, decoder: str) -> NDArray[np.uint8] | None:
        """What one of Pillow's decoders makes of data; None where it can make nothing of it.

        The array is (height, width, 3), or (height, width) where the image is grey.
        """
        try:
            self._image.frombytes(data, decoder, self.mode, "")
        except (OSError, ValueError):
            return None
        width, height = self.size
        machine = machine_pixels(width * height * _WIDE) if self.mode == "RGB" else None
        if machine is not None:
            if self._memory is None:
                self._memory = _Memory(self._image)
            if self._memory.address:
                return machine.packed(self._memory.address, height, width)
        # NumPy has Pillow write the pixels to a string, part by part.
        return np.array(self._image)


_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


class _Arrow(NamedTuple):
    """What Arrow's interface for C tells of an array: words of 64 bits, as all processors have that
    there is machine code for; the last two are places."""

    length: int
    null_count: int
    offset: int
    buffer_count: int
    child_count: int
    buffers: int
    children: int

    @classmethod
    def at(cls, place: int) -> _Arrow:
        """The array that is described at a place in memory."""
        return cls(*(ctypes.c_int64 * 7).from_address(place))


def _word(place: int) -> int:
    value: int = ctypes.c_int64.from_address(place).value
    return value


class _Memory:
    """Where an image of colours has its pixels, four bytes for each, for as long as it lives.

    Pillow's newer versions give it away as an Arrow array; `address` is 0 where it does not: those
    of large images are in pieces.
    """

    def __init__(self, image: Image) -> None:
        self.address = 0
        try:
            _, capsule = image.__arrow_c_array__()
        except (AttributeError, ValueError):
            return
        array = _Arrow.at(_pointer(capsule, b"arrow_array"))
        if array.length != image.width * image.height or array.offset or array.child_count != 1:
            return
        values = _Arrow.at(_word(array.children))
        if values.length == _WIDE * array.length and not values.offset and values.buffer_count == 2:
            self.address = _word(values.buffers + 8)
            # It keeps the pixels where they are.
            self._capsule = capsule
