from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tests.core.kernels.oracles import FLOATS, Array, assert_close, numeric_gradient
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import normalization

LRN = [(5, 1.0, 1.0, 0.5), (2, 0.5, 0.3, 0.75), (0, 2.0, 0.1, 1.0), (1, 1.0, 2.0, 0.25)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("parameters", LRN, ids=str)
def test_lrn_against_loops(parameters: tuple[int, float, float, float], dtype: Any) -> None:
    radius, bias, alpha, beta = parameters
    image = np.random.default_rng(radius).standard_normal((2, 2, 3, 7)).astype(dtype)
    wide = image.astype(np.float64)
    expected = np.zeros(wide.shape)
    for place in np.ndindex(*wide.shape):
        *pixel, c = place
        near = wide[tuple(pixel)][max(0, c - radius) : c + radius + 1]
        expected[place] = wide[place] / (bias + alpha * sum(v * v for v in near)) ** beta
    result = normalization.lrn(image, depth_radius=radius, bias=bias, alpha=alpha, beta=beta)
    assert_close(result, expected, dtype)


@pytest.mark.parametrize("parameters", LRN, ids=str)
def test_lrn_grad_by_finite_differences(parameters: tuple[int, float, float, float]) -> None:
    a: dict[str, Any] = dict(
        zip(("depth_radius", "bias", "alpha", "beta"), parameters, strict=True)
    )
    rng = np.random.default_rng(0)
    image, grad = rng.standard_normal((2, 2, 2, 2, 6))

    def forward(x: Array) -> Array:
        return normalization.lrn(x, **a)

    result = normalization.lrn_grad(grad, image, forward(image), **a)
    np.testing.assert_allclose(
        result, numeric_gradient(forward, [image], 0, grad), rtol=1e-6, atol=1e-7
    )
    half = normalization.lrn_grad(
        *(array.astype(ml_dtypes.bfloat16) for array in (grad, image, forward(image))), **a
    )
    assert half.dtype == ml_dtypes.bfloat16
    np.testing.assert_allclose(half.astype(np.float64), result, atol=0.1)


def test_lrn_keeps_an_infinity_among_its_neighbours() -> None:
    image = np.ones((1, 1, 1, 7))
    image[..., 3] = np.inf
    result = normalization.lrn(image, depth_radius=1)
    assert np.isfinite(result[0, 0, 0, [0, 1, 5, 6]]).all()
    assert result[0, 0, 0, [2, 4]].tolist() == [0, 0]
    assert np.isnan(result[0, 0, 0, 3])


def normalized(
    x: Array, scale: Array, offset: Array, epsilon: float
) -> tuple[Array, list[float], list[float]]:
    """Batch normalisation of NHWC images by plain loops: y, means, variances."""
    y, means, variances = np.zeros(x.shape), [], []
    for c in range(x.shape[-1]):
        values = [float(v) for v in x[..., c].ravel()]
        mean = math.fsum(values) / len(values)
        variance = math.fsum((v - mean) ** 2 for v in values) / len(values)
        factor = float(scale[c]) / math.sqrt(variance + epsilon)
        y[..., c] = [[[(float(v) - mean) * factor + float(offset[c]) for v in row]
                      for row in image] for image in x[..., c]]  # fmt: skip
        means.append(mean)
        variances.append(variance)
    return y, means, variances


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_fused_batch_norm_in_training(dtype: Any, data_format: str) -> None:
    rng = np.random.default_rng(4)
    x = (rng.standard_normal((3, 4, 5, 2)) * 2 + 1).astype(dtype)
    parameter = np.float64 if dtype is np.float64 else np.float32
    scale, offset = rng.standard_normal((2, 2)).astype(parameter)
    y, means, variances = normalized(x, scale, offset, 0.01)
    first = data_format == "NCHW"
    images = np.moveaxis(x, -1, 1) if first else x
    empty = np.zeros(0, parameter)
    result = normalization.fused_batch_norm(
        images, scale, offset, empty, empty, epsilon=0.01, data_format=data_format
    )
    assert_close(result[0], np.moveaxis(y, -1, 1) if first else y, dtype)
    assert_close(result[1], means, parameter)
    assert_close(result[2], np.multiply(variances, 60 / 59), parameter)
    assert_close(result[3], means, parameter)
    assert_close(result[4], variances, parameter)


def test_fused_batch_norm_out_of_training() -> None:
    x = np.arange(8.0).reshape(1, 2, 2, 2)
    scale, offset, mean, variance = np.array([[2.0, 1], [0.5, 0], [1, 2], [3, 8]])
    result = normalization.fused_batch_norm(
        x, scale, offset, mean, variance, epsilon=1.0, is_training=False
    )
    expected = (x - [1, 2]) / [2, 3] * [2, 1] + [0.5, 0]
    assert_close(result[0], expected)
    for output, given in zip(result[1:], (mean, variance, mean, variance), strict=True):
        np.testing.assert_array_equal(output, given)
        assert not np.shares_memory(output, given)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("is_training", [True, False])
def test_fused_batch_norm_grad_by_finite_differences(is_training: bool, data_format: str) -> None:
    rng = np.random.default_rng(2)
    x, grad = rng.standard_normal((2, 2, 3, 2, 3))
    channels = 3 if data_format == "NHWC" else x.shape[1]
    scale, offset, mean = rng.standard_normal((3, channels))
    variance = rng.random(channels) + 0.5
    a: dict[str, Any] = {
        "epsilon": 0.02,
        "data_format": data_format,
        "is_training": is_training,
    }

    def forward(x: Array, scale: Array, offset: Array) -> Array:
        return normalization.fused_batch_norm(x, scale, offset, mean, variance, **a)[0]

    *_, saved_mean, saved_variance = normalization.fused_batch_norm(
        x, scale, offset, mean, variance, **a
    )
    result = normalization.fused_batch_norm_grad(grad, x, scale, saved_mean, saved_variance, **a)
    for index in range(3):
        np.testing.assert_allclose(
            result[index],
            numeric_gradient(forward, [x, scale, offset], index, grad),
            rtol=1e-5,
            atol=1e-7,
        )
    assert [r.shape for r in result[3:]] == [(0,), (0,)]


@pytest.mark.parametrize("half", [np.float16, ml_dtypes.bfloat16])
def test_fused_batch_norm_grad_of_half_images(half: Any) -> None:
    rng = np.random.default_rng(2)
    x, grad = rng.standard_normal((2, 2, 3, 2, 3)).astype(half)
    scale = np.ones(3, np.float32)
    saved = (x.astype(np.float32).mean((0, 1, 2)), x.astype(np.float32).var((0, 1, 2)))
    result = normalization.fused_batch_norm_grad(grad, x, scale, *saved)
    expected = normalization.fused_batch_norm_grad(
        *(array.astype(np.float64) for array in (grad, x, scale, *saved))
    )
    assert_close(result[0], expected[0], half)
    assert_close(result[1], expected[1], np.float32)
    assert_close(result[2], expected[2], np.float32)


def test_a_batch_of_one_pixel_or_none() -> None:
    empty, ones = np.zeros(0), np.ones(2)
    y, _, unbiased, *_ = normalization.fused_batch_norm(
        np.ones((1, 1, 1, 2)), ones, ones, empty, empty
    )
    assert y.tolist() == [[[[1, 1]]]]
    assert unbiased.tolist() == [0, 0]
    y, mean, *_ = normalization.fused_batch_norm(np.ones((0, 1, 1, 2)), ones, ones, empty, empty)
    assert y.shape == (0, 1, 1, 2)
    assert np.isnan(mean).all()


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("dtype", FLOATS)
def test_global_normalization(dtype: Any, scaled: bool) -> None:
    rng = np.random.default_rng(6)
    t = rng.standard_normal((2, 3, 2, 4)).astype(dtype)
    m, beta, gamma = rng.standard_normal((3, 4)).astype(dtype)
    v = (rng.random(4) + 0.5).astype(dtype)
    a: dict[str, Any] = {"variance_epsilon": 0.01, "scale_after_normalization": scaled}
    wide = [array.astype(np.float64) for array in (t, m, v, beta, gamma)]
    expected = (wide[0] - wide[1]) / np.sqrt(wide[2] + 0.01)
    expected = (expected * wide[4] if scaled else expected) + wide[3]
    forward = normalization.batch_norm_with_global_normalization
    assert_close(forward(t, m, v, beta, gamma, **a), expected, dtype)
    backprop = rng.standard_normal(t.shape).astype(dtype)
    grads = normalization.batch_norm_with_global_normalization_grad(t, m, v, gamma, backprop, **a)
    for index, result in enumerate(grads):
        numeric = numeric_gradient(
            lambda *inputs: forward(*inputs, **a), wide, index, backprop.astype(np.float64)
        )
        assert result.dtype == dtype
        tolerance = 1e-5 if np.dtype(dtype).itemsize > 2 else 0.1
        np.testing.assert_allclose(result.astype(np.float64), numeric, tolerance, tolerance)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (0,)])
