"""The shape that element-wise operations give, computed in the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.shapes import Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


def _broadcast_args(s0: Any, s1: Any) -> Any:
    try:
        shape = np.broadcast_shapes(tuple(s0.tolist()), tuple(s1.tolist()))
    except ValueError:
        raise InvalidArgumentError(
            None, None, f"Incompatible shapes for broadcasting: {s0.tolist()} and {s1.tolist()}"
        ) from None
    return np.array(shape, s0.dtype)


def _longer(op: Any) -> list[Any]:
    lengths: list[Entry] = [shape_rules.with_rank(t.entries, 1, "a shape")[0] for t in op.inputs]
    known = [n for n in lengths if isinstance(n, int)]
    return [(max(known) if len(known) == 2 else None,)]


declare(
    "BroadcastArgs",
    inputs="s0: T, s1: T",
    outputs="r0: T",
    attrs="T: {int32, int64} = DT_INT32",
    shape=_longer,
    kernel=_broadcast_args,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([5, 1], [3], want=[5, 3]), sample([2, 3], [2, 3], want=[2, 3])],
)


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape, as a tensor, that element-wise operations give for two shapes.

    >>> import workbench as tf
    >>> tf.broadcast_dynamic_shape([5, 1], [3]).eval().tolist()
    [5, 3]
    """
    return call("BroadcastArgs", None, s0=shape_x, s1=shape_y)
