"""BMP files that are read here and not by Pillow."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"BM"


def read_plain(data: bytes) -> NDArray[np.uint8] | None:
    """A file of 32 bits per pixel, whose opacity Pillow drops, or one of 8 bits that are grey,
    without the table of colours that Pillow looks for; None for other files."""
    if len(data) < 34:
        return None
    start, size, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", data, 10)
    is_grey = bits == 8 and start == 14 + size
    if compression or width <= 0 or not height or not (bits == 32 or is_grey):
        return None
    count = abs(height)
    # Rows end at a multiple of four bytes.
    stride = -(-width * bits // 32) * 4
    if len(data) < start + stride * count:
        return None
    rows = np.frombuffer(data, np.uint8, stride * count, start).reshape(count, stride)
    # The lowest row comes first unless the height is negative.
    rows = rows[:: -1 if height > 0 else 1]
    if is_grey:
        return rows[:, :width, None].copy()
    # Blue comes first.
    return rows.reshape(count, width, 4)[..., [2, 1, 0, 3]]
