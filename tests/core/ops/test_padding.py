"""Pads, tiles, blocks, patches and diagonals: arguments, static shapes and gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from tests.core.ops.numeric import derivative

ARRAY = np.random.default_rng(11).normal(size=(3, 4))


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


_WIDTHS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=2)


@given(_WIDTHS, st.sampled_from(["constant", "REFLECT", "Symmetric"]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_pad_is_numpys(widths: list[tuple[int, int]], mode: str, known: bool) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float64, ARRAY.shape if known else [None, None])
        paddings = tf.constant(widths) if known else tf.placeholder(tf.int64, [None, 2])
        y = tf.pad(x, paddings, mode)
        feed = {x: ARRAY} if known else {x: ARRAY, paddings: widths}
        want = np.pad(ARRAY, widths, mode.lower())  # type: ignore[call-overload]
        weights = np.random.default_rng(0).normal(size=want.shape)
        (gradient,) = tf.gradients(y, x, weights)
        value, slope = session.run([y, gradient], feed)
    np.testing.assert_array_equal(value, want)
    assert not known or y.shape.as_list() == list(want.shape)
    padded = np.pad(np.arange(12).reshape(3, 4), widths, mode.lower(), **_outside(mode))
    back = np.bincount(padded.reshape(-1), weights.reshape(-1), minlength=13)[:12]
    np.testing.assert_allclose(slope, back.reshape(3, 4))


def _outside(mode: str) -> dict[str, Any]:
    return {"constant_values": 12} if mode == "constant" else {}


def test_pad_variants(session: Any) -> None:
    x = tf.placeholder(tf.float32, ["batch", 2])
    assert tf.pad(x, [[0, 0], [1, 2]]).entries == ("batch", 5)
    assert tf.pad(x, [[1, 0], [0, 0]]).entries == (None, 2)
    assert tf.pad(x, [[0, 0], [1, 2]]).op.type == "Pad"
    width = tf.placeholder(tf.int32, [])
    assert tf.pad(tf.zeros([4, 4]), [[1, 2], [0, width]]).shape.as_list() == [7, None]
    assert tf.tile(tf.zeros([4, 4]), [width, 2]).shape.as_list() == [None, 8]
    assert tf.slice(tf.zeros([4, 4]), [0, width], [width, 2]).shape.as_list() == [None, 2]
    nines = tf.pad([1, 2], [[1, 0]], constant_values=9)
    assert nines.op.type == "PadV2" and session.run(nines).tolist() == [9, 1, 2]
    for call, message in (
        (lambda: tf.pad(x, [[0, 0]]), "Shape must be rank 1 but is rank 2"),
        (lambda: tf.pad(x, [[0, -1], [0, 0]]), "non-negative"),
        (lambda: tf.pad(x, [[0, 0], [0, 0]], "MIRROR"), "Unknown padding mode: MIRROR"),
        (lambda: tf.tile(x, [2]), "Shape must be rank 2 but is rank 1"),
        (lambda: tf.tile(x, [2, -1]), "non-negative"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(tf.errors.InvalidArgumentError, match="paddings"):
        session.run(tf.pad([1, 2], [[2, 0]], "REFLECT"))


@pytest.mark.parametrize("multiples", [[2, 1], [1, 3], [2, 2], [1, 1], [0, 2]])
@pytest.mark.parametrize("known", [True, False])
def test_tile(multiples: list[int], known: bool, session: Any) -> None:
    x = tf.placeholder(tf.float64, ARRAY.shape if known else [None, None])
    y = tf.tile(x, multiples if known else tf.placeholder_with_default(multiples, [2]))
    want = np.tile(ARRAY, multiples)
    weights = np.random.default_rng(0).normal(size=want.shape)
    value, slope = session.run([y, tf.gradients(y, x, weights)[0]], {x: ARRAY})
    np.testing.assert_array_equal(value, want)
    back = weights.reshape(multiples[0], 3, multiples[1], 4).sum((0, 2))
    np.testing.assert_allclose(slope, back)


def test_block_shapes() -> None:
    x = tf.placeholder(tf.float32, ["batch", 4, 6, 8])
    assert tf.space_to_depth(x, 2).entries == ("batch", 2, 3, 32)
    assert tf.depth_to_space(x, 2).entries == ("batch", 8, 12, 2)
    assert tf.space_to_batch(x, [[0, 0], [1, 1]], 2).entries == (None, 2, 4, 8)
    assert tf.batch_to_space(tf.zeros([8, 2, 3, 1]), [[1, 0], [0, 2]], 2).entries == (2, 3, 4, 1)
    assert tf.space_to_batch_nd(x, [1, 3], [[0, 0], [0, 0]]).entries == (None, 4, 2, 8)
    first = tf.placeholder(tf.float32, [None, 4, 6, 8])
    assert tf.space_to_depth(first, 2, data_format="NCHW").entries == (None, 16, 3, 4)
    for call in (
        lambda: tf.space_to_depth(x, 5),
        lambda: tf.depth_to_space(x, 3),
        lambda: tf.space_to_batch_nd(x, [3], [[0, 0]]),
        lambda: tf.batch_to_space_nd(tf.zeros([3, 2]), [2], [[0, 0]]),
    ):
        with pytest.raises(ValueError, match="must be evenly divisible by"):
            call()


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=2),
    st.lists(st.integers(1, 4), min_size=2, max_size=2),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_required_paddings(
    sizes: list[int], blocks: list[int], base: list[int], known: bool
) -> None:
    least = np.array(base).reshape(2, 2)
    with tf.Graph().as_default(), tf.Session() as session:
        shape: Any = sizes if known else tf.placeholder_with_default(sizes, [2])
        pair = tf.required_space_to_batch_paddings(shape, blocks, least)
        paddings, crops = session.run(list(pair))
        assert not known or all(t.op.type == "Const" for t in pair)
    assert (paddings[:, 0] == least[:, 0]).all() and (paddings[:, 1] >= least[:, 1]).all()
    total = np.array(sizes) + paddings.sum(1)
    assert (total % blocks == 0).all() and (total - sizes - least.sum(1) < blocks).all()
    np.testing.assert_array_equal(crops[:, 1], paddings[:, 1] - least[:, 1])


def test_image_patches(session: Any) -> None:
    image = np.random.default_rng(0).normal(size=(2, 5, 6, 3))
    x = tf.placeholder(tf.float64, [None, 5, 6, 3])
    patches = tf.extract_image_patches(x, [1, 2, 3, 1], [1, 2, 1, 1], [1, 1, 2, 1], "VALID")
    assert patches.shape.as_list() == [None, 2, 2, 18]
    value = session.run(patches, {x: image})
    for row in range(2):
        for column in range(2):
            window = image[:, 2 * row : 2 * row + 2, column : column + 5 : 2]
            np.testing.assert_array_equal(value[:, row, column], window.reshape(2, -1))
    same = tf.extract_image_patches(x, [1, 3, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME")
    assert same.shape.as_list() == [None, 3, 3, 27]
    with pytest.raises(ValueError, match="ksizes"):
        tf.extract_image_patches(x, [2, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME")


def test_diagonals(session: Any) -> None:
    x = tf.placeholder(tf.float32, ["batch", 2, 3])
    assert tf.matrix_diag_part(x).entries == ("batch", 2)
    assert tf.matrix_diag(x).entries == ("batch", 2, 3, 3)
    assert tf.matrix_set_diag(x, tf.zeros([4, 2])).entries == (4, 2, 3)
    assert tf.diag(tf.zeros([2, 3])).entries == (2, 3, 2, 3)
    assert tf.trace(x).entries == ("batch",)
    with pytest.raises(ValueError, match="even and non-zero rank"):
        tf.diag_part(tf.zeros([2]))
    with pytest.raises(ValueError, match="at least rank 2"):
        tf.matrix_band_part([1.0], 0, 0)
    square = np.arange(9.0).reshape(3, 3)
    for low in (-1, 0, 2):
        for high in (-1, 1):
            want = np.triu(square, -low) if low >= 0 else square
            want = np.tril(want, high) if high >= 0 else want
            np.testing.assert_array_equal(session.run(tf.matrix_band_part(square, low, high)), want)


def test_eye(session: Any) -> None:
    two = tf.placeholder_with_default(2, [])
    for made, want in (
        (tf.eye(3), np.eye(3)),
        (tf.eye(2, 3), np.eye(2, 3)),
        (tf.eye(3, 2, [2]), np.stack([np.eye(3, 2)] * 2)),
        (tf.eye(two), np.eye(2)),
        (tf.eye(two, 3), np.eye(2, 3)),
        (tf.eye(2, batch_shape=tf.placeholder_with_default([2], [1])), np.stack([np.eye(2)] * 2)),
        (tf.eye(1, two, [two]), np.stack([np.eye(1, 2)] * 2)),
    ):
        np.testing.assert_array_equal(session.run(made), want)
        assert made.shape.is_compatible_with(want.shape)
    assert tf.eye(2, dtype=tf.int8).dtype is tf.int8


def test_gradient_of_a_set_diagonal(session: Any) -> None:
    x, d = tf.placeholder(tf.float64, [3, 4]), tf.constant([1.0, 2.0, 3.0], tf.float64)
    y = tf.reduce_sum(tf.square(tf.matrix_set_diag(x, d * d)))
    slopes = session.run(tf.gradients(y, [x, d]), {x: ARRAY})
    np.testing.assert_allclose(slopes[1], [4.0, 32.0, 108.0])
    numeric = derivative(lambda a: session.run(y, {x: a}), ARRAY)
    np.testing.assert_allclose(slopes[0], numeric, rtol=1e-6, atol=1e-6)
