"""Sums and products of quantised tensors."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.shapes import broadcast_entries
from workbench.core.kernels.quantization import arithmetic as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.quantization.support import TYPES, with_range

_ENDS = [2, 3, 4, 5]
_BYTES = ("quint8", "quint8", None, None, None, None)


def _product_entries(op: Any) -> Any:
    a = shape_rules.with_rank(op.inputs[0].entries, 2, "a")
    b = shape_rules.with_rank(op.inputs[1].entries, 2, "b")
    if op.attrs["transpose_a"]:
        a = a[::-1]
    if op.attrs["transpose_b"]:
        b = b[::-1]
    shape_rules.equal_sizes(a[1], b[0], "columns of a and rows of b")
    return a[0], b[1]


declare(
    "QuantizedMatMul",
    inputs="a: T1, b: T2, min_a: float, max_a: float, min_b: float, max_b: float",
    outputs="out: Toutput, min_out: float, max_out: float",
    attrs=(
        f"T1: {TYPES}, T2: {TYPES}, Toutput: {TYPES} = DT_QINT32, transpose_a: bool = false, "
        f"transpose_b: bool = false, Tactivation: {TYPES} = DT_QUINT8"
    ),
    shape=with_range(_product_entries, _ENDS),
    kernel=kernels.quantized_mat_mul,
    gradient=NOT_DIFFERENTIABLE,
    expensive=True,
    samples=[
        sample(
            [[1, 2], [3, 4]],
            [[5], [6]],
            0.0,
            255.0,
            0.0,
            255.0,
            dtype=_BYTES,
            want=([[17], [39]], -2147483648.0, 2147483648.0),
        ),
        sample(
            [[1, 3], [2, 4]],
            [[5, 6]],
            0.0,
            255.0,
            -1.0,
            254.0,
            transpose_a=True,
            transpose_b=True,
            dtype=_BYTES,
            want=([[14], [32]], -2147483648.0, 2147483648.0),
        ),
    ],
)


def _broadcast(op: Any) -> Any:
    return broadcast_entries(op.inputs[0].entries, op.inputs[1].entries)


_PAIR = "x: T1, y: T2, min_x: float, max_x: float, min_y: float, max_y: float"
_RESULT = "z: Toutput, min_z: float, max_z: float"
_PAIR_TYPES = f"T1: {TYPES}, T2: {TYPES}, Toutput: {TYPES} = DT_QINT32"
declare(
    "QuantizedMul",
    inputs=_PAIR,
    outputs=_RESULT,
    attrs=_PAIR_TYPES,
    shape=with_range(_broadcast, _ENDS),
    kernel=kernels.quantized_mul,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[1], [2]],
            [0, 3],
            0.0,
            255.0,
            -1.0,
            254.0,
            dtype=_BYTES,
            want=([[-1, 2], [-2, 4]], -2147483648.0, 2147483648.0),
        )
    ],
)
declare(
    "QuantizedAdd",
    inputs=_PAIR,
    outputs=_RESULT,
    attrs=_PAIR_TYPES,
    shape=with_range(_broadcast, _ENDS),
    kernel=kernels.quantized_add,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        # One step of the sum is 2 * 256 * 2**14 / 2**32.
        sample(
            [[2], [4]],
            [0, 6],
            0.0,
            255.0,
            0.0,
            256.0,
            dtype=_BYTES,
            want=(lambda s: ([[1024, 4108], [2048, 5132]], -s, s))(256.0 * 2**14),
        )
    ],
)


def _biased(op: Any) -> Any:
    entries = op.inputs[0].entries
    shape_rules.at_least_rank(entries, 2, "input")
    (size,) = shape_rules.with_rank(op.inputs[1].entries, 1, "bias")
    if entries is None:
        return None
    last = shape_rules.equal_sizes(entries[-1], size, "channels of input and size of bias")
    return (*entries[:-1], last)


declare(
    "QuantizedBiasAdd",
    inputs=(
        "input: T1, bias: T2, min_input: float, max_input: float, min_bias: float, max_bias: float"
    ),
    outputs="output: out_type, min_out: float, max_out: float",
    attrs=f"T1: {TYPES}, T2: {TYPES}, out_type: {TYPES}",
    shape=with_range(_biased, _ENDS),
    kernel=kernels.quantized_bias_add,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        # One step of the sum is 2 * 255 * 2**17 / (2**32 - 1).
        sample(
            [[0, 255]],
            [255, 0],
            0.0,
            255.0,
            0.0,
            255.0,
            out_type="qint32",
            dtype=_BYTES,
            want=([[16384, 16384]], -255.0 * 2**17, 255.0 * 2**17),
        )
    ],
)
