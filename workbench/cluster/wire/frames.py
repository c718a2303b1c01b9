"""Messages as frames of bytes: a header, then one frame for each array and blob.

A header is a few numbers, and three texts in JSON: the kind and the fields, what the arrays are,
and what is lent. Nothing is unpickled or executed, and nothing is allocated for what a header
claims: arrays are views of the frames that came, and must be as long as their shapes say. A frame
may be empty and what it stands for lie in memory that both ends see: the header says where. One
that is long goes in pieces, which are frames that follow each other: the header says how many.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.cluster.shown import shown
from workbench.cluster.wire.arrays import Layout, encode_array, read_layout, shrink_array
from workbench.cluster.wire.carrier import Borrower, Lender
from workbench.cluster.wire.feedback import Feedback
from workbench.cluster.wire.message import Message
from workbench.cluster.wire.sockets import MOST_FRAME_BYTES
from workbench.core.errors import ResourceExhaustedError

#: The version of what follows the first bytes of a header.
VERSION = 3
#: What every header begins with: the protocol's name and version.
MAGIC = b"WB" + bytes([VERSION])
#: What a message begins with that says, in words, why nothing is answered. All versions know it.
REFUSAL = b"WB\x00"
#: A header has no more bytes, a message no more frames.
MOST_HEADER_BYTES = MOST_FRAME_BYTES
MOST_FRAMES = 1 << 16
#: All of its frames together have no more bytes.
MOST_MESSAGE_BYTES = 1 << 32
#: After the magic: the message's number, the epoch, and the bytes of the first two texts.
_NUMBERS = struct.Struct("<QQII")
_FIRST = len(MAGIC) + _NUMBERS.size
_to_json = json.JSONEncoder(separators=(",", ":")).encode
_from_json = json.JSONDecoder().raw_decode

#: Messages of a kind have the same arrays again and again: what was read of their descriptions,
#: and what was written for an array's name, type and shape.
_layouts: dict[bytes, tuple[tuple[str, Layout], ...]] = {}
_described: dict[tuple[Any, ...], str] = {}
_MOST_REMEMBERED = 1024
_MOST_REMEMBERED_BYTES = 4096


class WireError(ValueError):
    """Bytes that are no message of ours."""


@dataclass(slots=True)
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
    texts = []
    frames: list[Any] = [b""]
    saved = 0
    for name, array in message.arrays:
        encoding = message.encodings.get(name) if message.encodings else None
        shrunk = shrink_array(array, encoding, feedback) if encoding is not None else None
        description, buffer = shrunk or encode_array(array)
        if shrunk is not None:
            saved += array.nbytes - buffer.nbytes
        texts.append(_text_of(name, description))
        frames.append(buffer)
    frames.extend(message.blobs)
    lent, references, rest = 0, [], 0
    least = lender.least_bytes if lender is not None else MOST_FRAME_BYTES + 1
    are_long = False
    for index, frame in enumerate(frames):
        size = frame.nbytes if isinstance(frame, memoryview) else len(frame)
        if size < least:
            rest += size
            continue
        if lender is not None and (reference := lender.lend(frame)) is not None:
            references.append([index, *reference])
            frames[index] = b""
            lent += size
            continue
        rest += size
        if size > MOST_FRAME_BYTES:
            references.append([index, -(-size // MOST_FRAME_BYTES)])
            are_long = True
    told = _to_json([message.kind, message.fields]).encode()
    arrays = f"[{','.join(texts)}]".encode() if texts else b""
    numbers = _NUMBERS.pack(message.number, message.epoch, len(told), len(arrays))
    where = _to_json(references).encode() if references else b""
    frames[0] = b"".join((MAGIC, numbers, told, arrays, where))
    if len(frames[0]) > MOST_HEADER_BYTES:
        raise ValueError(f"A message of kind {message.kind!r} has a header that is too long")
    if are_long:
        frames = _in_pieces(frames)
    if rest > MOST_MESSAGE_BYTES or len(frames) > MOST_FRAMES:
        raise ResourceExhaustedError(
            None,
            None,
            f"{rest} bytes in {len(frames)} frames are too much for one message of kind "
            f"{message.kind!r}: it has at most {MOST_MESSAGE_BYTES} bytes in {MOST_FRAMES} frames. "
            "Split what goes from one task to another at once",
        )
    return Packed(frames, lent, saved)


def _in_pieces(frames: list[Any]) -> list[Any]:
    found = frames[:1]
    for frame in frames[1:]:
        view = memoryview(frame)
        size = view.nbytes
        starts = range(0, size, MOST_FRAME_BYTES)
        found += [view[at : at + MOST_FRAME_BYTES] for at in starts] if len(starts) > 1 else [frame]
    return found


def _text_of(name: str, description: tuple[Any, ...]) -> str:
    """An array's description in JSON."""
    key = (name, *description)
    text = _described.get(key)
    if text is None:
        text = _to_json(key)
        if len(text) < _MOST_REMEMBERED_BYTES:
            if len(_described) >= _MOST_REMEMBERED:
                _described.clear()
            _described[key] = text
    return text


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
    number, epoch, told, described, where = _parts(frames[0])
    kind, fields = _told(told)
    layouts = _layouts.get(described) if described else ()
    if layouts is None:
        layouts = _read_layouts(described)
    if where:
        frames = _fetch(list(frames), _json(where), borrower)
    if len(layouts) >= len(frames):
        raise WireError(f"{len(layouts)} arrays are announced in {len(frames)} frames")
    arrays = []
    for index, (name, layout) in enumerate(layouts, 1):
        try:
            arrays.append((name, layout.array(frames[index])))
        except (ValueError, TypeError, OverflowError) as error:
            raise WireError(f"Array {shown(name)}: {error}") from None
    blobs = [bytes(frame) for frame in frames[1 + len(arrays) :]]
    return Message(kind, fields, arrays, number, blobs, epoch=epoch)


