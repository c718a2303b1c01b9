"""Operations on strings: signatures, shapes and errors, and what Python's own strings say."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf

BYTES = st.lists(st.binary(max_size=8), min_size=1, max_size=4)


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def value(fetches: Any, feed: Any = None) -> Any:
    with tf.Session() as session:
        return session.run(fetches, feed)


def test_join() -> None:
    assert value(tf.string_join(["a", "b", "c"], "-")) == b"a-b-c"
    x = tf.placeholder(tf.string, [None])
    joined = tf.string_join([x, "!", x])
    assert joined.shape.as_list() == [None]
    assert value(joined, {x: ["a", "b\0"]}).tolist() == [b"a!a", b"b\0!b\0"]
    y = tf.placeholder(tf.string)
    assert tf.string_join([x, y]).shape.ndims is None
    with pytest.raises(ValueError, match="(?i)shapes"):
        tf.string_join([["a"], ["b", "c"]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Input shapes do not match"):
        value(tf.string_join([x, y]), {x: ["a"], y: ["a", "b"]})


@pytest.mark.parametrize(
    ("axis", "keep", "want"),
    [
        (None, False, b"abcd"),
        (0, False, [b"ac", b"bd"]),
        (-1, True, [[b"ab"], [b"cd"]]),
        ([1, 0], False, b"abcd"),
        ([0, 1], False, b"acbd"),
        ([], False, [[b"a", b"b"], [b"c", b"d"]]),
    ],
)
def test_reduce_join(axis: Any, keep: bool, want: Any) -> None:
    joined = tf.reduce_join([["a", "b"], ["c", "d"]], axis, keep_dims=keep)
    found = value(joined)
    assert (found if isinstance(found, bytes) else found.tolist()) == want
    assert joined.shape.as_list() == list(np.shape(np.array(want, object)))


def test_reduce_join_of_unknown_shapes() -> None:
    x = tf.placeholder(tf.string)
    assert value(tf.reduce_join(x, separator=","), {x: [["a", "b"], ["c", "d"]]}) == b"a,b,c,d"
    assert value(tf.reduce_join(x, reduction_indices=0), {x: ["a", "b"]}) == b"ab"
    with pytest.raises(ValueError, match="Can't specify both"):
        tf.reduce_join(x, axis=0, reduction_indices=0)
    with pytest.raises(ValueError, match="Invalid reduction dimension 2 for input with 1 dim"):
        tf.reduce_join(["a"], axis=2)


def test_split() -> None:
    found = tf.string_split(["a,b c", ""], ", ")
    assert isinstance(found, tf.SparseTensor)
    assert found.indices.shape.as_list() == [None, 2]
    indices, values, shape = value(found)
    assert indices.tolist() == [[0, 0], [0, 1], [0, 2]]
    assert values.tolist() == [b"a", b"b", b"c"]
    assert shape.tolist() == [2, 3]
    assert value(tf.string_split([",a"], ",", skip_empty=False)).values.tolist() == [b"", b"a"]
    assert value(tf.string_split(["ab"], "")).values.tolist() == [b"a", b"b"]
    with pytest.raises(ValueError, match="must be rank 1 but is rank 0"):
        tf.string_split("a b")


@given(BYTES, st.integers(-3, 8), st.integers(0, 8))
def test_substr_agrees_with_slices(texts: list[bytes], start: int, length: int) -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.string, [None])
        found = tf.substr(x, start, length)
        begins = [start + len(text) if start < 0 else start for text in texts]
        if all(0 <= b <= len(text) for b, text in zip(begins, texts, strict=True)):
            want = [text[b : b + length] for b, text in zip(begins, texts, strict=True)]
            assert value(found, {x: np.array(texts, object)}).tolist() == want
        else:
            with pytest.raises(tf.errors.InvalidArgumentError, match="out of range for string"):
                value(found, {x: np.array(texts, object)})


def test_substr_shapes() -> None:
    x = tf.placeholder(tf.string, [2, 3])
    assert tf.substr(x, [0, 1, 2], [1, 1, 1]).shape.as_list() == [2, 3]
    assert value(tf.substr("hello", [1, 2], [1, 2])).tolist() == [b"e", b"ll"]
    with pytest.raises(ValueError, match="(?i)shapes"):
        tf.substr(x, [0, 1], [1])


def test_numbers_as_text() -> None:
    assert value(tf.as_string(2.5)) == b"2.500000"
    assert value(tf.as_string([1.0, 1e6], scientific=True, precision=1)).tolist() == [
        b"1.0e+00",
        b"1.0e+06",
    ]
    assert value(tf.as_string([1.0, 1e10], shortest=True)).tolist() == [b"1", b"1e+10"]
    assert value(tf.as_string(7, width=3, fill="0")) == b"007"
    assert value(tf.as_string(tf.constant([True, False]))).tolist() == [b"true", b"false"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Cannot select both"):
        value(tf.as_string(1.0, scientific=True, shortest=True))


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=5))
def test_text_as_numbers(numbers: list[int]) -> None:
    with tf.Graph().as_default():
        texts = [str(n) for n in numbers]
        assert value(tf.string_to_number(texts, tf.int32)).tolist() == numbers
        assert value(tf.string_to_number(texts, tf.float64)).tolist() == numbers
        again = tf.string_to_number(tf.as_string(np.array(numbers, np.int64)), tf.int64)
        assert value(again).tolist() == numbers


def test_text_that_is_no_number() -> None:
    assert tf.string_to_number("1").dtype is tf.float32
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        value(tf.string_to_number(["1", "x2"]))
    assert "could not correctly convert string: x2" in str(caught.value)
    assert "test_strings.py" in str(caught.value).splitlines()[0]
    with pytest.raises(TypeError, match="not in list of allowed values"):
        tf.string_to_number("1", tf.uint8)


@given(BYTES)
def test_base64(texts: list[bytes]) -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.string, [None])
        plain, padded = tf.encode_base64(x), tf.encode_base64(x, pad=True)
        results = value(
            [plain, padded, tf.decode_base64(plain), tf.decode_base64(padded)],
            {x: np.array(texts, object)},
        )
        want = [base64.urlsafe_b64encode(text) for text in texts]
        assert results[0].tolist() == [text.rstrip(b"=") for text in want]
        assert results[1].tolist() == want
        assert results[2].tolist() == results[3].tolist() == texts


def test_base64_errors() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid character found in base64"):
        value(tf.decode_base64("a+b="))


def test_buckets() -> None:
    texts = ["Hello", "TensorFlow", "2.x"]
    # These are in TensorFlow's documentation.
    assert value(tf.string_to_hash_bucket_fast(texts, 3)).tolist() == [0, 2, 2]
    assert value(tf.string_to_hash_bucket_strong(["Hello", "TF"], 3, [1, 2])).tolist() == [2, 0]
    assert value(tf.string_to_hash_bucket(texts, 100)).tolist() == [41, 32, 0]
    assert value(tf.string_to_hash_bucket_fast("Hello", 3)) == 0
    with pytest.raises(ValueError, match="'num_buckets'.*less than minimum 1"):
        tf.string_to_hash_bucket_fast(texts, 0)


def test_raw_bytes() -> None:
    raw = tf.decode_raw(["\1\0\2\0", "\0\1\0\0"], tf.int16)
    assert raw.shape.as_list() == [2, None]
    assert value(raw).tolist() == [[1, 2], [256, 0]]
    assert value(tf.decode_raw(b"\0\1", tf.int16, little_endian=False)).tolist() == [1]
    x = tf.placeholder(tf.string, [])
    array = np.arange(6, dtype=np.float32)
    found = value(tf.reshape(tf.decode_raw(x, tf.float32), [2, 3]), {x: array.tobytes()})
    assert found.tolist() == array.reshape(2, 3).tolist()
    assert value(tf.decode_raw(input_bytes="a", out_type=tf.uint8)).tolist() == [97]
    with pytest.raises(tf.errors.InvalidArgumentError, match="all be the same size"):
        value(tf.decode_raw(["a", "bc"], tf.uint8))
    with pytest.raises(tf.errors.InvalidArgumentError, match="not a multiple of 4"):
        value(tf.decode_raw("abc", tf.float32))
