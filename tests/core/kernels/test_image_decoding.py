from __future__ import annotations

import io
import struct
import sys
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.core.kernels.oracles import Array
from workbench.core.errors import FailedPreconditionError, InvalidArgumentError
from workbench.core.kernels import image_decoding as kernels
from workbench.core.kernels.image_encoding import encode_jpeg, encode_png

HEIGHT, WIDTH = 37, 53


def smooth(channels: int, dtype: Any = np.uint8) -> Array:
    """An image without sharp edges, which JPEG keeps nearly as it is."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [4 * y + x, 3 * x + y, 250 - 2 * y - 2 * x, 3 * y + 2 * x]
    image = np.stack(planes[:channels], axis=-1)
    return (image * (257 if dtype == np.uint16 else 1)).astype(dtype)


def scalar(data: bytes) -> Array:
    return np.array(data, object)


def file(picture: Image.Image, kind: str, **options: Any) -> Array:
    """What Pillow writes."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return scalar(buffer.getvalue())


def jpeg(channels: int = 3, **options: Any) -> Array:
    return encode_jpeg(smooth(channels), **options)


def grey_of(colors: Array) -> Array:
    """Grey by the integer arithmetic of libpng; what is grey already stays exactly so."""
    red, green, blue = (colors[..., i].astype(np.int64) for i in range(3))
    half = 16384 if colors.dtype == np.uint16 else 0
    return ((9797 * red + 19234 * green + 3737 * blue + half) // 32768)[..., None]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("own", [1, 2, 3, 4])
def test_png_files_in_every_count_of_channels(own: int, dtype: Any) -> None:
    image = smooth(own, dtype)
    contents = encode_png(image)
    most = np.iinfo(dtype).max
    decoded = kernels.decode_png(contents, dtype=dtype)
    assert decoded.dtype == dtype
    np.testing.assert_array_equal(decoded, image)
    colors = image[..., :3] if own > 2 else np.repeat(image[..., :1], 3, axis=2)
    opacity = image[..., -1:] if own in (2, 4) else np.full_like(image[..., :1], most)
    for channels, expected in [
        (1, image[..., :1] if own < 3 else grey_of(image)),
        (3, colors),
        (4, np.concatenate([colors, opacity], axis=2)),
    ]:
        result = kernels.decode_png(contents, channels=channels, dtype=dtype)
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, expected)


def test_png_depths_are_converted() -> None:
    eight, sixteen = smooth(3), smooth(3, np.uint16) + np.uint16(9)
    result = kernels.decode_png(encode_png(eight), dtype=np.uint16)
    np.testing.assert_array_equal(result, eight.astype(np.uint16) * 257)
    result = kernels.decode_png(encode_png(sixteen))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, sixteen // 256)


def test_png_files_with_palettes_and_single_bits() -> None:
    picture = Image.fromarray(smooth(3)).quantize(16)
    expected = np.array(picture.convert("RGB"))
    np.testing.assert_array_equal(kernels.decode_png(file(picture, "PNG")), expected)
    seen = kernels.decode_png(file(picture, "PNG", transparency=3))
    np.testing.assert_array_equal(seen[..., :3], expected)
    np.testing.assert_array_equal(seen[..., 3] == 0, np.array(picture) == 3)
    bits = smooth(1)[..., 0] > 90
    result = kernels.decode_png(file(Image.fromarray(bits), "PNG"))
    np.testing.assert_array_equal(result, bits[..., None] * np.uint8(255))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": 100, "chroma_downsampling": False},
        {"progressive": True},
        {"optimize_size": True},
        {"format": "rgb or grayscale"},
    ],
    ids=str,
)
def test_jpeg_there_and_back(channels: int, options: dict[str, Any]) -> None:
    if "format" in options:
        options = {"format": {1: "grayscale", 3: "rgb"}[channels]}
    image = smooth(channels)
    contents = encode_jpeg(image, **options)
    assert isinstance(contents.item(), bytes)
    decoded = kernels.decode_jpeg(contents)
    assert (decoded.dtype, decoded.shape) == (np.uint8, image.shape)
    assert np.abs(decoded.astype(int) - image).mean() < 1.5
    shape = kernels.extract_jpeg_shape(contents)
    assert (shape.dtype, shape.tolist()) == (np.int32, [HEIGHT, WIDTH, channels])
    assert kernels.extract_jpeg_shape(contents, output_type=np.dtype(np.int64)).dtype == np.int64


