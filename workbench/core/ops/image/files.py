"""Images as the contents of files: JPEG, PNG, GIF and BMP. Reading them needs Pillow."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.dtypes import as_dtype, uint8
from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import image_decoding, image_encoding
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample

_JPEG_ATTRS = (
    "channels: int = 0, ratio: int = 1, fancy_upscaling: bool = true, "
    "try_recover_truncated: bool = false, acceptable_fraction: float = 1.0, "
    "dct_method: string = ''"
)
# Files of one grey pixel, of two colours side by side, of one colour, of one red pixel.
_JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERX"
    "RTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAA"
    "AAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z"
)
_PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR42mPkEpGTk5MDAAHaAJht+NKuAAAAAElF"
    "TkSuQmCC"
)
_BMP = b64decode("Qk06AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAQAAADEDgAAxA4AAAAAAAAAAAAAHhQKAA==")
_GIF = b64decode("R0lGODdhAQABAIEAAP8AAAAAAAAAAAAAACwAAAAAAQABAAAIBAABBAQAOw==")


def _channels(op: Any) -> Entry:
    channels: int = op.attrs["channels"]
    if channels < 0:
        raise ValueError(f"channels must be non-negative, got {channels}")
    return channels or None


def _image_shape(op: Any) -> list[Entries]:
    for tensor, rank in zip(op.inputs, (0, 1), strict=False):
        shape_rules.with_rank(tensor.entries, rank, "the contents" if rank == 0 else "the window")
    return [(None, None, _channels(op))]


def _contents_shape(op: Any) -> list[Entries]:
    shape_rules.with_rank(op.inputs[0].entries, 3, "the image")
    return [()]


def _of_contents(entries: Entries) -> shape_rules.Rule:
    def rule(op: Any) -> list[Entries]:
        shape_rules.with_rank(op.inputs[0].entries, 0, "the contents")
        return [entries]

    return rule


declare(
    "DecodeJpeg",
    inputs="contents: string",
    outputs="image: uint8",
    attrs=_JPEG_ATTRS,
    shape=_image_shape,
    kernel=image_decoding.decode_jpeg,
    expensive=True,
    samples=[
        sample(_JPEG, want=[[[128]]]),
        sample(_JPEG, channels=3, want=[[[128, 128, 128]]]),
    ],
)
declare(
    "DecodeAndCropJpeg",
    inputs="contents: string, crop_window: int32",
    outputs="image: uint8",
    attrs=_JPEG_ATTRS,
    shape=_image_shape,
    kernel=image_decoding.decode_and_crop_jpeg,
    expensive=True,
    samples=[sample(_JPEG, [0, 0, 1, 1], want=[[[128]]])],
)
declare(
    "DecodePng",
    inputs="contents: string",
    outputs="image: dtype",
    attrs="channels: int = 0, dtype: {uint8, uint16} = DT_UINT8",
    shape=_image_shape,
    kernel=image_decoding.decode_png,
    expensive=True,
    samples=[
        sample(_PNG, dtype="uint8", want=[[[10, 20, 30], [40, 50, 60]]]),
        sample(_PNG, dtype="uint8", channels=4, want=[[[10, 20, 30, 255], [40, 50, 60, 255]]]),
    ],
)
declare(
    "DecodeBmp",
    inputs="contents: string",
    outputs="image: uint8",
    attrs="channels: int = 0",
    shape=_image_shape,
    kernel=image_decoding.decode_bmp,
    expensive=True,
    samples=[sample(_BMP, want=[[[10, 20, 30]]])],
)
declare(
    "DecodeGif",
    inputs="contents: string",
    outputs="image: uint8",
    shape=_of_contents((None, None, None, 3)),
    kernel=image_decoding.decode_gif,
    expensive=True,
    samples=[sample(_GIF, want=[[[[255, 0, 0]]]])],
)
declare(
    "DecodeImage",
    inputs="contents: string",
    outputs="image: dtype",
    attrs="channels: int = 0, dtype: {uint8, uint16, float} = DT_UINT8, "
    "expand_animations: bool = true",
    shape=_of_contents(None),
    kernel=image_decoding.decode_image,
    expensive=True,
    samples=[
        sample(_PNG, dtype="uint8", want=[[[10, 20, 30], [40, 50, 60]]]),
        sample(_GIF, dtype="uint8", want=[[[[255, 0, 0]]]]),
        sample(_GIF, dtype="uint8", expand_animations=False, want=[[[255, 0, 0]]]),
    ],
)
declare(
    "ExtractJpegShape",
    inputs="contents: string",
    outputs="image_shape: output_type",
    attrs="output_type: {int32, int64} = DT_INT32",
    shape=_of_contents((3,)),
    kernel=image_decoding.extract_jpeg_shape,
    samples=[sample(_JPEG, want=[1, 1, 1])],
)
# What the compressors write may differ between versions: what is read back is tested elsewhere.
declare(
    "EncodePng",
    inputs="image: T",
    outputs="contents: string",
    attrs="compression: int = -1, T: {uint8, uint16} = DT_UINT8",
    shape=_contents_shape,
    kernel=image_encoding.encode_png,
    expensive=True,
    samples=[sample([[[10, 20, 30]]], dtype="uint8")],
)
declare(
    "EncodeJpeg",
    inputs="image: uint8",
    outputs="contents: string",
    attrs="format: {'', 'grayscale', 'rgb'} = '', quality: int = 95, progressive: bool = false, "
    "optimize_size: bool = false, chroma_downsampling: bool = true, "
    "density_unit: {'in', 'cm'} = 'in', x_density: int = 300, y_density: int = 300, "
    "xmp_metadata: string = ''",
    shape=_contents_shape,
    kernel=image_encoding.encode_jpeg,
    expensive=True,
    samples=[sample([[[10], [200]]], dtype="uint8")],
)


def decode_jpeg(
    contents: Any,
    channels: int | None = None,
    ratio: int | None = None,
    fancy_upscaling: bool | None = None,
    try_recover_truncated: bool | None = None,
    acceptable_fraction: float | None = None,
    dct_method: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The pixels, uint8 [height, width, channels], of a JPEG file's `contents` (a string scalar).

    `channels` is 0 (as in the file), 1 (grey) or 3 (RGB); `ratio` 1, 2, 4 or 8 decodes a smaller
    image; `try_recover_truncated` fills what is missing with grey. `fancy_upscaling`,
    `acceptable_fraction` and `dct_method` change nothing: colours are always upscaled smoothly, by
    the accurate method, and an image that is not whole is not accepted otherwise.
    InvalidArgumentError in the run for contents that cannot be read.
    """
    return call(
        "DecodeJpeg",
        name,
        contents=contents,
        channels=channels,
        ratio=ratio,
        fancy_upscaling=fancy_upscaling,
        try_recover_truncated=try_recover_truncated,
        acceptable_fraction=acceptable_fraction,
        dct_method=dct_method,
    )


