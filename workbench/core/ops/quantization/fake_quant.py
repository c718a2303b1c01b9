"""The public functions that move floats to levels of a range, which may be learned."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import call, create
from workbench.core.ops.quantization import levels as levels


def fake_quant_with_min_max_args(
    inputs: Any,
    min: float = -6.0,
    max: float = 6.0,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Tensor:
    """Floats moved to the nearest of 2 ** `num_bits` levels from `min` to `max`, both fixed.

    The ends are moved a little so that 0.0 is a level; `narrow_range` leaves out the lowest level.
    Gradients pass where the inputs are inside of the range.

    >>> import workbench as tf
    >>> tf.fake_quant_with_min_max_args([0.4, 0.6, 9.0], 0.0, 3.0, num_bits=2).eval().tolist()
    [0.0, 1.0, 3.0]
    """
    return call(
        "FakeQuantWithMinMaxArgs",
        name,
        inputs=inputs,
        min=min,
        max=max,
        num_bits=num_bits,
        narrow_range=narrow_range,
    )


def fake_quant_with_min_max_args_gradient(
    gradients: Any,
    inputs: Any,
    min: float = -6.0,
    max: float = 6.0,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Tensor:
    """The gradient of `fake_quant_with_min_max_args`."""
    return call(
        "FakeQuantWithMinMaxArgsGradient",
        name,
        gradients=gradients,
        inputs=inputs,
        min=min,
        max=max,
        num_bits=num_bits,
        narrow_range=narrow_range,
    )


def fake_quant_with_min_max_vars(
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int | None = None,
    narrow_range: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """The same with ends that are tensors, such as variables to be learned.

    What is below the range gives its gradient to `min`, what is above it to `max`.
    """
    return call(
        "FakeQuantWithMinMaxVars",
        name,
        inputs=inputs,
        min=min,
        max=max,
        num_bits=num_bits,
        narrow_range=narrow_range,
    )


def fake_quant_with_min_max_vars_gradient(
    gradients: Any,
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int | None = None,
    narrow_range: bool | None = None,
    name: str | None = None,
) -> tuple[Tensor, ...]:
    """The gradients of `fake_quant_with_min_max_vars` by inputs, min and max."""
    return create(
        "FakeQuantWithMinMaxVarsGradient",
        name,
        gradients=gradients,
        inputs=inputs,
        min=min,
        max=max,
        num_bits=num_bits,
        narrow_range=narrow_range,
    ).outputs


def fake_quant_with_min_max_vars_per_channel(
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int | None = None,
    narrow_range: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """The same with a range for each channel, the last axis of the inputs."""
    return call(
        "FakeQuantWithMinMaxVarsPerChannel",
        name,
        inputs=inputs,
        min=min,
        max=max,
        num_bits=num_bits,
        narrow_range=narrow_range,
    )


def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: Any,
    inputs: Any,
    min: Any,
    max: Any,
    num_bits: int | None = None,
    narrow_range: bool | None = None,
    name: str | None = None,
) -> tuple[Tensor, ...]:
    """The gradients of `fake_quant_with_min_max_vars_per_channel` by inputs, min and max."""
    return create(
        "FakeQuantWithMinMaxVarsPerChannelGradient",
        name,
        gradients=gradients,
        inputs=inputs,
        min=min,
        max=max,
        num_bits=num_bits,
        narrow_range=narrow_range,
    ).outputs
