"""Normalisation over neighbouring channels and its gradient, in smaller operations."""

from __future__ import annotations

from workbench.core.codegen.translation.decomposition import Writer, decomposes, require_floats
from workbench.core.codegen.translation.description import attribute, input_shape
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.graph.dtypes import DType, float32
from workbench.core.plan.node import Node, NodeTable, Value

#: More neighbours on each side are left to the interpreter.
_WIDEST = 8


def _radius(node: Node) -> int:
    """How many neighbours there are on each side."""
    return min(int(attribute(node, "depth_radius")), input_shape(node, 0)[-1] - 1)


def _check(node: Node) -> None:
    require_floats(node)
    if _radius(node) > _WIDEST:
        raise Unsupported(f"it sums up more than {_WIDEST} neighbours on each side")


class _Neighbours:
    """What the operation and its gradient have in common."""

    def __init__(self, node: Node, table: NodeTable) -> None:
        self.write = Writer(node, table)
        self.own = node.inputs[0].dtype
        self.type: DType = float32 if self.own.size == 2 else self.own
        self.channels = input_shape(node, 0)[-1]
        self.radius = _radius(node)
        self.alpha, self.beta = attribute(node, "alpha"), attribute(node, "beta")
        self.bias = attribute(node, "bias")

    def sums(self, x: Value) -> Value:
        """For every channel the sum over the channels at most a radius away.

        The nearest ones come first, as in the kernel; beyond the ends there are zeros.
        """
        padded = self.write.pad_last(x, self.radius)
        total = x
        for distance in range(1, self.radius + 1):
            for start in (self.radius - distance, self.radius + distance):
                neighbour = self.write.slice_last(padded, start, self.channels)
                total = self.write.apply("Add", total, neighbour)
        return total

    def norm(self, images: Value) -> Value:
        """`bias + alpha * s`, with `s` the sum of squares of the neighbours."""
        squares = self.sums(self.write.apply("Mul", images, images))
        return self.write.apply("Add", self.scaled(squares, self.alpha), self.number(self.bias))

    def scaled(self, x: Value, factor: float) -> Value:
        return self.write.apply("Mul", x, self.number(factor))

    def number(self, value: float) -> Value:
        return self.write.number(value, self.type)


@decomposes("LRN", _check)
def _lrn(node: Node, table: NodeTable) -> tuple[Value, ...]:
    neighbours = _Neighbours(node, table)
    write = neighbours.write
    images = write.cast(node.inputs[0], neighbours.type)
    power = write.apply("Pow", neighbours.norm(images), neighbours.number(-neighbours.beta))
    return (write.cast(write.apply("Mul", power, images), neighbours.own),)


@decomposes("LRNGrad", _check)
def _lrn_grad(node: Node, table: NodeTable) -> tuple[Value, ...]:
    neighbours = _Neighbours(node, table)
    write, apply = neighbours.write, neighbours.write.apply
    grads, images, outputs = (write.cast(x, neighbours.type) for x in node.inputs)
    norm = neighbours.norm(images)
    # Every neighbour's norm holds this channel's square.
    shared = neighbours.sums(apply("RealDiv", apply("Mul", grads, outputs), norm))
    shared = apply("Mul", shared, images)
    shared = neighbours.scaled(shared, -2 * neighbours.alpha * neighbours.beta)
    power = apply("Pow", norm, neighbours.number(-neighbours.beta))
    dx = apply("Add", apply("Mul", power, grads), shared)
    return (write.cast(dx, neighbours.own),)
