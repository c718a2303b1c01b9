"""Operations that are written as several smaller ones of the plan, which then fuse like others.

The order of the operations is that of the kernels; only sums add up in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.codegen.translation.description import (
    FLOATS,
    Shape,
    attribute,
    input_shape,
    require,
    static_shape,
)
from workbench.core.graph.dtypes import DType, float32, int32
from workbench.core.graph.shapes import Entries
from workbench.core.plan.node import Node, NodeTable, Value

#: Gives the values of all outputs of a node as values of new nodes in a table.
Decompose = Callable[[Node, NodeTable], tuple[Value, ...]]

DECOMPOSITIONS: dict[str, Decompose] = {}


def _decomposes(types: str) -> Callable[[Decompose], Decompose]:
    def enter(decompose: Decompose) -> Decompose:
        DECOMPOSITIONS.update(dict.fromkeys(types.split(), decompose))
        return decompose

    return enter


class _Writer:
    """Makes the nodes that one node is written as."""

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

    def apply(self, type_name: str, *inputs: Value) -> Value:
        shapes = [self._shape(x) for x in inputs]
        shape = np.broadcast_shapes(*shapes)
        return self._make(type_name, inputs, {"T": inputs[0].dtype}, inputs[0].dtype, shape)

    def reduce(self, type_name: str, x: Value, axes: tuple[int, ...]) -> Value:
        indices = self.constant(np.array(axes, np.int32), int32)
        shape = tuple(s for a, s in enumerate(self._shape(x)) if a not in axes)
        attrs = {"T": x.dtype, "Tidx": int32, "keep_dims": False}
        return self._make(type_name, (x, indices), attrs, x.dtype, shape)

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


class _Images:
    """What batch normalisation and its gradient have in common."""

    def __init__(self, node: Node, table: NodeTable, x: int) -> None:
        self.write = _Writer(node, table)
        shape = input_shape(node, x)
        self.axis = 1 if attribute(node, "data_format") == "NCHW" else 3
        self.axes = tuple(a for a in range(4) if a != self.axis)
        self.count = int(np.prod([shape[a] for a in self.axes]))
        self.x_type = node.inputs[x].dtype
        self.type = float32 if self.x_type.size == 2 else self.x_type
        self.x = self.write.cast(node.inputs[x], self.type)
        self.epsilon = self.write.number(attribute(node, "epsilon"), self.type)
        self.is_training = bool(attribute(node, "is_training"))

    def spread(self, vector: Value) -> Value:
        """A number for each channel, in a shape that broadcasts to the images."""
        if self.axis == 3:
            return vector
        size = (vector.entries or (0,))[0]
        assert isinstance(size, int)
        return self.write.reshape(vector, (size, 1, 1))

    def sum(self, x: Value) -> Value:
        return self.write.reduce("Sum", x, self.axes)

    def mean(self, x: Value) -> Value:
        return self.write.reduce("Mean", x, self.axes)

    def empty(self) -> Value:
        """An output that only other devices use."""
        return self.write.constant(np.zeros(0, self.type.as_numpy_dtype), self.type)


@_decomposes("FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3")
def _batch_norm(node: Node, table: NodeTable) -> tuple[Value, ...]:
    require(FLOATS, *node.inputs)
    images = _Images(node, table, 0)
    apply, spread = images.write.apply, images.spread
    scale, offset, mean, variance = node.inputs[1:5]
    if images.is_training:
        mean = images.mean(images.x)
    centered = apply("Sub", images.x, spread(mean))
    unbiased = variance
    if images.is_training:
        variance = images.mean(apply("Square", centered))
        factor = images.count / max(images.count - 1, 1)
        unbiased = apply("Mul", variance, images.write.number(factor, images.type))
    deviation = apply("Sqrt", apply("Add", variance, images.epsilon))
    scaled = apply("Mul", centered, spread(apply("RealDiv", scale, deviation)))
    y = images.write.cast(apply("Add", scaled, spread(offset)), images.x_type)
    outputs = (y, mean, unbiased, mean, variance)
    return (*outputs, images.empty()) if node.type.endswith("V3") else outputs


@_decomposes("FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3")
def _batch_norm_grad(node: Node, table: NodeTable) -> tuple[Value, ...]:
    require(FLOATS, *node.inputs)
    images = _Images(node, table, 1)
    apply, spread, number = images.write.apply, images.spread, images.write.number
    dy = images.write.cast(node.inputs[0], images.type)
    scale, mean, variance = node.inputs[2:5]
    deviation = apply("Sqrt", apply("Add", variance, images.epsilon))
    inverse = apply("RealDiv", number(1, images.type), deviation)
    centered = apply("Sub", images.x, spread(mean))
    by_offset = images.sum(dy)
    by_scale = apply("Mul", images.sum(apply("Mul", dy, centered)), inverse)
    slope = apply("Mul", scale, inverse)
    if images.is_training:
        # What a change of x does to the mean and the variance of the batch.
        count = number(images.count, images.type)
        bend = apply("RealDiv", apply("Mul", apply("Neg", by_scale), inverse), count)
        flow = apply("Add", apply("Mul", centered, spread(bend)), dy)
        flow = apply("Sub", flow, spread(apply("RealDiv", by_offset, count)))
        dx = apply("Mul", flow, spread(slope))
    else:
        dx = apply("Mul", dy, spread(slope))
    dx = images.write.cast(dx, images.x_type)
    return dx, by_scale, by_offset, images.empty(), images.empty()
