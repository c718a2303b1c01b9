"""Images encoded as the contents of files: PNG and JPEG."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels import png
from workbench.core.kernels.pillow import library
from workbench.core.kernels.support import invalid

Bytes = NDArray[np.object_]
Pixels = NDArray[Any]


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
    picture = library().fromarray(image[..., 0] if image.shape[2] == 1 else image)
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


def _xmp_segment(xmp_metadata: str | bytes) -> bytes:
    """The segment of a JPEG file that holds XMP metadata."""
    if not xmp_metadata:
        return b""
    text = xmp_metadata.encode() if isinstance(xmp_metadata, str) else xmp_metadata
    body = b"http://ns.adobe.com/xap/1.0/\x00" + text
    if len(body) > 0xFFFD:
        raise invalid(f"xmp_metadata must fit into {0xFFFD - 29} bytes, got {len(text)}")
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
