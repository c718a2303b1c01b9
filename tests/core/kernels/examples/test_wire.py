"""The wire format: what protobuf writes and reads is the oracle."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.kernels.examples.messages import Values, example, sequence_example
from workbench.core import protos
from workbench.core.kernels.examples import wire

KINDS = {"bytes_list": wire.BYTES, "float_list": wire.FLOAT, "int64_list": wire.INT64, None: 0}


def values_of(message: Any) -> tuple[int, list[Any]]:
    """Kind and values of a `Feature` message; floats as their bytes."""
    name = message.WhichOneof("kind")
    if name is None:
        return wire.NONE, []
    values = list(getattr(message, name).value)
    if name == "float_list":
        values = [struct.pack("<f", value) for value in values]
    return KINDS[name], values


def read(data: bytes) -> dict[bytes, tuple[int, list[Any]]]:
    found = {}
    for key, span in wire.read_example(data).items():
        feature = wire.read_feature(data, *span)
        values: Any = feature.values
        if feature.kind == wire.FLOAT:
            values = [values[i : i + 4] for i in range(0, len(values), 4)]
        found[key] = (feature.kind, list(values))
    return found


def expected(data: bytes) -> dict[bytes, tuple[int, list[Any]]]:
    message = protos.Example()
    message.ParseFromString(data)
    return {key.encode(): values_of(f) for key, f in message.features.feature.items()}


CASES: list[dict[str, Values]] = [
    {},
    {"a": None},
    {"a": ("float", [1.0, -2.5]), "b": ("int64", [1, 300, -1, 2**62]), "c": ("bytes", [b"", b"x"])},
    {"long": ("bytes", [bytes(300), bytes(130)]), "many": ("int64", list(range(200)))},
    {"k" * 200: ("float", [0.0] * 100)},
]


@pytest.mark.parametrize("features", CASES)
def test_what_protobuf_writes(features: dict[str, Values]) -> None:
    data = example(features)
    assert read(data) == expected(data)


def field(number: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def entry(key: bytes, feature: bytes) -> bytes:
    return field(1, field(1, key) + field(2, feature))


A, B = field(3, field(1, b"\x05")), field(3, field(1, b"\x06\x07"))


@pytest.mark.parametrize(
    "data",
    [
        # Numbers that are not packed, and both ways mixed.
        field(1, entry(b"a", field(3, b"\x08\x05\x08\x96\x01"))),
        field(1, entry(b"a", field(3, b"\x08\x05" + field(1, b"\x06\x07")))),
        field(1, entry(b"a", field(2, b"\x0d\0\0\x80\x3f\x0d\0\0\0\x40"))),
        # A key twice, in one message and in two; a value without a key; one before its key.
        field(1, entry(b"a", A) + entry(b"a", B)),
        field(1, entry(b"a", A)) + field(1, entry(b"b", B)),
        field(1, field(1, field(2, A))),
        field(1, field(1, field(2, A) + field(1, b"a"))),
        field(1, field(1, field(1, b"a"))),
        # Lists of one kind are one list; of another kind, the last counts.
        field(1, entry(b"a", A + B)),
        field(1, entry(b"a", field(1, field(1, b"x")) + A)),
        # Fields that nobody knows, of all wire types.
        field(7, b"?") + b"\x40\x01" + field(1, entry(b"a", A)) + b"\x4d1234" + b"\x5112345678",
        field(1, entry(b"a", field(9, b"?") + A)),
        # Lengths and numbers written longer than need be.
        b"\x0a\x8e\x00" + entry(b"a", field(3, field(1, b"\x85\x80\x00")))[:14],
    ],
)
def test_messages_that_are_written_in_other_ways(data: bytes) -> None:
    assert read(data) == expected(data)


@pytest.mark.parametrize(
    "data", [b"\n", b"\n\x05abc", b"\x0b", b"\x00\x01", b"\n\x80", b"\x08" + b"\xff" * 11, b"a"]
)
def test_bytes_that_are_no_message(data: bytes) -> None:
    with pytest.raises(DecodeError):
        protos.Example.FromString(data)
    with pytest.raises(wire.WireError):
        wire.read_example(data)


@settings(max_examples=150)
@given(st.sampled_from(CASES[2:3]), st.data())
def test_damaged_bytes(features: dict[str, Values], data: st.DataObject) -> None:
    damaged = bytearray(example(features))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(damaged)
    try:
        wanted = expected(content)
    except DecodeError:
        # What is no message to protobuf may be one here: keys need not be text.
        return
    try:
        found = read(content)
    except wire.WireError as error:
        # Groups, an old way to write messages, are no part of the format here.
        assert "wire type" in str(error)
    else:
        # An entry with a field that nobody knows is none to protobuf.
        assert {key: found.get(key) for key in wanted} == wanted


def test_every_cut_is_noticed_or_ends_a_field() -> None:
    data = example({"a": ("int64", [1, 2, 3]), "b": ("bytes", [b"xyz"])})
    for length in range(len(data)):
        try:
            protos.Example.FromString(data[:length])
        except DecodeError:
            with pytest.raises(wire.WireError):
                read(data[:length])
        else:
            assert read(data[:length]) == expected(data[:length])


def test_sequence_examples() -> None:
    data = sequence_example(
        {"c": ("int64", [7])}, {"l": [("float", [1.0]), None, ("float", [])], "empty": []}
    )
    context, lists = wire.read_sequence_example(data)
    assert wire.read_feature(data, *context[b"c"]) == wire.Feature(wire.INT64, [7])
    spans = list(wire.read_messages(data, *lists[b"l"], 1))
    kinds = [wire.read_feature(data, *span).kind for span in spans]
    assert kinds == [wire.FLOAT, wire.NONE, wire.FLOAT]
    assert list(wire.read_messages(data, *lists[b"empty"], 1)) == []


def test_features_as_text() -> None:
    assert wire.describe(wire.EMPTY) == ""
    many = wire.Feature(wire.INT64, list(range(10)))
    assert wire.describe(many).endswith("value: 7 ... (10 values) }")
    floats = wire.Feature(wire.FLOAT, struct.pack("<f", 0.5))
    assert wire.describe(floats) == "float_list { value: 0.5 }"
    assert wire.describe(wire.Feature(wire.BYTES, [b"a"])) == 'bytes_list { value: "a" }'
