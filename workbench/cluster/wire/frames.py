"""Messages as frames of bytes: a header in JSON, then one frame for each array and blob.

Nothing is unpickled or executed, and nothing is allocated for what a header claims: arrays are
views of the frames that came, and must be as long as their shapes say. A frame may be empty and
what it stands for lie in memory that both ends see: the header says where.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.cluster.wire.arrays import decode_array, encode_array, shrink_array
from workbench.cluster.wire.carrier import Borrower, Lender
from workbench.cluster.wire.feedback import Feedback
from workbench.cluster.wire.message import Message

#: The version of what follows the first bytes of a header.
VERSION = 2
#: What every header begins with: the protocol's name and version.
MAGIC = b"WB" + bytes([VERSION])
#: What a message begins with that says, in words, why nothing is answered. All versions know it.
REFUSAL = b"WB\x00"
#: A header has no more bytes, a message no more frames.
MOST_HEADER_BYTES = 1 << 24
MOST_FRAMES = 1 << 16


class WireError(ValueError):
    """Bytes that are no message of ours."""


@dataclass(frozen=True)
class Packed:
    """A message as it goes out."""

    frames: list[Any]
    #: The bytes that lie in shared memory, and those that encodings have saved.
    lent: int = 0
    saved: int = 0


def encode(message: Message) -> list[Any]:
    """The frames of a message, each something with the buffer protocol."""
    return pack(message).frames


def pack(
    message: Message, lender: Lender | None = None, feedback: Feedback | None = None
) -> Packed:
    """The frames of a message, where large ones may be lent and arrays be encoded."""
    descriptors = []
    frames: list[Any] = [b""]
    saved = 0
    for name, array in message.arrays:
        encoding = message.encodings.get(name)
        shrunk = shrink_array(array, encoding, feedback) if encoding is not None else None
        descriptor, buffer = shrunk or encode_array(array)
        if shrunk is not None:
            saved += array.nbytes - buffer.nbytes
        descriptors.append([name, *descriptor])
        frames.append(buffer)
    frames.extend(message.blobs)
    lent, references = 0, []
    if lender is not None:
        for index, frame in enumerate(frames):
            size = frame.nbytes if isinstance(frame, memoryview) else len(frame)
            if size >= lender.least_bytes and (reference := lender.lend(frame)) is not None:
                references.append([index, *reference])
                frames[index] = b""
                lent += size
    header = [message.kind, message.number, message.epoch, message.fields, descriptors, references]
    frames[0] = MAGIC + json.dumps(header, separators=(",", ":")).encode()
    return Packed(frames, lent, saved)


def refusal(reason: str) -> list[Any]:
    """The frames that say why somebody gets no answers."""
    return [REFUSAL + reason.encode()]


def refused(frames: Sequence[Any]) -> str | None:
    """The reason, where the frames are a refusal."""
    if len(frames) != 1 or not (text := bytes(frames[0][:4096])).startswith(REFUSAL):
        return None
    return text[len(REFUSAL) :].decode(errors="replace")


def version_of(frames: Sequence[Any]) -> int | None:
    """The version of the protocol that frames are of; None where they are of another one."""
    head = bytes(frames[0][: len(MAGIC)]) if frames else b""
    return head[2] if len(head) == len(MAGIC) and head[:2] == MAGIC[:2] else None


def decode(frames: Sequence[Any], borrower: Borrower | None = None) -> Message:
    """The message of some frames; WireError where they are none."""
    if not 0 < len(frames) <= MOST_FRAMES:
        raise WireError(f"A message has 1 to {MOST_FRAMES} frames, not {len(frames)}")
    kind, number, epoch, fields, descriptors, references = _header(frames[0])
    if len(descriptors) >= len(frames):
        raise WireError(f"{len(descriptors)} arrays are announced in {len(frames)} frames")
    if references:
        frames = _fetch(list(frames), references, borrower)
    arrays = []
    for descriptor, frame in zip(descriptors, frames[1:], strict=False):
        if not isinstance(descriptor, list) or not descriptor or type(descriptor[0]) is not str:
            raise WireError(f"{descriptor!r} does not describe an array")
        try:
            arrays.append((descriptor[0], decode_array(descriptor[1:], frame)))
        except (ValueError, TypeError, OverflowError) as error:
            raise WireError(f"Array {descriptor[0]!r}: {error}") from None
    blobs = [bytes(frame) for frame in frames[1 + len(arrays) :]]
    return Message(kind, fields, arrays, number, blobs, epoch=epoch)


def _header(frame: Any) -> list[Any]:
    head = memoryview(frame)
    if head.nbytes > MOST_HEADER_BYTES:
        raise WireError(f"A header of {head.nbytes} bytes is too long")
    text = bytes(head)
    if not text.startswith(MAGIC):
        raise WireError("This is not a message, or one of another version of the protocol")
    try:
        header = json.loads(text[len(MAGIC) :])
    except (ValueError, RecursionError) as error:
        raise WireError(f"The header cannot be read: {error}") from None
    wanted = (str, int, int, dict, list, list)
    if not isinstance(header, list) or [type(part) for part in header] != list(wanted):
        raise WireError(
            "The header has other parts than a kind, a number, an epoch, fields, arrays and "
            "what is lent"
        )
    return header


def _fetch(frames: list[Any], references: list[Any], borrower: Borrower | None) -> list[Any]:
    """The frames with what is lent in its places."""
    if borrower is None:
        raise WireError("Memory is lent by somebody who shares none with this process")
    for reference in references:
        if not isinstance(reference, list) or len(reference) != 3:
            raise WireError(f"{reference!r} does not say what is lent")
        index, name, size = reference
        if type(index) is not int or not 0 < index < len(frames) or len(frames[index]):
            raise WireError(f"There is no frame {index!r} to put what is lent into")
        try:
            frames[index] = borrower.borrow(name, size)
        except (OSError, ValueError, TypeError) as error:
            raise WireError(f"What is lent cannot be had: {error}") from None
    return frames
