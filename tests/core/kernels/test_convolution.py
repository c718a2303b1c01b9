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
from workbench.core.kernels import convolution, correlation

# (spatial sizes, taps, strides, dilations, padding, channels in, channels out)
CASES = [
    ((5, 6), (3, 3), (1, 1), (1, 1), "SAME", 2, 3),
    ((5, 6), (3, 2), (1, 1), (1, 1), "VALID", 2, 3),
    ((7, 5), (3, 3), (2, 2), (1, 1), "SAME", 2, 2),
    ((7, 8), (2, 3), (3, 2), (1, 1), "VALID", 1, 2),
    ((6, 7), (3, 3), (1, 1), (2, 2), "SAME", 2, 2),
    ((9, 8), (3, 3), (1, 1), (3, 2), "VALID", 2, 1),
    ((8, 9), (3, 4), (2, 3), (2, 2), "SAME", 1, 2),  # stride and dilation with common factors
    ((7, 6), (1, 1), (1, 1), (1, 1), "SAME", 3, 2),
    ((7, 6), (1, 1), (2, 3), (1, 1), "VALID", 3, 2),
    ((4, 4), (1, 5), (1, 1), (1, 1), "SAME", 2, 2),
    ((6, 5), (2, 2), (3, 3), (1, 1), "SAME", 2, 2),  # inputs that no window sees
    ((4, 3), (4, 3), (1, 1), (1, 1), "VALID", 2, 2),
    ((5, 7), (3, 3), (1, 1), (1, 1), "SAME", 40, 2),  # enough channels to gather by rows
    ((9, 7), (3, 3), (1, 2), (2, 1), "VALID", 40, 2),
    ((4, 3, 5), (2, 3, 2), (1, 1, 1), (1, 1, 1), "SAME", 2, 2),
    ((5, 4, 5), (3, 2, 2), (2, 1, 3), (1, 1, 1), "VALID", 2, 2),
    ((5, 4, 5), (2, 2, 3), (1, 1, 1), (2, 1, 2), "SAME", 1, 2),
    ((4, 3, 4), (2, 2, 3), (1, 1, 1), (1, 1, 1), "SAME", 40, 1),
    ((3, 4, 3), (1, 1, 1), (2, 1, 2), (1, 1, 1), "SAME", 3, 2),
]
FORMATS = {2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}
KERNELS = {
    2: (
        convolution.conv2d,
        convolution.conv2d_backprop_input,
        convolution.conv2d_backprop_filter,
    ),
    3: (
        convolution.conv3d,
        convolution.conv3d_backprop_input_v2,
        convolution.conv3d_backprop_filter_v2,
    ),
}


class Case:
    """Random operands of a convolution and, by plain loops, its output and gradients."""

    def __init__(self, case: tuple[Any, ...], dtype: Any = np.float64) -> None:
        self.sizes, self.taps, self.strides, self.dilations, self.padding, channels, depth = case
        rng = np.random.default_rng(sum(self.sizes))
        self.rank = len(self.sizes)
        geometry = list(zip(self.sizes, self.taps, self.strides, self.dilations, strict=True))
        outputs = tuple(output_size(*axis, self.padding) for axis in geometry)
        self.image = rng.standard_normal((2, *self.sizes, channels)).astype(dtype)
        self.filter = rng.standard_normal((*self.taps, channels, depth)).astype(dtype)
        self.grad = rng.standard_normal((2, *outputs, depth)).astype(dtype)
        image, filter, grad = (
            array.astype(np.float64) for array in (self.image, self.filter, self.grad)
        )
        self.output, self.image_grad, self.filter_grad = (
            np.zeros(grad.shape),
            np.zeros(image.shape),
            np.zeros(filter.shape),
        )
        for o, t, p in seen(self.sizes, self.taps, self.strides, self.dilations, self.padding):
            here, there = (slice(None), *o), (slice(None), *p)
            self.output[here] += image[there] @ filter[t]
            self.image_grad[there] += grad[here] @ filter[t].T
            self.filter_grad[t] += image[there].T @ grad[here]

    def attributes(self, data_format: str) -> dict[str, Any]:
        first = data_format.startswith("NC")
        return {
            "padding": self.padding,
            "data_format": data_format,
            "strides": (1, 1, *self.strides) if first else (1, *self.strides, 1),
            "dilations": (1, 1, *self.dilations) if first else (1, *self.dilations, 1),
        }


def arranged(array: Array, data_format: str) -> Array:
    return np.moveaxis(array, -1, 1) if data_format.startswith("NC") else array