def test_l2_loss(shape: tuple[int, ...], dtype: Any) -> None:
    t = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    result = normalization.l2_loss(np.asarray(t, dtype))
    expected = sum(float(v) ** 2 for v in np.ravel(t)) / 2
    assert_close(result, np.asarray(expected), dtype)


def test_errors_are_in_the_users_terms() -> None:
    x, two, three = np.zeros((1, 2, 2, 3)), np.zeros(2), np.zeros(3)
    with pytest.raises(InvalidArgumentError, match=r"scale must be a vector of 3 .* shape \(2,\)"):
        normalization.fused_batch_norm(x, two, three, three, three)
    with pytest.raises(InvalidArgumentError, match="mean must be a vector of 3"):
        normalization.fused_batch_norm(x, three, three, two, two, is_training=False)
    with pytest.raises(InvalidArgumentError, match="x must have rank 4"):
        normalization.fused_batch_norm(x[0], three, three, three, three)
    with pytest.raises(InvalidArgumentError, match="y_backprop must have the shape of x"):
        normalization.fused_batch_norm_grad(x[:, :1], x, three, three, three)
    with pytest.raises(InvalidArgumentError, match="depth_radius must be 0 or more, got -1"):
        normalization.lrn(x, depth_radius=-1)
    with pytest.raises(InvalidArgumentError, match="input must have rank 4"):
        normalization.lrn(x[0])
