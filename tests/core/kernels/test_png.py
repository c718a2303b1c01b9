from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.kernels.oracles import Array
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import png


def pass_of(y: int, x: int) -> int:
    """In which of its seven passes an interlaced file has a pixel, by the pattern of the format."""
    pattern = [
        "16462646",
        "77777777",
        "56565656",
        "77777777",
        "36463646",
        "77777777",
        "56565656",
        "77777777",
    ]
    return int(pattern[y % 8][x % 8])


def paeth(a: int, b: int, c: int) -> int:
    guess = a + b - c
    return min((abs(guess - v), i, v) for i, v in enumerate((a, b, c)))[2]


def filtered(rows: list[bytes], pixel: int, filters: list[int]) -> bytes:
    """Lines of a PNG file, each written with a filter of its own, byte by byte."""
    result = bytearray()
    above = bytes(len(rows[0]))
    for row, kind in zip(rows, filters, strict=True):
        result.append(kind)
        for i, value in enumerate(row):
            a = row[i - pixel] if i >= pixel else 0
            b, c = above[i], above[i - pixel] if i >= pixel else 0
            guess = [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]
            result.append((value - guess) % 256)
        above = row
    return bytes(result)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def written(image: Array, first_filter: int, interlaced: bool) -> bytes:
    """A PNG file of 16 bits per channel made with loops; its lines take the filters in turn."""
    height, width, channels = image.shape
    passes = [[(y, x) for y in range(height) for x in range(width)]]
    if interlaced:
        passes = [[p for p in passes[0] if pass_of(*p) == number] for number in range(1, 8)]
    lines = b""
    for places in passes:
        rows: dict[int, bytes] = {}
        for y, x in places:
            rows[y] = rows.get(y, b"") + image[y, x].astype(">u2").tobytes()
        if rows:
            kinds = [(first_filter + i) % 5 for i in range(len(rows))]
            lines += filtered(list(rows.values()), 2 * channels, kinds)
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, interlaced)
    stream = zlib.compress(lines)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"tEXt", b"Comment\0by loops")
        + chunk(b"IDAT", stream[:20])
        + chunk(b"IDAT", stream[20:])
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(11, 9), (1, 1), (2, 5), (5, 1)])
def test_reading_every_filter(size: tuple[int, int], channels: int, interlaced: bool) -> None:
    rng = np.random.default_rng(channels)
    image = rng.integers(0, 2**16, (*size, channels)).astype(np.uint16)
    image[::2] //= 300  # so that neighbours are near to each other, too
    for first_filter in range(5):
        result = png.read_16_bits(written(image, first_filter, interlaced))
        assert result.dtype == np.uint16
        np.testing.assert_array_equal(result, image)


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 4),
    st.sampled_from([-1, 0, 9]),
    st.integers(0, 9),
)
def test_what_is_written_can_be_read(h: int, w: int, c: int, compression: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 2**16, (h, w, c)).astype(np.uint16)
    data = png.write(image, compression)
    assert png.header(data) == (w, h, 16, {1: 0, 2: 4, 3: 2, 4: 6}[c], 0)
    np.testing.assert_array_equal(png.read_16_bits(data), image)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pillow_reads_what_is_written(channels: int) -> None:
    from PIL import Image

    image = np.random.default_rng(0).integers(0, 256, (7, 5, channels)).astype(np.uint8)
    with Image.open(io.BytesIO(png.write(image))) as opened:
        assert opened.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
        np.testing.assert_array_equal(np.array(opened).reshape(image.shape), image)
    deep = image[..., :1].astype(np.uint16) * 200
    with Image.open(io.BytesIO(png.write(deep))) as opened:
        np.testing.assert_array_equal(np.array(opened)[..., None], deep)


def damaged() -> list[tuple[str, bytes, str]]:
    image = np.arange(60, dtype=np.uint16).reshape(4, 5, 3)
    good = png.write(image)
    lines = zlib.compress(b"\x09" + bytes(30) + bytes(31 * 3))
    bomb = zlib.compress(bytes(10**6))
    head = good[8:33]

    def with_data(stream: bytes) -> bytes:
        return good[:8] + head + chunk(b"IDAT", stream) + chunk(b"IEND", b"")

    return [
        ("empty", b"", "header is missing"),
        ("cut off", good[:60], "truncated: 0 bytes"),
        ("one bit", good[:50] + bytes([good[50] ^ 1]) + good[51:], "truncated"),
        ("8 bits", png.write(image.astype(np.uint8)), "not that of a PNG file with 16 bits"),
        ("no stream", with_data(b"nonsense"), "damaged"),
        ("short stream", with_data(zlib.compress(bytes(50))), "truncated: 50 bytes of 124"),
        ("filter 9", with_data(lines), "there is no filter 9"),
        ("filter 0", with_data(bomb), ""),
    ]


@pytest.mark.parametrize(("name", "data", "message"), damaged(), ids=lambda v: str(v)[:12])
def test_damaged_files(name: str, data: bytes, message: str) -> None:
    if not message:  # what the header does not promise is not even decompressed
        assert not png.read_16_bits(data).any()
        return
    with pytest.raises(InvalidArgumentError) as caught:
        png.read_16_bits(data)
    assert message in str(caught.value)


def test_a_view_is_written_as_it_looks() -> None:
    base: Any = np.arange(24, dtype=np.uint16).reshape(2, 4, 3) * 1000
    view = base[:, ::-1, ::2]
    np.testing.assert_array_equal(png.read_16_bits(png.write(view)), view)


def test_writing_without_filters_changes_no_pixel() -> None:
    from PIL import Image

    image = np.random.RandomState(0).randint(0, 256, (5, 7, 3)).astype(np.uint8)
    written = png.write(image, compression=1, filtering=False)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(written))), image)
