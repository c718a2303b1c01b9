"""Comparisons packed into bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid, spelled
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


def _compare_and_bitpack(input: Any, threshold: Any) -> Any:
    array = as_array(input)
    if not array.ndim or array.shape[-1] % 8:
        raise invalid(
            f"Inner dimension of input should be divisible by 8, got shape: {spelled(array.shape)}"
        )
    # Truth values are not compared: each is its own bit.
    return np.packbits(array if array.dtype == np.bool_ else array > threshold, axis=-1)


def _packed_shape(op: Any) -> list[Any]:
    entries = op.inputs[0].entries
    shape_rules.at_least_rank(entries, 1, "input")
    shape_rules.with_rank(op.inputs[1].entries, 0, "threshold")
    if entries is None:
        return [None]
    last = entries[-1]
    if isinstance(last, int) and last % 8:
        raise ValueError(f"The last axis must have a multiple of 8 elements, got {last}")
    return [(*entries[:-1], last // 8 if isinstance(last, int) else None)]


declare(
    "CompareAndBitpack",
    inputs="input: T, threshold: T",
    outputs="output: uint8",
    attrs="T: {bool, float16, float32, float64, int8, int16, int32, int64}",
    shape=_packed_shape,
    kernel=_compare_and_bitpack,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([[0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 9.0]], 1.0, want=[[0b00111001]]),
        sample([True] + [False] * 7, True, want=[0b10000000]),
    ],
)


def compare_and_bitpack(input: Any, threshold: Any, name: str | None = None) -> Tensor:
    """Whether elements are greater than a threshold, eight in a byte, the first in the highest bit.

    The last axis has a multiple of 8 elements.

    >>> from workbench.core.ops.bit_packing import compare_and_bitpack
    >>> compare_and_bitpack([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0], 0.5).eval().tolist()
    [129]
    """
    return call("CompareAndBitpack", name, input=input, threshold=threshold)
