"""Operations on lists: values, static types, errors, what becomes of memory."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.ops.lists import creation, items, joining, scattering, sizes, slices, stacking
from workbench.core.ops.lists.element_types import (
    ElementType,
    element_type,
    is_differentiable,
    set_element_type,
)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


# -- values --------------------------------------------------------------------------------------

CHANGES = st.lists(
    st.tuples(
        st.sampled_from(
            ["set", "add", "push", "pop", "clear", "resize", "scatter", "rows", "grow"]
        ),
        st.integers(0, 5),
        st.integers(0, 3),
    ),
    max_size=12,
)
#: Elements are sums of c[k] * X[k] ** 2; the plain list beside a list has the vectors c.
X = np.array([0.5, -1.5, 2.0])


@given(st.integers(0, 4), CHANGES)
@settings(max_examples=40, deadline=None)
def test_random_changes(length: int, changes: list[tuple[str, int, int]]) -> None:
    """Any sequence of operations gives what plain lists give, and gradients that fit.

    Where indices are fed the operations run, where they are known the plan follows elements.
    """
    for fed in (False, True):
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float64, X.shape)
            feeds: dict[Any, Any] = {x: X}

            def number(value: int, feeds: dict[Any, Any] = feeds, fed: bool = fed) -> Any:
                if not fed:
                    return tf.constant(value)
                place = tf.placeholder(tf.int32, [])
                feeds[place] = value
                return place

            handle = creation.reserve([], number(length), tf.float64)
            model: list[Any] = [None] * length
            squares = tf.unstack(x * x)
            for count, (kind, index, other) in enumerate(changes):
                pairs = [
                    ((count + 2.0) * squares[k], (count + 2.0) * np.eye(3)[k])
                    for k in (index % 3, other % 3)
                ]
                handle, model = change(kind, handle, model, index, other, pairs, number)
            stacked = stacking.stack(handle, tf.float64, [])
            weights = np.arange(1.0, len(model) + 1.0)
            (gradient,) = tf.gradients(stacked, x, [tf.constant(weights)])
            values, size = session.run([stacked, sizes.length(handle)], feeds)
            vectors = np.array([np.zeros(3) if m is None else m for m in model]).reshape(-1, 3)
            assert size == len(model)
            np.testing.assert_allclose(values, vectors @ X**2)
            if gradient is None:
                assert not vectors.any()
            else:
                found = session.run(gradient, feeds)
                np.testing.assert_allclose(found, weights @ vectors * 2 * X)


def change(
    kind: str,
    handle: Any,
    model: list[Any],
    index: int,
    other: int,
    pairs: list[tuple[Any, Any]],
    number: Callable[[int], Any],
) -> tuple[Any, list[Any]]:
    """One operation on the list, and on the plain list that stands beside it."""
    length = len(model)
    value, plain = pairs[0]
    if kind == "push":
        return items.push_back(handle, value), [*model, plain]
    if kind == "resize":
        return sizes.resize(handle, number(index)), (model + [None] * index)[:index]
    if kind == "grow":
        grown = model + [None] * (index + 1 - length)
        grown[index] = plain
        return items.set_item(handle, number(index), value, grows=True), grown
    if not length:
        return handle, model
    index, other = index % length, other % length
    changed = list(model)
    if kind == "pop":
        return items.pop_back(handle, tf.float64, [])[0], model[:-1]
    if kind == "set":
        changed[index] = plain
        return items.set_item(handle, number(index), value), changed
    if kind == "add":
        changed[index] = plus(changed[index], plain)
        return items.add_item(handle, number(index), value), changed
    if kind == "clear":
        changed[index] = changed[other] = None
        places = tf.stack([number(index), number(other)])
        return scattering.clear_rows(handle, places), changed
    first, second = pairs
    places = tf.stack([number(index), number(other)])
    rows = tf.stack([first[0], second[0]])
    if kind == "scatter":
        if index == other:
            # Which of two rows for one place stays is not said.
            places, rows, second = places[:1], rows[:1], first
        changed[index], changed[other] = first[1], second[1]
        return scattering.scatter_into(handle, rows, places), changed
    changed[index] = plus(changed[index], first[1])
    changed[other] = plus(changed[other], second[1])
    return scattering.add_rows(handle, rows, places), changed


def plus(a: Any, b: Any) -> Any:
    """The sum of two vectors, of which the first may be missing."""
    return b if a is None else a + b


@given(st.lists(st.integers(0, 3), max_size=5), st.lists(st.integers(0, 4), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_split_concat_and_gather(lengths: list[int], wanted: list[int]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        values = np.arange(2.0 * sum(lengths)).reshape(-1, 2)
        parts = np.split(values, np.cumsum(lengths)[:-1]) if lengths else []
        handle = joining.split(tf.constant(values), tf.constant(lengths, tf.int64))
        joined, found = joining.concat(handle, tf.float64, [None, 2])
        assert joined.shape.as_list() == [None, 2]
        got, counts = session.run([joined, found])
        np.testing.assert_array_equal(got, values)
        assert counts.tolist() == lengths
        if len({len(p) for p in parts}) == 1:
            places = [w % len(parts) for w in wanted]
            gathered = session.run(stacking.gather(handle, places, tf.float64))
            np.testing.assert_array_equal(gathered, [parts[p] for p in places])


def test_lists_of_strings_bools_and_lists(session: Any) -> None:
    words = items.set_item(creation.reserve([], 2, tf.string), 1, b"word")
    assert session.run(stacking.stack(words, tf.string)).tolist() == [b"", b"word"]
    assert session.run(items.get_item(words, 0, tf.string)) == b""
    flags = items.push_back(creation.empty([], tf.bool), True)
    assert session.run(items.get_item(flags, 0, tf.bool))
    nested = items.push_back(creation.empty([], tf.variant), words)
    inner = items.get_item(nested, 0, tf.variant)
    assert session.run(items.get_item(inner, 1, tf.string)) == b"word"
    with pytest.raises(tf.errors.InvalidArgumentError, match="list itself is read"):
        session.run(items.get_item(creation.reserve([], 1, tf.variant), 0, tf.variant))


def test_runs_begin_with_lists_of_their_own(session: Any) -> None:
    place = tf.placeholder(tf.int32, [])
    handle = items.set_item(creation.reserve([], 3, tf.int32), place, 5)
    total = stacking.stack(handle, tf.int32)
    assert session.run(total, {place: 0}).tolist() == [5, 0, 0]
    assert session.run(total, {place: 2}).tolist() == [0, 0, 5]
    kept = session.run(handle, {place: 1})
    assert session.run(total, {handle: kept, place: 0}).tolist() == [0, 5, 0]


def test_elements_are_not_overwritten_by_later_steps(session: Any) -> None:
    """What went into a list stays as it was, though the step's memory is used again."""
    x = tf.placeholder(tf.float32, [600])
    variable = tf.Variable(tf.zeros([600]))
    session.run(variable.initializer)
    handle = creation.empty([600], tf.float32)
    for factor in range(1, 5):
        handle = items.push_back(handle, x * float(factor))
    handle = items.push_back(handle, variable.read_value())
    with tf.control_dependencies([handle]):
        changed = variable.assign_add(tf.ones([600]))
    found, _ = session.run([stacking.stack(handle, tf.float32), changed], {x: np.ones(600)})
    assert found[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 0.0]
    held = session.run(handle, {x: np.ones(600)})
    session.run(handle, {x: np.full(600, 9.0)})
    assert [float(i[0]) for i in held.items()] == [1.0, 2.0, 3.0, 4.0, 1.0]


