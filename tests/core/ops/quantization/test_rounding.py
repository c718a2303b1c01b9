"""Rounding to few bits: levels found by looking at all of them, straight-through gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.ops.creation import call
from workbench.core.ops.quantization.rounding import quantize_and_dequantize


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _levels(low: float, high: float, bits: int, narrow: bool) -> Any:
    """All levels of a range: as many as fit, moved by less than a step so that zero is one."""
    count = 2**bits - (1 if narrow else 0)
    step = (high - low) / (count - 1)
    below = min(max(round(-low / step), 0), count - 1)
    return (np.arange(count) - below) * step


@given(
    low=st.floats(-10, 1, width=32),
    width=st.floats(0.5, 10, width=32),
    bits=st.integers(2, 8),
    narrow=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_values_go_to_the_nearest_level(low: float, width: float, bits: int, narrow: bool) -> None:
    high = low + width
    levels = _levels(low, high, bits, narrow)
    values = np.random.default_rng(0).uniform(low - 2, high + 2, 40).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        fixed = tf.fake_quant_with_min_max_args(values, low, high, bits, narrow)
        learned = tf.fake_quant_with_min_max_vars(values, low, high, bits, narrow)
        found = session.run([fixed, learned])
    nearest = np.abs(values[:, None] - levels).min(axis=1)
    step = levels[1] - levels[0]
    for result in found:
        # A level, and one as near as any: to within rounding.
        assert np.abs(result[:, None] - levels).min(axis=1).max() < 2e-3 * step + 1e-5
        np.testing.assert_allclose(np.abs(values - result), nearest, atol=2e-3 * step + 1e-5)
        assert np.abs(result).min() == 0 or (levels == 0).any()


def test_gradients_pass_inside_and_go_to_the_ends_outside(session: Any) -> None:
    x = tf.constant([-5.0, -1.0, 0.5, 2.0, 9.0])
    low, high = tf.constant(-1.5), tf.constant(3.6)
    y = tf.fake_quant_with_min_max_vars(x, low, high)
    weights = tf.constant([1.0, 2.0, 4.0, 8.0, 16.0])
    found = session.run(tf.gradients(y, [x, low, high], weights))
    assert [f.tolist() for f in found] == [[0.0, 2.0, 4.0, 8.0, 0.0], 1.0, 16.0]
    fixed = tf.fake_quant_with_min_max_args(x, -1.5, 3.6)
    assert session.run(tf.gradients(fixed, x, weights)[0]).tolist() == [0.0, 2.0, 4.0, 8.0, 0.0]


def test_channels_have_their_own_ranges(session: Any) -> None:
    values = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32) * 3
    x = tf.constant(values)
    low, high = tf.constant([-1.0, 0.0]), tf.constant([1.0, 2.0])
    y = tf.fake_quant_with_min_max_vars_per_channel(x, low, high)
    found, *gradients = session.run([y, *tf.gradients(y, [x, low, high])])
    for channel, bounds in enumerate([(-1.0, 1.0), (0.0, 2.0)]):
        single = tf.constant(values[..., channel])
        ends = tf.constant(bounds[0]), tf.constant(bounds[1])
        z = tf.fake_quant_with_min_max_vars(single, *ends)
        want, *others = session.run([z, *tf.gradients(z, [single, *ends])])
        np.testing.assert_array_equal(found[..., channel], want)
        np.testing.assert_array_equal(gradients[0][..., channel], others[0])
        assert [g[channel] for g in gradients[1:]] == others[1:]


def test_second_order(session: Any) -> None:
    """The gradient operation is linear in the gradients it takes."""
    x, low, high = tf.constant([-5.0, 0.5, 9.0]), tf.constant(-1.0), tf.constant(1.0)
    given = tf.constant([1.0, 2.0, 3.0])
    parts = tf.fake_quant_with_min_max_vars_gradient(given, x, low, high)
    total = 2.0 * tf.reduce_sum(parts[0]) + 5.0 * parts[1] + 7.0 * parts[2]
    assert session.run(tf.gradients(total, given)[0]).tolist() == [5.0, 2.0, 7.0]


def test_a_range_of_nothing(session: Any) -> None:
    x, zero = tf.constant([-1.0, 2.0]), tf.constant(0.0)
    y = tf.fake_quant_with_min_max_vars(x, zero, zero)
    found = session.run([y, *tf.gradients(y, [x, zero])])
    assert [f.tolist() for f in found] == [[0.0, 0.0], [1.0, 1.0], 0.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min": 1.0, "max": 1.0}, "min has to be smaller than max"),
        ({"num_bits": 1}, "num_bits must be between 2 and 16"),
        ({"num_bits": 17}, "num_bits must be between 2 and 16"),
    ],
)
def test_ranges_that_make_no_sense(session: Any, arguments: Any, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(tf.fake_quant_with_min_max_args([1.0], **arguments))


def test_channels_without_ranges() -> None:
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 2"):
        tf.fake_quant_with_min_max_vars_per_channel([[1.0, 2.0, 3.0]], [0.0, 0.0], [1.0, 1.0])


# -- to integers and back ------------------------------------------------------------------------


def _there_and_back(values: Any, low: float, high: float, bits: int, signed: bool) -> Any:
    """Multiples of one step, the largest for which both ends are in the range of the integers."""
    lowest = -(2 ** (bits - 1)) if signed else 0
    highest = lowest + 2**bits - 1
    sides = [end / limit for end, limit in ((low, lowest), (high, highest)) if end * limit > 0]
    step = max(sides)
    return np.clip(np.floor(np.asarray(values) / step + 0.5), lowest, highest) * step


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [2, 8, 12])
def test_given_and_measured_ranges(session: Any, signed: bool, bits: int) -> None:
    values = np.random.default_rng(bits).uniform(-2 if signed else 0, 3, 40)
    x = tf.constant(values)
    given = quantize_and_dequantize(x, signed, bits, True, -1.0 if signed else 0.0, 2.5)
    measured = quantize_and_dequantize(x, signed, bits)
    third = call(
        "QuantizeAndDequantizeV3",
        None,
        input=x,
        input_min=-1.0 if signed else 0.0,
        input_max=2.5,
        num_bits=bits,
        signed_input=signed,
    )
    first = call("QuantizeAndDequantize", None, input=x, signed_input=signed, num_bits=bits)
    found = session.run([given, third, measured, first])
    wanted = [
        _there_and_back(values, -1.0 if signed else 0.0, 2.5, bits, signed),
        _there_and_back(values, values.min(), values.max(), bits, signed),
    ]
    for result, want in zip(found, [wanted[0]] * 2 + [wanted[1]] * 2, strict=True):
        np.testing.assert_allclose(result, want, atol=1e-9)


def test_gradients_pass_straight_through(session: Any) -> None:
    x = tf.constant([0.3, -9.0])
    y = quantize_and_dequantize(x, range_given=True, input_min=-1.0, input_max=1.0)
    assert session.run(tf.gradients(y, x, tf.constant([2.0, 3.0]))[0]).tolist() == [2.0, 3.0]


def test_bits_and_ranges_out_of_bounds(session: Any) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_bits is out of range: 63"):
        session.run(quantize_and_dequantize([1.0], num_bits=63))
    with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid range"):
        session.run(quantize_and_dequantize([1.0], range_given=True, input_min=2.0, input_max=1.0))
