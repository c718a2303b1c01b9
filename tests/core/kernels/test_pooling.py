from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.kernels.oracles import (
    FLOATS,
    Array,
    assert_close,
    numeric_gradient,
    output_size,
    seen,
)
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import folding, pooling

# (shape, ksize, strides, padding, data format); ties and borders are frequent
CASES = [
    ((2, 6, 6, 2), (1, 2, 2, 1), (1, 2, 2, 1), "VALID", "NHWC"),
    ((2, 7, 5, 2), (1, 2, 2, 1), (1, 2, 2, 1), "SAME", "NHWC"),
    ((2, 7, 6, 2), (1, 3, 3, 1), (1, 2, 2, 1), "VALID", "NHWC"),
    ((2, 6, 7, 2), (1, 3, 2, 1), (1, 1, 2, 1), "SAME", "NHWC"),
    ((1, 5, 5, 1), (1, 5, 4, 1), (1, 3, 1, 1), "SAME", "NHWC"),
    ((2, 5, 5, 2), (1, 1, 1, 1), (1, 1, 1, 1), "SAME", "NHWC"),
    ((2, 6, 5, 2), (1, 1, 2, 1), (1, 3, 3, 1), "VALID", "NHWC"),
    ((2, 2, 6, 5), (1, 1, 3, 2), (1, 1, 2, 1), "SAME", "NCHW"),
    ((2, 2, 2, 6), (1, 1, 1, 3), (1, 1, 1, 3), "VALID", "NHWC"),
    ((2, 4, 5, 4, 2), (1, 2, 3, 2, 1), (1, 2, 1, 2, 1), "SAME", "NDHWC"),
    ((1, 2, 5, 4, 4), (1, 1, 3, 2, 2), (1, 1, 2, 2, 1), "VALID", "NCDHW"),
]


class Case:
    """An input with ties, and everything about its pools by plain loops."""

    def __init__(self, case: tuple[Any, ...], dtype: Any = np.float64) -> None:
        shape, ksize, strides, self.padding, data_format = case
        rng = np.random.default_rng(len(shape) + sum(shape))
        self.attributes = {
            "ksize": ksize,
            "strides": strides,
            "padding": self.padding,
            "data_format": data_format,
        }
        ones = (1,) * len(shape)
        sizes = list(zip(shape, ksize, strides, ones, strict=True))
        outputs = tuple(output_size(*axis, self.padding) for axis in sizes)
        self.input = rng.integers(-3, 3, shape).astype(dtype)
        self.grad = rng.standard_normal(outputs).astype(dtype)
        self.grad_grad = rng.standard_normal(shape).astype(dtype)
        self.sum, self.count = np.zeros(outputs), np.zeros(outputs)
        self.largest, self.place = np.full(outputs, -np.inf), np.zeros(outputs, np.int64)
        pairs = [(o, p) for o, _, p in seen(shape, ksize, strides, ones, self.padding)]
        for output, position in pairs:
            value = float(self.input[position])
            self.sum[output] += value
            self.count[output] += 1
            if value > self.largest[output]:
                self.largest[output] = value
                self.place[output] = np.ravel_multi_index(position, shape)
        self.max_grad, self.avg_grad = np.zeros(shape), np.zeros(shape)
        np.add.at(self.max_grad.reshape(-1), self.place, self.grad.astype(np.float64))
        for output, position in pairs:
            self.avg_grad[position] += float(self.grad[output]) / self.count[output]
        self.max_grad_grad = self.grad_grad.reshape(-1)[self.place].astype(np.float64)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_against_loops(case: tuple[Any, ...], dtype: Any) -> None:
    check = Case(case, dtype)
    a = check.attributes
    if check.input.ndim == 4:
        kernels = pooling.max_pool, pooling.max_pool_grad, pooling.max_pool_grad_grad
        averages = pooling.avg_pool, pooling.avg_pool_grad
    else:
        kernels = pooling.max_pool3d, pooling.max_pool3d_grad, pooling.max_pool3d_grad_grad
        averages = pooling.avg_pool3d, pooling.avg_pool3d_grad
    output = kernels[0](check.input, **a)
    assert_close(output, check.largest, dtype)
    assert not np.shares_memory(output, check.input)
    assert_close(kernels[1](check.input, output, check.grad, **a), check.max_grad, dtype)
    assert_close(kernels[2](check.input, output, check.grad_grad, **a), check.max_grad_grad, dtype)
    assert_close(averages[0](check.input, **a), check.sum / check.count, dtype)
    shape = np.array(check.input.shape, np.int32)
    assert_close(averages[1](shape, check.grad, **a), check.avg_grad, dtype)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_BLOCK", 1)  # one image at a time
    check = Case(CASES[3])
    output = pooling.max_pool(check.input, **check.attributes)
    grad = pooling.max_pool_grad(check.input, output, check.grad, **check.attributes)
    assert_close(grad, check.max_grad)


