"""Operations on images and a number for each channel."""

from __future__ import annotations

from typing import Any

from workbench.core.codegen.translation.description import (
    FLOATS,
    NUMBERS,
    Access,
    Expression,
    Reduction,
    Shape,
    attribute,
    input_shape,
    require,
)
from workbench.core.codegen.translation.table import describes
from workbench.core.codegen.translation.term import Term
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import Node


def _channel_axis(node: Node, shape: Shape) -> int:
    if len(shape) < 2:
        raise Unsupported("a value with channels has at least two axes")
    assert node.declaration is not None
    has_format = "data_format" in node.declaration.schema.attributes
    by_channel = has_format and str(attribute(node, "data_format")).startswith("NC")
    return 1 if by_channel else len(shape) - 1


@describes("BiasAdd BiasAddV1")
def _bias_add(node: Node) -> Expression:
    require(NUMBERS, *node.inputs)
    space = input_shape(node, 0)
    axis = _channel_axis(node, space)
    if input_shape(node, 1) != (space[axis],):
        raise Unsupported("the bias has not one number for each channel")
    inputs = (Access(0, space), Access(1, (space[axis],) + (1,) * (len(space) - axis - 1)))
    return Expression("elementwise", space, inputs, (space,), lambda x, bias: x + bias)


@describes("BiasAddGrad")
def _bias_add_grad(node: Node) -> Reduction:
    require(NUMBERS, *node.inputs)
    shape = input_shape(node, 0)
    axis = _channel_axis(node, shape)
    axes = tuple(a for a in range(len(shape)) if a != axis)
    dtype = node.dtypes[0].name

    def after(total: Term, count: Any) -> Term:
        return total.cast(dtype)

    return Reduction("sum", shape, axes, False, Term.wide, after)


@describes("BatchNormWithGlobalNormalization")
def _batch_norm(node: Node) -> Expression:
    require(FLOATS, *node.inputs)
    space = input_shape(node, 0)
    epsilon = float(attribute(node, "variance_epsilon"))
    scales = attribute(node, "scale_after_normalization")
    dtype = node.dtypes[0].name

    def write(t: Term, m: Term, v: Term, beta: Term, gamma: Term) -> Term:
        factor: Term = 1 / (v.wide() + epsilon).sqrt()
        if scales:
            factor = factor * gamma.wide()
        return ((t.wide() - m.wide()) * factor + beta.wide()).cast(dtype)

    vectors = tuple(Access(i, space[-1:]) for i in range(1, 5))
    for access in vectors:
        if input_shape(node, access.input) != space[-1:]:
            raise Unsupported("a vector has not one number for each channel")
    return Expression("elementwise", space, (Access(0, space), *vectors), (space,), write)
