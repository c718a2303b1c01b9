"""Messages as frames of bytes: a header in JSON, then one frame for each array and blob.

Nothing is unpickled or executed, and nothing is allocated for what a header claims: arrays are
views of the frames that came, and must be as long as their shapes say.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from workbench.cluster.wire.arrays import decode_array, encode_array
from workbench.cluster.wire.message import Message

#: What every header begins with: the protocol's name and version.
MAGIC = b"WB\x01"
#: A header has no more bytes, a message no more frames.
MOST_HEADER_BYTES = 1 << 24
MOST_FRAMES = 1 << 16


class WireError(ValueError):
    """Bytes that are no message of ours."""


def encode(message: Message) -> list[Any]:
    """The frames of a message, each something with the buffer protocol."""
    descriptors = []
    frames: list[Any] = [b""]
    for name, array in message.arrays:
        descriptor, buffer = encode_array(array)
        descriptors.append([name, *descriptor])
        frames.append(buffer)
    frames.extend(message.blobs)
    header: list[Any] = [message.kind, message.number, message.fields, descriptors]
    frames[0] = MAGIC + json.dumps(header, separators=(",", ":")).encode()
    return frames


def decode(frames: Sequence[Any]) -> Message:
    """The message of some frames; WireError where they are none."""
    if not 0 < len(frames) <= MOST_FRAMES:
        raise WireError(f"A message has 1 to {MOST_FRAMES} frames, not {len(frames)}")
    head = memoryview(frames[0])
    if head.nbytes > MOST_HEADER_BYTES:
        raise WireError(f"A header of {head.nbytes} bytes is too long")
    text = bytes(head)
    if not text.startswith(MAGIC):
        raise WireError("This is not a message, or one of another version of the protocol")
    try:
        kind, number, fields, descriptors = json.loads(text[len(MAGIC) :])
    except (ValueError, RecursionError, TypeError) as error:
        raise WireError(f"The header cannot be read: {error}") from None
    if not (
        isinstance(kind, str)
        and type(number) is int
        and isinstance(fields, dict)
        and isinstance(descriptors, list)
    ):
        raise WireError("The header has other parts than a kind, a number, fields and arrays")
    if len(descriptors) >= len(frames):
        raise WireError(f"{len(descriptors)} arrays are announced in {len(frames)} frames")
    arrays = []
    for descriptor, frame in zip(descriptors, frames[1:], strict=False):
        if not isinstance(descriptor, list) or not descriptor or type(descriptor[0]) is not str:
            raise WireError(f"{descriptor!r} does not describe an array")
        try:
            arrays.append((descriptor[0], decode_array(descriptor[1:], frame)))
        except (ValueError, TypeError, OverflowError) as error:
            raise WireError(f"Array {descriptor[0]!r}: {error}") from None
    blobs = [bytes(frame) for frame in frames[1 + len(arrays) :]]
    return Message(kind, fields, arrays, number, blobs)