@pytest.mark.parametrize("index_type", [np.int32, np.int64])
@pytest.mark.parametrize("case", [c for c in CASES if c[-1] == "NHWC"], ids=str)
def test_argmax_against_loops(case: tuple[Any, ...], index_type: Any) -> None:
    check = Case(case)
    a = {name: check.attributes[name] for name in ("ksize", "strides", "padding")}
    output, argmax = pooling.max_pool_with_argmax(check.input, Targmax=index_type, **a)
    assert_close(output, check.largest)
    assert argmax.dtype == index_type
    np.testing.assert_array_equal(argmax, check.place)
    assert_close(
        pooling.max_pool_grad_with_argmax(check.input, check.grad, argmax, **a), check.max_grad
    )
    assert_close(
        pooling.max_pool_grad_grad_with_argmax(check.input, check.grad_grad, argmax, **a),
        check.max_grad_grad,
    )


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64])
def test_integers(dtype: Any) -> None:
    image = np.array([[3, 1, 0], [2, 100, 4], [0, 3, 2]], dtype).reshape(1, 3, 3, 1)
    a: dict[str, Any] = {"ksize": (1, 2, 2, 1), "strides": (1, 1, 1, 1), "padding": "SAME"}
    output = pooling.max_pool(image, **a)
    assert output.dtype == dtype
    assert output[0, ..., 0].tolist() == [[100, 100, 4], [100, 100, 4], [3, 3, 2]]
    grad = pooling.max_pool_grad(image, output, np.ones_like(output), **a)
    assert grad.dtype == dtype
    assert grad[0, ..., 0].tolist() == [[0, 0, 0], [0, 4, 2], [0, 2, 1]]


@pytest.mark.parametrize("case", [CASES[1], CASES[2], CASES[9]], ids=str)
def test_gradients_by_finite_differences(case: tuple[Any, ...]) -> None:
    check = Case(case)
    a = check.attributes
    distinct = np.random.default_rng(0).permutation(check.input.size).astype(np.float64)
    input = distinct.reshape(check.input.shape)

    def largest(x: Array) -> Array:
        return pooling.max_pool(x, **a)

    def mean(x: Array) -> Array:
        return pooling.avg_pool(x, **a)

    np.testing.assert_allclose(
        pooling.max_pool_grad(input, largest(input), check.grad, **a),
        numeric_gradient(largest, [input], 0, check.grad, step=1e-2),
        atol=1e-7,
    )
    np.testing.assert_allclose(
        pooling.avg_pool_grad(np.array(input.shape), check.grad, **a),
        numeric_gradient(mean, [input], 0, check.grad, step=1e-2),
        atol=1e-7,
    )


def test_not_a_number_is_the_maximum_and_takes_the_gradient() -> None:
    image = np.array([1, np.nan, 3, np.nan]).reshape(1, 2, 2, 1)
    a: dict[str, Any] = {"ksize": (1, 2, 2, 1), "strides": (1, 2, 2, 1), "padding": "VALID"}
    output, argmax = pooling.max_pool_with_argmax(image, **a)
    assert np.isnan(output).all()
    assert argmax.tolist() == [[[[1]]]]
    grad = pooling.max_pool_grad(image, output, np.ones((1, 1, 1, 1)), **a)
    assert grad.ravel().tolist() == [0, 1, 0, 0]


def test_infinities_are_ordinary_values() -> None:
    image = np.array([-np.inf, -np.inf, -np.inf, -np.inf, np.inf, 1]).reshape(1, 1, 6, 1)
    a: dict[str, Any] = {"ksize": (1, 2, 2, 1), "strides": (1, 1, 2, 1), "padding": "SAME"}
    output = pooling.max_pool(image, **a)
    assert output.ravel().tolist() == [-np.inf, -np.inf, np.inf]
    grad = pooling.max_pool_grad(image, output, np.array([np.inf, 2, 3]).reshape(1, 1, 3, 1), **a)
    assert grad.ravel().tolist() == [np.inf, 0, 2, 0, 3, 0]


def test_an_empty_batch() -> None:
    a: dict[str, Any] = {"ksize": (1, 2, 2, 1), "strides": (1, 2, 2, 1), "padding": "VALID"}
    image = np.zeros((0, 4, 4, 3), np.float32)
    assert pooling.max_pool(image, **a).shape == (0, 2, 2, 3)
    assert pooling.avg_pool(image, **a).shape == (0, 2, 2, 3)
    output, argmax = pooling.max_pool_with_argmax(image, **a)
    assert pooling.max_pool_grad_with_argmax(image, output, argmax, **a).shape == image.shape
    grad = pooling.avg_pool_grad(np.array(image.shape), output, **a)
    assert (grad.shape, grad.dtype) == (image.shape, np.float32)


def test_errors_are_in_the_users_terms() -> None:
    image = np.zeros((2, 4, 4, 1))
    with pytest.raises(InvalidArgumentError, match=r"over the batch .* got \(2, 1, 1, 1\)"):
        pooling.max_pool(image, ksize=(2, 1, 1, 1), strides=(1, 1, 1, 1), padding="VALID")
    with pytest.raises(InvalidArgumentError, match="4 numbers for NHWC"):
        pooling.avg_pool(image, ksize=(2, 2), strides=(1, 1), padding="VALID")
    a: dict[str, Any] = {"ksize": (1, 2, 2, 1), "strides": (1, 2, 2, 1), "padding": "VALID"}
    wrong = np.zeros((2, 2, 1, 1))
    with pytest.raises(InvalidArgumentError, match=r"grad must have the shape \(2, 2, 2, 1\)"):
        pooling.avg_pool_grad(np.array(image.shape), wrong, **a)
    with pytest.raises(InvalidArgumentError, match=r"orig_output must have the shape"):
        pooling.max_pool_grad(image, wrong, wrong, **a)
    right = np.zeros((2, 2, 2, 1))
    with pytest.raises(InvalidArgumentError, match="between 0 and 31, .* from 32 to 32"):
        pooling.max_pool_grad_with_argmax(image, right, np.full(right.shape, 32), **a)
