"""Shorter encodings of float32 arrays on the wire: bfloat16, float16, and 8 bits by block.

They are rounded to nearest, and none turns a number into an infinity or NaN: what an encoding
cannot hold goes in one that can. Infinities and NaN arrive as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

#: The names of the encodings, by falling size.
KINDS = ("float32", "bfloat16", "float16", "int8")
#: The elements of a block of "int8", which have a scale of their own.
BLOCK = 256
_LEVELS = 127
_MOST_FLOAT16 = 65504.0
_TINY = np.finfo(np.float32).tiny
#: With a greater scale the last level would be no number of float32.
_MOST_SCALE = np.nextafter(np.finfo(np.float32).max / np.float32(_LEVELS), np.float32(0))

_Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Encoding:
    """How an array of float32 goes over the wire.

    `kind` is one of `KINDS`. With a `feedback` key, what an encoding has rounded away is added to
    the next array that is sent to the same peer with this key: for gradients, whose errors then
    cancel out instead of adding up.
    """

    kind: str
    feedback: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f"There is no encoding {self.kind!r} for the wire: use one of {', '.join(KINDS)}"
            )


def shrink(array: _Array, kind: str) -> tuple[str, _Array]:
    """A float32 array in an encoding: its name, and the bytes.

    The encoding is another one where the values do not fit: "bfloat16" for what is beyond
    float16's range, "float32" for infinities and NaN in "int8".
    """
    flat = np.ascontiguousarray(array).reshape(-1)
    if kind == "float16":
        most = np.abs(flat).max(initial=0.0)
        # Infinities and NaN are float16's too.
        if not most <= _MOST_FLOAT16 and _is_far(flat):
            kind = "bfloat16"
    if kind == "int8":
        return _to_blocks(flat)
    if kind == "float32":
        return kind, flat.view(np.uint8)
    if kind == "float16":
        return kind, flat.astype(np.float16).view(np.uint8)
    with np.errstate(over="ignore"):
        rounded = flat.astype(ml_dtypes.bfloat16)
    bits = rounded.view(np.uint16)
    if flat.size and (bits & 0x7FFF).max() >= 0x7F80:
        # Numbers within half a unit of float32's end round up to infinity: they are held back.
        too_far = np.isfinite(flat) & ((bits & 0x7FFF) == 0x7F80)
        bits[too_far] -= 1
    return "bfloat16", bits.view(np.uint8)


def restore(kind: str, data: _Array, count: int) -> _Array:
    """The float32 values of `count` elements. ValueError where the bytes are not so many."""
    expected = shrunk_bytes(kind, count)
    if data.nbytes != expected:
        raise ValueError(f"{data.nbytes} bytes are not {count} elements as {kind}")
    if kind == "bfloat16":
        values: _Array = data.view(ml_dtypes.bfloat16).astype(np.float32)
        return values
    if kind == "float16":
        return data.view(np.float16).astype(np.float32)
    if kind == "int8":
        return _from_blocks(data, count)
    return data.view(np.float32)


def shrunk_bytes(kind: str, count: int) -> int:
    """The bytes of `count` elements. ValueError for an encoding that does not exist."""
    if kind in ("bfloat16", "float16"):
        return 2 * count
    if kind == "int8":
        return count + 4 * _blocks(count)
    if kind == "float32":
        return 4 * count
    raise ValueError(f"There is no encoding {kind!r}")


def _is_far(flat: _Array) -> bool:
    """Whether a number, among infinities and NaN, is beyond float16."""
    return bool((np.isfinite(flat) & (np.abs(flat) > _MOST_FLOAT16)).any())


def _blocks(count: int) -> int:
    return -(-count // BLOCK)


def _to_blocks(flat: _Array) -> tuple[str, _Array]:
    count, blocks = flat.size, _blocks(flat.size)
    whole = count // BLOCK * BLOCK
    scales = np.empty(blocks, np.float32)
    data = np.empty(count + 4 * blocks, np.uint8)
    levels = data[:count].view(np.int8)
    for part, out, scale in (
        (flat[:whole].reshape(-1, BLOCK), levels[:whole].reshape(-1, BLOCK), scales),
        (flat[whole:].reshape(1, -1), levels[whole:].reshape(1, -1), scales[whole // BLOCK :]),
    ):
        if not part.size:
            continue
        most = np.maximum(part.max(axis=1), -part.min(axis=1))
        if not np.isfinite(most).all():
            return "float32", flat.view(np.uint8)
        # A scale below the normal numbers would have too few bits to be the bound's.
        scale = scale[: len(part)]
        np.clip(most / np.float32(_LEVELS), _TINY, _MOST_SCALE, out=scale)
        scaled = part / scale[:, None]
        np.rint(scaled, out=scaled)
        np.clip(scaled, -_LEVELS, _LEVELS, out=scaled)
        out[...] = scaled
    data[count:] = scales.view(np.uint8)
    return "int8", data


def _from_blocks(data: _Array, count: int) -> _Array:
    scales = data[count:].copy().view(np.float32)
    values = data[:count].view(np.int8).astype(np.float32)
    whole = count // BLOCK
    head = values[: whole * BLOCK].reshape(-1, BLOCK)
    with np.errstate(over="ignore", invalid="ignore"):
        # What a peer sends may be no scale of ours.
        np.multiply(head, scales[:whole, None], out=head)
        values[whole * BLOCK :] *= scales[whole:].sum() if whole < len(scales) else 1
    return values
