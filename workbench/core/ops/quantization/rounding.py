"""Floats rounded to what few bits can hold, for training networks that will be quantised."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.quantization import rounding as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.quantization.support import first_entries, with_range

_TYPES = "T: {bfloat16, half, float, double}"
_SIGNED = "signed_input: bool = true"


def _round_trip(
    input: Any,
    *,
    signed_input: bool,
    num_bits: int,
    range_given: bool,
    input_min: float,
    input_max: float,
) -> Any:
    return kernels.quantize_and_dequantize(
        input, input_min, input_max, num_bits, signed=signed_input, given=range_given
    )


declare(
    "QuantizeAndDequantize",
    inputs="input: T",
    outputs="output: T",
    attrs=(
        f"{_SIGNED}, num_bits: int = 8, range_given: bool = false, input_min: float = 0.0, "
        f"input_max: float = 0.0, {_TYPES}"
    ),
    shape=shape_rules.first,
    kernel=_round_trip,
    gradient=lambda op, grad: [grad],
    samples=[
        sample([-2.0, 0.6, 1.0], num_bits=2, want=[-2.0, 1.0, 1.0], gradient=()),
        sample(
            [0.3, 2.0],
            num_bits=2,
            signed_input=False,
            range_given=True,
            input_max=1.5,
            want=[0.5, 1.5],
            gradient=(),
        ),
    ],
)


def _second_round_trip(
    input: Any, input_min: Any, input_max: Any, *, signed_input: bool, num_bits: int,
    range_given: bool,
) -> Any:  # fmt: skip
    return kernels.quantize_and_dequantize(
        input, input_min, input_max, num_bits, signed=signed_input, given=range_given
    )


declare(
    "QuantizeAndDequantizeV2",
    inputs="input: T, input_min: T, input_max: T",
    outputs="output: T",
    attrs=f"{_SIGNED}, num_bits: int = 8, range_given: bool = false, {_TYPES}",
    shape=with_range(first_entries, [1, 2], outputs=0),
    kernel=_second_round_trip,
    gradient=lambda op, grad: [grad, None, None],
    samples=[
        sample([-2.0, 0.6, 1.0], 0.0, 0.0, num_bits=2, want=[-2.0, 1.0, 1.0], gradient=()),
        sample(
            [0.4, 9.0], 0.0, 3.0, num_bits=2, signed_input=False, range_given=True,
            want=[0.0, 3.0], gradient=(),
        ),
    ],
)  # fmt: skip


def _third_round_trip(
    input: Any, input_min: Any, input_max: Any, num_bits: Any, *, signed_input: bool,
    range_given: bool,
) -> Any:  # fmt: skip
    return kernels.quantize_and_dequantize(
        input, input_min, input_max, num_bits, signed=signed_input, given=range_given
    )


declare(
    "QuantizeAndDequantizeV3",
    inputs="input: T, input_min: T, input_max: T, num_bits: int32",
    outputs="output: T",
    attrs=f"{_SIGNED}, range_given: bool = true, {_TYPES}",
    shape=with_range(first_entries, [1, 2, 3], outputs=0),
    kernel=_third_round_trip,
    gradient=lambda op, grad: [grad, None, None, None],
    samples=[sample([-2.0, 0.6, 1.2], -2.0, 1.0, 2, want=[-2.0, 1.0, 1.0], gradient=())],
)


def quantize_and_dequantize(
    input: Any,
    signed_input: bool | None = None,
    num_bits: int | None = None,
    range_given: bool | None = None,
    input_min: Any = 0.0,
    input_max: Any = 0.0,
    name: str | None = None,
) -> Tensor:
    """Floats as if they had been integers of `num_bits` in between; gradients pass unchanged."""
    return call(
        "QuantizeAndDequantizeV2",
        name,
        input=input,
        input_min=input_min,
        input_max=input_max,
        signed_input=signed_input,
        num_bits=num_bits,
        range_given=range_given,
    )
