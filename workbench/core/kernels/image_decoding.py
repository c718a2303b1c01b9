"""Images decoded from the contents of files: PNG, JPEG, GIF and BMP.

Files are read by Pillow, which is an extra. As in TensorFlow, the kernels for PNG and JPEG read
each other's files, and GIF files of one frame.

``contents`` is a scalar of ``bytes``. Whatever is wrong with it ends in InvalidArgumentError.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels import bmp, jpeg, png
from workbench.core.kernels.channels import with_channels
from workbench.core.kernels.pillow import opened, plain
from workbench.core.kernels.support import invalid

Bytes = NDArray[np.object_]
Pixels = NDArray[Any]

_SIGNATURES = {
    "PNG": png.SIGNATURE,
    "JPEG": jpeg.SIGNATURE,
    "GIF": b"GIF8",
    "BMP": bmp.SIGNATURE,
}
_METHODS = ("", "INTEGER_FAST", "INTEGER_ACCURATE")


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
        return jpeg.decoded(data, channels, ratio, try_recover_truncated)
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
    image = jpeg.decoded(data, channels, ratio, try_recover_truncated)
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
    with opened(data, kind) as image:
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
    with opened(data, _format(data, "JPEG")) as image:
        return np.array([image.height, image.width, len(image.getbands())], output_type)


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
        image = with_channels(png.read_16_bits(data), channels)
        return image if dtype == np.uint16 else (image >> 8).astype(np.uint8)
    if kind == "JPEG":
        return jpeg.decoded(data, channels)
    if kind == "BMP" and (found := bmp.read_plain(data)) is not None:
        return with_channels(found, channels)
    with opened(data, kind) as image_file:
        if getattr(image_file, "n_frames", 1) > 1:
            raise invalid(
                f"Got {image_file.n_frames} frames in a GIF file, "  # type: ignore[attr-defined]
                "which only decode_gif and decode_image read"
            )
        image = with_channels(np.array(plain(image_file)), channels)
    return image if dtype == np.uint8 else image.astype(np.uint16) * np.uint16(257)
