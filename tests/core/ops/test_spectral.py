"""Fourier and cosine transforms: lengths, gradients and static shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.numeric import derivative

rng = np.random.default_rng(30)
NAMES = {1: "", 2: "2d", 3: "3d"}


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _complex(*shape: int) -> np.ndarray[Any, Any]:
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("inverse", ["", "i"])
@pytest.mark.parametrize("known", [True, False])
def test_complex_gradients(rank: int, inverse: str, known: bool, session: Any) -> None:
    value = _complex(2, 2, 3)
    x = tf.placeholder(tf.complex128, value.shape if known else [None] * 3)
    y = getattr(tf, f"{inverse}fft{NAMES[rank]}")(x)
    loss = tf.reduce_sum(tf.real(y * _complex(2, 2, 3)))
    (slope,) = session.run(tf.gradients(loss, x), {x: value})
    numeric = derivative(lambda a: session.run(loss, {x: a}), value)
    np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("lengths", [[2, 3, 4], [2, 2, 3], [3, 4, 6], [1, 3, 5]])
@pytest.mark.parametrize("known", [True, False])
def test_real_transforms(rank: int, lengths: list[int], known: bool, session: Any) -> None:
    value = rng.normal(size=(2, 3, 4)).astype(np.float32)
    size = lengths[-rank:]
    x = tf.placeholder(tf.float32, value.shape if known else [None] * 3)
    spectrum = getattr(tf.spectral, f"rfft{NAMES[rank]}")(x, size)
    back = getattr(tf.spectral, f"irfft{NAMES[rank]}")(spectrum, size)
    axes = tuple(range(-rank, 0))
    want = np.fft.rfftn(value.astype(float), size, axes)
    found = session.run([spectrum, back], {x: value})
    np.testing.assert_allclose(found[0], want, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found[1], np.fft.irfftn(want, size, axes), rtol=1e-4, atol=1e-4)
    assert spectrum.shape.is_compatible_with(found[0].shape)
    assert spectrum.dtype is tf.complex64 and back.dtype is tf.float32
    # A linear function: its gradient is what each input alone contributes.
    weights = _complex(*want.shape).astype(np.complex64)
    loss = tf.reduce_sum(tf.real(spectrum * weights))
    (slope,) = session.run(tf.gradients(loss, x), {x: value})
    for index in [(0, 0, 0), (1, 2, 3), (0, 1, 1)]:
        alone = np.zeros(value.shape)
        alone[index] = 1.0
        share = (np.fft.rfftn(alone, size, axes) * weights).real.sum()
        assert slope[index] == pytest.approx(share, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("last", [4, 5, 6, 3])
def test_gradient_of_the_inverse_real_transform(rank: int, last: int, session: Any) -> None:
    value = _complex(2, 2, 3).astype(np.complex64)
    size = [2, 2, last][-rank:]
    x = tf.placeholder(tf.complex64, [None] * 3)
    y = getattr(tf.spectral, f"irfft{NAMES[rank]}")(x, size)
    weights = rng.normal(size=session.run(y, {x: value}).shape).astype(np.float32)
    loss = tf.reduce_sum(y * weights)
    (slope,) = session.run(tf.gradients(loss, x), {x: value})
    axes = tuple(range(-rank, 0))

    def exact(a: Any) -> Any:
        return (np.fft.irfftn(a, size, axes) * weights).sum()

    numeric = derivative(exact, value.astype(complex))
    np.testing.assert_allclose(slope, numeric, rtol=1e-4, atol=1e-4)


def test_default_lengths(session: Any) -> None:
    x = tf.placeholder(tf.float32)
    spectrum = tf.spectral.rfft(x)
    again = tf.spectral.irfft(spectrum)
    found = session.run([spectrum, again], {x: [1.0, 2.0, 3.0, 4.0]})
    assert found[0].shape == (3,)
    np.testing.assert_allclose(found[1], [1.0, 2.0, 3.0, 4.0], rtol=1e-5)
    assert tf.spectral.rfft2d(tf.zeros([5, 6, 7])).shape.as_list() == [5, 6, 4]
    for function in (tf.spectral.rfft2d, tf.spectral.irfft2d):
        with pytest.raises(ValueError, match=r"Shape \(5,\) must have rank at least 2"):
            function(np.zeros([5], np.complex64 if "ir" in function.__name__ else np.float32))
    with pytest.raises(ValueError, match=r"Shape \(1, 1\) must have rank 1"):
        tf.spectral.rfft(tf.zeros([5]), [[3]])
    with pytest.raises(ValueError, match="Dimension must be 2 but is 3: fft_length has one size"):
        tf.spectral.rfft2d(tf.zeros([5, 5]), [1, 2, 3])


@pytest.mark.parametrize("norm", [None, "ortho"])
@pytest.mark.parametrize("known", [True, False])
def test_cosine_transform(norm: str | None, known: bool, session: Any) -> None:
    value = rng.normal(size=(2, 5)).astype(np.float32)
    x = tf.placeholder(tf.float32, [2, 5] if known else [None, None])
    k, n = np.arange(5)[:, None], np.arange(5)
    table = 2 * np.cos(np.pi * k * (2 * n + 1) / 10)
    if norm == "ortho":
        table *= np.where(k == 0, np.sqrt(1 / 20), np.sqrt(1 / 10))
    y = tf.spectral.dct(x, norm=norm)
    found = session.run([y, tf.gradients(tf.reduce_sum(y[:, 1]), x)[0]], {x: value})
    np.testing.assert_allclose(found[0], value @ table.T, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found[1], np.tile(table[1], (2, 1)), rtol=1e-4, atol=1e-4)


def test_cosine_transform_arguments() -> None:
    for keywords, error in (
        ({"type": 3}, ValueError),
        ({"norm": "backward"}, ValueError),
        ({"n": 4}, NotImplementedError),
        ({"axis": 0}, NotImplementedError),
    ):
        with pytest.raises(error):
            tf.spectral.dct([1.0, 2.0], **keywords)
