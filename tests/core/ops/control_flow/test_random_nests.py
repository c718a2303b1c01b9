"""Conditionals and loops in each other, made at random: values and derivatives to second order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import workbench as tf
from tests.core.ops.control_flow.nests import (
    Array,
    Term,
    derivatives,
    in_graph,
    in_python,
    second_derivatives,
    terms,
)

_POINTS = [np.array([0.6, -0.4]), np.array([[0.6, -0.2, 0.3], [-0.4, 0.5, 0.1]])]
_SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))
_points = st.sampled_from(_POINTS)


def _check(term: Term, point: Array, fed: int, tier: str) -> None:
    value = np.asarray(in_python(term, list(point), [], fed)).real
    first = derivatives(term, point, fed)
    second = second_derivatives(term, point, fed)
    numbers = np.concatenate([np.ravel(value), np.ravel(first), np.ravel(second)])
    assume(np.isfinite(numbers).all() and np.abs(numbers).max() < 1e6)
    with tf.Graph().as_default(), tf.Session(tier=tier) as session:
        # The sizes are not known before the run: shapes are computed in bodies, too.
        x = [tf.placeholder(tf.float64, [None] * row.ndim) for row in point]
        n = tf.placeholder(tf.int32, [])
        y = in_graph(term, x, [], n)
        dy = tf.gradients(y, x, unconnected_gradients="zero")
        d2y = [tf.gradients(g, x, unconnected_gradients="zero") for g in dy]
        found = session.run([y, dy, d2y], {**dict(zip(x, point, strict=True)), n: fed})
    np.testing.assert_allclose(found[0], value, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found[1], first, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found[2], second, rtol=1e-4, atol=1e-4)


@settings(_SETTINGS, max_examples=20)
@given(terms(2, 0, 3), _points, st.integers(0, 3))
def test_nests_and_their_derivatives_are_those_of_plain_python(
    term: Term, point: Array, fed: int
) -> None:
    _check(term, point, fed, "interpreted")


@pytest.mark.slow
@settings(_SETTINGS, max_examples=100)
@given(terms(2, 0, 4), _points, st.integers(0, 3))
def test_deeper_nests(term: Term, point: Array, fed: int) -> None:
    _check(term, point, fed, "interpreted")
