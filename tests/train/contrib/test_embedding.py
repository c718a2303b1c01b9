"""Embeddings of rows that may hold nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf

layers = tf.contrib.layers

TABLE = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], np.float32)
#: The symbols of each row, by its place; numbers below 0 are none.
ROWS: dict[tuple[int, ...], dict[int, float]] = {
    (0, 0): {0: 1.0, 3: 3.0},
    (1, 2): {2: 2.0, -1: 4.0},
}


@pytest.fixture(autouse=True)
def session() -> Iterator[tf.Session]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _sparse(outer: tuple[int, ...]) -> tuple[tf.SparseTensor, tf.SparseTensor]:
    """The rows' numbers and weights, in a tensor with these axes in front of the last."""
    where, ids, weights = [], [], []
    for place, row in ROWS.items():
        flat = np.ravel_multi_index(place, (2, 3))
        for column, (number, weight) in enumerate(row.items()):
            where.append([*np.unravel_index(flat, outer), column])
            ids.append(number)
            weights.append(weight)
    shape = [*outer, 4]
    return (
        tf.SparseTensor(where, tf.constant(ids, tf.int64), shape),
        tf.SparseTensor(where, tf.constant(weights, tf.float32), shape),
    )


def _expected(weighted: bool, default: Any) -> np.ndarray[Any, Any]:
    result = np.zeros((2, 3, 2), np.float32)
    for place in np.ndindex(2, 3):
        row = {n: w if weighted else 1.0 for n, w in ROWS.get(place, {}).items() if n >= 0}
        if row:
            result[place] = sum(w * TABLE[n] for n, w in row.items()) / sum(row.values())
        elif default is not None:
            result[place] = TABLE[default]
    return result


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("outer", [(6,), (2, 3), (1, 2, 3)])
@pytest.mark.parametrize("default", [None, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_rows(
    weighted: bool, default: Any, outer: tuple[int, ...], parts: int, session: tf.Session
) -> None:
    ids, weights = _sparse(outer)
    table = [tf.constant(part) for part in np.split(TABLE, parts)]
    found = layers.safe_embedding_lookup_sparse(
        table, ids, weights if weighted else None, default_id=default
    )
    assert found.shape.is_compatible_with([*outer, 2])
    expected = _expected(weighted, default).reshape(*outer, 2)
    np.testing.assert_allclose(session.run(found), expected, rtol=1e-6)


def test_one_dtype_for_all() -> None:
    ids, weights = _sparse((6,))
    halves = np.split(TABLE, 2)
    for table, given in (
        ([halves[0], halves[1].astype(np.float64)], None),
        ([half.astype(np.float64) for half in halves], weights),
    ):
        with pytest.raises(ValueError, match="one dtype, not of float32, float64"):
            layers.safe_embedding_lookup_sparse(table, ids, given)
    with pytest.raises(ValueError, match="Missing embedding_weights"):
        layers.safe_embedding_lookup_sparse([], ids)
