"""JPEG files, decoded by Pillow.

They are decoded as with TensorFlow's ``dct_method="INTEGER_ACCURATE"`` and
``fancy_upscaling=True``.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.channels import with_channels
from workbench.core.kernels.pillow import Canvas, library, opened, plain
from workbench.core.kernels.support import invalid

SIGNATURE = b"\xff\xd8\xff"
_END = b"\xff\xd9"

#: The second bytes of markers: frames of baseline, extended and progressive files, the start of a
#: scan, and those that say nothing of the pixels' layout and may stand before it (tables of
#: Huffman codes and quantization, intervals of restarts, comments, what applications add).
_FRAMES = (0xC0, 0xC1, 0xC2)
_SCAN = 0xDA
_PASSED_OVER = frozenset((0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)))
_FILL = 0xFF

#: A thread keeps images of up to so many pixels, to decode into them again.
_MOST_KEPT = 1 << 21


class Frame(NamedTuple):
    """The size of a file's image, and how many components its pixels have."""

    width: int
    height: int
    components: int


def read_frame(data: bytes) -> Frame | None:
    """What an ordinary file of 8 bits says of its image; None for other contents."""
    at = 2
    found = None
    end = len(data) - 4
    while at < end and data[at] == _FILL:
        marker = data[at + 1]
        if marker == _FILL:
            at += 1
            continue
        if marker == _SCAN:
            return found
        size = data[at + 2] << 8 | data[at + 3]
        if marker in _FRAMES:
            if found is not None or size < 8 or at + 9 >= end or data[at + 4] != 8:
                return None
            height, width = data[at + 5] << 8 | data[at + 6], data[at + 7] << 8 | data[at + 8]
            if not height or not width:
                return None
            found = Frame(width, height, data[at + 9])
        elif marker not in _PASSED_OVER:
            return None
        at += 2 + size
    return None


def decoded(data: bytes, channels: int, ratio: int = 1, recover: bool = False) -> NDArray[np.uint8]:
    """The image of a file: (height, width, channels).

    Args:
      channels: 0 for those of the file, 1 (grey) or 3 (RGB).
      ratio: 1, 2, 4 or 8: how much smaller to decode it.
      recover: what is missing of the file becomes grey, not an error.
    """
    if channels not in (0, 1, 3):
        raise invalid(f"channels must be one of (0, 1, 3) for a JPEG file, got {channels}")
    if ratio not in (1, 2, 4, 8):
        raise invalid(f"ratio must be 1, 2, 4 or 8, got {ratio}")
    if recover:
        # At an end of the image that comes too early, the rest of it is taken to be plain.
        data += _END
    image = _decoded_at_once(data, channels) if ratio == 1 else None
    if image is None:
        image = _decoded_by_parts(data, channels, ratio)
    return with_channels(image, channels)


def _decoded_at_once(data: bytes, channels: int) -> NDArray[np.uint8] | None:
    """The image of an ordinary file, without looking at all that stands beside it.

    None for others, and where something is wrong: reading it by parts tells what.
    """
    frame = read_frame(data)
    if frame is None or frame.components not in (1, 3):
        return None
    module: Any = library()
    most = module.MAX_IMAGE_PIXELS
    if most is not None and frame.width * frame.height > most:
        return None
    mode = "L" if channels == 1 or frame.components == 1 else "RGB"
    return _canvas(mode, frame.width, frame.height).decode(data, "jpeg")


class _Canvases(threading.local):
    """The last canvas of each thread: images of a data set are often of one size."""

    last: Canvas | None = None


_canvases = _Canvases()


def _canvas(mode: str, width: int, height: int) -> Canvas:
    """The thread's canvas, or another one."""
    last = _canvases.last
    if last is not None and last.mode == mode and last.size == (width, height):
        return last
    made = Canvas(mode, (width, height))
    _canvases.last = made if width * height <= _MOST_KEPT else None
    return made


def _decoded_by_parts(data: bytes, channels: int, ratio: int) -> NDArray[np.uint8]:
    with opened(data, "JPEG") as image:
        size = -(-image.width // ratio), -(-image.height // ratio)
        mode = "L" if channels == 1 and image.mode != "CMYK" else None
        image.draft(mode, (max(image.width // ratio, 1), max(image.height // ratio, 1)))
        if image.size != size:
            image = image.reduce(image.width // size[0])
        return np.array(plain(image, keep_alpha=False))
