"""PNG files: written with any depth, read with 16 bits per channel.

Writing needs nothing but zlib, so that summaries can hold images on every installation. Reading is
for the files whose depth the usual libraries halve; all others are better read by those.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.support import invalid

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# By the count of channels: grey, grey and opacity, RGB, RGBA.
_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_CHANNELS = {color_type: channels for channels, color_type in _COLOR_TYPES.items()}

# Of each pass of an interlaced image: first column and row, step of columns and rows.
_PASSES = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
]


class Header(NamedTuple):
    """What the beginning of a PNG file says of it."""

    width: int
    height: int
    depth: int
    color_type: int
    interlaced: int


def write(
    image: NDArray[np.uint8] | NDArray[np.uint16], compression: int = -1, filtering: bool = True
) -> bytes:
    """The PNG file of ``image``, an array (height, width, 1 to 4 channels) of 8 or 16 bits.

    Without ``filtering`` rows are compressed as they are: five times as fast, for pictures that
    are soon replaced.

    >>> header(write(np.zeros((2, 3, 1), np.uint8)))
    Header(width=3, height=2, depth=8, color_type=0, interlaced=0)
    """
    height, width, channels = image.shape
    depth = image.dtype.itemsize * 8
    samples = np.ascontiguousarray(image, image.dtype.newbyteorder(">"))
    rows = samples.view(np.uint8).reshape(height, -1)
    if filtering:
        filtered = _filtered(rows, channels * image.dtype.itemsize)
    else:
        filtered = np.pad(rows, ((0, 0), (1, 0)))  # the number of the filter that changes nothing
    head = struct.pack(">IIBBBBB", width, height, depth, _COLOR_TYPES[channels], 0, 0, 0)
    chunks = (
        (b"IHDR", head),
        (b"IDAT", zlib.compress(filtered.tobytes(), compression)),
        (b"IEND", b""),
    )
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _filtered(rows: NDArray[np.uint8], pixel: int) -> NDArray[np.uint8]:
    """Each row as its difference from what its neighbours predict, behind the filter's number.

    Of the five predictions that of the smallest differences is taken, row by row.
    """
    padded = np.pad(rows.astype(np.int16), ((1, 0), (pixel, 0)))
    left, above, corner = padded[1:, :-pixel], padded[:-1, pixel:], padded[:-1, :-pixel]
    slope = left + above - corner
    by_left, by_above, by_corner = (np.abs(slope - near) for near in (left, above, corner))
    nearest = np.where(
        (by_left <= by_above) & (by_left <= by_corner),
        left,
        np.where(by_above <= by_corner, above, corner),
    )
    predictions: tuple[Any, ...] = (np.int16(0), left, above, (left + above) >> 1, nearest)
    result = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    least = np.full(rows.shape[0], np.inf)
    for number, prediction in enumerate(predictions):
        difference = (rows - prediction).astype(np.uint8)
        total = np.abs(difference.view(np.int8).astype(np.int16)).sum(axis=1, dtype=np.float64)
        better = total < least
        least[better] = total[better]
        result[better, 0] = number
        result[better, 1:] = difference[better]
    return result


def header(data: bytes) -> Header:
    """Size and format of a PNG file.

    Raises:
      InvalidArgumentError: ``data`` does not begin like a PNG file.
    """
    if not data.startswith(SIGNATURE) or data[12:16] != b"IHDR" or len(data) < 33:
        raise invalid("the data is not that of a PNG file: its header is missing or damaged")
    width, height, depth, color_type, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    return Header(width, height, depth, color_type, interlaced)


def read_16_bits(data: bytes) -> NDArray[np.uint16]:
    """The image, (height, width, channels), of a PNG file with 16 bits per channel.

    Raises:
      InvalidArgumentError: the file is damaged or truncated, or has not 16 bits.
    """
    head = header(data)
    if head.depth != 16 or head.color_type not in _CHANNELS or not head.width or not head.height:
        raise invalid(f"the data is not that of a PNG file with 16 bits per channel: {head}")
    channels = _CHANNELS[head.color_type]
    parts = _PASSES if head.interlaced else [(0, 0, 1, 1)]
    sizes = [
        (-(-(head.height - row) // row_step), -(-(head.width - column) // column_step))
        for column, row, column_step, row_step in parts
    ]
    pixel = 2 * channels
    total = sum(rows * (columns * pixel + 1) for rows, columns in sizes if rows and columns)
    compressed = b"".join(chunk for kind, chunk in _chunks(data) if kind == b"IDAT")
    decompressor = zlib.decompressobj()
    try:
        # Never more than the header promises, however much a hostile file would expand to.
        filtered = decompressor.decompress(compressed, total)
    except zlib.error as error:
        raise invalid(f"the data of the PNG file is damaged: {error}") from None
    if len(filtered) != total:
        raise invalid(f"the data of the PNG file is truncated: {len(filtered)} bytes of {total}")
    image = np.zeros((head.height, head.width, channels), np.uint16)
    start = 0
    for (column, row, column_step, row_step), (rows, columns) in zip(parts, sizes, strict=True):
        if rows and columns:
            stop = start + rows * (columns * pixel + 1)
            lines = np.frombuffer(filtered[start:stop], np.uint8).reshape(rows, -1)
            samples = _unfiltered(lines, pixel).view(">u2").reshape(rows, columns, channels)
            image[row::row_step, column::column_step] = samples
            start = stop
    return image


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG file; those after damage are left out."""
    place = len(SIGNATURE)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, chunk = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        stop = place + 12 + length
        if stop > len(data) or data[stop - 4 : stop] != struct.pack(">I", zlib.crc32(kind + chunk)):
            return
        yield kind, chunk
        place = stop


def _unfiltered(lines: NDArray[np.uint8], pixel: int) -> NDArray[np.uint8]:
    """The bytes of an image from its lines, each of which begins with the number of its filter.

    ``pixel`` is the count of bytes between a byte and its left neighbour.
    """
    result = np.empty((lines.shape[0], lines.shape[1] - 1), np.uint8)
    above = np.zeros(result.shape[1], np.uint8)
    for line, target in zip(lines, result, strict=True):
        kind, values = int(line[0]), line[1:]
        if kind == 0:
            target[:] = values
        elif kind == 1:
            pixels = values.reshape(-1, pixel)
            np.cumsum(pixels, axis=0, dtype=np.uint8, out=target.reshape(-1, pixel))
        elif kind == 2:
            np.add(values, above, out=target)
        elif kind in (3, 4):
            predict = _average if kind == 3 else _paeth
            target[:] = _predicted(values.tolist(), above.tolist(), pixel, predict)
        else:
            raise invalid(f"the data of the PNG file is damaged: there is no filter {kind}")
        above = target
    return result


def _predicted(values: list[int], above: list[int], pixel: int, predict: Any) -> list[int]:
    """A line whose every byte was written as the difference from a guess by its neighbours."""
    line = [0] * pixel
    corner = [0] * pixel + above
    for place, value in enumerate(values):
        line.append((value + predict(line[place], above[place], corner[place])) & 255)
    return line[pixel:]


def _average(left: int, above: int, corner: int) -> int:
    return (left + above) // 2


def _paeth(left: int, above: int, corner: int) -> int:
    """The neighbour nearest to ``left + above - corner``; of equally near ones, the first."""
    by_left, by_above = abs(above - corner), abs(left - corner)
    by_corner = abs(left + above - 2 * corner)
    if by_left <= by_above and by_left <= by_corner:
        return left
    return above if by_above <= by_corner else corner
