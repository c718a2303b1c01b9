"""Operations that move floats to levels of a range, and their gradients."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.shapes import merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.quantization import rounding as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.quantization.support import scalar_inputs

_BITS = "num_bits: int = 8, narrow_range: bool = false"
_ENDS = f"min: float = -6.0, max: float = 6.0, {_BITS}"


def _attributes(op: Any, *names: str) -> dict[str, Any]:
    return {name: op.attrs[name] for name in (*names, "num_bits", "narrow_range")}


def _args_gradient(op: Any, grad: Tensor) -> list[Any]:
    """Gradients pass where the inputs are inside of the range."""
    inputs = op.inputs[-1]
    attributes = _attributes(op, "min", "max")
    passed = call(
        "FakeQuantWithMinMaxArgsGradient", None, gradients=grad, inputs=inputs, **attributes
    )
    return [passed] if len(op.inputs) == 1 else [passed, None]


declare(
    "FakeQuantWithMinMaxArgs",
    inputs="inputs: float",
    outputs="outputs: float",
    attrs=_ENDS,
    shape=shape_rules.first,
    kernel=kernels.fake_quant_with_min_max_args,
    gradient=_args_gradient,
    samples=[
        sample([0.4, 0.6, 9.0, -1.0], min=0.0, max=3.0, num_bits=2, want=[0.0, 1.0, 3.0, 0.0],
               gradient=()),
        sample([1.4, -9.0], min=-1.1, max=0.9, num_bits=2, narrow_range=True, want=[1.0, -1.0],
               gradient=()),
    ],
)  # fmt: skip
declare(
    "FakeQuantWithMinMaxArgsGradient",
    inputs="gradients: float, inputs: float",
    outputs="backprops: float",
    attrs=_ENDS,
    shape=shape_rules.merged,
    kernel=kernels.fake_quant_with_min_max_args_gradient,
    gradient=_args_gradient,
    samples=[sample([5.0, 6.0], [0.4, 9.0], min=0.0, max=3.0, want=[5.0, 0.0], gradient=(0,))],
)


def _vars_gradient(suffix: str) -> Any:
    def gradient(op: Any, grad: Tensor) -> list[Any]:
        made = create(
            f"FakeQuantWithMinMaxVars{suffix}Gradient",
            None,
            gradients=grad,
            inputs=op.inputs[0],
            min=op.inputs[1],
            max=op.inputs[2],
            **_attributes(op),
        )
        return list(made.outputs)

    return gradient


def _second_order(suffix: str) -> Any:
    """The gradient by the gradients: each went to the inputs, the minimum or the maximum."""

    def gradient(op: Any, for_inputs: Any, for_min: Any, for_max: Any) -> list[Any]:
        _, inputs, low, high = op.inputs
        common = {"inputs": inputs, "min": low, "max": high, **_attributes(op)}
        inside = create(
            f"FakeQuantWithMinMaxVars{suffix}Gradient",
            None,
            gradients=api.ones_like(inputs),
            **common,
        ).outputs[0]
        levels = call(f"FakeQuantWithMinMaxVars{suffix}", None, **common)
        outside = 1.0 - inside
        below = outside * api.cast(inputs < levels, "float32")
        above = outside * api.cast(inputs > levels, "float32")
        return [for_inputs * inside + for_min * below + for_max * above, None, None, None]

    return gradient


def _vars_shape(op: Any) -> list[Any]:
    scalar_inputs(op, [1, 2])
    return [op.inputs[0].entries]


def _vars_gradient_shape(op: Any) -> list[Any]:
    scalar_inputs(op, [2, 3])
    return [merge_shapes(op.inputs[0].entries, op.inputs[1].entries), (), ()]


def _channel_shapes(op: Any, first: int) -> tuple[Any, Any]:
    """The shape of the inputs, and that of the ends of their channels' ranges."""
    entries = op.inputs[first].entries
    shape_rules.at_least_rank(entries, 1, "inputs")
    size = None if entries is None else entries[-1]
    for end, name in zip(op.inputs[-2:], ("min", "max"), strict=True):
        (length,) = shape_rules.with_rank(end.entries, 1, name)
        size = shape_rules.equal_sizes(size, length, f"channels and numbers in {name}")
    return None if entries is None else (*entries[:-1], size), (size,)


def _channels_gradient_shape(op: Any) -> list[Any]:
    entries, ends = _channel_shapes(op, 1)
    return [entries, ends, ends]


declare(
    "FakeQuantWithMinMaxVars",
    inputs="inputs: float, min: float, max: float",
    outputs="outputs: float",
    attrs=_BITS,
    shape=_vars_shape,
    kernel=kernels.fake_quant_with_min_max_vars,
    gradient=_vars_gradient(""),
    samples=[
        sample([0.4, 9.0], 0.0, 3.0, num_bits=2, want=[0.0, 3.0], gradient=()),
        sample([0.4, 9.0], 0.0, 0.0, want=[0.0, 0.0], gradient=()),
    ],
)
declare(
    "FakeQuantWithMinMaxVarsGradient",
    inputs="gradients: float, inputs: float, min: float, max: float",
    outputs="backprops_wrt_input: float, backprop_wrt_min: float, backprop_wrt_max: float",
    attrs=_BITS,
    shape=_vars_gradient_shape,
    kernel=kernels.fake_quant_with_min_max_vars_gradient,
    gradient=_second_order(""),
    samples=[
        sample(
            [1.0, 2.0, 4.0, 8.0],
            [0.5, 9.0, -1.0, 7.0],
            0.0,
            3.0,
            want=([1.0, 0.0, 0.0, 0.0], 4.0, 10.0),
            gradient=(0,),
        )
    ],
)
declare(
    "FakeQuantWithMinMaxVarsPerChannel",
    inputs="inputs: float, min: float, max: float",
    outputs="outputs: float",
    attrs=_BITS,
    shape=lambda op: [_channel_shapes(op, 0)[0]],
    kernel=kernels.fake_quant_with_min_max_vars_per_channel,
    gradient=_vars_gradient("PerChannel"),
    samples=[
        sample(
            [[0.4, 9.0], [0.6, -9.0]],
            [0.0, -2.0],
            [3.0, 1.0],
            num_bits=2,
            want=[[0.0, 1.0], [1.0, -2.0]],
            gradient=(),
        )
    ],
)
declare(
    "FakeQuantWithMinMaxVarsPerChannelGradient",
    inputs="gradients: float, inputs: float, min: float, max: float",
    outputs="backprops_wrt_input: float, backprop_wrt_min: float, backprop_wrt_max: float",
    attrs=_BITS,
    shape=_channels_gradient_shape,
    kernel=kernels.fake_quant_with_min_max_vars_per_channel_gradient,
    gradient=_second_order("PerChannel"),
    samples=[
        sample(
            [[1.0, 2.0], [4.0, 8.0]],
            [[0.4, 9.0], [0.6, -9.0]],
            [0.0, -2.0],
            [3.0, 1.0],
            num_bits=2,
            want=([[1.0, 0.0], [4.0, 0.0]], [0.0, 8.0], [0.0, 2.0]),
            gradient=(0,),
        )
    ],
)
