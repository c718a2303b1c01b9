"""Encodings: bounds of their errors, what they cannot hold, and feedback."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workbench.cluster.wire.encodings import (
    BLOCK,
    KINDS,
    Encoding,
    restore,
    shrink,
    shrunk_bytes,
)
from workbench.cluster.wire.feedback import Feedback

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
ANY = st.floats(width=32)


def vectors(elements, most=3 * BLOCK):
    return arrays.arrays(np.float32, st.integers(0, most), elements=elements, fill=elements)


def crossed(array, kind):
    kind, data = shrink(array, kind)
    assert data.nbytes == shrunk_bytes(kind, array.size)
    return restore(kind, data, array.size)


@given(vectors(FINITE))
def test_bfloat16_is_within_one_part_in_256(array):
    found = crossed(array, "bfloat16").astype(np.float64)
    exact = array.astype(np.float64)
    # Below the normal numbers the steps are all alike.
    bound = np.maximum(np.abs(exact) * 2.0**-8, 2.0**-134)
    assert (np.abs(found - exact) <= bound).all()


@given(vectors(FINITE))
def test_float16_is_within_one_part_in_2048_or_goes_as_bfloat16(array):
    found = crossed(array, "float16").astype(np.float64)
    exact = array.astype(np.float64)
    part = 2.0**-11 if np.abs(exact).max(initial=0) <= 65504 else 2.0**-8
    assert (np.abs(found - exact) <= np.maximum(np.abs(exact) * part, 2.0**-25)).all()


@given(vectors(FINITE))
def test_eight_bits_are_within_half_a_level_of_their_block(array):
    found = crossed(array, "int8").astype(np.float64)
    exact = array.astype(np.float64)
    for start in range(0, array.size, BLOCK):
        part = exact[start : start + BLOCK]
        level = max(np.abs(part).max() / 127, np.finfo(np.float32).tiny)
        error = np.abs(found[start : start + BLOCK] - part).max()
        assert error <= level / 2 * (1 + 1e-4)


@pytest.mark.parametrize("kind", KINDS)
@given(vectors(ANY, 270))
def test_infinities_and_nan_arrive_and_numbers_stay_numbers(kind, array):
    found = crossed(array, kind)
    assert np.array_equal(np.isnan(found), np.isnan(array))
    assert np.array_equal(np.isinf(found), np.isinf(array))
    assert (np.sign(found[np.isinf(found)]) == np.sign(array[np.isinf(array)])).all()


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_and_nothing_are_exact(kind):
    for array in (np.zeros(0, np.float32), np.zeros(1000, np.float32)):
        assert np.array_equal(crossed(array, kind), array)


@pytest.mark.parametrize(("kind", "size"), [("float32", 4), ("bfloat16", 2), ("float16", 2)])
def test_sizes(kind, size):
    assert shrink(np.ones(1000, np.float32), kind)[1].nbytes == 1000 * size
    assert shrink(np.ones(1000, np.float32), "int8")[1].nbytes == 1000 + 4 * 4


@given(st.sampled_from([*KINDS, "int4", ""]), st.binary(max_size=600), st.integers(0, 1 << 40))
def test_bytes_of_others_are_read_or_refused(kind, data, count):
    try:
        found = restore(kind, np.frombuffer(data, np.uint8), count)
    except ValueError:
        return
    assert found.dtype == np.float32 and found.shape == (count,)


def test_unknown_encodings_are_refused():
    with pytest.raises(ValueError, match="no encoding 'int4'.*use one of float32"):
        Encoding("int4")


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "int8"])
def test_with_feedback_the_errors_of_many_gradients_do_not_add_up(kind):
    random = np.random.default_rng(1)
    gradients = random.normal(size=(400, 700)).astype(np.float32) + np.float32(0.013)
    feedback, sums, plain = Feedback(), np.zeros(700), np.zeros(700)
    for gradient in gradients:
        kind_sent, data = feedback.shrink("w", gradient, kind)
        sums += restore(kind_sent, data, gradient.size)
        plain += crossed(gradient, kind)
    exact = gradients.astype(np.float64).sum(axis=0)
    # What is missing is what the last one lacks, however many there were.
    one = np.abs(crossed(gradients[-1], kind) - gradients[-1]).max()
    assert np.abs(sums - exact).max() < 4 * one
    assert np.abs(sums - exact).mean() < np.abs(plain - exact).mean() / 4


def test_feedback_is_by_key_and_shape_and_forgets_what_is_not_finite():
    feedback = Feedback()
    array = np.full(10, 1 / 3, np.float32)
    first = feedback.shrink("a", array, "bfloat16")[1].tobytes()
    assert feedback.shrink("b", array, "bfloat16")[1].tobytes() == first
    assert feedback.shrink("a", array[:5], "bfloat16")[1].tobytes() == first[:10]
    bad = np.full(10, np.nan, np.float32)
    assert np.isnan(restore(*feedback.shrink("b", bad, "bfloat16"), 10)).all()
    assert feedback.shrink("b", array, "bfloat16")[1].tobytes() == first
    feedback.forget("b")
    assert feedback.shrink("b", array, "bfloat16")[1].tobytes() == first
