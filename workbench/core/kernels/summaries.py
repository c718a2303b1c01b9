"""Summaries of tensors for TensorBoard, as bytes of `Summary` messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels import png
from workbench.core.kernels.buckets import histogram
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.kernels.wav import wav_file

#: Below this, an image counts as black: it is not made brighter.
_BLACK = 1e-6


def _text(value: Any, what: str) -> str:
    array = as_array(value)
    if array.ndim:
        raise invalid(f"{what} must be a single string, got shape {list(array.shape)}")
    found: bytes = array.item()
    return found.decode("utf-8", "replace")


def _serialized(summary: Any) -> bytes:
    content: bytes = summary.SerializeToString(deterministic=True)
    return content


def scalar_summary(tags: Any, values: Any) -> bytes:
    """A number for each tag."""
    from workbench.core.protos import Summary

    names, numbers = as_array(tags), as_array(values)
    if names.shape != numbers.shape:
        one = f" (tag '{_text(names, 'tag')}')" if names.ndim == 0 else ""
        raise invalid(
            f"tags and values not the same shape: {list(names.shape)} != {list(numbers.shape)}{one}"
        )
    summary = Summary()
    flat = numbers.reshape(-1).astype(np.float64).tolist()
    for name, number in zip(names.reshape(-1).tolist(), flat, strict=True):
        summary.value.add(tag=name.decode("utf-8", "replace"), simple_value=number)
    return _serialized(summary)


def histogram_summary(tag: Any, values: Any) -> bytes:
    """How the values are distributed."""
    from workbench.core.protos import Summary

    name = _text(tag, "tag")
    flat = as_array(values).reshape(-1).astype(np.float64)
    if not np.isfinite(flat).all():
        kind = "Nan" if np.isnan(flat).any() else "Infinity"
        raise invalid(f"{kind} in summary histogram for: {name}")
    found = histogram(flat)
    summary = Summary()
    summary.value.add(
        tag=name,
        histo={
            "min": found.min,
            "max": found.max,
            "num": found.num,
            "sum": found.sum,
            "sum_squares": found.sum_squares,
            "bucket_limit": found.limits.tolist(),
            "bucket": found.counts.tolist(),
        },
    )
    return _serialized(summary)


def image_summary(tag: Any, tensor: Any, *, max_images: int, bad_color: NDArray[Any]) -> bytes:
    """The first images of a batch (images, height, width, 1, 3 or 4 channels) as PNG files.

    Numbers that are no bytes are scaled to fill 0 to 255, around 128 where some are negative.
    """
    from workbench.core.protos import Summary

    name = _text(tag, "tag")
    if tensor.ndim != 4 or tensor.shape[3] not in (1, 3, 4):
        raise invalid(f"Tensor must be 4-D with last dim 1, 3, or 4, not {list(np.shape(tensor))}")
    _, height, width, channels = tensor.shape
    if bad_color.size < channels:
        raise invalid(f"bad_color must have {channels} numbers, got {bad_color.tolist()}")
    summary = Summary()
    for position, image in enumerate(tensor[:max_images]):
        pixels = image if image.dtype == np.uint8 else _as_bytes(image, bad_color)
        summary.value.add(
            tag=f"{name}/image/{position}" if max_images > 1 else f"{name}/image",
            image={
                "height": height,
                "width": width,
                "colorspace": channels,
                "encoded_image_string": png.write(pixels),
            },
        )
    return _serialized(summary)


def _as_bytes(image: NDArray[Any], bad_color: NDArray[Any]) -> NDArray[np.uint8]:
    """An image of any numbers scaled to bytes; pixels that are not finite get a colour."""
    values = image if image.dtype == np.float64 else image.astype(np.float32)
    finite = np.isfinite(values).all(axis=-1)
    known = values[finite]
    low, high = known.min(initial=np.inf), known.max(initial=-np.inf)
    offset, span, limit = 0.0, 255.0, high
    if low < 0:
        offset, span, limit = 128.0, 127.0, max(abs(low), abs(high))
    scale = values.dtype.type(0.0 if limit < _BLACK else span / limit)
    pixels = np.empty(values.shape, np.uint8)
    pixels[finite] = (known * scale + values.dtype.type(offset)).astype(np.uint8)
    pixels[~finite] = bad_color.reshape(-1)[: values.shape[-1]]
    return pixels


def audio_summary_v2(tag: Any, tensor: Any, sample_rate: Any, *, max_outputs: int) -> bytes:
    """The first clips of a batch (clips, frames) or (clips, frames, channels) as WAV files."""
    return audio_summary(tag, tensor, sample_rate=float(sample_rate), max_outputs=max_outputs)


def audio_summary(tag: Any, tensor: Any, *, sample_rate: float, max_outputs: int) -> bytes:
    """The first clips of a batch as WAV files; the rate is fixed."""
    from workbench.core.protos import Summary

    name = _text(tag, "tag")
    if tensor.ndim not in (2, 3):
        raise invalid(f"Tensor must be 3-D or 2-D, got: {list(np.shape(tensor))}")
    if not sample_rate > 0:
        raise invalid(f"sample_rate must be > 0, got {sample_rate}")
    clips = tensor if tensor.ndim == 3 else tensor[:, :, None]
    summary = Summary()
    for position, clip in enumerate(clips[:max_outputs]):
        summary.value.add(
            tag=f"{name}/audio/{position}" if max_outputs > 1 else f"{name}/audio",
            audio={
                "sample_rate": sample_rate,
                "num_channels": clip.shape[1],
                "length_frames": clip.shape[0],
                "encoded_audio_string": wav_file(clip, round(sample_rate)),
                "content_type": "audio/wav",
            },
        )
    return _serialized(summary)


def tensor_summary_v2(tag: Any, tensor: Any, serialized_summary_metadata: Any) -> bytes:
    """The tensor itself, and what a reader of it needs to know."""
    from workbench.core.graph.tensor_proto import make_tensor_proto
    from workbench.core.protos import Summary, SummaryMetadata
    from workbench.core.protos.reading import as_message

    metadata = as_array(serialized_summary_metadata).item()
    summary = Summary()
    summary.value.add(
        tag=_text(tag, "tag"),
        tensor=make_tensor_proto(as_array(tensor)),
        metadata=as_message(SummaryMetadata, metadata, "serialized_summary_metadata"),
    )
    return _serialized(summary)


def tensor_summary(tensor: Any, *, context: Any) -> bytes:
    """The tensor itself, under the operation's name."""
    from workbench.core.graph.tensor_proto import make_tensor_proto
    from workbench.core.protos import Summary

    summary = Summary()
    summary.value.add(node_name=context.name, tensor=make_tensor_proto(as_array(tensor)))
    return _serialized(summary)


def merge_summary(inputs: Sequence[Any]) -> bytes:
    """The values of several summaries in one."""
    from workbench.core.protos import Summary
    from workbench.core.protos.reading import as_message

    merged = Summary()
    seen: set[str] = set()
    for each in inputs:
        for content in as_array(each).reshape(-1).tolist():
            for value in as_message(Summary, content, "an input of the merge").value:
                if value.tag and value.tag in seen:
                    raise invalid(f"Duplicate tag {value.tag} found in summary inputs")
                seen.add(value.tag)
                merged.value.add().CopyFrom(value)
    return _serialized(merged)
