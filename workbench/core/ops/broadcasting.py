"""Stretching a tensor to a larger shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_entries
from workbench.core.graph.shapes import broadcast_entries, format_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.broadcast_gradient import sum_to_shapes
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _broadcast_to(input: Any, shape: Any) -> Any:
    try:
        return np.broadcast_to(input, shape.tolist())
    except ValueError:
        raise InvalidArgumentError(
            None,
            None,
            f"Incompatible shapes: {list(np.shape(input))} does not broadcast to {shape.tolist()}",
        ) from None


def _broadcast_shape(op: Any) -> list[Any]:
    entries, target = op.inputs[0].entries, constant_entries(op.inputs[1])
    if target is None:
        return [None]
    # Only the input may be stretched: what is known of the target must survive.
    try:
        stretched = broadcast_entries(entries, target)
        fits = stretched is None or len(stretched) == len(target)
    except ValueError:
        fits = False
    if fits and stretched is not None:
        pairs = zip(stretched, target, strict=True)
        fits = not any(isinstance(s, int) and isinstance(t, int) and s != t for s, t in pairs)
    if not fits:
        raise ValueError(
            f"Incompatible shapes: {format_entries(entries)} does not broadcast to "
            f"{format_entries(target)}"
        )
    return [target if stretched is None else stretched]


def _broadcast_gradient(op: Any, dy: Any) -> Any:
    return sum_to_shapes(op.inputs[0], op.outputs[0], dy, dy)[0], None


declare(
    "BroadcastTo",
    inputs="input: T, shape: Tidx",
    outputs="output: T",
    attrs="T: type, Tidx: {int32, int64} = DT_INT32",
    shape=_broadcast_shape,
    kernel=_broadcast_to,
    gradient=_broadcast_gradient,
    aliases_input=True,
    samples=[
        sample([1.0, 2.0], [3, 2], want=[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]),
        sample([[1.0], [2.0]], [2, 2], want=[[1.0, 1.0], [2.0, 2.0]]),
    ],
)


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """`input` repeated along new axes and axes of size 1, so that it has `shape`.

    >>> import workbench as tf
    >>> tf.broadcast_to([1, 2], [2, 2]).eval().tolist()
    [[1, 2], [1, 2]]
    """
    return call("BroadcastTo", name, input=input, shape=shape)
