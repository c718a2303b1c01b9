"""The wire format of `Example` and `SequenceExample`.

What is read here are places in the bytes and lists of values, one message after the other; it is
what a reader generated from the messages' definition would find: fields it does not know are
skipped, of several values for one key or one field the last counts, numbers may be packed or not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

#: The kinds of a feature, as the numbers of their fields; NONE where it has none.
NONE, BYTES, FLOAT, INT64 = 0, 1, 2, 3

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10

#: The first bytes of the fields 1, 2 and 3 that are messages or strings.
_KEY_TAG, _VALUE_TAG, _INT64_TAG = 10, 18, 26

#: Where a message begins and ends.
Span = tuple[int, int]


class WireError(ValueError):
    """Bytes that are not a message."""


class Feature(NamedTuple):
    """The kind of a feature and its values: float32 numbers are the bytes they are stored as."""

    kind: int
    values: list[bytes] | list[int] | bytes


EMPTY = Feature(NONE, b"")


def read_varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """The number at a place, and where it ends."""
    value = shift = 0
    for place in range(at, min(stop, at + _MOST_VARINT_BYTES)):
        byte = data[place]
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, place + 1
        shift += 7
    raise WireError(f"the number at byte {at} does not end")


def read_fields(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: number, wire type, and where the content begins and ends."""
    at = start
    while at < stop:
        tag = data[at]
        if tag < 128:
            at += 1
        else:
            tag, at = read_varint(data, at, stop)
        wire_type = tag & 7
        if wire_type == _LENGTH:
            if at < stop and data[at] < 128:
                size, at = data[at], at + 1
            else:
                size, at = read_varint(data, at, stop)
            end = at + size
        elif wire_type == _VARINT:
            end = read_varint(data, at, stop)[1]
        elif wire_type == _FIXED32:
            end = at + 4
        elif wire_type == _FIXED64:
            end = at + 8
        else:
            raise WireError(f"the field at byte {at} has the unknown wire type {wire_type}")
        if end > stop or tag < 8:
            raise WireError(f"the field at byte {at} goes beyond its message")
        yield tag >> 3, wire_type, at, end
        at = end


def _only_message(data: bytes, start: int, stop: int, tag: int) -> Span | None:
    """Where a message is that is all of its surroundings, but for a tag of one byte and its size;
    None where there is anything else."""
    at = start + 1
    if at >= stop or data[start] != tag:
        return None
    size, at = read_varint(data, at, stop)
    return (at, stop) if at + size == stop else None


def read_messages(data: bytes, start: int, stop: int, number: int) -> Iterator[Span]:
    """Where the messages of one field are."""
    for field, wire_type, at, end in read_fields(data, start, stop):
        if field == number and wire_type == _LENGTH:
            yield at, end


def read_map(data: bytes, start: int, stop: int) -> dict[bytes, Span]:
    """The entries of a message that is one map (its field 1) from keys to messages."""
    entries: dict[bytes, Span] = {}
    for at, end in read_messages(data, start, stop, 1):
        # As they are usually written: a key of less than 128 bytes, then the value.
        middle = at + 2 + data[at + 1] if at + 2 < end else end
        if middle + 2 <= end and data[at] == _KEY_TAG and data[middle] == _VALUE_TAG:
            size = data[middle + 1]
            if size < 128 and middle + 2 + size == end and data[at + 1] < 128:
                entries[data[at + 2 : middle]] = (middle + 2, end)
                continue
        key, value = b"", (end, end)
        for field, wire_type, begin, finish in read_fields(data, at, end):
            if wire_type != _LENGTH:
                continue
            if field == 1:
                key = data[begin:finish]
            elif field == 2:
                value = (begin, finish)
        entries[key] = value
    return entries


def read_example(data: bytes) -> dict[bytes, Span]:
    """Where each feature of an `Example` is, by its key."""
    whole = _only_message(data, 0, len(data), _KEY_TAG)
    if whole is not None:
        return read_map(data, *whole)
    found: dict[bytes, Span] = {}
    for start, stop in read_messages(data, 0, len(data), 1):
        found.update(read_map(data, start, stop))
    return found


