"""JPEG files: the short way through an ordinary file, against Pillow's own."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.core.kernels.machine_code import both_ways
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import jpeg

RANDOM = np.random.default_rng(3)
NOISE = RANDOM.integers(0, 256, (24, 32, 3), np.uint8)


def picture(mode: str, width: int, height: int) -> Image.Image:
    return Image.fromarray(NOISE).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def written(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def by_pillow(data: bytes, mode: str | None) -> Any:
    with Image.open(io.BytesIO(data)) as image:
        image.draft(mode, image.size)
        return np.array(image)


FILES = {
    "colours": written(picture("RGB", 131, 67)),
    "grey": written(picture("L", 131, 67)),
    "one pixel": written(picture("RGB", 1, 1)),
    "large": written(picture("RGB", 700, 500), quality=95),
    "not subsampled": written(picture("RGB", 50, 40), subsampling=0),
    "half subsampled": written(picture("RGB", 51, 41), subsampling=1),
    "progressive": written(picture("RGB", 90, 60), progressive=True),
    "own tables": written(picture("RGB", 90, 60), optimize=True, quality=30),
    "restarts": written(picture("RGB", 90, 60), restart_marker_blocks=2),
    "a comment": written(picture("RGB", 20, 20), comment=b"x" * 300, dpi=(300, 300)),
    "an application's": written(picture("RGB", 20, 20), exif=b"Exif\0\0" + bytes(40)),
    "kept as it is": written(picture("RGB", 33, 20), keep_rgb=True),
    "followed by more": written(picture("RGB", 33, 20)) + b"more",
}


@pytest.mark.parametrize("channels", [0, 1, 3])
@pytest.mark.parametrize("name", FILES)
def test_both_ways_are_pillows(name: str, channels: int) -> None:
    data = FILES[name]
    expected = by_pillow(data, "L" if channels == 1 else None)
    if expected.ndim == 2:
        expected = np.repeat(expected[..., None], max(channels, 1), axis=2)
    for found in both_ways(lambda: jpeg.decoded(data, channels)):
        assert found.flags.c_contiguous
        assert found.flags.writeable
        np.testing.assert_array_equal(found, expected)
    assert jpeg._decoded_at_once(data, channels) is not None


def test_a_file_says_how_large_it_is() -> None:
    assert jpeg.read_frame(FILES["colours"]) == (131, 67, 3)
    assert jpeg.read_frame(FILES["grey"]) == (131, 67, 1)
    # Bytes that fill up before a marker.
    assert jpeg.read_frame(b"\xff\xd8\xff\xff" + FILES["grey"][2:]) == (131, 67, 1)


def test_files_of_four_colours_are_left_to_pillow() -> None:
    data = written(picture("CMYK", 31, 17))
    assert jpeg._decoded_at_once(data, 3) is None
    with Image.open(io.BytesIO(data)) as image:
        expected = np.array(image.convert("RGB"))
    np.testing.assert_array_equal(jpeg.decoded(data, 3), expected)


def test_images_too_large_for_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InvalidArgumentError, match="decompression bomb"):
        jpeg.decoded(FILES["large"], 3)


@pytest.mark.parametrize("kept", [2, 20, 150, 400, -1, -2, -30])
def test_files_cut_short(kept: int) -> None:
    with pytest.raises(InvalidArgumentError, match="not those of a whole JPEG file"):
        jpeg.decoded(FILES["colours"][:kept], 3)


def outcome(decode: Callable[..., Any], data: bytes) -> Any:
    """The image, or None where there is an error."""
    try:
        return decode(data, 3).tolist()
    except InvalidArgumentError:
        return None


def by_parts(data: bytes, channels: int) -> Any:
    return jpeg._decoded_by_parts(data, channels, 1)


@pytest.mark.parametrize("lost", [1, 2, 3, 30])
@pytest.mark.parametrize("more", [5, 100])
def test_zeros_in_place_of_the_end(lost: int, more: int) -> None:
    data = FILES["colours"][:-lost] + bytes(more)
    assert outcome(jpeg.decoded, data) == outcome(by_parts, data)


@pytest.mark.parametrize("name", ["not subsampled", "restarts", "progressive"])
def test_damage_in_the_pixels(name: str) -> None:
    random = np.random.default_rng(4)
    whole = FILES[name]
    begin = whole.index(b"\xff\xda") + 14
    for _ in range(40):
        data = bytearray(whole)
        data[random.integers(begin, len(data))] = random.integers(256)
        assert outcome(jpeg.decoded, bytes(data)) == outcome(by_parts, bytes(data))


def test_nothing_is_left_of_the_image_before() -> None:
    bright = written(Image.new("RGB", (64, 48), (250, 240, 230)))
    noise = written(picture("RGB", 64, 48), quality=95)
    expected = {data: by_pillow(data, None) for data in (bright, noise)}
    for data in (bright, noise, bright):
        np.testing.assert_array_equal(jpeg.decoded(data, 3), expected[data])
        with pytest.raises(InvalidArgumentError):
            jpeg.decoded(noise[:-200], 3)
    first = jpeg.decoded(bright, 3)
    jpeg.decoded(noise, 3)
    np.testing.assert_array_equal(first, expected[bright])


def test_threads_decode_side_by_side() -> None:
    names = ["colours", "progressive", "not subsampled", "grey"]
    expected = {name: by_pillow(FILES[name], None) for name in names}

    def same(name: str) -> bool:
        found = [jpeg.decoded(FILES[name], 0) for _ in range(20)]
        return all((each.reshape(expected[name].shape) == expected[name]).all() for each in found)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(same, names * 3, timeout=60))


@pytest.mark.parametrize("error", [AttributeError, ValueError])
def test_where_pillow_keeps_its_memory_to_itself(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(image: Image.Image) -> None:
        raise error

    monkeypatch.setattr(Image.Image, "__arrow_c_array__", refuse)
    monkeypatch.setattr(jpeg._canvases, "last", None)
    expected = by_pillow(FILES["colours"], None)
    for found in both_ways(lambda: jpeg.decoded(FILES["colours"], 3)):
        np.testing.assert_array_equal(found, expected)
    monkeypatch.setattr(jpeg._canvases, "last", None)


def test_an_image_that_pillow_has_in_pieces() -> None:
    data = written(picture("RGB", 2400, 2100))
    for found in both_ways(lambda: jpeg.decoded(data, 3)):
        np.testing.assert_array_equal(found, by_pillow(data, None))
