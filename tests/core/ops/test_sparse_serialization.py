"""Sparse tensors as strings and under handles: against the rows of dense arrays; errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.kernels.tensor_bytes import pack_tensor, unpack_tensor
from workbench.core.ops.sparse.serialization import deserialize_sparse
from workbench.core.ops.sparse.tensors_map import (
    add_many_sparse_to_tensors_map,
    add_sparse_to_tensors_map,
    take_many_sparse_from_tensors_map,
)

VALUES = {
    "float32": [1.5, -2.0, 0.0],
    "bfloat16": [1.5, -2.0, 0.0],
    "bool": [True, False, True],
    "complex64": [1 + 2j, 0, -1j],
    "int64": [2**40, -1, 0],
    "string": [b"", b"x" * 300, b"\x00\xff"],
}


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _sparse(dense: Any) -> Any:
    array = np.asarray(dense)
    places = np.argwhere(array)
    return tf.SparseTensorValue(places, array[tuple(places.T)], np.array(array.shape))


def _dense(value: Any) -> Any:
    result = np.zeros(np.asarray(value.dense_shape), np.asarray(value.values).dtype)
    result[tuple(np.asarray(value.indices).T)] = value.values
    return result


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("out_type", ["string", "variant"])
def test_every_type_comes_back(session: Any, kind: str, out_type: str) -> None:
    values = tf.constant(VALUES[kind], kind)
    x = tf.SparseTensor([[0, 0], [0, 3], [2, 1]], values, [3, 4])
    row = tf.serialize_sparse(x, out_type=out_type)
    back = session.run([deserialize_sparse(row, kind, rank=2), values])
    assert back[0].indices.tolist() == [[0, 0], [0, 3], [2, 1]]
    assert back[0].dense_shape.tolist() == [3, 4]
    assert back[0].values.tolist() == back[1].tolist()


@given(st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_rows_go_to_strings_and_handles_and_back(rows: list[list[int]]) -> None:
    dense = np.array(rows)
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.sparse_placeholder(tf.int64, [len(rows), 4])
        strings = tf.serialize_many_sparse(x)
        handles = add_many_sparse_to_tensors_map(x)
        taken = take_many_sparse_from_tensors_map(handles.op, tf.reverse(handles, [0]))
        single = tf.deserialize_many_sparse(strings[:1], tf.int64, rank=2)
        fetches = [tf.deserialize_many_sparse(strings, tf.int64), taken, single]
        whole, reverse, first = session.run(fetches, {x: _sparse(dense)})
    np.testing.assert_array_equal(_dense(whole), dense)
    np.testing.assert_array_equal(_dense(reverse), dense[::-1])
    np.testing.assert_array_equal(_dense(first), dense[:1])


def test_joined_tensors_have_the_largest_shape(session: Any) -> None:
    first = tf.SparseTensor([[1]], tf.constant([5]), [2])
    second = tf.SparseTensor([[3]], tf.constant([6]), [4])
    rows = tf.stack([tf.serialize_sparse(first), tf.serialize_sparse(second)])
    handles = [add_sparse_to_tensors_map(t, shared_name="both") for t in (first, second)]
    joined = tf.deserialize_many_sparse(rows, tf.int32, rank=2)
    taken = take_many_sparse_from_tensors_map(handles[0].op, tf.stack(handles))
    for found in session.run([joined, taken]):
        np.testing.assert_array_equal(_dense(found), [[0, 5, 0, 0], [0, 0, 0, 6]])
    assert joined.get_shape().ndims == 2


def test_static_shapes() -> None:
    x = tf.SparseTensor([[1, 0]], tf.constant([5]), [2, 3])
    assert tf.serialize_sparse(x).shape.as_list() == [3]
    assert tf.serialize_many_sparse(x).shape.as_list() == [2, 3]
    assert add_many_sparse_to_tensors_map(x).shape.as_list() == [2]
    with pytest.raises(ValueError, match="Shape must be rank 2"):
        tf.deserialize_many_sparse(["a", "b", "c"], tf.int32)
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 3"):
        tf.deserialize_many_sparse([["a", "b"]], tf.int32)


def _row(indices: Any, values: Any, shape: Any) -> list[bytes]:
    parts = np.array(indices, np.int64), np.array(values, np.int32), np.array(shape, np.int64)
    return [pack_tensor(part) for part in parts]


GOOD = _row([[1]], [5], [2])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[b"\xff", *GOOD[1:]]], "Could not parse serialized proto"),
        ([[b"\x08\x07\x12\x04\x12\x02\x08\x09\x22\x01a", *GOOD[1:]]], "1 bytes cannot hold 9"),
        ([GOOD, _row([[1, 1]], [5], [2, 2])], "rank prior to SparseTensor.1. was: 1 but rank"),
        ([_row([[1]], [5, 6], [2])], "row counts of SparseTensor.0..indices .* 1 vs. 2"),
        ([_row([[1]], [5], [2, 2])], "column counts of SparseTensor.0..indices .* 1 vs. 2"),
        ([_row([1], [5], [2])], "SparseTensor.0..indices to be a matrix"),
        (np.zeros([0, 3], object), "Must have at least 1 serialized SparseTensor"),
    ],
)
def test_strings_that_are_no_sparse_tensors(session: Any, rows: Any, message: str) -> None:
    fed = tf.placeholder(tf.string, [None, 3])
    joined = tf.deserialize_many_sparse(fed, tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(joined, {fed: rows})


def test_values_of_another_type(session: Any) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="type int64 but .* == int32"):
        session.run(tf.deserialize_many_sparse([GOOD], tf.int64))


def test_a_handle_is_good_once(session: Any) -> None:
    handle = add_sparse_to_tensors_map(tf.SparseTensor([[1]], [5], [2]), shared_name="once")
    fed = tf.placeholder(tf.int64, [None])
    taken = take_many_sparse_from_tensors_map(handle.op, fed)
    number = session.run(handle)
    assert session.run(taken, {fed: [number]}).values.tolist() == [5]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Unable to find SparseTensor: 0"):
        session.run(taken, {fed: [number]})
    with pytest.raises(TypeError, match="sparse_map_op must be one of"):
        take_many_sparse_from_tensors_map(fed.op, fed)


@pytest.mark.parametrize(
    ("places", "shape", "message"),
    [
        ([[1, 0], [0, 0]], [2, 2], "out of order"),
        ([[0, 0], [2, 0]], [2, 2], "out of bounds"),
        ([[0], [1]], [2], "Rank of input SparseTensor should be > 1"),
    ],
)
def test_rows_that_cannot_be_told(session: Any, places: Any, shape: Any, message: str) -> None:
    x = tf.sparse_placeholder(tf.int32)
    value = tf.SparseTensorValue(np.array(places), np.array([5, 6]), np.array(shape))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(tf.serialize_many_sparse(x), {x: value})


def test_packed_strings_are_read_whole() -> None:
    packed = pack_tensor(np.array([b"a" * 200, b""], object))
    assert unpack_tensor(packed).tolist() == [b"a" * 200, b""]
    with pytest.raises(tf.errors.InvalidArgumentError, match="lengths of 2 strings do not fit"):
        unpack_tensor(packed.replace(b"\xc8\x01", b"\xc9\x01"))