def read_sequence_example(data: bytes) -> tuple[dict[bytes, Span], dict[bytes, Span]]:
    """Where each feature of the context and each list of features is, by its key."""
    context: dict[bytes, Span] = {}
    lists: dict[bytes, Span] = {}
    for field, wire_type, start, stop in read_fields(data, 0, len(data)):
        if wire_type == _LENGTH and field in (1, 2):
            (context if field == 1 else lists).update(read_map(data, start, stop))
    return context, lists


def read_feature(data: bytes, start: int, stop: int) -> Feature:
    """The kind and the values of a feature."""
    if stop - start > 3 and data[start + 1] < 128 and start + 2 + data[start + 1] == stop:
        # As short features are usually written: one list, which begins with its only field.
        short = _read_short(data, start, stop)
        if short is not None:
            return short
    whole = _only_message(data, start, stop, _KEY_TAG)
    if whole is not None:
        item = _only_message(data, *whole, _KEY_TAG)
        if item is not None:
            return Feature(BYTES, [data[item[0] : item[1]]])
    kind = NONE
    spans: list[Span] = []
    for field, wire_type, at, end in read_fields(data, start, stop):
        if wire_type != _LENGTH or field not in (BYTES, FLOAT, INT64):
            continue
        if field != kind:
            kind, spans = field, []
        spans.append((at, end))
    if kind == BYTES:
        return Feature(kind, [item for span in spans for item in read_bytes_list(data, *span)])
    if kind == FLOAT:
        return Feature(kind, b"".join(part for span in spans for part in _floats(data, *span)))
    if kind == INT64:
        return Feature(kind, [number for span in spans for number in _integers(data, *span)])
    return EMPTY


def _read_short(data: bytes, start: int, stop: int) -> Feature | None:
    """A feature of one list with one field of less than 128 bytes; None for others."""
    size = data[start + 3]
    if data[start + 2] != _KEY_TAG or size > 127 or start + 4 + size != stop:
        return None
    tag = data[start]
    content = data[start + 4 : stop]
    if tag == _KEY_TAG:
        return Feature(BYTES, [content])
    if tag == _VALUE_TAG:
        return Feature(FLOAT, content) if size % 4 == 0 else None
    if tag != _INT64_TAG:
        return None
    if size == 1 and content[0] < 128:
        return Feature(INT64, [content[0]])
    return Feature(INT64, list(_packed(content, 0, size)))


def read_bytes_list(data: bytes, start: int, stop: int) -> list[bytes]:
    """The values of a `BytesList`."""
    return [data[at:end] for at, end in read_messages(data, start, stop, 1)]


def _floats(data: bytes, start: int, stop: int) -> Iterator[bytes]:
    for field, wire_type, at, end in read_fields(data, start, stop):
        if field != 1 or wire_type not in (_LENGTH, _FIXED32):
            continue
        if (end - at) % 4:
            raise WireError(f"the numbers at byte {at} end within one of them")
        yield data[at:end]


def _integers(data: bytes, start: int, stop: int) -> Iterator[int]:
    for field, wire_type, at, end in read_fields(data, start, stop):
        if field != 1 or wire_type not in (_LENGTH, _VARINT):
            continue
        yield from _packed(data, at, end)


def _packed(data: bytes, at: int, end: int) -> Iterator[int]:
    while at < end:
        value, at = read_varint(data, at, end)
        yield value - (1 << 64) if value >> 63 else value


def count_values(feature: Feature) -> int:
    """How many values a feature has."""
    return len(feature.values) // 4 if feature.kind == FLOAT else len(feature.values)


def describe(feature: Feature) -> str:
    """A feature as text, in the notation that protocol buffers are shown in."""
    if feature.kind == NONE:
        return ""
    values: list[object] = list(feature.values)
    if feature.kind == FLOAT:
        raw = feature.values
        assert isinstance(raw, bytes)
        values = [f"{number:.6g}" for (number,) in struct.iter_unpack("<f", raw)]
    if feature.kind == BYTES:
        values = ['"' + repr(value)[2:-1] + '"' for value in values]
    name = {BYTES: "bytes_list", FLOAT: "float_list", INT64: "int64_list"}[feature.kind]
    shown = " ".join(f"value: {value}" for value in values[:8])
    more = f" ... ({len(values)} values)" if len(values) > 8 else ""
    return f"{name} {{ {shown}{more} }}"
