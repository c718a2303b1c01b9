"""Sets along the last axis against Python's own sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf

OPERATIONS: dict[str, tuple[Callable[..., Any], Callable[[set[Any], set[Any]], set[Any]]]] = {
    "intersection": (tf.sets.set_intersection, lambda a, b: a & b),
    "union": (tf.sets.set_union, lambda a, b: a | b),
    "difference": (tf.sets.set_difference, lambda a, b: a - b),
    "reverse": (lambda a, b: tf.sets.set_difference(a, b, aminusb=False), lambda a, b: b - a),
}


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _rows(draw: Any, sizes: tuple[int, ...], longest: int) -> Any:
    """Lists of numbers, one for each position of `sizes`."""
    count = int(np.prod(sizes))
    lists = st.lists(st.integers(-3, 3), max_size=longest)
    return draw(st.lists(lists, min_size=count, max_size=count))


def _sparse(rows: Any, sizes: tuple[int, ...], convert: Callable[[int], Any], dtype: Any) -> Any:
    """The SparseTensor with these rows, their elements at every second place."""
    longest = 2 * max((len(row) for row in rows), default=0) + 1
    places, values = [], []
    for index, row in zip(np.ndindex(*sizes), rows, strict=True):
        places += [(*index, 2 * i + 1) for i in range(len(row))]
        values += [convert(v) for v in row]
    return tf.SparseTensor(
        np.array(places, np.int64).reshape(-1, len(sizes) + 1),
        tf.constant(values, dtype, [len(values)]) if values else tf.zeros([0], dtype),
        [*sizes, longest],
    )


@st.composite
def _pairs(draw: Any) -> Any:
    sizes = draw(st.sampled_from([(1,), (3,), (2, 2)]))
    return sizes, _rows(draw, sizes, 4), _rows(draw, sizes, 3)


def _dense(rows: Any, sizes: tuple[int, ...], convert: Callable[[int], Any]) -> Any:
    """Rows of one length, where each is filled up with its own first element."""
    filled = [[convert(v) for v in (row or [0])] for row in rows]
    longest = max(len(row) for row in filled)
    table = [row + row[:1] * (longest - len(row)) for row in filled]
    return np.array(table, object).reshape(*sizes, longest).tolist(), [set(r) for r in filled]


@given(_pairs(), st.sampled_from(sorted(OPERATIONS)), st.sampled_from(["int64", "uint8", "string"]))
@settings(max_examples=60, deadline=None)
def test_operations_are_those_of_python(pair: Any, name: str, kind: str) -> None:
    sizes, first, second = pair
    operation, python = OPERATIONS[name]

    def convert(value: int) -> Any:
        return str(value).encode() if kind == "string" else value + 3

    with tf.Graph().as_default(), tf.Session() as session:
        a, b = (_sparse(rows, sizes, convert, kind) for rows in (first, second))
        (table, a_sets), (other, b_sets) = (_dense(r, sizes, convert) for r in (first, second))
        x, y = tf.constant(table, kind), tf.constant(other, kind)
        sets = [[{convert(v) for v in row} for row in rows] for rows in (first, second)]
        cases = [
            (operation(a, b), sets[0], sets[1]),
            (operation(x, b), a_sets, sets[1]),
            (operation(a, y), sets[0], b_sets),
            (operation(x, y), a_sets, b_sets),
        ]
        found = session.run([result for result, _, _ in cases])
    for value, (_, left, right) in zip(found, cases, strict=True):
        wanted = [sorted(python(m, n)) for m, n in zip(left, right, strict=True)]
        rows: dict[Any, list[Any]] = {index: [] for index in np.ndindex(*sizes)}
        for place, item in zip(value.indices.tolist(), value.values.tolist(), strict=True):
            row = rows[tuple(place[:-1])]
            assert place[-1] == len(row)
            row.append(item)
        assert list(rows.values()) == wanted
        assert value.dense_shape.tolist() == [*sizes, max(map(len, wanted))]


@given(_pairs())
@settings(max_examples=20, deadline=None)
def test_sizes_count_each_value_once(pair: Any) -> None:
    sizes, rows, _ = pair
    with tf.Graph().as_default(), tf.Session() as session:
        size = tf.sets.set_size(_sparse(rows, sizes, int, "int32"))
        found = session.run(size)
    assert found.dtype == np.int32
    assert found.tolist() == np.reshape([len(set(row)) for row in rows], sizes).tolist()


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([[1, 0], [0, 0]], r"indices\[1\] = \[0,0\] is out of order"),
        ([[0, 1], [0, 1]], r"indices\[1\] = \[0,1\] is repeated"),
        ([[0, 0], [0, 9]], "out of bounds"),
    ],
)
def test_positions_that_are_no_positions(session: Any, places: Any, message: str) -> None:
    x = tf.SparseTensor(places, tf.constant([1, 2]), [2, 2])
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(tf.sets.set_size(x))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(tf.sets.set_union(tf.constant([[1], [2]]), x))


def test_order_does_not_count_when_it_is_not_checked(session: Any) -> None:
    x = tf.SparseTensor([[1, 0], [0, 0]], tf.constant([7, 5]), [2, 2])
    assert session.run(tf.sets.set_size(x, validate_indices=False)).tolist() == [1, 1]
    union = tf.sets.set_union(x, x, validate_indices=False)
    assert session.run(union).values.tolist() == [5, 7]


def test_what_is_no_set(session: Any) -> None:
    with pytest.raises(TypeError, match="Expected `SparseTensor`"):
        tf.sets.set_size([[1, 2]])
    with pytest.raises(TypeError, match="invalid dtype float32"):
        tf.sets.set_union([[1.0]], [[1.0]])
    with pytest.raises(TypeError, match="Types don't match, int32 vs int64"):
        tf.sets.set_union(tf.constant([[1]]), tf.constant([[1]], tf.int64))
    with pytest.raises(ValueError, match="at least rank 2"):
        tf.sets.set_union(tf.constant([1]), tf.constant([1]))
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 1 and 2"):
        tf.sets.set_union(tf.constant([[1]]), tf.constant([[1], [2]]))
    unknown = tf.placeholder(tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Mismatched shapes \[1\] vs \[2\]"):
        session.run(tf.sets.set_union(unknown, tf.constant([[1], [2]])), {unknown: [[1]]})
