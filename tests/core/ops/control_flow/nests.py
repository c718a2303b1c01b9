"""Made-up functions with conditionals and loops in each other, and what they are in plain Python.

A function is a nested tuple; `in_python` computes it with Python's own `if` and `while`, on arrays
that may be complex: the imaginary part of f(x + ih) / h is then the derivative, without the errors
of differences. Predicates depend on integers only, so every function is smooth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import workbench as tf

Term = tuple[Any, ...]
Array = np.ndarray[Any, Any]


def terms(values: int, counters: int, depth: int) -> st.SearchStrategy[Term]:
    """Terms over so many values and loop counters."""
    leaves = st.one_of(
        st.tuples(st.just("value"), st.integers(0, values - 1)),
        st.tuples(st.just("number"), st.sampled_from([-1.5, -0.5, 0.25, 0.75, 1.25])),
    )
    if not depth:
        return leaves
    smaller = terms(values, counters, depth - 1)
    inner = terms(values + 1, counters + 1, depth - 1)
    counts = st.one_of(
        st.tuples(st.just("literal"), st.integers(0, 3)),
        st.tuples(st.just("fed"), st.just(0)),
        *([st.tuples(st.just("counter"), st.integers(0, counters - 1))] if counters else []),
    )
    return st.one_of(
        leaves,
        st.tuples(st.sampled_from(["add", "mul"]), smaller, smaller),
        st.tuples(st.just("sin"), smaller),
        st.tuples(st.just("scaled"), smaller, counts),
        st.tuples(st.just("cond"), counts, st.integers(0, 2), smaller, smaller),
        st.tuples(st.sampled_from(["while", "rows"]), counts, smaller, inner),
    )


def in_python(term: Term, values: list[Any], counters: list[int], fed: int) -> Any:
    """What a term is."""
    kind = term[0]
    if kind == "value":
        return values[term[1]]
    if kind == "number":
        return term[1] + 0.0 * values[0]
    if kind in ("add", "mul"):
        a, b = (in_python(t, values, counters, fed) for t in term[1:])
        return a + b if kind == "add" else a * b
    if kind == "sin":
        return np.sin(in_python(term[1], values, counters, fed))
    which, number = term[2] if kind == "scaled" else term[1]
    count = {"literal": number, "fed": fed}.get(which, 0)
    if which == "counter":
        count = counters[number]
    if kind == "scaled":
        array = in_python(term[1], values, counters, fed)
        return array if np.ndim(array) == 0 else array * array[count % len(array)]
    if kind == "cond":
        return in_python(term[3] if count > term[2] else term[4], values, counters, fed)
    state = in_python(term[2], values, counters, fed)
    i, rows = 0, [state]
    while i < count:
        state = in_python(term[3], [*values, state], [*counters, i], fed)
        rows.append(state)
        i += 1
    return sum(rows) if kind == "rows" else state


def in_graph(term: Term, values: list[Any], counters: list[Any], fed: Any) -> Any:
    """The same as a tensor."""
    kind = term[0]
    if kind == "value":
        return values[term[1]]
    if kind == "number":
        return tf.fill(tf.shape(values[0]), tf.constant(term[1], tf.float64))
    if kind in ("add", "mul"):
        a, b = (in_graph(t, values, counters, fed) for t in term[1:])
        return a + b if kind == "add" else a * b
    if kind == "sin":
        return tf.sin(in_graph(term[1], values, counters, fed))
    which, number = term[2] if kind == "scaled" else term[1]
    count = fed if which == "fed" else tf.constant(number)
    if which == "counter":
        count = counters[number]
    if kind == "scaled":
        array = in_graph(term[1], values, counters, fed)
        if array.shape.ndims == 0:
            return array
        return array * tf.gather(array, count % tf.shape(array)[0])
    if kind == "cond":
        return tf.cond(
            count > term[2],
            lambda: in_graph(term[3], values, counters, fed),
            lambda: in_graph(term[4], values, counters, fed),
        )
    start = in_graph(term[2], values, counters, fed)

    def step(i: Any, state: Any) -> Any:
        return in_graph(term[3], [*values, state], [*counters, i], fed)

    if kind == "while":
        return tf.while_loop(
            lambda i, s: i < count, lambda i, s: (i + 1, step(i, s)), [tf.constant(0), start]
        )[1]

    def row(i: Any, state: Any, rows: Any) -> Any:
        state = step(i, state)
        return i + 1, state, rows.write(i + 1, state)

    rows = tf.TensorArray(tf.float64, tf.maximum(count, 0) + 1).write(0, start)
    rows = tf.while_loop(lambda i, *_: i < count, row, [tf.constant(0), start, rows])[2]
    found = tf.reduce_sum(rows.stack(), 0)
    found.set_shape(start.shape)
    return found


def derivatives(term: Term, point: Array, fed: int) -> Array:
    """The first derivatives of the sum of a term, by complex steps.

    `point` has a value in each row.
    """
    found = np.zeros(point.shape)
    for place in np.ndindex(point.shape):
        moved = point.astype(np.complex128)
        moved[place] += 1e-20j
        found[place] = np.sum(in_python(term, list(moved), [], fed)).imag / 1e-20
    return found


def second_derivatives(term: Term, point: Array, fed: int) -> Array:
    """The derivatives of the sum of each value's first derivatives, by differences."""
    found = np.zeros((len(point), *point.shape))
    for place in np.ndindex(point.shape):
        sides = []
        for step in (1e-5, -1e-5):
            moved = point.copy()
            moved[place] += step
            sides.append(derivatives(term, moved, fed).reshape(len(point), -1).sum(1))
        found[(slice(None), *place)] = (sides[0] - sides[1]) / 2e-5
    return found
