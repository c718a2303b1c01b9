"""Conditionals and loops in each other, made at random: values and derivatives to second order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import workbench as tf
from tests.core.ops.control_flow.nests import (
    Term,
    derivatives,
    in_graph,
    in_python,
    second_derivatives,
    terms,
)

_POINT = [0.6, -0.4]
_SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


def _check(term: Term, fed: int, tier: str) -> None:
    value = complex(in_python(term, _POINT, [], fed)).real
    first = derivatives(term, _POINT, fed)
    second = second_derivatives(term, _POINT, fed)
    assume(np.isfinite([value, *first, *np.ravel(second)]).all())
    assume(max(map(abs, [value, *first, *np.ravel(second)])) < 1e6)
    with tf.Graph().as_default(), tf.Session(tier=tier) as session:
        x = [tf.placeholder(tf.float64, []) for _ in _POINT]
        n = tf.placeholder(tf.int32, [])
        y = in_graph(term, x, [], n)
        dy = tf.gradients(y, x, unconnected_gradients="zero")
        d2y = [tf.gradients(g, x, unconnected_gradients="zero") for g in dy]
        found = session.run([y, dy, d2y], {x[0]: _POINT[0], x[1]: _POINT[1], n: fed})
    np.testing.assert_allclose(found[0], value, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found[1], first, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found[2], second, rtol=1e-4, atol=1e-5)


@settings(_SETTINGS, max_examples=25)
@given(terms(2, 0, 3), st.integers(0, 3))
def test_nests_and_their_derivatives_are_those_of_plain_python(term: Term, fed: int) -> None:
    _check(term, fed, "interpreted")


@pytest.mark.slow
@settings(_SETTINGS, max_examples=400)
@given(terms(2, 0, 4), st.integers(0, 3))
def test_deeper_nests(term: Term, fed: int) -> None:
    _check(term, fed, "interpreted")