def _parts(frame: Any) -> tuple[int, int, bytes, bytes, bytes]:
    """The numbers of a header, and its texts."""
    size = frame.nbytes if isinstance(frame, memoryview) else len(frame)
    if size > MOST_HEADER_BYTES:
        raise WireError(f"A header of {size} bytes is too long")
    text = bytes(frame)
    if not text.startswith(MAGIC):
        raise WireError("This is not a message, or one of another version of the protocol")
    if size < _FIRST:
        raise WireError(f"A header of {size} bytes is too short")
    number, epoch, told, arrays = _NUMBERS.unpack_from(text, len(MAGIC))
    second = _FIRST + told
    third = second + arrays
    if third > size:
        raise WireError(f"Texts of {told} and {arrays} bytes are not in a header of {size}")
    return number, epoch, text[_FIRST:second], text[second:third], text[third:]


def _json(text: bytes) -> Any:
    try:
        words = text.decode()
        found, end = _from_json(words)
        if end != len(words):
            raise ValueError("something follows its end")
        return found
    except (ValueError, RecursionError) as error:
        raise WireError(f"The header cannot be read: {error}") from None


def _told(text: bytes) -> tuple[str, dict[str, Any]]:
    found = _json(text)
    if not isinstance(found, list) or [type(part) for part in found] != [str, dict]:
        raise WireError("The header does not begin with a kind and fields")
    return found[0], found[1]


def _read_layouts(text: bytes) -> tuple[tuple[str, Layout], ...]:
    """What a header says of its arrays."""
    descriptions = _json(text)
    if not isinstance(descriptions, list):
        raise WireError("The header does not list its arrays")
    found = []
    for each in descriptions:
        if not isinstance(each, list) or not each or type(each[0]) is not str:
            raise WireError(f"{shown(each)} does not describe an array")
        try:
            found.append((each[0], read_layout(each[1:])))
        except (ValueError, TypeError, OverflowError) as error:
            raise WireError(f"Array {shown(each[0])}: {error}") from None
    layouts = tuple(found)
    if len(text) < _MOST_REMEMBERED_BYTES:
        if len(_layouts) >= _MOST_REMEMBERED:
            _layouts.clear()
        _layouts[text] = layouts
    return layouts


def _fetch(frames: list[Any], references: Any, borrower: Borrower | None) -> list[Any]:
    """The frames with what is lent in its places, and pieces put together."""
    if not isinstance(references, list):
        raise WireError(f"{shown(references)} does not say what is lent")
    before = 0
    for reference in references:
        if not isinstance(reference, list) or len(reference) not in (2, 3):
            raise WireError(f"{shown(reference)} does not say what is lent")
        # In the order of their frames, each once: what comes is copied once, and not again and
        # again.
        if type(reference[0]) is not int or reference[0] <= before:
            raise WireError(f"There is no frame {shown(reference[0])} after frame {before}")
        before = reference[0]
        if len(reference) == 2:
            _join(frames, *reference)
            continue
        if borrower is None:
            raise WireError("Memory is lent by somebody who shares none with this process")
        index, name, size = reference
        if not index < len(frames) or len(frames[index]):
            raise WireError(f"There is no frame {index} to put what is lent into")
        try:
            frames[index] = borrower.borrow(name, size)
        except (OSError, ValueError, TypeError) as error:
            raise WireError(f"What is lent cannot be had: {error}") from None
    return frames


def _join(frames: list[Any], index: Any, count: Any) -> None:
    """Puts the pieces of a frame together."""
    if type(count) is not int or not 1 < count <= len(frames) - index:
        raise WireError(f"There are no {shown(count)} pieces of frame {index}")
    frames[index : index + count] = [b"".join(frames[index : index + count])]
