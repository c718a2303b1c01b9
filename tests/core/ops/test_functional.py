"""map_fn, foldl, foldr and scan against plain loops over the rows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from tests.core.ops.evaluating import assert_gradients

ROWS = np.random.default_rng(6).normal(size=(4, 2)) / 2


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


class Pair(NamedTuple):
    """A structure of two."""

    first: Any
    second: Any


NUMBERS = st.lists(st.integers(-9, 9), min_size=1, max_size=6)


def plain_scan(function: Callable[[Any, Any], Any], rows: list[Any], start: Any) -> list[Any]:
    """All values that a fold goes through; without a start the first row is the first."""
    values, rest = ([], rows) if start is not None else (rows[:1], rows[1:])
    for row in rest:
        values.append(function(values[-1] if values else start, row))
    return values


@given(NUMBERS, st.sampled_from([None, 0, 5]), st.booleans())
@settings(max_examples=15, deadline=None)
def test_folds_and_scans_of_numbers(
    numbers: list[int], start: int | None, is_size_known: bool
) -> None:
    def function(a: Any, x: Any) -> Any:
        return a * 3 - x

    backwards = numbers[::-1]
    with tf.Graph().as_default(), tf.Session() as session:
        rows = tf.placeholder(tf.int32, [len(numbers) if is_size_known else None])
        results = session.run(
            [
                tf.foldl(function, rows, start),
                tf.foldr(function, rows, start),
                tf.scan(function, rows, start),
                tf.scan(function, rows, start, reverse=True),
                tf.map_fn(lambda x: x * x - 1, rows),
            ],
            {rows: numbers},
        )
    forth, back = plain_scan(function, numbers, start), plain_scan(function, backwards, start)
    wanted = [forth[-1], back[-1], forth, back[::-1], [x * x - 1 for x in numbers]]
    for value, want in zip(results, wanted, strict=True):
        assert value.dtype == np.int32
        assert value.tolist() == want


def test_no_rows(session: Any) -> None:
    rows = tf.placeholder(tf.float32, [None, 2])
    feeds = {rows: np.zeros([0, 2])}
    assert session.run(tf.map_fn(lambda x: x + 1.0, rows), feeds).shape == (0, 2)
    assert session.run(tf.foldl(lambda a, x: a + x, rows, [1.0, 2.0]), feeds).tolist() == [1.0, 2.0]
    assert session.run(tf.scan(lambda a, x: a + x, rows, tf.ones([2])), feeds).shape == (0, 2)


# -- structures ----------------------------------------------------------------------------------


def test_map_of_structures(session: Any) -> None:
    numbers, names = np.array([1.0, 2.0]), np.array([[1, 2], [3, 4]])
    found = session.run(
        tf.map_fn(
            lambda pair: {"sum": pair.first + 1.0, "rows": [pair.second["b"], pair.first]},
            Pair(numbers, {"b": names}),
            dtype={"sum": tf.float64, "rows": [tf.int64, tf.float64]},
        )
    )
    assert found["sum"].tolist() == [2.0, 3.0]
    assert [r.tolist() for r in found["rows"]] == [[[1, 2], [3, 4]], [1.0, 2.0]]
    swapped = session.run(tf.map_fn(lambda p: (p[0] + 1.0, p[1] * 2), (numbers, names)))
    assert [s.tolist() for s in swapped] == [[2.0, 3.0], [[2, 4], [6, 8]]]


def test_scan_and_fold_of_structures(session: Any) -> None:
    fibonacci = tf.scan(lambda a, _: (a[1], a[0] + a[1]), np.zeros(6), (np.array(0), np.array(1)))
    assert session.run(fibonacci)[0].tolist() == [1, 1, 2, 3, 5, 8]
    totals = tf.scan(lambda a, x: x[0] - x[1] + a, (np.arange(3) + 1, np.arange(3)), np.array(0))
    assert session.run(totals).tolist() == [1, 2, 3]
    last = tf.foldl(lambda a, x: [a[0] + x[0], a[1] * x[1]], [np.arange(4.0), np.arange(1.0, 5.0)])
    assert session.run(last) == [6.0, 24.0]
    first = tf.foldr(lambda a, x: a * 10 + x["n"], {"n": [1, 2, 3]}, 0)
    assert session.run(first) == 321


# -- static shapes and arguments -----------------------------------------------------------------


def test_static_shapes() -> None:
    rows = tf.placeholder(tf.float32, [None, 3])
    known = tf.placeholder(tf.float32, [5, 3])
    assert tf.map_fn(lambda x: x[:2], rows).shape.as_list() == [None, 2]
    assert tf.map_fn(lambda x: x[:2], known).shape.as_list() == [5, 2]
    # One of several tells how many rows there are.
    assert tf.map_fn(lambda x: x[0], (rows, known), dtype=tf.float32).shape.as_list() == [5, 3]
    assert tf.scan(lambda a, x: a + x, known).shape.as_list() == [5, 3]
    assert tf.foldl(lambda a, x: a + x, known).shape.as_list() == [3]
    assert tf.map_fn(lambda x: x, tf.placeholder(tf.float32, None)).shape.ndims is None


@pytest.mark.parametrize(
    "function", [tf.map_fn, tf.foldl, tf.foldr, tf.scan], ids=["map_fn", "foldl", "foldr", "scan"]
)
def test_what_all_refuse(function: Any) -> None:
    with pytest.raises(TypeError, match="fn must be callable"):
        function("text", [1.0])
    with pytest.raises(ValueError, match="must have rank at least 1"):
        function(lambda *a: a[0], tf.constant(1.0))
    with pytest.raises(ValueError, match="at least one tensor"):
        function(lambda *a: a[0], [])
    with pytest.raises(ValueError, match="3 and 2 are not compatible"):
        function(lambda *a: a[-1], (tf.zeros([3]), tf.zeros([2])))


def test_what_map_and_scan_refuse(session: Any) -> None:
    x = tf.constant([1.0, 2.0])
    with pytest.raises(TypeError, match="sparse tensor"):
        tf.map_fn(lambda r: r, tf.SparseTensor([[0]], [1.0], [2]))
    with pytest.raises(TypeError, match=r"fn gave a tensor of int32.*results are to be float32"):
        tf.map_fn(lambda r: tf.cast(r, tf.int32), x)
    with pytest.raises(ValueError, match="the same number of elements"):
        tf.map_fn(lambda r: (r, r), x)
    with pytest.raises(TypeError, match="same sequence type"):
        tf.map_fn(lambda r: [r, r], x, dtype=(tf.float32, tf.float32))
    with pytest.raises(ValueError, match="the same number of elements"):
        tf.scan(lambda a, r: (a, r), x)
    with pytest.raises(ValueError, match="Inconsistent shapes"):
        tf.scan(lambda a, r: r, tf.zeros([2, 3]), tf.zeros([2]))


def test_shapes_that_differ_between_iterations(session: Any) -> None:
    sizes = tf.placeholder(tf.int32, [None])
    ragged = tf.map_fn(lambda n: tf.zeros([n]), sizes, dtype=tf.float32, infer_shape=False)
    assert session.run(ragged, {sizes: [2, 2]}).shape == (2, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible shapes during merge"):
        session.run(ragged, {sizes: [1, 2]})


def test_lists_of_numbers_are_tensors(session: Any) -> None:
    assert session.run(tf.map_fn(lambda x: x + 1, [1, 2, 3])).tolist() == [2, 3, 4]
    assert session.run(tf.map_fn(tf.reduce_sum, [[1.0, 2.0], [3.0, 4.0]])).tolist() == [3.0, 7.0]
    assert session.run(tf.map_fn(lambda s: s, ["a", "b"])).tolist() == [b"a", b"b"]


# -- gradients -----------------------------------------------------------------------------------


def _mapped(x: Any) -> Any:
    return tf.map_fn(lambda row: row * row * tf.reduce_sum(x), x)


def _mapped_pairs(x: Any) -> Any:
    product, total = tf.map_fn(
        lambda p: (p[0] * p[1], p[0] + tf.sin(p[1])), (x, x[::-1]), dtype=(tf.float64, tf.float64)
    )
    return product * total


def _folded(x: Any) -> Any:
    return tf.foldl(lambda a, row: a * row + x[0], x) * tf.foldr(lambda a, row: a + row**2, x)


def _scanned(x: Any) -> Any:
    start = (tf.ones([2], tf.float64), x[1])
    first, second = tf.scan(lambda a, row: (a[0] * row + a[1], a[1] * 0.5 + row), x, start)
    return first * second + tf.scan(lambda a, row: a * row, x, reverse=True)


def _nested(x: Any) -> Any:
    return tf.map_fn(lambda row: tf.foldl(lambda a, e: a * e + row[0], row, x[0, 0]), x)


@pytest.mark.parametrize("function", [_mapped, _mapped_pairs, _folded, _scanned, _nested])
def test_gradients_to_second_order(function: Callable[[Any], Any]) -> None:
    assert_gradients(function, ROWS)


def test_no_gradient_without_back_prop() -> None:
    x = tf.constant([1.0, 2.0])
    made = [
        tf.map_fn(lambda r: r * r, x, back_prop=False),
        tf.foldl(lambda a, r: a * r, x, back_prop=False),
        tf.scan(lambda a, r: a * r, x, back_prop=False),
    ]
    assert all(tf.gradients(m, x) == [None] for m in made)


# -- in a model ----------------------------------------------------------------------------------


def test_variables_made_inside_are_trained(session: Any) -> None:
    """A layer inside map_fn has its variables outside; they learn."""
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    want = x @ np.array([[1.0], [-2.0], [0.5]], np.float32)

    def row_output(row: Any) -> Any:
        weights = tf.get_variable("weights", [3, 1], initializer=tf.zeros_initializer())
        return tf.matmul(row[tf.newaxis], weights)[0]

    found = tf.map_fn(row_output, tf.constant(x))
    loss = tf.reduce_mean(tf.square(found - want))
    step = tf.train.GradientDescentOptimizer(0.3).minimize(loss)
    assert [v.op.name for v in tf.trainable_variables()] == ["weights"]
    session.run(tf.global_variables_initializer())
    before = session.run(loss)
    for _ in range(60):
        session.run(step)
    assert session.run(loss) < before / 100


def test_long_maps_take_time_in_proportion(session: Any) -> None:
    """Reading a row in each iteration costs the same, however many rows there are."""
    rows = tf.placeholder(tf.float32, [None])
    scaled = tf.map_fn(lambda x: x * x, rows)
    (gradient,) = tf.gradients(scaled, rows)
    numbers = np.linspace(0, 1, 3000, dtype=np.float32)
    np.testing.assert_allclose(session.run(gradient, {rows: numbers}), 2 * numbers, rtol=1e-6)


def test_reduce_of_scan_is_fold(session: Any) -> None:
    function = functools.partial(lambda a, x, factor: a * factor + x, factor=tf.constant(0.5))
    rows = tf.constant(ROWS[:, 0].astype(np.float32))
    scanned, folded = session.run([tf.scan(function, rows), tf.foldl(function, rows)])
    np.testing.assert_allclose(scanned[-1], folded, rtol=1e-6)
