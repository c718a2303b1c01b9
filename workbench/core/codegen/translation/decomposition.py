"""How an operation is written as several smaller ones of the plan, which then fuse like others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from workbench.core.codegen.translation.description import (
    FLOATS,
    Shape,
    input_shape,
    require,
    static_shape,
)
from workbench.core.graph.dtypes import DType, int32
from workbench.core.graph.shapes import Entries
from workbench.core.plan.node import Node, NodeTable, Value

#: Gives the values of all outputs of a node as values of new nodes in a table.
Write = Callable[[Node, NodeTable], tuple[Value, ...]]


class Decomposition(NamedTuple):
    """How nodes of a type are written as others."""

    #: Raises Unsupported for nodes that are not.
    check: Callable[[Node], None]
    write: Write


DECOMPOSITIONS: dict[str, Decomposition] = {}


def require_floats(node: Node) -> None:
    """Unsupported unless all inputs are floats of known shapes."""
    require(FLOATS, *node.inputs)
    for i in range(len(node.inputs)):
        input_shape(node, i)


def decomposes(
    types: str, check: Callable[[Node], None] = require_floats
) -> Callable[[Write], Write]:
    """Decorates the function that writes nodes of some types (separated by spaces)."""

    def enter(write: Write) -> Write:
        DECOMPOSITIONS.update(dict.fromkeys(types.split(), Decomposition(check, write)))
        return write

    return enter


class Writer:
    """Makes the nodes that one node is written as.

    They wait for what it waits for and stand for the same operation of the user.
    """

    def __init__(self, node: Node, table: NodeTable) -> None:
        self.node = node
        self.table = table

    def constant(self, array: Any, dtype: DType) -> Value:
        return self.table.constant(np.asarray(array), dtype, self.node.origin).output()

    def number(self, value: float, dtype: DType) -> Value:
        return self.constant(dtype.as_numpy_dtype(value), dtype)

    def cast(self, x: Value, dtype: DType) -> Value:
        if x.dtype is dtype:
            return x
        attrs = {"SrcT": x.dtype, "DstT": dtype, "Truncate": False}
        return self._make("Cast", (x,), attrs, dtype, x.entries)

    def zeros_like(self, x: Value) -> Value:
        return self._make("ZerosLike", (x,), {"T": x.dtype}, x.dtype, x.entries)

    def apply(self, type_name: str, *inputs: Value) -> Value:
        """An element-wise operation, which broadcasts."""
        shapes = [self._shape(x) for x in inputs]
        shape = np.broadcast_shapes(*shapes)
        return self._make(type_name, inputs, {"T": inputs[0].dtype}, inputs[0].dtype, shape)

    def reduce(self, type_name: str, x: Value, axes: tuple[int, ...]) -> Value:
        indices = self.constant(np.array(axes, np.int32), int32)
        shape = tuple(s for a, s in enumerate(self._shape(x)) if a not in axes)
        attrs = {"T": x.dtype, "Tidx": int32, "keep_dims": False}
        return self._make(type_name, (x, indices), attrs, x.dtype, shape)

    def pad_last(self, x: Value, width: int) -> Value:
        """With zeros before and behind along the last axis."""
        shape = self._shape(x)
        widths = np.zeros((len(shape), 2), np.int32)
        widths[-1] = width
        attrs = {"T": x.dtype, "Tpaddings": int32}
        inputs = (x, self.constant(widths, int32))
        return self._make("Pad", inputs, attrs, x.dtype, (*shape[:-1], shape[-1] + 2 * width))

    def slice_last(self, x: Value, start: int, count: int) -> Value:
        """`count` places of the last axis from `start` on."""
        shape = self._shape(x)
        begin = np.zeros(len(shape), np.int32)
        begin[-1] = start
        wanted = (*shape[:-1], count)
        inputs = (x, self.constant(begin, int32), self.constant(np.array(wanted, np.int32), int32))
        return self._make("Slice", inputs, {"T": x.dtype, "Index": int32}, x.dtype, wanted)

    def reshape(self, x: Value, shape: Shape) -> Value:
        if self._shape(x) == shape:
            return x
        target = self.constant(np.array(shape, np.int32), int32)
        attrs = {"T": x.dtype, "Tshape": int32}
        return self._make("Reshape", (x, target), attrs, x.dtype, shape)

    def _make(
        self,
        type_name: str,
        inputs: tuple[Value, ...],
        attrs: dict[str, Any],
        dtype: DType,
        entries: Entries,
    ) -> Value:
        node = self.node
        made = self.table.make(
            type_name, inputs, attrs, (dtype,), (entries,), node.origin, node.after
        )
        return made.output()

    @staticmethod
    def _shape(x: Value) -> Shape:
        return static_shape(x.entries)
