"""Messages as frames: what goes in comes out; what is no message is refused."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.fuzzing import examples
from workbench.cluster.wire import frames
from workbench.cluster.wire.frames import MAGIC, WireError, decode, encode
from workbench.cluster.wire.message import Message
from workbench.core.graph import dtypes

NUMBERS = [
    "bool", "uint8", "uint16", "int8", "int16", "int32", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
]  # fmt: skip


def crossed(message: Message) -> Message:
    return decode([bytes(frame) for frame in encode(message)])


@given(
    st.sampled_from(NUMBERS).flatmap(
        lambda name: arrays.arrays(np.dtype(name), arrays.array_shapes(min_dims=0, min_side=0))
    )
)
def test_arrays_come_out_with_the_bits_they_went_in_with(array):
    found = crossed(Message("values", arrays=(("x:0", array),))).arrays[0]
    assert found[0] == "x:0"
    assert found[1].dtype == array.dtype and found[1].shape == array.shape
    assert np.asarray(found[1]).tobytes() == array.tobytes()


@given(arrays.arrays(object, arrays.array_shapes(min_side=0), elements=st.binary(max_size=20)))
def test_strings_come_out_as_they_went_in(array):
    ((_, found),) = crossed(Message("values", arrays=(("s", array),))).arrays
    assert found.shape == array.shape and found.tolist() == array.tolist()


def test_views_bfloat16_fields_and_blobs_cross():
    half = np.arange(6).astype(dtypes.bfloat16.as_numpy_dtype)
    turned = np.arange(6.0).reshape(2, 3).T
    message = Message("run", {"a": [1, None]}, (("h", half), ("t", turned)), 7, (b"graph", b""))
    found = crossed(message)
    assert (found.kind, found.fields, found.number) == ("run", {"a": [1, None]}, 7)
    assert found.arrays[0][1].dtype == half.dtype
    assert np.array_equal(found.arrays[1][1], turned)
    assert [bytes(b) for b in found.blobs] == [b"graph", b""]


def test_what_comes_cannot_be_written_to():
    ((_, found),) = crossed(Message("values", arrays=(("x", np.ones(3)),))).arrays
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 2.0


def header(told: object, arrays: object = None, lent: object = None) -> bytes:
    """A header of a kind and fields, of what arrays are, and of what is lent."""
    texts = [
        json.dumps(part).encode() if part is not None else b"" for part in (told, arrays, lent)
    ]
    return raw(*texts)


def raw(*texts: bytes) -> bytes:
    """A header of three texts."""
    return MAGIC + struct.pack("<QQII", 7, 0, *(len(t) for t in texts[:2])) + b"".join(texts)


def of(*description: object) -> bytes:
    """A header that announces an array."""
    return header(["k", {}], [["x", *description]])


BAD = {
    "nothing": [],
    "another protocol": [b"GET / HTTP/1.1"],
    "another version": [b"WB\x63" + header(["k", {}])[3:]],
    "half a header": [MAGIC + b"123"],
    "no JSON": [raw(b"{", b"", b"")],
    "deep JSON": [raw(b"[" * 100_000, b"", b"")],
    "bytes that are no text": [raw(b"\xff\xfe", b"", b"")],
    "texts that are longer than the header": [header(["k", {}])[:-1]],
    "too few parts": [header(["k"])],
    "a kind that is a number": [header([3, {}])],
    "fields that are a list": [header(["k", []])],
    "arrays that are no list": [header(["k", {}], 3), b""],
    "an array without a name": [header(["k", {}], [[]]), b""],
    "an array whose name is a number": [header(["k", {}], [[1, "float32", []]]), b"1234"],
    "more arrays than frames": [of("float32", [1])],
    "too few bytes": [of("float32", [2]), b"1234"],
    "too many bytes": [of("float32", [0]), b"1234"],
    "a huge shape": [of("uint8", [1 << 47, 1 << 47]), b""],
    "a negative shape": [of("uint8", [-1]), b""],
    "a type that is none": [of("object", [1]), b"12345678"],
    "resources": [of("resource", [1]), b"12345678"],
    "strings that are too long": [of("string", [1]), b"\xff\0\0\0a"],
    "too few strings": [of("string", [3]), b"\0\0\0\0"],
    "an encoding that is none": [of("float32", [1], "int4"), b"1"],
    "an encoding of integers": [of("int32", [1], "int8"), b"12345"],
    "too few bytes of an encoding": [of("float32", [2], "int8"), b"12345"],
    "memory that is lent to nobody": [header(["k", {}], None, [[1, "a", 9]]), b""],
    "what is lent and is no list": [header(["k", {}], None, 7), b""],
}


@pytest.mark.parametrize("frames", BAD.values(), ids=BAD)
def test_what_is_no_message_is_refused(frames):
    with pytest.raises(WireError):
        decode(frames)


def is_refused_or_read(frames: list[bytes]) -> bool:
    """Whether frames are a message or a WireError; anything else is raised."""
    try:
        return isinstance(decode(frames), Message)
    except WireError:
        return True


@examples(100)
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_garbage_is_refused_or_read_but_nothing_else(frames):
    for found in (frames, [MAGIC + f for f in frames], [raw(f, b"", f) for f in frames]):
        assert is_refused_or_read(found)


@examples(100)
@given(st.data())
def test_a_message_with_some_bytes_changed_is_refused_or_read(data):
    frames = [
        bytearray(bytes(f))
        for f in encode(Message("run", {"s": "a", "n": 3}, (("x", np.arange(5)), ("s", "abc"))))
    ]
    for _ in range(data.draw(st.integers(1, 4))):
        frame = data.draw(st.sampled_from([f for f in frames if f]))
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    assert is_refused_or_read([bytes(f) for f in frames])


def test_arrays_of_one_kind_are_described_alike_and_read_again():
    """What is remembered of a description is that of the name, type and shape."""
    for shape in [(2, 3), (6,), (3, 2), (2, 3)]:
        for dtype in (np.float32, np.int32, np.float64):
            array = np.arange(6).astype(dtype).reshape(shape)
            for name in ("x", "y"):
                ((found, value),) = crossed(Message("m", arrays=((name, array),))).arrays
                assert found == name and value.dtype == dtype and value.shape == shape
                assert np.array_equal(value, array)


def test_more_kinds_of_arrays_than_are_remembered_cross():
    for size in range(1500):
        ((_, value),) = crossed(Message("m", arrays=(("x", np.zeros(size, np.uint8)),))).arrays
        assert value.shape == (size,)


def test_long_frames_go_in_pieces_and_short_ones_beside_them(monkeypatch):
    monkeypatch.setattr(frames, "MOST_FRAME_BYTES", 100)
    long, exact = np.arange(1001, dtype=np.uint8), np.arange(100, dtype=np.uint8)
    arrays = (("a", exact), ("b", long), ("c", np.float32(3)), ("d", long[:101]))
    sent = frames.encode(Message("m", {}, arrays, blobs=(b"x" * 250, b"y")))
    assert (
        all(memoryview(f).nbytes <= 100 for f in sent[1:]) and len(sent) == 1 + 1 + 11 + 1 + 2 + 4
    )
    found = decode([bytes(f) for f in sent])
    for (name, value), (wanted, array) in zip(found.arrays, arrays, strict=True):
        assert name == wanted and np.array_equal(value, array)
    assert found.blobs == [b"x" * 250, b"y"]


@pytest.mark.parametrize(
    "piece", [[1, 1], [0, 2], [1, 4], [3, 2], [1, -2], ["1", 2], [1, 2.5], [1]]
)
def test_pieces_that_are_none_are_refused(piece):
    with pytest.raises(WireError):
        decode([header(["k", {}], None, [piece]), b"a", b"b", b"c"])


def test_a_header_that_no_peer_takes_is_not_sent(monkeypatch):
    monkeypatch.setattr(frames, "MOST_HEADER_BYTES", 100)
    with pytest.raises(ValueError, match="kind 'm'.*too long"):
        encode(Message("m", {"x": "y" * 100}))
