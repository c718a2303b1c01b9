"""Floats to quantised tensors and back: how far the way there and back may lead, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.ops.creation import create

TYPES = ["quint8", "qint8", "quint16", "qint16", "qint32"]
MODES = ["MIN_COMBINED", "MIN_FIRST", "SCALED"]


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("mode", MODES)
@given(
    low=st.floats(-100, 50, width=32),
    width=st.floats(0.5, 100, width=32),
    seed=st.integers(0, 9),
)
@settings(max_examples=8, deadline=None)
def test_there_and_back_is_at_most_a_step(
    kind: str, mode: str, low: float, width: float, seed: int
) -> None:
    values = np.random.default_rng(seed).uniform(low, low + width, 50).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        quantised = tf.quantize_v2(values, low, low + width, tf.as_dtype(kind), mode)
        back = tf.dequantize(*quantised, mode=mode)
        small, first, last, reals = session.run([*quantised, back])
    steps = 2.0 ** (8 * small.itemsize) - 1
    # One step of the integers, and what float32 cannot tell apart.
    allowed = 1.01 * float(last - first) / steps + 4e-7 * max(abs(first), abs(last))
    inside = np.clip(values, first, last)
    assert np.abs(reals - inside).max() <= allowed


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("mode", MODES)
def test_what_is_out_of_the_range_becomes_its_end(session: Any, kind: str, mode: str) -> None:
    limits = tf.as_dtype(kind).min, tf.as_dtype(kind).max
    found = session.run(tf.quantize_v2([-1e9, 1e9], -4.0, 4.0, tf.as_dtype(kind), mode))[0]
    if mode == "SCALED" and limits[0] == 0:
        assert found.tolist() == [0, limits[1]]
    else:
        assert found.tolist() == list(limits)


def test_round_modes(session: Any) -> None:
    values = [0.5, 1.5, 2.5, -0.5, -1.5]
    away, even = (
        session.run(
            tf.quantize_v2(values, -128.0, 127.0, tf.qint8, mode="SCALED", round_mode=mode)
        )[0].tolist()
        for mode in ("HALF_AWAY_FROM_ZERO", "HALF_TO_EVEN")
    )
    assert away == [1, 2, 3, -1, -2]
    assert even == [0, 2, 2, 0, -2]


@pytest.mark.parametrize("mode", MODES)
def test_narrow_ranges_are_widened(session: Any, mode: str) -> None:
    _, low, high = session.run(tf.quantize_v2([1.0], 3.0, 3.0, tf.quint8, mode))
    assert (low, high) == (0.0, 3.0)
    _, low, high = session.run(tf.quantize_v2([1.0], 0.0, 0.0, tf.quint8, mode))
    assert low == 0.0
    assert high == pytest.approx(0.01)


def test_errors(session: Any) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be larger than input_min"):
        session.run(tf.quantize_v2([1.0], 2.0, 1.0, tf.quint8))
    with pytest.raises(tf.errors.InvalidArgumentError, match="only supported for mode 'SCALED'"):
        session.run(tf.quantize_v2([1.0], 0.0, 1.0, tf.quint8, round_mode="HALF_TO_EVEN"))
    with pytest.raises(ValueError, match="mode"):
        tf.quantize_v2([1.0], 0.0, 1.0, tf.quint8, mode="NEAREST")
    with pytest.raises(ValueError, match="min_range"):
        tf.quantize_v2([1.0], [0.0, 0.0], 1.0, tf.quint8)
    with pytest.raises(TypeError, match="not in list of allowed values"):
        tf.quantize_v2([1.0], 0.0, 1.0, tf.uint8)


def test_concatenation_is_that_of_the_reals(session: Any) -> None:
    parts = [np.array([[0, 128, 255]], np.uint8), np.array([[10], [20]], np.uint8).T]
    ranges = [(-1.0, 4.0), (0.0, 2.0)]
    joined = tf.quantized_concat(
        1, [tf.constant(p, tf.quint8) for p in parts], *zip(*ranges, strict=True)
    )
    found, low, high = session.run(joined)
    assert (low, high) == (-1.0, 4.0)
    reals = [a + p.astype(float) / 255 * (b - a) for p, (a, b) in zip(parts, ranges, strict=True)]
    np.testing.assert_allclose(
        low + found / 255.0 * (high - low), np.concatenate(reals, 1), atol=5 / 255
    )
    with pytest.raises(ValueError, match="at least rank 3 but is rank 2"):
        tf.quantized_concat(2, [tf.constant(p, tf.quint8) for p in parts], [0.0] * 2, [1.0] * 2)


def _wide(values: Any) -> Any:
    return tf.constant(np.array(values, np.int32), tf.qint32)


def test_down_from_wide_integers(session: Any) -> None:
    # One step is 2 ** -22 of 1024.
    one = 1 << 22
    wide = _wide([-2 * one, 0, 3 * one])
    ends = {"input_min": -512.0, "input_max": 512.0}
    low, high = session.run(create("RequantizationRange", None, input=wide, **ends).outputs)
    assert (low, high) == pytest.approx((-2.0, 3.0), rel=1e-6)
    shrunk = create("QuantizeDownAndShrinkRange", None, input=wide, **ends, out_type="quint8")
    small, low, high = session.run(shrunk.outputs)
    np.testing.assert_allclose(low + small / 255.0 * (high - low), [-2, 0, 3], atol=2.5 / 255)
    again = create(
        "Requantize",
        None,
        input=wide,
        **ends,
        requested_output_min=-1.0,
        requested_output_max=5.0,
        out_type="qint8",
    )
    small, low, high = session.run(again.outputs)
    assert (low, high) == (-1.0, 5.0)
    np.testing.assert_allclose(-1 + (small + 128.0) / 255 * 6, [-1, 0, 3], atol=6 / 255)


@pytest.mark.parametrize(
    ("low", "high", "message"), [(1.0, 2.0, "must be <= 0"), (-1.0, -2.0, "must be >= requested")]
)
def test_requested_ranges(session: Any, low: float, high: float, message: str) -> None:
    op = create(
        "Requantize",
        None,
        input=_wide([0]),
        input_min=-1.0,
        input_max=1.0,
        requested_output_min=low,
        requested_output_max=high,
        out_type="quint8",
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(op.outputs[0])


@pytest.mark.parametrize("kind", TYPES)
def test_quantised_types_are_fed_fetched_and_cast(session: Any, kind: str) -> None:
    dtype = tf.as_dtype(kind)
    fed = tf.placeholder(dtype, [None])
    constant = tf.constant([1, 2], dtype)
    fetched = session.run([fed, constant, tf.cast(fed, tf.float32)], {fed: [3, 4]})
    assert [value.tolist() for value in fetched] == [[3, 4], [1, 2], [3.0, 4.0]]
    assert fetched[0].dtype == dtype.as_numpy_dtype
    assert fed.dtype == constant.dtype == dtype
    assert session.run(tf.cast([5.0], dtype)).tolist() == [5]
    assert session.run(tf.bitcast(constant, constant.dtype)).tolist() == [1, 2]
    with pytest.raises(TypeError, match="not in list of allowed values"):
        tf.add(constant, constant)


@pytest.mark.parametrize("kind", TYPES)
def test_constants_of_quantised_types_in_graph_definitions(session: Any, kind: str) -> None:
    dtype = tf.as_dtype(kind)
    tf.constant([1, 2], dtype, name="many")
    one = tf.constant(3, dtype, name="one")
    definition = tf.get_default_graph().as_graph_def()
    for node in definition.node:
        assert node.attr["dtype"].type == node.attr["value"].tensor.dtype == dtype.as_datatype_enum
    assert one.op.get_attr("value").dtype == dtype.as_datatype_enum
    with tf.Graph().as_default(), tf.Session() as again:
        many, single = tf.import_graph_def(definition, return_elements=["many:0", "one:0"])
        assert many.dtype == single.dtype == dtype
        assert [value.tolist() for value in again.run([many, single])] == [[1, 2], 3]


def test_quantize_has_its_rounding_before_its_name() -> None:
    y = tf.quantize([0.5, 1.5], -128.0, 127.0, tf.qint8, "SCALED", "HALF_TO_EVEN", "small")
    assert y.output.op.name == "small"
    assert y.output.eval(session=tf.Session()).tolist() == [0, 2]