def decode_and_crop_jpeg(
    contents: Any,
    crop_window: Any,
    channels: int | None = None,
    ratio: int | None = None,
    fancy_upscaling: bool | None = None,
    try_recover_truncated: bool | None = None,
    acceptable_fraction: float | None = None,
    dct_method: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The part [top, left, height, width] of what `tf.image.decode_jpeg` gives."""
    return call(
        "DecodeAndCropJpeg",
        name,
        contents=contents,
        crop_window=crop_window,
        channels=channels,
        ratio=ratio,
        fancy_upscaling=fancy_upscaling,
        try_recover_truncated=try_recover_truncated,
        acceptable_fraction=acceptable_fraction,
        dct_method=dct_method,
    )


def decode_png(
    contents: Any, channels: int | None = None, dtype: Any = None, name: str | None = None
) -> Tensor:
    """The pixels [height, width, channels] of a PNG file's `contents`, uint8 or `dtype` uint16.

    `channels` is 0 (as in the file), 1 (grey), 3 (RGB) or 4 (RGBA).

    >>> import workbench as tf
    >>> image = tf.constant([[[1], [2]]], tf.uint8)
    >>> tf.image.decode_png(tf.image.encode_png(image)).eval().tolist()
    [[[1], [2]]]
    """
    return call("DecodePng", name, contents=contents, channels=channels, dtype=dtype)


def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """The frames, uint8 [frames, height, width, 3], of a GIF file's `contents`."""
    return call("DecodeGif", name, contents=contents)


def decode_bmp(contents: Any, channels: int | None = None, name: str | None = None) -> Tensor:
    """The pixels, uint8 [height, width, channels], of a BMP file's `contents`."""
    return call("DecodeBmp", name, contents=contents, channels=channels)


def decode_image(
    contents: Any,
    channels: int | None = None,
    dtype: Any = uint8,
    name: str | None = None,
    expand_animations: bool = True,
) -> Tensor:
    """The pixels of the `contents` of a JPEG, PNG, GIF or BMP file, whichever it is.

    They are [height, width, channels], for a GIF file [frames, height, width, 3] (unless
    `expand_animations` is false), so that no static shape is known. `dtype` is uint8, uint16 or
    float32 (from 0 to 1).
    """
    try:
        chosen = as_dtype(dtype)
    except TypeError:
        # TensorFlow 1.4 has the name here, before it knew a dtype.
        chosen, name = uint8, dtype
    with name_scope(name, "decode_image") as scope:
        return call(
            "DecodeImage",
            scope,
            contents=contents,
            channels=channels,
            dtype=chosen,
            expand_animations=expand_animations,
        )


def extract_jpeg_shape(contents: Any, output_type: Any = None, name: str | None = None) -> Tensor:
    """Height, width and channels of a JPEG file's `contents`, which are not decoded for it."""
    return call("ExtractJpegShape", name, contents=contents, output_type=output_type)


def encode_png(image: Any, compression: int | None = None, name: str | None = None) -> Tensor:
    """The contents of a PNG file of `image`, uint8 or uint16 [height, width, 1 to 4 channels].

    `compression` is from 0 (none) to 9 (best).
    """
    return call("EncodePng", name, image=image, compression=compression)


def encode_jpeg(
    image: Any,
    format: str | None = None,
    quality: int | None = None,
    progressive: bool | None = None,
    optimize_size: bool | None = None,
    chroma_downsampling: bool | None = None,
    density_unit: str | None = None,
    x_density: int | None = None,
    y_density: int | None = None,
    xmp_metadata: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The contents of a JPEG file of `image`, uint8 [height, width, 1 or 3].

    `format` is "grayscale", "rgb" or "" (by the channels), `quality` from 0 to 100 (95).
    """
    return call(
        "EncodeJpeg",
        name,
        image=image,
        format=format,
        quality=quality,
        progressive=progressive,
        optimize_size=optimize_size,
        chroma_downsampling=chroma_downsampling,
        density_unit=density_unit,
        x_density=x_density,
        y_density=y_density,
        xmp_metadata=xmp_metadata,
    )
