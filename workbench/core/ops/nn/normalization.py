"""Local response normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import normalization as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample

# TensorFlow's own stop at float; double is there for those who check gradients.
_LRN_ATTRS = (
    "depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5, "
    "T: {half, bfloat16, float, double} = DT_FLOAT"
)


def _lrn_shape(op: Any) -> list[Entries]:
    return [shape_rules.with_rank(op.inputs[0].entries, 4, "the input")]


def _lrn_gradient(op: Any, dy: Tensor) -> Tensor:
    numbers = {name: op.attrs[name] for name in ("depth_radius", "bias", "alpha", "beta")}
    return call(
        "LRNGrad",
        None,
        input_grads=dy,
        input_image=op.inputs[0],
        output_image=op.outputs[0],
        **numbers,
    )


def _lrn_expected(x: Any) -> Any:
    """With radius 1, bias 2, alpha 0.5, beta 0.75."""
    squares = np.pad(x * x, [(0, 0)] * 3 + [(1, 1)])
    sums = squares[..., :-2] + squares[..., 1:-1] + squares[..., 2:]
    return x / (2 + 0.5 * sums) ** 0.75


_PIXEL = [[[[1.0, -2.0, 3.0, 0.5]]]]
_NUMBERS: dict[str, Any] = {"depth_radius": 1, "bias": 2.0, "alpha": 0.5, "beta": 0.75}

declare(
    "LRN",
    inputs="input: T",
    outputs="output: T",
    attrs=_LRN_ATTRS,
    shape=_lrn_shape,
    kernel=kernels.lrn,
    gradient=_lrn_gradient,
    samples=[sample(_PIXEL, **_NUMBERS, want=_lrn_expected)],
)
declare(
    "LRNGrad",
    inputs="input_grads: T, input_image: T, output_image: T",
    outputs="output: T",
    attrs=_LRN_ATTRS,
    shape=_lrn_shape,
    kernel=kernels.lrn_grad,
    gradient=None,
    # With neither neighbours nor an exponent only the bias is left.
    samples=[
        sample(
            _PIXEL,
            _PIXEL,
            _PIXEL,
            depth_radius=0,
            bias=4.0,
            alpha=0.0,
            beta=0.5,
            want=lambda g, x, y: g / 2,
        )
    ],
)


def local_response_normalization(
    input: Any,
    depth_radius: int | None = None,
    bias: float | None = None,
    alpha: float | None = None,
    beta: float | None = None,
    name: str | None = None,
) -> Tensor:
    """`input` / (bias + alpha * s) ** beta, with s the sum of the squares of close channels.

    Close are the channels at most `depth_radius` (5) away; `bias` and `alpha` are 1, `beta` 0.5
    unless given. `input` is [batch, height, width, channels].

    >>> import workbench as tf
    >>> tf.nn.lrn([[[[3.0, 4.0]]]], bias=0.0).eval().round(2).tolist()
    [[[[0.6..., 0.8...]]]]
    """
    return call(
        "LRN", name, input=input, depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta
    )


lrn = local_response_normalization
