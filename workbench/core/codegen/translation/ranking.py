"""Where in a row something is: the largest element, or a class among the most likely ones."""

from __future__ import annotations

import numpy as np

from workbench.core.codegen.translation.description import (
    FLOATS,
    NUMBERS,
    Access,
    Expression,
    attribute,
    input_shape,
    require,
    row_space,
)
from workbench.core.codegen.translation.reduction import reduced_axes
from workbench.core.codegen.translation.table import describes
from workbench.core.codegen.translation.term import Term
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import Node

_LARGEST = int(np.iinfo(np.int64).max)


@describes("ArgMax ArgMin")
def _place_of_extreme(node: Node) -> Expression:
    require(NUMBERS, node.inputs[0])
    shape, dtype = input_shape(node, 0), node.dtypes[0].name
    if reduced_axes(node, len(shape)) != (len(shape) - 1,):
        raise Unsupported("it looks along another axis than the last")
    if not shape[-1]:
        raise Unsupported("it looks along an axis of size 0")
    function = "row_max" if node.type == "ArgMax" else "row_min"

    def write(x: Term) -> Term:
        extreme = x.apply(function)
        found = x.equals(extreme)
        if x.is_floating:
            # NaN counts as the extreme: then it is equal to nothing.
            found = found | x.apply("is_nan", dtype="bool")
        column = x.column()
        first = found.where(column, column.like(_LARGEST)).apply("row_min")
        return first.cast(dtype)

    space = row_space(shape)
    return Expression("row", space, (Access(0, shape),), ((*space[:-1], 1),), write)


@describes("InTopK InTopKV2")
def _in_top(node: Node) -> Expression:
    require(FLOATS, node.inputs[0])
    space = input_shape(node, 0)
    rows, classes = space
    if not classes:
        raise Unsupported("there are no classes")

    def write(predictions: Term, targets: Term, *given: Term) -> Term:
        target = targets.cast("int64")
        k = given[0].cast("int64") if given else target.like(attribute(node, "k"))
        # The sum over a row of which one element is left is that element.
        is_target = target.equals(target.column())
        wanted = is_target.where(predictions, predictions.like(0)).apply("row_sum")
        larger = (predictions > wanted).cast("int64").apply("row_sum")
        finite = predictions.apply("is_finite", dtype="bool").apply("row_all")
        return (target >= 0) & (target < classes) & finite & (larger < k)

    limits = (Access(2, ()),) if node.type == "InTopKV2" else ()
    inputs = (Access(0, space), Access(1, (rows, 1)), *limits)
    return Expression("row", space, inputs, ((rows, 1),), write)