@pytest.mark.parametrize("channels_first", [0, 1])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_against_loops(case: tuple[Any, ...], channels_first: int) -> None:
    check = Case(case)
    data_format = FORMATS[check.rank][channels_first]
    forward, by_input, by_filter = KERNELS[check.rank]
    attributes = check.attributes(data_format)
    image, grad = (arranged(array, data_format) for array in (check.image, check.grad))
    assert_close(forward(image, check.filter, **attributes), arranged(check.output, data_format))
    assert_close(
        by_input(np.array(image.shape, np.int32), check.filter, grad, **attributes),
        arranged(check.image_grad, data_format),
    )
    assert_close(
        by_filter(image, np.array(check.filter.shape, np.int32), grad, **attributes),
        check.filter_grad,
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", [CASES[2], CASES[12], CASES[14]], ids=str)
def test_each_float_type(case: tuple[Any, ...], dtype: Any) -> None:
    check = Case(case, dtype)
    forward, by_input, by_filter = KERNELS[check.rank]
    attributes = check.attributes(FORMATS[check.rank][0])
    shapes = np.array(check.image.shape), np.array(check.filter.shape)
    assert_close(forward(check.image, check.filter, **attributes), check.output, dtype)
    assert_close(
        by_input(shapes[0], check.filter, check.grad, **attributes), check.image_grad, dtype
    )
    assert_close(
        by_filter(check.image, shapes[1], check.grad, **attributes), check.filter_grad, dtype
    )


def test_integers_are_exact() -> None:
    image = np.arange(32, dtype=np.int32).reshape(1, 4, 4, 2)
    result = convolution.conv2d(
        image, np.ones((4, 4, 2, 1), np.int32), strides=(1, 1, 1, 1), padding="VALID"
    )
    assert result.dtype == np.int32
    assert result.tolist() == [[[[496]]]]


@pytest.mark.parametrize("case", [CASES[0], CASES[6]], ids=str)
def test_gradients_by_finite_differences(case: tuple[Any, ...]) -> None:
    check = Case(case)
    attributes = check.attributes("NHWC")

    def forward(image: Array, filter: Array) -> Array:
        return convolution.conv2d(image, filter, **attributes)

    operands = [check.image, check.filter]
    for index, kernel_gradient in enumerate(
        [
            convolution.conv2d_backprop_input(
                np.array(check.image.shape), check.filter, check.grad, **attributes
            ),
            convolution.conv2d_backprop_filter(
                check.image, np.array(check.filter.shape), check.grad, **attributes
            ),
        ]
    ):
        numeric = numeric_gradient(forward, operands, index, check.grad)
        np.testing.assert_allclose(kernel_gradient, numeric, atol=1e-7)


@pytest.mark.parametrize("case", [CASES[0], CASES[12], CASES[17]], ids=str)
def test_blocks_do_not_show(case: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    # One row of one image at a time: every block border there can be.
    monkeypatch.setattr(correlation, "_BLOCK_BYTES", 1)
    check = Case(case)
    forward, by_input, by_filter = KERNELS[check.rank]
    attributes = check.attributes(FORMATS[check.rank][0])
    shapes = np.array(check.image.shape), np.array(check.filter.shape)
    assert_close(forward(check.image, check.filter, **attributes), check.output)
    assert_close(by_input(shapes[0], check.filter, check.grad, **attributes), check.image_grad)
    assert_close(by_filter(check.image, shapes[1], check.grad, **attributes), check.filter_grad)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_out_receives_the_result(data_format: str, dtype: Any) -> None:
    check = Case(CASES[0], dtype)
    attributes = check.attributes(data_format)
    image = arranged(check.image, data_format)
    expected = convolution.conv2d(image, check.filter, **attributes)
    out = np.full(expected.shape, 7, dtype)
    assert convolution.conv2d(image, check.filter, out=out, **attributes) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("shape", [(0, 4, 4, 2), (2, 2, 4, 2)])
def test_nothing_in_or_out(shape: tuple[int, ...]) -> None:
    attributes: dict[str, Any] = {"strides": (1, 1, 1, 1), "padding": "VALID"}
    image, filter = np.ones(shape), np.ones((3, 3, 2, 5))
    output = convolution.conv2d(image, filter, **attributes)
    assert output.shape == (shape[0], shape[1] - 2, 2, 5)
    grad = convolution.conv2d_backprop_input(np.array(shape), filter, output, **attributes)
    assert grad.shape == shape
    assert not grad.any()
    grad = convolution.conv2d_backprop_filter(image, np.array(filter.shape), output, **attributes)
    assert grad.shape == filter.shape
    assert not grad.any()


def test_not_a_number_spreads_to_the_windows_that_see_it() -> None:
    image = np.zeros((1, 5, 5, 1))
    image[0, 0, 0, 0] = np.nan
    result = convolution.conv2d(image, np.ones((3, 3, 1, 1)), strides=(1, 1, 1, 1), padding="SAME")
    assert np.isnan(result[0, :2, :2]).all()
    assert np.count_nonzero(np.isnan(result)) == 4


def test_errors_are_in_the_users_terms() -> None:
    attributes: dict[str, Any] = {"strides": (1, 1, 1, 1), "padding": "SAME"}
    image = np.zeros((1, 4, 4, 3))
    with pytest.raises(InvalidArgumentError, match=r"3 channels but the filter .* expects 2"):
        convolution.conv2d(image, np.zeros((3, 3, 2, 4)), **attributes)
    with pytest.raises(InvalidArgumentError, match="filter must have rank 4"):
        convolution.conv2d(image, np.zeros((3, 3, 3)), **attributes)
    with pytest.raises(
        InvalidArgumentError, match=r"out_backprop must have .* \(1, 4, 4, 2\).*got \(1, 4, 3, 2\)"
    ):
        convolution.conv2d_backprop_input(
            np.array([1, 4, 4, 3]), np.zeros((3, 3, 3, 2)), np.zeros((1, 4, 3, 2)), **attributes
        )
