"""Made-up functions with conditionals and loops in each other, and what they are in plain Python.

A function is a nested tuple; `in_python` computes it with Python's own `if` and `while`, on numbers
that may be complex: the imaginary part of f(x + ih) / h is then the derivative, without the errors
of differences. Predicates depend on integers only, so every function is smooth.
"""

from __future__ import annotations

import cmath
from typing import Any

from hypothesis import strategies as st

import workbench as tf

Term = tuple[Any, ...]


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
        st.tuples(st.just("cond"), counts, st.integers(0, 2), smaller, smaller),
        st.tuples(st.just("while"), counts, smaller, inner),
    )


def in_python(term: Term, values: list[Any], counters: list[int], fed: int) -> Any:
    """What a term is."""
    kind = term[0]
    if kind == "value":
        return values[term[1]]
    if kind == "number":
        return term[1]
    if kind in ("add", "mul"):
        a, b = (in_python(t, values, counters, fed) for t in term[1:])
        return a + b if kind == "add" else a * b
    if kind == "sin":
        return cmath.sin(in_python(term[1], values, counters, fed))
    count = {"literal": lambda n: n, "fed": lambda _: fed, "counter": lambda i: counters[i]}[
        term[1][0]
    ](term[1][1])
    if kind == "cond":
        return in_python(term[3] if count > term[2] else term[4], values, counters, fed)
    state = in_python(term[2], values, counters, fed)
    i = 0
    while i < count:
        state = in_python(term[3], [*values, state], [*counters, i], fed)
        i += 1
    return state


def in_graph(term: Term, values: list[Any], counters: list[Any], fed: Any) -> Any:
    """The same as a tensor."""
    kind = term[0]
    if kind == "value":
        return values[term[1]]
    if kind == "number":
        return tf.constant(term[1], tf.float64)
    if kind in ("add", "mul"):
        a, b = (in_graph(t, values, counters, fed) for t in term[1:])
        return a + b if kind == "add" else a * b
    if kind == "sin":
        return tf.sin(in_graph(term[1], values, counters, fed))
    count = {
        "literal": lambda n: tf.constant(n),
        "fed": lambda _: fed,
        "counter": lambda i: counters[i],
    }[term[1][0]](term[1][1])
    if kind == "cond":
        return tf.cond(
            count > term[2],
            lambda: in_graph(term[3], values, counters, fed),
            lambda: in_graph(term[4], values, counters, fed),
        )
    start = in_graph(term[2], values, counters, fed)
    return tf.while_loop(
        lambda i, s: i < count,
        lambda i, s: (i + 1, in_graph(term[3], [*values, s], [*counters, i], fed)),
        [tf.constant(0), start],
    )[1]


def derivatives(term: Term, point: list[float], fed: int) -> list[float]:
    """The first derivatives of a term, by complex steps."""
    found = []
    for i in range(len(point)):
        moved: list[Any] = [complex(p) for p in point]
        moved[i] += 1e-20j
        found.append(complex(in_python(term, moved, [], fed)).imag / 1e-20)
    return found


def second_derivatives(term: Term, point: list[float], fed: int) -> list[list[float]]:
    """The second derivatives, by differences of the first."""
    rows = []
    for i in range(len(point)):
        sides = []
        for step in (1e-5, -1e-5):
            moved = list(point)
            moved[i] += step
            sides.append(derivatives(term, moved, fed))
        rows.append([(a - b) / 2e-5 for a, b in zip(*sides, strict=True)])
    return rows
