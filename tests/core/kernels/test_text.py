"""String kernels against plain Python."""

from __future__ import annotations

import base64
import itertools
import math
import re
import struct
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import text


def strings(values: Any, shape: Any = None) -> np.ndarray:
    flat = [values] if isinstance(values, bytes) else list(values)
    result = np.empty(len(flat), object)
    result[:] = flat
    return result.reshape(
        () if isinstance(values, bytes) else (len(flat),) if shape is None else shape
    )


WORDS = strings([b"hello", b"", b"\xff\x00b", "ä".encode()])


def test_string_join() -> None:
    result = text.string_join((WORDS, strings(b"x"), WORDS), separator="--")
    assert result.tolist() == [word + b"--x--" + word for word in WORDS]
    assert text.string_join((strings(b"a"), strings(b"b"))).item() == b"ab"
    assert text.string_join((WORDS.reshape(2, 2), WORDS.reshape(2, 2))).shape == (2, 2)


@pytest.mark.parametrize("axes", [[], [0], [1], [-1], [0, 1], [2, 0], [1, 2, 0]])
@pytest.mark.parametrize("keep_dims", [True, False])
def test_reduce_join(axes: list[int], keep_dims: bool) -> None:
    shape = (2, 3, 2)
    cells = strings([b"%d%d%d" % index for index in np.ndindex(*shape)], shape)
    result = text.reduce_join(cells, np.array(axes, np.int32), keep_dims=keep_dims, separator="-")
    if not axes:
        assert result.tolist() == cells.tolist()
        return
    joined = [axis % 3 for axis in axes]
    sizes = [1 if axis in joined else n for axis, n in enumerate(shape)]
    assert list(result.shape) == (
        sizes if keep_dims else [n for axis, n in enumerate(shape) if axis not in joined]
    )
    for index, found in zip(np.ndindex(*sizes), result.reshape(-1), strict=True):
        pieces = []
        # The first axis listed runs fastest.
        for steps in itertools.product(*(range(shape[axis]) for axis in reversed(joined))):
            place = list(index)
            for axis, step in zip(reversed(joined), steps, strict=True):
                place[axis] = step
            pieces.append(cells[tuple(place)])
        assert found == b"-".join(pieces)


def test_reduce_join_of_nothing_and_of_scalars() -> None:
    assert text.reduce_join(strings([], (0, 2)), np.array(0)).tolist() == [b"", b""]
    assert text.reduce_join(strings(b"a"), np.zeros(0, int)).item() == b"a"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text("ab,; ", max_size=8).map(str.encode), max_size=4),
    st.sampled_from([b" ", b",", b",; ", b""]),
    st.booleans(),
)
def test_string_split(values: list[bytes], delimiter: bytes, skip_empty: bool) -> None:
    indices, pieces, shape = text.string_split(
        strings(values), strings(delimiter), skip_empty=skip_empty
    )
    rows = []
    for value in values:
        if not delimiter:
            rows.append([value[i : i + 1] for i in range(len(value))])
        else:
            split = re.split(b"[" + re.escape(delimiter) + b"]", value) if value else []
            rows.append([piece for piece in split if piece or not skip_empty])
    assert indices.dtype == shape.dtype == np.int64 and pieces.dtype == object
    assert indices.tolist() == [[i, j] for i, row in enumerate(rows) for j in range(len(row))]
    assert indices.shape == (len(pieces), 2)
    assert pieces.tolist() == [piece for row in rows for piece in row]
    assert shape.tolist() == [len(values), max((len(row) for row in rows), default=0)]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=6), st.integers(-7, 7), st.integers(-1, 8))
def test_substr(value: bytes, pos: int, length: int) -> None:
    arguments = (strings([value, value]), np.array(pos, np.int32), np.array(length, np.int32))
    start = pos + len(value) if pos < 0 else pos
    if not 0 <= start <= len(value):
        with pytest.raises(InvalidArgumentError, match=f"pos {pos} out of range for string"):
            text.substr(*arguments)
        return
    expected = value[start:][: None if length < 0 else length]
    assert text.substr(*arguments).tolist() == [expected, expected]


def test_substr_broadcasts() -> None:
    result = text.substr(
        strings([b"hello", b"world"], (1, 2)), np.array([[1], [2]]), np.array([[1], [2]])
    )
    assert result.tolist() == [[b"e", b"o"], [b"ll", b"rl"]]