# -- static types --------------------------------------------------------------------------------


def test_what_is_known_of_elements_goes_along() -> None:
    handle = creation.reserve([None, 3], 4, tf.float32)
    item = tf.placeholder(tf.float32, [2, None])
    for made in (
        items.set_item(handle, 0, item),
        items.push_back(handle, item),
        items.add_item(handle, 0, item),
        items.pop_back(handle, tf.float32)[0],
        sizes.resize(handle, 7),
        slices.zeros_like(handle),
        scattering.scatter_into(handle, tf.zeros([1, 2, 3]), [0]),
    ):
        assert element_type(made) == ElementType(tf.float32, (None, 3))
        assert made.shape.as_list() == []
    assert items.get_item(handle, 0, tf.float32).shape.as_list() == [None, 3]
    assert items.get_item(handle, 0, tf.float32, [2, None]).shape.as_list() == [2, 3]
    assert stacking.stack(handle, tf.float32, num_elements=4).shape.as_list() == [4, None, 3]
    assert stacking.gather(handle, [1, 2], tf.float32).shape.as_list() == [2, None, 3]
    assert joining.concat(handle, tf.float32)[0].shape.as_list() == [None, 3]
    assert sizes.element_shape(handle).eval().tolist() == [-1, 3]
    assert sizes.element_shape(creation.reserve(None, 1, tf.int32)).eval() == -1
    rows = creation.from_tensor(tf.placeholder(tf.int32, [None, 5]))
    assert element_type(rows) == ElementType(tf.int32, (5,))
    assert not is_differentiable(rows)
    assert is_differentiable(handle)
    unknown = tf.placeholder(tf.variant, [])
    assert element_type(unknown) is None
    set_element_type(unknown, element_type(rows))
    assert items.get_item(unknown, 0, tf.int32).shape.as_list() == [5]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda h: items.set_item(h, 0, 1), "op elements int32 but list elements float32"),
        (lambda h: items.get_item(h, 0, tf.int64), "op elements int64 but list elements float32"),
        (lambda h: items.push_back(h, [1.0]), r"Shapes \(2,\) and \(1,\) are not compatible"),
        (lambda h: items.get_item(h, 0, tf.float32, [3]), r"\(2,\) and \(3,\) are not compatible"),
        (lambda h: items.set_item(h, [0], [1.0, 2.0]), "must be rank 0"),
        (lambda h: scattering.scatter_into(h, [[1.0, 2.0]], [0, 1]), "1 and 2 are not compatible"),
        (lambda h: stacking.gather(h, 0, tf.float32), "must be rank 1"),
        (lambda h: creation.from_tensor(1.0), "at least rank 1"),
        (lambda h: creation.from_tensor([[1.0]], [2]), r"\(2,\) and \(1,\) are not compatible"),
        (lambda h: joining.split([1.0], 1), "must be rank 1"),
        (lambda h: joining.split([[1.0]], [1], [1, 2]), r"\(1, 2\) and \(\?, 1\) are not"),
        (
            lambda h: joining.concat(creation.reserve([], 1, tf.float32), tf.float32),
            "at least rank 1",
        ),
    ],
)
def test_errors_when_the_graph_is_built(build: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(creation.reserve([2], 3, tf.float32))


# -- errors of runs ------------------------------------------------------------------------------


def hidden(value: Any, dtype: Any = None) -> Any:
    """A tensor of which nothing is known before the run."""
    array = np.asarray(value, dtype)
    return tf.placeholder_with_default(array, None)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda h: items.set_item(h, 3, [1.0, 1.0]), "modify element 3 in a list with 3 elements"),
        (lambda h: items.set_item(h, -1, [1.0, 1.0]), "modify element -1 in a list with 3"),
        (lambda h: items.get_item(h, 5, tf.float32), "access element 5 in a list with 3 elements"),
        (lambda h: items.add_item(h, 4, [1.0, 1.0]), "access element 4 in a list with 3 elements"),
        (
            lambda h: items.set_item(h, 0, hidden([1.0], np.float32)),
            r"Item element shape: \[1\] list shape: \[2\]",
        ),
        (lambda h: stacking.gather(h, [0, 9], tf.float32), "element 9 in a list with 3"),
        (lambda h: stacking.stack(h, tf.float32, num_elements=2), "list with 2 .* list with 3"),
        (lambda h: sizes.resize(h, -2), "non-negative. Got: -2"),
        (
            lambda h: scattering.scatter([[1.0]], [2], num_elements=2),
            "index 2 in list with size 2",
        ),
        (lambda h: scattering.scatter([[1.0]], [-1]), "must all be non-negative, got -1"),
        (
            lambda h: scattering.scatter_into(h, hidden(np.zeros([2, 2], np.float32)), [0]),
            "1 indices, but the tensor has 2 rows",
        ),
        (
            lambda h: joining.split(hidden(np.zeros(3)), [1, 1]),
            r"sum of lengths is 2 and value's shape is: \[3\]",
        ),
        (lambda h: joining.split(hidden(np.zeros(3)), [4, -1]), "Invalid value in lengths: -1"),
        (
            lambda h: items.get_item(creation.reserve(None, 2, tf.float32), 1, tf.float32),
            r"not fully defined: <unknown>. Element 1 was never written",
        ),
        (
            lambda h: stacking.stack(creation.reserve([None], 2, tf.float32), tf.float32),
            r"only contains uninitialized .*_shape: \[\?\]",
        ),
        (
            lambda h: stacking.stack(creation.empty(None, tf.float32), tf.float32),
            "empty list with non-fully-defined element_shape: <unknown>",
        ),
        (lambda h: items.pop_back(creation.empty([], tf.int32), tf.int32)[1], "an empty list"),
        (
            lambda h: items.push_back(items.push_back(creation.empty([], tf.int32, most=1), 1), 2),
            "full list list size: 1 max_num_elements: 1",
        ),
        (lambda h: creation.reserve([], -4, tf.int32), "non negative number, but got -4"),
        (
            lambda h: joining.concat(
                items.push_back(creation.empty(None, tf.float64), hidden(1.0)), tf.float64
            )[0],
            "scalar shape at index 0",
        ),
        (
            lambda h: joining.concat(
                items.push_back(
                    items.push_back(creation.empty(None, tf.float64), hidden(np.ones((1, 2)))),
                    hidden(np.ones((1, 3))),
                ),
                tf.float64,
            )[0],
            r"Index 0 has .*: \[2\] but index 1 has .*: \[3\]",
        ),
        (
            lambda h: joining.concat(creation.reserve([None, 2], 1, tf.float32), tf.float32)[0],
            "uninitialized tensor at index 0 but leading_dims has only 0",
        ),
        (
            lambda h: items.get_item(
                items.set_item(creation.reserve(None, 1, tf.int32), 0, [1, 2]),
                hidden(0, np.int32),
                tf.int32,
                [3],
            ),
            r"Incompatible shapes during merge: \[2\] vs. \[3\]",
        ),
        (
            lambda h: items.get_item(tf.placeholder_with_default(h, []), 0, tf.int32),
            "op elements int32 but list elements float",
        ),
    ],
)
def test_errors_of_a_run(session: Any, build: Callable[[Any], Any], message: str) -> None:
    fetched = build(creation.reserve([2], 3, tf.float32))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(fetched)


def test_a_list_is_let_go_once_nothing_needs_it(session: Any) -> None:
    """A long step does not hold what its lists held: the last use of a list ends it."""
    held: list[Any] = []

    def watch(array: Any) -> Any:
        held.append(weakref.ref(array))
        return np.float32(0.0)

    def count_alive() -> Any:
        return np.int32(sum(ref() is not None for ref in held))

    big = tf.placeholder(tf.float32, [50]) * 2.0
    watched = tf.py_func(watch, [big], tf.float32)
    with tf.control_dependencies([watched]):
        handle = items.push_back(creation.empty([50], tf.float32), big)
    total = tf.reduce_sum(stacking.stack(handle, tf.float32))
    with tf.control_dependencies([total]):
        alive = tf.py_func(count_alive, [], tf.int32)
    fed = {big.op.inputs[0]: np.ones(50, np.float32)}
    assert session.run([total, alive], fed) == [100.0, 0]