def test_jpeg_quality_and_channels() -> None:
    sizes = [len(jpeg(quality=q).item()) for q in (0, 50, 100)]
    assert sizes == sorted(sizes)
    image = smooth(3)
    grey = kernels.decode_jpeg(jpeg(), channels=1)
    assert grey.shape == (HEIGHT, WIDTH, 1)
    luma = image @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[..., 0] - luma).max() < 6
    colored = kernels.decode_jpeg(jpeg(1), channels=3)
    assert colored.shape == image.shape
    assert (colored == colored[..., :1]).all()


@pytest.mark.parametrize("ratio", [1, 2, 4, 8])
def test_jpeg_files_decoded_smaller(ratio: int) -> None:
    result = kernels.decode_jpeg(jpeg(), ratio=ratio)
    assert result.shape == (-(-HEIGHT // ratio), -(-WIDTH // ratio), 3)
    middle = smooth(3)[ratio // 2 :: ratio, ratio // 2 :: ratio]
    part = result[: middle.shape[0], : middle.shape[1]].astype(int)
    assert np.abs(part - middle)[:-1, :-1].max() < 12
    tiny = encode_jpeg(np.full((5, 6, 3), 77, np.uint8))
    result = kernels.decode_jpeg(tiny, ratio=ratio)
    assert result.shape == (-(-5 // ratio), -(-6 // ratio), 3)
    assert np.abs(result.astype(int) - 77).max() <= 1


def test_jpeg_metadata() -> None:
    data = jpeg(x_density=100, y_density=50, xmp_metadata="<x/>").item()
    assert b"http://ns.adobe.com/xap/1.0/\0<x/>" in data
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.info["dpi"] == (100, 50)
    data = jpeg(x_density=100, y_density=100, density_unit="cm").item()
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.info["dpi"] == (254, 254)


def test_cropping_a_jpeg_file() -> None:
    whole = kernels.decode_jpeg(jpeg(), channels=3)
    part = kernels.decode_and_crop_jpeg(jpeg(), np.array([5, 7, 20, 30]), channels=3)
    np.testing.assert_array_equal(part, whole[5:25, 7:37])
    half = kernels.decode_jpeg(jpeg(), ratio=2)
    part = kernels.decode_and_crop_jpeg(jpeg(), np.array([0, 0, *half.shape[:2]]), ratio=2)
    np.testing.assert_array_equal(part, half)
    for window in ([0, 0, 38, 53], [-1, 0, 5, 5], [3, 4, 0, 5], [30, 50, 4, 4]):
        with pytest.raises(InvalidArgumentError, match="within the image of 37 by 53"):
            kernels.decode_and_crop_jpeg(jpeg(), np.array(window))
    with pytest.raises(InvalidArgumentError, match="a PNG file, accepted here: JPEG"):
        kernels.decode_and_crop_jpeg(encode_png(smooth(3)), np.array([0, 0, 1, 1]))


def test_a_truncated_jpeg_file() -> None:
    data = jpeg().item()
    cut = scalar(data[:-100])
    with pytest.raises(InvalidArgumentError, match="not those of a whole JPEG file"):
        kernels.decode_jpeg(cut)
    result = kernels.decode_jpeg(cut, try_recover_truncated=True)
    assert result.shape == (HEIGHT, WIDTH, 3)
    whole = kernels.decode_jpeg(jpeg())
    np.testing.assert_array_equal(result[:8, :40], whole[:8, :40])
    assert (result[-5:] != whole[-5:]).any()


def frames() -> list[Image.Image]:
    pictures = [Image.fromarray(np.roll(smooth(3), 5 * k, axis=1)) for k in range(3)]
    return [picture.quantize(64) for picture in pictures]


def test_gif_files() -> None:
    pictures = frames()
    expected = np.stack([np.array(picture.convert("RGB")) for picture in pictures])
    moving = file(pictures[0], "GIF", save_all=True, append_images=pictures[1:])
    result = kernels.decode_gif(moving)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, expected)
    still = file(pictures[0], "GIF")
    np.testing.assert_array_equal(kernels.decode_gif(still), expected[:1])
    np.testing.assert_array_equal(kernels.decode_png(still), expected[0])
    np.testing.assert_array_equal(kernels.decode_jpeg(still), expected[0])
    with pytest.raises(
        InvalidArgumentError, match="Got 3 frames in a GIF file, which only decode_gif"
    ):
        kernels.decode_png(moving)
    np.testing.assert_array_equal(kernels.decode_gif(encode_png(smooth(3)))[0], smooth(3))


def test_frames_that_hold_only_what_changed() -> None:
    first = np.zeros((20, 30, 3), np.uint8)
    first[5:9, 5:9] = 200
    second = first.copy()
    second[12:15, 20:25] = [9, 99, 199]
    moving = file(
        Image.fromarray(first), "GIF", save_all=True, append_images=[Image.fromarray(second)]
    )
    np.testing.assert_array_equal(kernels.decode_gif(moving), np.stack([first, second]))


def test_methods_that_there_are_not() -> None:
    message = raised(lambda: kernels.decode_jpeg(jpeg(), dct_method="FLOAT"))
    assert (
        "dct_method must be one of '', 'INTEGER_FAST', 'INTEGER_ACCURATE', got 'FLOAT'" in message
    )


def test_bmp_files() -> None:
    image = smooth(3)
    contents = file(Image.fromarray(image), "BMP")
    np.testing.assert_array_equal(kernels.decode_bmp(contents), image)
    result = kernels.decode_bmp(contents, channels=4)
    np.testing.assert_array_equal(result[..., :3], image)
    assert (result[..., 3] == 255).all()
    grey = file(Image.fromarray(smooth(1)[..., 0]), "BMP")
    np.testing.assert_array_equal(kernels.decode_bmp(grey), smooth(1))


@pytest.mark.parametrize("upside_down", [False, True])
def test_bmp_files_of_grey_without_a_table_of_colors(upside_down: bool) -> None:
    image = np.array([[1, 2, 3], [200, 100, 50]], np.uint8)
    # Rows of three pixels are filled up to four bytes.
    rows = np.pad(image, [(0, 0), (0, 1)])[:: 1 if upside_down else -1]
    header = struct.pack("<2sIIIIiiHHI", b"BM", 62, 0, 54, 40, 3, -2 if upside_down else 2, 1, 8, 0)
    contents = np.array(header + bytes(20) + rows.tobytes(), object)
    np.testing.assert_array_equal(kernels.decode_bmp(contents), image[..., None])
    colored = kernels.decode_bmp(contents, channels=3)
    np.testing.assert_array_equal(colored, np.repeat(image[..., None], 3, axis=2))


@pytest.mark.parametrize("upside_down", [False, True])
def test_bmp_files_with_opacity(upside_down: bool) -> None:
    image = smooth(4)
    size = WIDTH, -HEIGHT if upside_down else HEIGHT
    head = struct.pack("<2sIHHI", b"BM", 54 + image.size, 0, 0, 54)
    head += struct.pack("<IiiHHIIiiII", 40, *size, 1, 32, 0, 0, 0, 0, 0, 0)
    rows = image if upside_down else image[::-1]
    contents = scalar(head + rows[..., [2, 1, 0, 3]].tobytes())
    np.testing.assert_array_equal(kernels.decode_bmp(contents), image)
    np.testing.assert_array_equal(kernels.decode_bmp(contents, channels=3), image[..., :3])


def test_any_image() -> None:
    image = smooth(3)
    moving = file(frames()[0], "GIF", save_all=True, append_images=frames()[1:])
    for contents in (
        encode_png(image),
        file(Image.fromarray(image), "BMP"),
        file(Image.fromarray(image), "PNG"),
    ):
        np.testing.assert_array_equal(kernels.decode_image(contents), image)
        result = kernels.decode_image(contents, dtype=np.uint16)
        np.testing.assert_array_equal(result, image.astype(np.uint16) * 257)
        result = kernels.decode_image(contents, dtype=np.float32)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, image / 255, rtol=1e-6)
    np.testing.assert_array_equal(kernels.decode_image(jpeg()), kernels.decode_jpeg(jpeg()))
    assert kernels.decode_image(moving).shape == (3, HEIGHT, WIDTH, 3)
    assert kernels.decode_image(moving, expand_animations=False).shape == (HEIGHT, WIDTH, 3)
    deep = smooth(1, np.uint16)
    result = kernels.decode_image(encode_png(deep), dtype=np.uint16)
    np.testing.assert_array_equal(result, deep)
    result = kernels.decode_image(encode_png(deep), dtype=np.float32)
    np.testing.assert_allclose(result, deep / 65535, rtol=1e-6)


def raised(call: Callable[[], Any]) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    return str(caught.value)


def test_contents_that_are_no_image() -> None:
    for kernel in (kernels.decode_png, kernels.decode_gif, kernels.decode_image):
        assert "the contents are empty" in raised(lambda k=kernel: k(scalar(b"")))
        assert "begin with b'hell'" in raised(lambda k=kernel: k(scalar(b"hello")))
    assert "decode_image reads them all" in raised(lambda: kernels.decode_bmp(jpeg()))
    for broken in (encode_png(smooth(3)), jpeg(), file(frames()[0], "GIF")):
        cut = scalar(broken.item()[:50])
        assert "not those of a whole" in raised(lambda c=cut: kernels.decode_image(c))
    assert "must be a scalar string" in raised(
        lambda: kernels.decode_png(np.array([b"a", b"b"], object))
    )


def test_damage_anywhere_is_reported_or_harmless() -> None:
    rng = np.random.default_rng(0)
    for contents in (
        encode_png(smooth(3)),
        encode_png(smooth(3, np.uint16)),
        jpeg(),
        file(frames()[0], "GIF"),
        file(Image.fromarray(smooth(3)), "BMP"),
    ):
        data = contents.item()
        for place in rng.integers(22, min(len(data), 400), 40).tolist():
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            try:
                kernels.decode_image(scalar(changed))
            except InvalidArgumentError as error:
                assert str(error)


def test_a_size_that_is_a_lie_is_refused() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    assert "not those of a whole PNG" in raised(
        lambda: kernels.decode_png(scalar(b"\x89PNG\r\n\x1a\n" + body))
    )


def test_arguments_out_of_their_range() -> None:
    image, contents = smooth(3), encode_png(smooth(3))
    for call, message in [
        (lambda: kernels.decode_png(contents, channels=2), "one of (0, 1, 3, 4) for a PNG file"),
        (lambda: kernels.decode_png(jpeg(), channels=4), "one of (0, 1, 3) for a JPEG file"),
        (lambda: kernels.decode_png(contents, dtype=np.int32), "dtype must be uint8, or uint16"),
        (lambda: kernels.decode_png(jpeg(), dtype=np.uint16), "dtype must be uint8, or uint16"),
        (lambda: kernels.decode_image(contents, dtype=np.int8), "uint8, uint16 or float32"),
        (lambda: kernels.decode_jpeg(jpeg(), ratio=3), "ratio must be 1, 2, 4 or 8, got 3"),
        (lambda: encode_png(image[..., 0]), "got (37, 53)"),
        (lambda: encode_png(image[:0]), "got (0, 53, 3)"),
        (lambda: encode_png(image, compression=10), "between -1 (the default) and 9"),
        (lambda: encode_jpeg(smooth(4)), "1 or 3 channels, got (37, 53, 4)"),
        (lambda: encode_jpeg(image, format="grayscale"), "1 channels, got (37, 53, 3)"),
        (lambda: encode_jpeg(image, format="cmyk"), "format must be '', 'grayscale'"),
        (lambda: encode_jpeg(image, quality=101), "between 0 and 100, got 101"),
        (lambda: encode_jpeg(image, density_unit="m"), "'in' or 'cm', got 'm'"),
        (lambda: encode_jpeg(image, xmp_metadata="x" * 70000), "must fit into"),
    ]:
        assert message in raised(call)


def test_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = jpeg()
    monkeypatch.setitem(sys.modules, "PIL", None)
    for call in (
        lambda: kernels.decode_jpeg(contents),
        lambda: encode_jpeg(smooth(3)),
        lambda: kernels.decode_png(encode_png(smooth(3))),
    ):
        with pytest.raises(FailedPreconditionError) as caught:
            call()
        assert "pip install workbench[image]" in str(caught.value)
    # PNG files are written without it, and those of 16 bits read.
    deep = smooth(2, np.uint16)
    result = kernels.decode_png(encode_png(deep), dtype=np.uint16)
    np.testing.assert_array_equal(result, deep)