INTEGERS = [np.int8, np.int32, np.int64, np.uint8]
REALS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_as_strings(dtype: Any) -> None:
    values = np.array([[1, 20], [0, 127]]).astype(dtype)
    assert text.as_string(values).tolist() == [[b"1", b"20"], [b"0", b"127"]]
    padded = text.as_string(values, width=5, fill="0")
    assert padded[1].tolist() == [b"00000", b"00127"]
    assert text.as_string(values, width=4, fill="-")[0].tolist() == [b"1   ", b"20  "]
    assert text.as_string(values, fill="+")[0].tolist() == [b"+1", b"+20"]


@pytest.mark.parametrize("dtype", REALS)
def test_floats_as_strings(dtype: Any) -> None:
    values = np.array([1.5, -0.25, math.inf, -math.inf, math.nan]).astype(dtype)
    cases: list[tuple[dict[str, Any], list[bytes]]] = [
        ({}, [b"1.500000", b"-0.250000", b"inf", b"-inf", b"nan"]),
        ({"precision": 1}, [b"1.5", b"-0.2", b"inf", b"-inf", b"nan"]),
        ({"scientific": True, "precision": 2},
         [b"1.50e+00", b"-2.50e-01", b"inf", b"-inf", b"nan"]),
        ({"shortest": True}, [b"1.5", b"-0.25", b"inf", b"-inf", b"nan"]),
        ({"shortest": True, "width": 6, "fill": "0"},
         [b"0001.5", b"-00.25", b"   inf", b"  -inf", b"   nan"]),
        ({"shortest": True, "width": 6}, [b"   1.5", b" -0.25", b"   inf", b"  -inf", b"   nan"]),
    ]  # fmt: skip
    for attributes, expected in cases:
        assert text.as_string(values, **attributes).tolist() == expected


def test_booleans_and_complex_numbers_as_strings() -> None:
    assert text.as_string(np.array([True, False])).tolist() == [b"true", b"false"]
    result = text.as_string(np.array([1 + 2j, -0.5j], np.complex64), shortest=True)
    assert result.tolist() == [b"(1,2)", b"(-0,-0.5)"]
    assert text.as_string(np.array(7)).item() == b"7"


ACCEPTED = {
    b"1": 1, b" 12 ": 12, b"-3": -3, b"\t5\n": 5, b"007": 7, b"-0": 0,
}  # fmt: skip
FLOATS = {
    b"1.5": 1.5, b"+4": 4, b"1e3": 1000, b".5": 0.5, b"5.": 5, b"0x10": 16, b"-0X1A": -26,
    b"inf": math.inf, b"-Inf": -math.inf, b"nan": math.nan, b"1e400": math.inf, b"1e-400": 0,
}  # fmt: skip
REFUSED = [b"", b" ", b"abc", b"1_0", b"1 2", b"--1", b"1d", b"0b1", b"5\x00", b"- 1", b"\xd9\xa1"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
def test_numbers_from_strings(dtype: Any) -> None:
    integral = np.issubdtype(dtype, np.integer)
    accepted = ACCEPTED if integral else ACCEPTED | FLOATS
    result = text.string_to_number(strings(accepted), out_type=np.dtype(dtype))
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, np.array(list(accepted.values())).astype(dtype))
    refused = [*REFUSED, *FLOATS] if integral else REFUSED
    for value in refused:
        with pytest.raises(InvalidArgumentError, match="could not correctly convert string"):
            text.string_to_number(strings([b"1", value]), out_type=np.dtype(dtype))
    none = text.string_to_number(strings([], (0, 2)), out_type=np.dtype(dtype))
    assert none.shape == (0, 2) and none.dtype == dtype


@pytest.mark.parametrize(("dtype", "bits"), [(np.int32, 31), (np.int64, 63)])
def test_integers_beyond_the_range_are_refused(dtype: Any, bits: int) -> None:
    ends = strings([str(2**bits - 1).encode(), str(-(2**bits)).encode()])
    assert text.string_to_number(ends, out_type=np.dtype(dtype)).tolist() == [
        2**bits - 1,
        -(2**bits),
    ]
    for value in (2**bits, -(2**bits) - 1):
        with pytest.raises(InvalidArgumentError, match="at \\[0\\]"):
            text.string_to_number(strings([str(value).encode()]), out_type=np.dtype(dtype))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=10), max_size=4))
