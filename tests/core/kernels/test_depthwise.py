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
from workbench.core.kernels import depthwise

# (sizes, taps, strides, dilations, padding, channels, multiplier)
CASES = [
    ((5, 6), (3, 3), (1, 1), (1, 1), "SAME", 2, 1),
    ((5, 6), (3, 2), (1, 1), (1, 1), "VALID", 2, 3),
    ((7, 6), (3, 3), (2, 2), (1, 1), "SAME", 3, 2),
    ((7, 8), (2, 3), (3, 2), (1, 1), "VALID", 1, 2),
    ((6, 7), (3, 2), (1, 1), (2, 3), "SAME", 2, 1),
    ((8, 7), (2, 3), (2, 1), (3, 2), "VALID", 2, 2),
    ((4, 5), (1, 1), (2, 2), (1, 1), "SAME", 2, 2),
]


def outputs_of(case: tuple[Any, ...]) -> tuple[int, ...]:
    sizes, taps, strides, dilations, padding, *_ = case
    axes = zip(sizes, taps, strides, dilations, strict=True)
    return tuple(output_size(*axis, padding) for axis in axes)


class Depthwise:
    """A depthwise convolution and its gradients by plain loops."""

    def __init__(self, case: tuple[Any, ...], dtype: Any = np.float64) -> None:
        sizes, taps, strides, dilations, padding, channels, multiplier = case
        rng = np.random.default_rng(sum(sizes))
        self.input = rng.standard_normal((2, *sizes, channels)).astype(dtype)
        self.filter = rng.standard_normal((*taps, channels, multiplier)).astype(dtype)
        shape = (2, *outputs_of(case), channels * multiplier)
        self.grad = rng.standard_normal(shape).astype(dtype)
        input, filter, grad = (
            array.astype(np.float64) for array in (self.input, self.filter, self.grad)
        )
        self.output = np.zeros(grad.shape)
        self.input_grad, self.filter_grad = np.zeros(input.shape), np.zeros(filter.shape)
        for o, t, p in seen(sizes, taps, strides, dilations, padding):
            for n, c, m in np.ndindex(2, channels, multiplier):
                here, there = (n, *o, c * multiplier + m), (n, *p, c)
                self.output[here] += input[there] * filter[(*t, c, m)]
                self.input_grad[there] += grad[here] * filter[(*t, c, m)]
                self.filter_grad[(*t, c, m)] += input[there] * grad[here]

    def check(self, attributes: dict[str, Any], order: Any, dtype: Any) -> None:
        """Compare all three kernels, with images arranged by ``order``."""
        input, grad = order(self.input), order(self.grad)
        shapes = np.array(input.shape, np.int32), np.array(self.filter.shape, np.int32)
        assert_close(
            depthwise.depthwise_conv2d_native(input, self.filter, **attributes),
            order(self.output),
            dtype,
        )
        assert_close(
            depthwise.depthwise_conv2d_native_backprop_input(
                shapes[0], self.filter, grad, **attributes
            ),
            order(self.input_grad),
            dtype,
        )
        assert_close(
            depthwise.depthwise_conv2d_native_backprop_filter(input, shapes[1], grad, **attributes),
            self.filter_grad,
            dtype,
        )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_depthwise_against_loops(case: tuple[Any, ...], dtype: Any) -> None:
    attributes = {
        "strides": (1, *case[2], 1),
        "dilations": (1, *case[3], 1),
        "padding": case[4],
    }
    Depthwise(case, dtype).check(attributes, lambda array: array, dtype)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_depthwise_with_the_channels_first(
    case: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(depthwise, "_BLOCK", 1)  # one image at a time
    attributes = {
        "strides": (1, 1, *case[2]),
        "dilations": (1, 1, *case[3]),
        "padding": case[4],
        "data_format": "NCHW",
    }
    Depthwise(case).check(attributes, lambda array: np.moveaxis(array, -1, 1), np.float64)


class Dilation:
    """A dilation and its gradients by plain loops; integer values make ties frequent."""

    def __init__(self, case: tuple[Any, ...], dtype: Any = np.float64) -> None:
        sizes, taps, strides, rates, padding, channels, _ = case
        self.attributes = {
            "strides": (1, *strides, 1),
            "rates": (1, *rates, 1),
            "padding": padding,
        }
        rng = np.random.default_rng(sum(sizes))
        self.input = rng.integers(0, 4, (2, *sizes, channels)).astype(dtype)
        self.filter = rng.integers(0, 3, (*taps, channels)).astype(dtype)
        shape = (2, *outputs_of(case), channels)
        self.grad = rng.integers(0, 9, shape).astype(dtype)
        self.output = np.full(shape, -1.0)
        winner: dict[tuple[int, ...], tuple[Any, Any]] = {}
        for o, t, p in seen(sizes, taps, strides, rates, padding):
            for n, c in np.ndindex(2, channels):
                value = float(self.input[(n, *p, c)]) + float(self.filter[(*t, c)])
                if value > self.output[(n, *o, c)]:
                    self.output[(n, *o, c)] = value
                    winner[(n, *o, c)] = ((n, *p, c), (*t, c))
        self.input_grad = np.zeros(self.input.shape)
        self.filter_grad = np.zeros(self.filter.shape)
        for place, (from_input, from_filter) in winner.items():
            self.input_grad[from_input] += float(self.grad[place])
            self.filter_grad[from_filter] += float(self.grad[place])


@pytest.mark.parametrize("dtype", [*FLOATS, np.int32, np.uint8])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_dilation_against_loops(case: tuple[Any, ...], dtype: Any) -> None:
    check = Dilation(case, dtype)
    operands = (check.input, check.filter)
    by_input = depthwise.dilation2d_backprop_input
    by_filter = depthwise.dilation2d_backprop_filter
    for result, expected in [
        (depthwise.dilation2d(*operands, **check.attributes), check.output),
        (by_input(*operands, check.grad, **check.attributes), check.input_grad),
        (by_filter(*operands, check.grad, **check.attributes), check.filter_grad),
    ]:
        if np.dtype(dtype).kind in "iu":
            assert result.dtype == dtype
            np.testing.assert_array_equal(result, expected.astype(dtype))
        else:
            assert_close(result, expected, dtype)


def test_gradients_by_finite_differences() -> None:
    case = CASES[2]
    check = Depthwise(case)
    a: dict[str, Any] = {"strides": (1, *case[2], 1), "padding": case[4]}

    def convolved(input: Array, filter: Array) -> Array:
        return depthwise.depthwise_conv2d_native(input, filter, **a)

    operands = [check.input, check.filter]
    np.testing.assert_allclose(
        depthwise.depthwise_conv2d_native_backprop_input(
            np.array(check.input.shape), check.filter, check.grad, **a
        ),
        numeric_gradient(convolved, operands, 0, check.grad),
        atol=1e-7,
    )
    np.testing.assert_allclose(
        depthwise.depthwise_conv2d_native_backprop_filter(
            check.input, np.array(check.filter.shape), check.grad, **a
        ),
        numeric_gradient(convolved, operands, 1, check.grad),
        atol=1e-7,
    )
    rng = np.random.default_rng(0)
    operands = [check.input, rng.standard_normal((3, 3, 3))]
    grad = rng.standard_normal((2, *outputs_of(case), 3))

    def dilated(input: Array, filter: Array) -> Array:
        return depthwise.dilation2d(input, filter, rates=(1, 1, 1, 1), **a)

    for index, gradient in enumerate(
        [depthwise.dilation2d_backprop_input, depthwise.dilation2d_backprop_filter]
    ):
        np.testing.assert_allclose(
            gradient(*operands, grad, rates=(1, 1, 1, 1), **a),
            numeric_gradient(dilated, operands, index, grad),
            atol=1e-7,
        )


def test_dilation_of_a_not_a_number() -> None:
    input = np.array([1, np.nan, 3, np.nan]).reshape(1, 2, 2, 1)
    a: dict[str, Any] = {"strides": (1, 2, 2, 1), "rates": (1, 1, 1, 1), "padding": "VALID"}
    filter = np.zeros((2, 2, 1))
    assert np.isnan(depthwise.dilation2d(input, filter, **a)).all()
    grad = depthwise.dilation2d_backprop_input(input, filter, np.ones((1, 1, 1, 1)), **a)
    assert grad.ravel().tolist() == [0, 1, 0, 0]


def test_errors_are_in_the_users_terms() -> None:
    image = np.zeros((1, 4, 4, 3))
    a: dict[str, Any] = {"strides": (1, 1, 1, 1), "padding": "SAME"}
    with pytest.raises(InvalidArgumentError, match="3 channels but the filter .* is for 2"):
        depthwise.depthwise_conv2d_native(image, np.zeros((2, 2, 2, 1)), **a)
    with pytest.raises(InvalidArgumentError, match=r"rank 4, got .* \(2, 2, 3\)"):
        depthwise.depthwise_conv2d_native(image, np.zeros((2, 2, 3)), **a)
    with pytest.raises(InvalidArgumentError, match=r"out_backprop must have .*\(1, 4, 4, 6\)"):
        depthwise.depthwise_conv2d_native_backprop_input(
            np.array(image.shape), np.zeros((2, 2, 3, 2)), image, **a
        )
    with pytest.raises(InvalidArgumentError, match="filter rank 3, with equally many channels"):
        depthwise.dilation2d(image, np.zeros((2, 2, 2)), rates=(1, 1, 1, 1), **a)
