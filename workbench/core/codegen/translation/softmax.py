"""Softmax over the last axis, and the cross-entropies of it with their gradients."""

from __future__ import annotations

from workbench.core.codegen.translation.builder import Flag
from workbench.core.codegen.translation.description import (
    FLOATS,
    Access,
    Expression,
    Shape,
    input_shape,
    output_shape,
    require,
    row_space,
)
from workbench.core.codegen.translation.table import describes, require_broadcast
from workbench.core.codegen.translation.term import Term
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import Node


def _row_space(node: Node, output: int) -> Shape:
    space = output_shape(node, output)
    if not space or not space[-1]:
        raise Unsupported("there are no classes")
    return row_space(space)


def _shifted(logits: Term) -> Term:
    """Logits less the maximum of their row, which leaves their softmax as it is."""
    wide = logits.wide()
    return wide - wide.apply("row_max")


@describes("Softmax")
def _softmax(node: Node) -> Expression:
    require(FLOATS, *node.inputs)
    space = _row_space(node, 0)

    def write(logits: Term) -> Term:
        exponentials = _shifted(logits).apply("exp")
        return (exponentials / exponentials.apply("row_sum")).cast(logits.dtype)

    return Expression("row", space, (Access(0, space),), (space,), write)


@describes("LogSoftmax")
def _log_softmax(node: Node) -> Expression:
    require(FLOATS, *node.inputs)
    space = _row_space(node, 0)

    def write(logits: Term) -> Term:
        shifted = _shifted(logits)
        total = shifted.apply("exp").apply("row_sum")
        return (shifted - total.apply("log")).cast(logits.dtype)

    return Expression("row", space, (Access(0, space),), (space,), write)


@describes("SoftmaxCrossEntropyWithLogits")
def _cross_entropy(node: Node) -> Expression:
    require(FLOATS, *node.inputs)
    space = _row_space(node, 1)
    inputs = tuple(Access(i, input_shape(node, i)) for i in range(2))
    for access in inputs:
        require_broadcast(access.shape, space)
    if inputs[0].shape[-1:] != space[-1:]:
        raise Unsupported("the logits have a single class, which serves for all")

    def write(features: Term, labels: Term) -> tuple[Term, Term]:
        shifted, wide_labels = _shifted(features), labels.wide()
        exponentials = shifted.apply("exp")
        total = exponentials.apply("row_sum")
        backprop = exponentials / total - wide_labels
        loss = ((total.apply("log") - shifted) * wide_labels).apply("row_sum")
        return loss.cast(features.dtype), backprop.cast(features.dtype)

    return Expression("row", space, inputs, ((space[0], 1), space), write)


@describes("SparseSoftmaxCrossEntropyWithLogits")
def _sparse_cross_entropy(node: Node) -> Expression:
    require(FLOATS, node.inputs[0])
    space = _row_space(node, 1)
    rows, classes = space
    if input_shape(node, 1) != (rows,):
        raise Unsupported("the labels are not one for each row")

    def write(features: Term, labels: Term) -> tuple[Term, Term]:
        label = labels.cast("int64")
        flag = Flag(
            node,
            f"Received a label value which is outside the valid range of [0, {classes}): the "
            f"logits have {classes} classes",
        )
        label.builder.check(((label >= 0) & (label < classes)).step, flag)
        is_label = label.equals(label.column())
        shifted = _shifted(features)
        # The sum over a row of which one element is left is that element.
        chosen = is_label.where(shifted, shifted.like(0)).apply("row_sum")
        exponentials = shifted.apply("exp")
        total = exponentials.apply("row_sum")
        probabilities = exponentials / total
        backprop = is_label.where(probabilities - 1, probabilities)
        loss = total.apply("log") - chosen
        return loss.cast(features.dtype), backprop.cast(features.dtype)

    inputs = (Access(0, space), Access(1, (rows, 1)))
    return Expression("row", space, inputs, ((rows, 1), space), write)
