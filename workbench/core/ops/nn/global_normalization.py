"""Batch normalisation with given moments, as old graphs have it: one operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import normalization as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import declare, sample

_ATTRS = "T: {floating}, variance_epsilon: float, scale_after_normalization: bool"


def _channels(op: Any, vectors: Any) -> Any:
    """The shape of the images, with what the numbers of their channels tell."""
    *outer, channels = shape_rules.with_rank(op.inputs[0].entries, 4, "the images")
    for tensor in vectors:
        (size,) = shape_rules.with_rank(tensor.entries, 1, "a number for each channel")
        channels = shape_rules.equal_sizes(channels, size, "channels and their numbers")
    return (*outer, channels)


def _gradient(op: Any, dy: Tensor) -> Any:
    t, m, v, _, gamma = op.inputs
    numbers = {name: op.attrs[name] for name in ("variance_epsilon", "scale_after_normalization")}
    found = create(
        "BatchNormWithGlobalNormalizationGrad",
        None,
        t=t,
        m=m,
        v=v,
        gamma=gamma,
        backprop=dy,
        **numbers,
    )
    return list(found.outputs)


def _grad_shape(op: Any) -> list[Entries]:
    entries = _channels(op, op.inputs[1:4])
    return [entries, *[entries[-1:]] * 4]


_IMAGE = [[[[1.0, -2.0], [3.0, 0.5]]]]
_VECTORS = ([0.5, 1.0], [4.0, 2.0], [1.0, -1.0], [2.0, 0.5])

declare(
    "BatchNormWithGlobalNormalization",
    inputs="t: T, m: T, v: T, beta: T, gamma: T",
    outputs="result: T",
    attrs=_ATTRS,
    shape=lambda op: [_channels(op, op.inputs[1:])],
    kernel=kernels.batch_norm_with_global_normalization,
    gradient=_gradient,
    samples=[
        sample(
            _IMAGE,
            *_VECTORS,
            variance_epsilon=0.01,
            scale_after_normalization=True,
            want=lambda t, m, v, b, g: (t - m) / np.sqrt(v + 0.01) * g + b,
        ),
        sample(
            _IMAGE,
            *_VECTORS,
            variance_epsilon=0.01,
            scale_after_normalization=False,
            want=lambda t, m, v, b, g: (t - m) / np.sqrt(v + 0.01) + b,
        ),
    ],
)
declare(
    "BatchNormWithGlobalNormalizationGrad",
    inputs="t: T, m: T, v: T, gamma: T, backprop: T",
    outputs="dx: T, dm: T, dv: T, db: T, dg: T",
    attrs=_ATTRS,
    shape=_grad_shape,
    kernel=kernels.batch_norm_with_global_normalization_grad,
    gradient=None,
    samples=[
        sample(
            [[[[3.0], [1.0]]]],
            [1.0],
            [4.0],
            [2.0],
            [[[[1.0], [10.0]]]],
            variance_epsilon=0.0,
            scale_after_normalization=True,
            want=([[[[1.0], [10.0]]]], [-11.0], [-0.25], [11.0], [1.0]),
        )
    ],
)