def test_base64_there_and_back(values: list[bytes]) -> None:
    padded = text.encode_base64(strings(values), pad=True)
    bare = text.encode_base64(strings(values))
    assert padded.tolist() == [base64.urlsafe_b64encode(value) for value in values]
    assert bare.tolist() == [value.rstrip(b"=") for value in padded]
    assert text.decode_base64(padded).tolist() == text.decode_base64(bare).tolist() == values


@pytest.mark.parametrize(
    "dtype",
    [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.int64, np.float16, np.float32, np.float64,
     np.complex64, ml_dtypes.bfloat16],
)  # fmt: skip
@pytest.mark.parametrize("little_endian", [True, False])
def test_decode_raw(dtype: Any, little_endian: bool) -> None:
    data = [struct.pack("<16B", *range(1, 17)), struct.pack("<16B", *range(40, 56))]
    result = text.decode_raw(
        strings(data, (2, 1)), out_type=np.dtype(dtype), little_endian=little_endian
    )
    assert result.dtype == dtype and result.shape == (2, 1, 16 // np.dtype(dtype).itemsize)
    assert result.flags.writeable
    part = np.dtype(dtype).itemsize // (2 if dtype is np.complex64 else 1)
    for row, value in zip(result, data, strict=True):
        pieces = [value[i : i + part] for i in range(0, 16, part)]
        assert row.tobytes() == b"".join(p if little_endian else p[::-1] for p in pieces)


def test_decode_raw_of_booleans_and_of_nothing() -> None:
    result = text.decode_raw(strings(b"\x00\x02\x01"), out_type=np.dtype(np.bool_))
    assert result.tolist() == [False, True, True]
    assert text.decode_raw(strings([], (0, 2)), out_type=np.dtype(np.int16)).shape == (0, 2, 0)
    assert text.decode_raw(strings([b""]), out_type=np.dtype(np.int16)).shape == (1, 0)


def test_buckets_stay_below_their_count() -> None:
    words = strings([b"%d" % i for i in range(500)])
    for result in (
        text.string_to_hash_bucket_fast(words, num_buckets=7),
        text.string_to_hash_bucket(words, num_buckets=7),
        text.string_to_hash_bucket_strong(words, num_buckets=7, key=(1, -2)),
    ):
        assert result.dtype == np.int64 and set(result.tolist()) == set(range(7))
        assert np.bincount(result).min() > 40


ONE = np.array([1])
ERRORS = [
    (lambda: text.string_join((WORDS, WORDS[:2])), "Input shapes do not match"),
    (lambda: text.reduce_join(WORDS, np.array([1])),
     "Invalid reduction dimension 1 for input with 1"),
    (lambda: text.reduce_join(WORDS, np.array([0, -1])), "Duplicate reduction dimension 0"),
    (lambda: text.string_split(WORDS.reshape(2, 2), strings(b" ")), "input must be a vector"),
    (lambda: text.string_split(WORDS, strings([b" "])), "delimiter must be a scalar"),
    (lambda: text.substr(WORDS, np.array([0]), np.array(1)),
     "pos and len should have the same shape"),
    (lambda: text.substr(WORDS, np.arange(3), np.arange(3)), "Incompatible shapes"),
    (lambda: text.as_string(ONE, precision=2), "precision not supported for datatype int64"),
    (lambda: text.as_string(ONE, scientific=True), "scientific and shortest format not supported"),
    (lambda: text.as_string(ONE / 2, scientific=True, shortest=True), "Cannot select both"),
    (lambda: text.as_string(ONE, fill="ab"), "one or fewer characters"),
    (lambda: text.as_string(ONE, fill="x"), "Fill argument not supported: 'x'"),
    (lambda: text.decode_base64(strings([b"+/79"])), "Invalid character found in base64"),
    (lambda: text.decode_base64(strings([b"YQ="])), "Invalid character found in base64"),
    (lambda: text.decode_base64(strings([b"YWJjY"])), "cannot be 1 modulo 4"),
    (lambda: text.decode_raw(strings([b"abc", b"ab"]), out_type=np.dtype("u1")),
     "element 1 has size 3 != 2"),
    (lambda: text.decode_raw(strings([b"abc"]), out_type=np.dtype("i2")),
     "length 3 that is not a multiple of 2"),
    (lambda: text.string_to_hash_bucket_fast(WORDS, num_buckets=0), "num_buckets must be positive"),
    (lambda: text.string_to_hash_bucket_strong(WORDS, num_buckets=9, key=(1,)), "Key must have 2"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
