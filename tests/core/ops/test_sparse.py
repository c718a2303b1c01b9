"""Sparse tensors as the user calls them: against dense NumPy, gradients, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from tests.core.ops.numeric import derivative

PLACES = [[0, 1], [1, 0], [2, 3]]
VALUES = np.array([1.5, -2.0, 3.0])
SHAPE = [3, 4]


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _dense(value: Any) -> np.ndarray[Any, Any]:
    result = np.zeros(np.asarray(value.dense_shape), np.asarray(value.values).dtype)
    result[tuple(np.asarray(value.indices).T)] = value.values
    return result


def _sparse(values: Any = VALUES, places: Any = PLACES, shape: Any = SHAPE) -> Any:
    return tf.SparseTensor(places, values, shape)


@st.composite
def _matrices(draw: Any) -> Any:
    """A dense 3 x 4 matrix with many zeros, as positions and values."""
    flat = draw(st.lists(st.integers(-3, 3), min_size=12, max_size=12))
    dense = np.where(np.abs(np.array(flat)) > 1, flat, 0).reshape(3, 4).astype(float)
    places = np.argwhere(dense)
    return dense, tf.SparseTensorValue(places, dense[tuple(places.T)], np.array([3, 4]))


@given(_matrices(), _matrices())
@settings(max_examples=30, deadline=None)
def test_sums_and_extremes_are_those_of_dense_tensors(first: Any, second: Any) -> None:
    (a, sparse_a), (b, sparse_b) = first, second
    with tf.Graph().as_default(), tf.Session() as session:
        x, y = tf.sparse_placeholder(tf.float64), tf.sparse_placeholder(tf.float64)
        fetches = [tf.sparse_add(x, y), tf.sparse_maximum(x, y), tf.sparse_minimum(x, y)]
        dense = [tf.sparse_add(x, b), tf.sparse_add(b, x), tf.sparse_tensor_to_dense(x)]
        reduced = [tf.sparse_reduce_sum(x, 0), tf.sparse_reduce_sum(x, [1], keep_dims=True)]
        feed = {x: sparse_a, y: sparse_b}
        total, high, low = session.run(fetches, feed)
        found = session.run([*dense, *reduced, tf.sparse_reduce_sum(x)], feed)
    np.testing.assert_array_equal(_dense(total), a + b)
    np.testing.assert_array_equal(_dense(high), np.maximum(a, b))
    np.testing.assert_array_equal(_dense(low), np.minimum(a, b))
    wanted = [a + b, a + b, a, a.sum(0), a.sum(1, keepdims=True), a.sum()]
    for value, want in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(value, want)


@given(_matrices(), st.booleans(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_product_with_a_dense_matrix(matrix: Any, adjoint_a: bool, adjoint_b: bool) -> None:
    a, value = matrix
    b = np.random.default_rng(0).normal(size=(3 if adjoint_a else 4, 2))
    b = b.T.copy() if adjoint_b else b
    with tf.Graph().as_default(), tf.Session() as session:
        values, dense = tf.constant(value.values), tf.constant(b)
        x = tf.SparseTensor(value.indices, values, value.dense_shape)
        y = tf.sparse_tensor_dense_matmul(x, dense, adjoint_a, adjoint_b)
        found = session.run([y, *tf.gradients(tf.square(y), [values, dense])])
        full = tf.constant(a)
        z = tf.matmul(full, dense, transpose_a=adjoint_a, transpose_b=adjoint_b)
        want = session.run([z, *tf.gradients(tf.square(z), [full, dense])])
    np.testing.assert_allclose(found[0], want[0])
    np.testing.assert_allclose(found[1], want[1][tuple(value.indices.T)])
    np.testing.assert_allclose(found[2], want[2])


@pytest.mark.parametrize(
    "build",
    [
        lambda v: tf.sparse_tensor_to_dense(_sparse(v)),
        lambda v: tf.sparse_reorder(_sparse(v, PLACES[::-1])).values,
        lambda v: tf.sparse_add(_sparse(v), _sparse(2 * v, [[0, 1], [1, 1], [2, 3]])).values,
        lambda v: tf.sparse_softmax(_sparse(v, [[0, 1], [0, 2], [1, 0]])).values,
        lambda v: tf.sparse_reduce_sum(_sparse(v), 1, keep_dims=True),
        lambda v: tf.sparse_slice(_sparse(v), [0, 1], [2, 9]).values,
        lambda v: tf.sparse_fill_empty_rows(_sparse(v[:2], PLACES[:2]), v[2])[0].values,
        lambda v: (_sparse(v) * tf.reshape(v, [3, 1])).values,
        lambda v: (_sparse(v) / (4 + v[2] * tf.range(4, dtype=tf.float64))).values,
        lambda v: (tf.ones([3, 4], tf.float64) * v[0] * _sparse(v)).values,
        lambda v: tf.sparse_retain(_sparse(v), [True, False, True]).values,
        lambda v: tf.sparse_transpose(_sparse(v)).values,
        lambda v: tf.sparse_reshape(_sparse(v), [-1]).values,
    ],
)
def test_gradients(build: Any, session: Any) -> None:
    v = tf.placeholder(tf.float64, [3])
    loss = tf.reduce_sum(build(v) ** 3)
    slope = session.run(tf.convert_to_tensor(tf.gradients(loss, v)[0]), {v: VALUES})
    numeric = derivative(lambda a: session.run(loss, {v: a}), VALUES)
    np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-6)


def test_layout_is_that_of_dense_tensors(session: Any) -> None:
    x = _sparse()
    dense = np.zeros(SHAPE)
    dense[tuple(np.array(PLACES).T)] = VALUES
    cases = [
        (tf.sparse_transpose(x), dense.T),
        (tf.sparse_transpose(x, [0, 1]), dense),
        (tf.sparse_reshape(x, [2, -1]), dense.reshape(2, 6)),
        (tf.sparse_concat(0, [x, x]), np.concatenate([dense, dense])),
        (tf.sparse_concat(-1, [x, x]), np.concatenate([dense, dense], 1)),
        (tf.sparse_concat(concat_dim=1, axis=0, sp_inputs=[x]), dense),
        (tf.sparse_slice(x, [1, 0], [5, 2]), dense[1:, :2]),
        (tf.sparse_reset_shape(x, [4, 5]), np.pad(dense, [(0, 1), (0, 1)])),
        (tf.sparse_reset_shape(_sparse(places=[[0, 1], [1, 0], [1, 2]])), None),
    ]
    cases += list(
        zip(
            tf.sparse_split(sp_input=x, num_split=3, axis=1),
            np.split(dense, [2, 3], 1),
            strict=True,
        )
    )
    for sparse, want in cases:
        value = session.run(sparse)
        if want is None:
            assert value.dense_shape.tolist() == [2, 3]
        else:
            np.testing.assert_array_equal(_dense(value), want)
            assert sparse.get_shape().is_compatible_with(want.shape)
    corner = _sparse(np.array([9.0]), [[4, 0]], [5, 1])
    wide = tf.sparse_concat(1, [x, corner], None, True)
    assert session.run(wide).dense_shape.tolist() == [5, 5]


def test_rows(session: Any) -> None:
    filled, empty = tf.sparse_fill_empty_rows(_sparse(places=[[2, 1]], values=[5.0]), -1.0)
    value = session.run(filled)
    assert value.indices.tolist() == [[0, 0], [1, 0], [2, 1]]
    assert value.values.tolist() == [-1.0, -1.0, 5.0]
    assert session.run(empty).tolist() == [True, True, False]
    ids = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([2, 0, 1], tf.int64), [2, 2])
    indicator = session.run(tf.sparse_to_indicator(ids, 3))
    assert indicator.tolist() == [[True, False, True], [False, True, False]]
    weights = _sparse([1.0, 2.0, 3.0], [[0, 0], [0, 1], [1, 0]], [2, 2])
    merged = session.run(tf.sparse_merge(ids, weights, 3))
    assert _dense(merged).tolist() == [[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]]
    rows = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([4, 7]))
    assert session.run(tf.sparse_mask(rows, [4]).values).tolist() == [[2.0]]


def test_edit_distance(session: Any) -> None:
    words = [["c", "a", "t"], ["x"]]
    truth = [["c", "a", "r", "t"], ["x", "y"]]

    def sparse(lists: Any) -> Any:
        places = [[i, j] for i, row in enumerate(lists) for j in range(len(row))]
        return tf.SparseTensor(places, [c for row in lists for c in row], [2, 4])

    a, b = sparse(words), sparse(truth)
    assert session.run(tf.edit_distance(a, b)).tolist() == [0.25, 0.5]
    assert session.run(tf.edit_distance(a, b, normalize=False)).tolist() == [1.0, 1.0]
    with pytest.raises(TypeError, match="Truth must be a SparseTensor"):
        tf.edit_distance(a, [1])


def test_dense_from_positions(session: Any) -> None:
    assert session.run(tf.sparse_to_dense(2, [4], 7)).tolist() == [0, 0, 7, 0]
    assert session.run(tf.sparse_to_dense([3, 1], [4], [5, 6], -1, False)).tolist() == [
        -1,
        6,
        -1,
        5,
    ]
    text = tf.sparse_to_dense([[0, 1]], [1, 2], ["a"], default_value="z")
    assert session.run(text).tolist() == [[b"z", b"a"]]
    for places, message in (([3, 1], "out of order"), ([1, 1], "repeated"), ([9], "out of bounds")):
        tensor = tf.sparse_to_dense(places, [4], 1)
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.run(tensor)


def test_placeholders(session: Any) -> None:
    x = tf.sparse_placeholder(tf.float32, [None, 4], name="x")
    assert x.indices.op.name == "x/indices" and x.indices.shape.as_list() == [None, 2]
    assert tf.sparse_placeholder(tf.float32, [2, 4]).get_shape().as_list() == [2, 4]
    fed = tf.SparseTensorValue([[0, 1]], [2.0], [1, 4])
    assert session.run(tf.sparse_tensor_to_dense(x), {x: fed}).tolist() == [[0.0, 2.0, 0.0, 0.0]]


def test_quotients_of_integers(session: Any) -> None:
    x = _sparse(np.array([7, -7, 8]))
    assert session.run((x / 2).values).tolist() == [3.5, -3.5, 4.0]
    assert (x / 2).dtype is tf.float64


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tf.sparse_add([1.0], [2.0]), TypeError, "At least one input"),
        (lambda x: tf.sparse_reorder([1.0]), TypeError, "must be a SparseTensor"),
        (lambda x: tf.sparse_tensor_dense_matmul(x, tf.zeros([3, 2])), ValueError, "4 and 3"),
        (lambda x: tf.sparse_reshape(x, [5, -1]), ValueError, "Cannot reshape a tensor with 12"),
        (lambda x: tf.sparse_reshape(x, [-1, -1]), ValueError, "At most one dimension"),
        (lambda x: tf.sparse_reset_shape(x, [2, 4]), ValueError, "should have dimension sizes"),
        (lambda x: tf.sparse_split(sp_input=x, axis=0), ValueError, "num_split is required"),
        (lambda x: tf.sparse_split(0, x, 2), ValueError, "Keyword arguments are required"),
        (lambda x: tf.sparse_merge([x], x, [1, 2]), ValueError, "equal lengths"),
        (lambda x: tf.sparse_merge(x, x, 3), TypeError, "int32 or int64"),
        (lambda _: tf.sparse_to_dense([1], [[5]], 1), ValueError, "must be rank 1"),
    ],
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(_sparse(VALUES.astype(np.float32)))
