"""Convolutions of all kinds on NumPy arrays: their descriptions, and plain loops as the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.codegen.specs import ConvolutionSpec, Operand, Step, Store
from workbench.core.kernels.windows import window_axis

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]

KINDS = ("forward", "input", "filter")


@dataclass(frozen=True)
class Case:
    """The sizes of a convolution."""

    image: tuple[int, int, int, int]
    window: Pair
    filters: int
    strides: Pair = (1, 1)
    dilations: Pair = (1, 1)
    #: "SAME", "VALID", or zeros before and after, for rows and for columns.
    padding: str | tuple[Pair, Pair] = "SAME"
    depthwise: bool = False

    @property
    def pads(self) -> tuple[Pair, Pair]:
        """Zeros before and after, for rows and for columns."""
        if not isinstance(self.padding, str):
            return self.padding
        axes = [
            window_axis(*sizes, self.padding)
            for sizes in zip(
                self.image[1:3], self.window, self.strides, self.dilations, strict=True
            )
        ]
        rows, columns = ((a.before, max(0, a.span - a.before - a.size)) for a in axes)
        return rows, columns

    @property
    def result(self) -> Pair:
        """Rows and columns of the result."""
        rows, columns = (
            (size + sum(pads) - (taps - 1) * dilation - 1) // stride + 1
            for size, pads, taps, stride, dilation in zip(
                self.image[1:3], self.pads, self.window, self.strides, self.dilations, strict=True
            )
        )
        return rows, columns

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Of the images, the filter and the result."""
        channels = self.image[3]
        filters = self.filters * (channels if self.depthwise else 1)
        return (
            self.image,
            (*self.window, channels, self.filters),
            (self.image[0], *self.result, filters),
        )

    def inputs(self, kind: str, dtype: str, seed: int = 0) -> tuple[Array, Array]:
        """Operands 0 and 1."""
        random = np.random.RandomState(seed)
        images, bank, result = (random.randn(*shape).astype(dtype) for shape in self.shapes)
        return {"forward": (images, bank), "input": (bank, result), "filter": (images, result)}[
            kind
        ]

    def result_shape(self, kind: str) -> tuple[int, ...]:
        """The shape of operand 2."""
        return self.shapes[{"forward": 2, "input": 0, "filter": 1}[kind]]

    def spec(
        self,
        kind: Any,
        arrays: Sequence[Array],
        steps: tuple[Step, ...] = (),
        stores: tuple[Store, ...] = (),
    ) -> ConvolutionSpec:
        """The description for operands of these dtypes and strides."""
        operands = tuple(
            Operand(array.dtype.name, tuple(stride // array.itemsize for stride in array.strides))
            for array in arrays
        )
        return ConvolutionSpec(
            kind,
            self.image[0],
            self.image[1:3],
            self.image[3],
            self.window,
            self.filters,
            self.strides,
            self.dilations,
            self.pads,
            self.result,
            arrays[0].dtype.name,
            operands,
            steps,
            stores,
            self.depthwise,
        )


def expected(case: Case, kind: str, first: Array, second: Array) -> Array:
    """Tap by tap on a padded copy, in float64."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    batch, height, width, channels = case.image
    (top, bottom), (left, right) = case.pads
    padded = np.zeros((batch, height + top + bottom, width + left + right, channels))
    inside = padded[:, top : top + height, left : left + width]
    result = np.zeros(case.result_shape(kind))
    if kind != "input":
        inside[...] = first
    for row in range(case.window[0]):
        for column in range(case.window[1]):
            y, x = row * case.dilations[0], column * case.dilations[1]
            seen = padded[
                :,
                y : y + (case.result[0] - 1) * case.strides[0] + 1 : case.strides[0],
                x : x + (case.result[1] - 1) * case.strides[1] + 1 : case.strides[1],
            ]
            gradient = second
            if case.depthwise and kind != "forward":
                gradient = second.reshape(*second.shape[:3], channels, case.filters)
            dense = "bhwc,cf->bhwf", "bhwf,cf->bhwc", "bhwc,bhwf->cf"
            depthwise = "bhwc,cf->bhwcf", "bhwcf,cf->bhwc", "bhwc,bhwcf->cf"
            forward, by_images, by_filter = depthwise if case.depthwise else dense
            if kind == "forward":
                part = np.einsum(forward, seen, second[row, column])
                result += part.reshape(result.shape)
            elif kind == "input":
                seen += np.einsum(by_images, gradient, first[row, column])
            else:
                result[row, column] += np.einsum(by_filter, seen, gradient)
    return inside if kind == "input" else result


def close(got: Array, wanted: Array, terms: float) -> None:
    """Equal but for the rounding of sums of that many terms of size 1."""
    tolerance = 4 * float(np.finfo(got.dtype).eps) * max(terms, 16.0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance)


def terms(case: Case, kind: str) -> float:
    """How many products there are in a sum."""
    batch, _, _, channels = case.image
    window = case.window[0] * case.window[1]
    filters = case.filters
    if kind == "filter":
        return batch * case.result[0] * case.result[1]
    if case.depthwise:
        return window * (filters if kind == "input" else 1)
    return window * (channels if kind == "forward" else filters)
