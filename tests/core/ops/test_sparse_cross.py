"""Crossed features against Python's own product; buckets against hashes known from elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.ops.sparse.crossing import sparse_cross, sparse_cross_hashed

#: What TensorFlow gives for these columns.
FEW = [85, 83, 22, 7]
MANY = [
    2928842892298887678,
    5354134812324246176,
    4779491748946477322,
    4707660378794676007,
]
FIRST = [[b"a", b"b"], [], [b"c"]]
SECOND = [[1], [2, 3], [4, 5]]


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _sparse(rows: list[list[Any]]) -> Any:
    places = [[i, j] for i, row in enumerate(rows) for j in range(len(row))]
    return tf.SparseTensor(places, [v for row in rows for v in row], [len(rows), 2])


def _rows(value: Any) -> list[list[Any]]:
    rows: list[list[Any]] = [[] for _ in range(value.dense_shape[0])]
    for (row, column), item in zip(value.indices.tolist(), value.values.tolist(), strict=True):
        assert column == len(rows[row])
        rows[row].append(item)
    return rows


def test_all_combinations(session: Any) -> None:
    dense = [[b"x", b"y"], [b"z", b"w"], [b"u", b"v"]]
    crossed = session.run(sparse_cross([_sparse(FIRST), tf.constant(dense), _sparse(SECOND)]))
    texts = [[str(v).encode() for v in row] for row in SECOND]
    # Sparse columns come first.
    wanted = [
        [b"_X_".join(c) for c in itertools.product(a, b, d)]
        for a, b, d in zip(FIRST, texts, dense, strict=True)
    ]
    assert _rows(crossed) == wanted
    assert crossed.dense_shape.tolist() == [3, 4]


def test_buckets(session: Any) -> None:
    columns = [_sparse(FIRST), _sparse(SECOND)]
    few, many, other = session.run(
        [
            sparse_cross_hashed(columns, 100),
            sparse_cross_hashed(columns),
            sparse_cross_hashed(columns, hash_key=7),
        ]
    )
    assert few.values.tolist() == FEW
    assert many.values.tolist() == MANY
    assert [len(row) for row in _rows(many)] == [2, 0, 2]
    assert not set(many.values) & set(other.values)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (lambda: [_sparse(FIRST), tf.constant([["a"]])], "Expected batch size 3 got 1"),
        (lambda: [tf.constant(["a"])], "Dense inputs should be a matrix"),
        (
            lambda: [tf.SparseTensor([[0, 0, 0]], ["a"], [1, 1, 1])],
            "matrix with 2 columns",
        ),
    ],
)
def test_columns_that_do_not_fit(session: Any, columns: Any, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(sparse_cross(columns()))


def test_columns_of_other_types() -> None:
    with pytest.raises(TypeError, match="integers or strings, got float32"):
        sparse_cross([tf.constant([[1.0]])])
    with pytest.raises(TypeError, match="Inputs must be a list"):
        sparse_cross(tf.constant([[1]]))


def test_nothing_to_cross(session: Any) -> None:
    empty = tf.SparseTensor(np.zeros([0, 2], np.int64), tf.zeros([0], tf.int64), [2, 5])
    found = session.run(sparse_cross([empty]))
    assert found.values.tolist() == []
    assert found.dense_shape.tolist() == [2, 0]
