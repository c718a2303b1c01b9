"""Images as the contents of files: PNG, JPEG, GIF and BMP.

Files are read by Pillow, which is an extra. As in TensorFlow, the kernels for PNG and JPEG read
each other's files, and GIF files of one frame. JPEG files are decoded as with TensorFlow's
``dct_method="INTEGER_ACCURATE"`` and ``fancy_upscaling=True``.

``contents`` is a scalar of ``bytes``. Whatever is wrong with it ends in InvalidArgumentError.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import FailedPreconditionError
from workbench.core.kernels import png
from workbench.core.kernels.support import invalid

if TYPE_CHECKING:
    from PIL.Image import Image

Bytes = NDArray[np.object_]
Pixels = NDArray[Any]

_SIGNATURES = {
    "PNG": png.SIGNATURE,
    "JPEG": b"\xff\xd8\xff",
    "GIF": b"GIF8",
    "BMP": b"BM",
}
_METHODS = ("", "INTEGER_FAST", "INTEGER_ACCURATE")
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
# What is red, green and blue of grey, in 1/32768: as libpng, which TensorFlow uses, has it.
_GREY = np.array([9797, 19234, 3737], np.uint32)
_GREY_SHIFT = np.uint32(15)


def decode_png(contents: Bytes, *, channels: int = 0, dtype: Any = np.uint8) -> Pixels:
    """A PNG, JPEG or GIF file as an array (height, width, channels).

    Args:
      channels: 0 for those of the file, else 1 (grey), 3 (RGB) or 4 (RGBA).
      dtype: uint8, or for PNG files uint16.
    """
    data = _bytes(contents)
    return _decoded(data, _format(data, "PNG", "JPEG", "GIF"), channels, np.dtype(dtype))


def decode_jpeg(
    contents: Bytes,
    *,
    channels: int = 0,
    ratio: int = 1,
    try_recover_truncated: bool = False,
    dct_method: str = "",
) -> Pixels:
    """A JPEG, PNG or GIF file as a uint8 array (height, width, channels).

    Args:
      channels: 0 for those of the file, else 1 (grey) or 3 (RGB).
      ratio: 1, 2, 4 or 8: how much smaller to decode a JPEG file, which is faster.
      try_recover_truncated: what is missing of a JPEG file becomes grey, not an error.
      dct_method: one of TensorFlow's names; all are the accurate method here.
    """
    _check_method(dct_method)
    data = _bytes(contents)
    kind = _format(data, "JPEG", "PNG", "GIF")
    if kind == "JPEG":
        return _decoded_jpeg(data, channels, ratio, try_recover_truncated)
    return _decoded(data, kind, channels, np.dtype(np.uint8))


def decode_and_crop_jpeg(
    contents: Bytes,
    crop_window: NDArray[np.int32],
    *,
    channels: int = 0,
    ratio: int = 1,
    try_recover_truncated: bool = False,
    dct_method: str = "",
) -> Pixels:
    """The part ``crop_window`` (top, left, height, width) of what ``decode_jpeg`` gives."""
    _check_method(dct_method)
    data = _bytes(contents)
    _format(data, "JPEG")
    image = _decoded_jpeg(data, channels, ratio, try_recover_truncated)
    window = np.asarray(crop_window).tolist()
    if np.shape(window) != (4,):
        raise invalid(f"crop_window must have 4 numbers, got {window}")
    top, left, height, width = window
    bottom, right = top + height, left + width
    if not (0 <= top < bottom <= image.shape[0] and 0 <= left < right <= image.shape[1]):
        raise invalid(
            "Invalid JPEG data or crop window: crop_window must lie within the image of "
            f"{image.shape[0]} by {image.shape[1]} pixels, got top {top}, left {left}, height "
            f"{height} and width {width}"
        )
    return image[top:bottom, left:right].copy()


def decode_gif(contents: Bytes) -> Pixels:
    """The frames of a GIF file, or a PNG or JPEG file as one: (frames, height, width, 3), uint8."""
    data = _bytes(contents)
    kind = _format(data, "GIF", "PNG", "JPEG")
    if kind != "GIF":
        return _decoded(data, kind, 3, np.dtype(np.uint8))[None]
    with _opened(data, kind) as image:
        frames = []
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            frames.append(np.array(image.convert("RGB")))
        return np.stack(frames)


def decode_bmp(contents: Bytes, *, channels: int = 0) -> Pixels:
    """A BMP file as a uint8 array (height, width, channels); ``channels`` as for ``decode_png``."""
    data = _bytes(contents)
    if data.startswith(b"B") and not data.startswith(_SIGNATURES["BMP"]):
        # TensorFlow does not look at the signature, and there are files with others.
        data = _SIGNATURES["BMP"] + data[2:]
    return _decoded(data, _format(data, "BMP"), channels, np.dtype(np.uint8))


def decode_image(
    contents: Bytes, *, channels: int = 0, dtype: Any = np.uint8, expand_animations: bool = True
) -> Pixels:
    """A file of any of the formats: (height, width, channels), or for a GIF file all its frames.

    Args:
      dtype: uint8; uint16, where 8 bits are scaled up; or float32, from 0 to 1.
      expand_animations: if false, of a GIF file only the first frame.
    """
    data = _bytes(contents)
    kind = _format(data, *_SIGNATURES)
    dtype = np.dtype(dtype)
    if dtype not in (np.uint8, np.uint16, np.float32):
        raise invalid(f"dtype must be uint8, uint16 or float32, got {dtype}")
    if kind == "PNG":
        depth = np.dtype(np.uint16 if png.header(data).depth == 16 else np.uint8)
        if dtype == np.uint8:
            depth = dtype
        image = _decoded(data, kind, channels, depth)
    elif kind == "GIF":
        if channels not in (0, 3):
            raise invalid(f"channels must be 0 or 3 for a GIF file, got {channels}")
        image = decode_gif(contents)
        image = image if expand_animations else image[0]
    else:
        image = _decoded(data, kind, channels, np.dtype(np.uint8))
    if dtype == np.float32:
        return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    if image.dtype != dtype:
        return image.astype(np.uint16) * np.uint16(257)
    return image


def extract_jpeg_shape(contents: Bytes, *, output_type: Any = np.int32) -> Pixels:
    """Height, width and channels of a JPEG file, without decoding it."""
    data = _bytes(contents)
    with _opened(data, _format(data, "JPEG")) as image:
        return np.array([image.height, image.width, len(image.getbands())], output_type)


def encode_png(image: Pixels, *, compression: int = -1) -> Bytes:
    """The PNG file of an image (height, width, 1 to 4 channels) of uint8 or uint16.

    >>> encode_png(np.zeros((1, 1, 1), np.uint8)).item()[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    if image.ndim != 3 or not 1 <= image.shape[2] <= 4 or not image.size:
        raise invalid(
            "the image must have the shape [height, width, channels] with pixels and 1 to 4 "
            f"channels, got {image.shape}"
        )
    if not -1 <= compression <= 9:
        raise invalid(f"compression must be between -1 (the default) and 9, got {compression}")
    return np.array(png.write(image, compression), object)


def encode_jpeg(
    image: NDArray[np.uint8],
    *,
    format: str = "",
    quality: int = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: str = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: str | bytes = "",
) -> Bytes:
    """The JPEG file of an image (height, width, channels), grey or RGB.

    Args:
      format: "grayscale" or "rgb", which the channels must agree with; "" to go by the channels.
      quality: from 0 to 100.
    """
    wanted = {"": (1, 3), "grayscale": (1,), "rgb": (3,)}.get(format)
    if wanted is None:
        raise invalid(f"format must be '', 'grayscale' or 'rgb', got {format!r}")
    if image.ndim != 3 or image.shape[2] not in wanted or not image.size:
        counts = " or ".join(map(str, wanted))
        raise invalid(
            f"the image must have the shape [height, width, channels] with pixels and {counts} "
            f"channels, got {image.shape}"
        )
    if not 0 <= quality <= 100:
        raise invalid(f"quality must be between 0 and 100, got {quality}")
    if density_unit not in ("in", "cm"):
        raise invalid(f"density_unit must be 'in' or 'cm', got {density_unit!r}")
    library = _pillow()
    picture = library.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    to_inch = 1 if density_unit == "in" else 2.54
    file = io.BytesIO()
    picture.save(
        file,
        "JPEG",
        quality=quality,
        progressive=progressive,
        optimize=optimize_size,
        subsampling=2 if chroma_downsampling else 0,
        dpi=(round(x_density * to_inch), round(y_density * to_inch)),
        extra=_xmp_segment(xmp_metadata),
    )
    return np.array(file.getvalue(), object)


def _check_method(dct_method: str) -> None:
    if dct_method not in _METHODS:
        raise invalid(
            f"dct_method must be one of {', '.join(map(repr, _METHODS))}, got {dct_method!r}"
        )


def _bytes(contents: Bytes) -> bytes:
    value = np.asarray(contents, object)
    if value.ndim or not isinstance(value.item(), bytes):
        raise invalid(f"contents must be a scalar string, got the shape {value.shape}")
    data: bytes = value.item()
    return data


def _format(data: bytes, *accepted: str) -> str:
    """The format of a file by how it begins."""
    for kind, signature in _SIGNATURES.items():
        if data.startswith(signature):
            if kind in accepted:
                return kind
            raise invalid(
                f"the contents are those of a {kind} file, accepted here: {', '.join(accepted)}; "
                "decode_image reads them all"
            )
    begin = f"begin with {data[:4]!r}" if data else "are empty"
    raise invalid(f"the contents {begin}: that is no file of the formats {', '.join(accepted)}")


def _decoded(data: bytes, kind: str, channels: int, dtype: np.dtype[Any]) -> Pixels:
    """One image of a file, (height, width, channels)."""
    accepted = (0, 1, 3) if kind == "JPEG" else (0, 3) if kind == "GIF" else (0, 1, 3, 4)
    if channels not in accepted:
        raise invalid(f"channels must be one of {accepted} for a {kind} file, got {channels}")
    if dtype != np.uint8 and (dtype != np.uint16 or kind != "PNG"):
        raise invalid(f"dtype must be uint8, or uint16 for a PNG file; got {dtype} for a {kind}")
    if kind == "PNG" and png.header(data).depth == 16:
        image = _with_channels(png.read_16_bits(data), channels)
        return image if dtype == np.uint16 else (image >> 8).astype(np.uint8)
    if kind == "JPEG":
        return _decoded_jpeg(data, channels, 1, False)
    if kind == "BMP" and (plain := _plain_bmp(data)) is not None:
        return _with_channels(plain, channels)
    with _opened(data, kind) as opened:
        if getattr(opened, "n_frames", 1) > 1:
            raise invalid(
                f"Got {opened.n_frames} frames in a GIF file, "  # type: ignore[attr-defined]
                "which only decode_gif and decode_image read"
            )
        image = _with_channels(np.array(_plain(opened)), channels)
    return image if dtype == np.uint8 else image.astype(np.uint16) * np.uint16(257)


def _decoded_jpeg(data: bytes, channels: int, ratio: int, recover: bool) -> Pixels:
    if channels not in (0, 1, 3):
        raise invalid(f"channels must be one of (0, 1, 3) for a JPEG file, got {channels}")
    if ratio not in (1, 2, 4, 8):
        raise invalid(f"ratio must be 1, 2, 4 or 8, got {ratio}")
    if recover:
        # At an end of the image that comes too early, the rest of it is taken to be plain.
        data += b"\xff\xd9"
    with _opened(data, "JPEG") as image:
        size = -(-image.width // ratio), -(-image.height // ratio)
        mode = "L" if channels == 1 and image.mode != "CMYK" else None
        image.draft(mode, (max(image.width // ratio, 1), max(image.height // ratio, 1)))
        if image.size != size:
            image = image.reduce(image.width // size[0])
        return _with_channels(np.array(_plain(image, keep_alpha=False)), channels)


def _plain_bmp(data: bytes) -> Pixels | None:
    """A BMP file of 32 bits per pixel, whose opacity Pillow drops, or one of 8 bits that are grey,
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


def _plain(image: Image, keep_alpha: bool = True) -> Image:
    """An image as grey, grey and opacity, RGB or RGBA, whichever loses nothing of it."""
    if image.mode in _MODES.values():
        return image
    if image.mode in ("1", "I", "F") or image.mode.startswith("I;16"):
        return image.convert("L")
    if keep_alpha and image.format == "PNG" and "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def _with_channels(image: Pixels, channels: int) -> Pixels:
    """An image with 1, 3 or 4 channels, or with its own if ``channels`` is 0."""
    if image.ndim == 2:
        image = image[..., None]
    own = image.shape[2]
    if channels in (0, own):
        return image
    colors, opacity = (image[..., :-1], image[..., -1:]) if own in (2, 4) else (image, None)
    if channels == 1 and colors.shape[2] == 3:
        half = np.uint32(1 << 14 if image.dtype == np.uint16 else 0)
        return ((colors @ _GREY + half) >> _GREY_SHIFT).astype(image.dtype)[..., None]
    if channels > 1 and colors.shape[2] == 1:
        colors = np.repeat(colors, 3, axis=2)
    if channels < 4:
        return np.ascontiguousarray(colors)
    if opacity is None:
        opacity = np.full((*image.shape[:2], 1), np.iinfo(image.dtype).max, image.dtype)
    return np.concatenate([colors, opacity], axis=2)


def _xmp_segment(xmp_metadata: str | bytes) -> bytes:
    """The segment of a JPEG file that holds XMP metadata."""
    if not xmp_metadata:
        return b""
    text = xmp_metadata.encode() if isinstance(xmp_metadata, str) else xmp_metadata
    body = b"http://ns.adobe.com/xap/1.0/\x00" + text
    if len(body) > 0xFFFD:
        raise invalid(f"xmp_metadata must fit into {0xFFFD - 29} bytes, got {len(text)}")
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _pillow() -> Any:
    """Pillow's module for images, loaded with its first use."""
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
def _opened(data: bytes, kind: str) -> Iterator[Image]:
    """A file opened by Pillow, as ``kind`` and nothing else; its errors become ours."""
    library = _pillow()
    try:
        with library.open(io.BytesIO(data), formats=[kind]) as image:
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
        library.DecompressionBombError,
    ) as error:
        raise invalid(
            f"the contents ({len(data)} bytes) are not those of a whole {kind} file: {error}"
        ) from None
