"""Batch normalisation and its gradients in smaller operations.

The order of the operations is that of the kernels; only sums add up in another order.
"""

from __future__ import annotations

import numpy as np

from workbench.core.codegen.translation.decomposition import Writer, decomposes
from workbench.core.codegen.translation.description import attribute, input_shape
from workbench.core.graph.dtypes import float32
from workbench.core.plan.node import Node, NodeTable, Value


class _Images:
    """What batch normalisation and its gradient have in common."""

    def __init__(self, node: Node, table: NodeTable, x: int) -> None:
        self.write = Writer(node, table)
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


@decomposes("FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3")
def _batch_norm(node: Node, table: NodeTable) -> tuple[Value, ...]:
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


@decomposes("FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3")
def _batch_norm_grad(node: Node, table: NodeTable) -> tuple[Value, ...]:
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


@decomposes("BatchNormWithGlobalNormalizationGrad")
def _global_norm_grad(node: Node, table: NodeTable) -> tuple[Value, ...]:
    write = Writer(node, table)
    own = node.inputs[0].dtype
    wide = float32 if own.size == 2 else own
    t, m, v, gamma, backprop = (write.cast(x, wide) for x in node.inputs)
    scales = attribute(node, "scale_after_normalization")
    apply = write.apply
    epsilon = write.number(attribute(node, "variance_epsilon"), wide)
    deviation = apply("Sqrt", apply("Add", v, epsilon))
    inverse = apply("RealDiv", write.number(1, wide), deviation)
    factor = apply("Mul", inverse, gamma) if scales else inverse
    axes = tuple(range(len(input_shape(node, 0)) - 1))
    covariance = write.reduce("Sum", apply("Mul", backprop, apply("Sub", t, m)), axes)
    total = write.reduce("Sum", backprop, axes)
    dv = covariance
    for term in (factor, inverse, inverse, write.number(-0.5, wide)):
        dv = apply("Mul", dv, term)
    dg = apply("Mul", covariance, inverse) if scales else write.zeros_like(total)
    dm = apply("Mul", apply("Neg", total), factor)
    found = (apply("Mul", backprop, factor), dm, dv, total, dg)
    return tuple(write.cast(x, own) for x in found)
