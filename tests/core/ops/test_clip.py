"""Clipping by value and by norm, checks for finite values, logic on bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf

rng = np.random.default_rng(31)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _slices(values: Any) -> Any:
    return tf.IndexedSlices(tf.constant(values), tf.constant([0, 3]), tf.constant([9, 2]))


def test_by_value(session: Any) -> None:
    x = tf.constant([-5.0, 0.5, 9.0, np.nan])
    y = tf.clip_by_value(x, -1.0, 2.0)
    found = session.run([y, tf.gradients(y, x)[0]])
    np.testing.assert_array_equal(found[0], [-1, 0.5, 2, np.nan])
    assert found[1][:3].tolist() == [0, 1, 0]
    slices = tf.clip_by_value(_slices([[1.0, 2.0], [3.0, 4.0]]), 1.5, 3.5)
    assert isinstance(slices, tf.IndexedSlices)
    assert session.run(slices.values).tolist() == [[1.5, 2], [3, 3.5]]
    with pytest.raises(ValueError, match="not compatible"):
        tf.clip_by_value(tf.zeros([2, 3, 1]), 0.0, [1.0, 2.0])


@pytest.mark.parametrize("axes", [None, [0], [1]])
@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_by_norm(limit: float, axes: Any, session: Any) -> None:
    x = rng.normal(size=(3, 4))
    norm = np.sqrt((x**2).sum(axis=None if axes is None else axes[0], keepdims=True))
    expected = x * np.minimum(1, limit / norm)
    np.testing.assert_allclose(session.run(tf.clip_by_norm(x, limit, axes)), expected, rtol=1e-12)


def test_the_gradient_of_a_clipped_zero_is_finite(session: Any) -> None:
    x = tf.constant([0.0, 0.0])
    y = tf.clip_by_norm(x, 1.0)
    assert [v.tolist() for v in session.run([y, tf.gradients(y, x)[0]])] == [[0, 0], [1, 1]]


def test_by_average_norm(session: Any) -> None:
    x = tf.constant([[3.0, 4.0]], tf.float64)
    found = session.run([tf.clip_by_average_norm(x, 1.25), tf.clip_by_average_norm(x, 5.0)])
    np.testing.assert_allclose(found, [[[1.5, 2.0]], [[3.0, 4.0]]])


@pytest.mark.parametrize("limit", [2.0, 1000.0])
def test_by_global_norm(limit: float, session: Any) -> None:
    a, b = rng.normal(size=(4,)), rng.normal(size=(2, 2))
    tensors = [tf.constant(a), None, _slices(b)]
    clipped, norm = tf.clip_by_global_norm(tensors, limit)
    assert clipped[1] is None and isinstance(clipped[2], tf.IndexedSlices)
    found = session.run([norm, clipped[0], clipped[2].values, tf.global_norm(tensors)])
    expected = np.sqrt((a**2).sum() + (b**2).sum())
    assert found[0] == pytest.approx(expected) and found[3] == pytest.approx(expected)
    scale = min(1.0, limit / expected)
    np.testing.assert_allclose(found[1], a * scale)
    np.testing.assert_allclose(found[2], b * scale)
    given_norm = tf.clip_by_global_norm(
        [tf.constant(a)], 1.0, use_norm=tf.constant(4.0, tf.float64)
    )
    np.testing.assert_allclose(session.run(given_norm[0][0]), a / 4)


def test_global_norm_wants_a_sequence() -> None:
    for wrong in (tf.zeros([2]), "text", 3):
        with pytest.raises(TypeError, match="t_list should be a sequence"):
            tf.global_norm(wrong)
        with pytest.raises(TypeError, match="t_list should be a sequence"):
            tf.clip_by_global_norm(wrong, 1.0)


@pytest.mark.parametrize(
    ("values", "found"),
    [([1.0, np.nan], "NaN"), ([-np.inf, 1.0], "Inf"), ([np.inf, np.nan], "Inf and NaN")],
)
def test_check_numerics(values: Any, found: str, session: Any) -> None:
    x = tf.placeholder(tf.float32, [2])
    checked = tf.check_numerics(x, "the weights")
    verified = tf.verify_tensor_all_finite(x, "the biases")
    assert checked.shape.as_list() == [2]
    # The sum of large numbers overflows, and yet they are finite.
    fine = np.array([3e38, 3e38], np.float32)
    for tensor, message in ((checked, "the weights"), (verified, "the biases")):
        np.testing.assert_array_equal(session.run(tensor, {x: fine}), fine)
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=f"{message} : Tensor had {found} v"
        ):
            session.run(tensor, {x: values})
    assert tf.gradients(checked, x)[0].op.type == "CheckNumerics"


def test_add_check_numerics_ops(session: Any) -> None:
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.log(x, name="y")
    total = tf.reduce_sum(y)
    check = tf.add_check_numerics_ops()
    session.run([total, check], {x: [1.0, 2.0]})
    with pytest.raises(tf.errors.InvalidArgumentError, match="y:0 : Tensor had Inf values"):
        session.run([total, check], {x: [0.0, 2.0]})


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "int64", "uint64"])
def test_bits(dtype: str, session: Any) -> None:
    kind = tf.as_dtype(dtype).as_numpy_dtype
    x, y = np.array([0, 5, 3, 14, 127], kind), np.array([5, 0, 7, 11, 100], kind)
    found = session.run(
        [
            tf.bitwise.bitwise_and(x, y),
            tf.bitwise.bitwise_or(x, y),
            tf.bitwise.bitwise_xor(x, y),
            tf.bitwise.invert(x),
        ]
    )
    for result, expected in zip(found, [x & y, x | y, x ^ y, ~x], strict=True):
        np.testing.assert_array_equal(result, expected)
        assert result.dtype == kind
    from workbench.core.ops.bitwise import population_count

    counts = session.run(population_count(tf.bitwise.invert(x)))
    assert counts.tolist() == [kind(0).nbytes * 8 - int(v).bit_count() for v in x]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_shifted_bits(dtype: str, session: Any) -> None:
    kind = np.dtype(dtype)
    bits, signed = kind.itemsize * 8, kind.kind == "i"
    x = np.array([0, 5, 3, 14, 127] + ([-1, -5, -100] if signed else []), kind)
    y = np.array([[0], [1], [3], [bits - 1], [bits], [100]] + ([[-2]] if signed else []), kind)
    up, down = session.run([tf.bitwise.left_shift(x, y), tf.bitwise.right_shift(x, y)])
    assert up.dtype == down.dtype == kind
    for row, places in enumerate(y[:, 0].tolist()):
        places = min(max(places, 0), bits - 1)
        for column, number in enumerate(x.tolist()):
            # Python's integers have all the bits there are: what is beyond the type is cut off.
            wanted = (number << places) % 2**bits
            if signed and wanted >= 2 ** (bits - 1):
                wanted -= 2**bits
            assert up[row, column] == wanted
            assert down[row, column] == number >> places
