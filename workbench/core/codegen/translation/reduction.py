"""Reductions along axes: sums, means, products, extremes, and where the extremes are.

Sums add up in another order than the interpreter's, so their last digits differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.codegen.translation.description import (
    FLOATS,
    INTEGERS,
    NUMBERS,
    Access,
    Expression,
    Reduction,
    attribute,
    constant_input,
    input_shape,
    require,
    row_space,
)
from workbench.core.codegen.translation.table import describes
from workbench.core.codegen.translation.term import Term
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import Node

Count = Callable[[str], Term]

_LARGEST = int(np.iinfo(np.int64).max)


def _axes(node: Node, rank: int) -> tuple[int, ...]:
    given: Any = constant_input(node, 1, "the axes it reduces").reshape(-1).tolist()
    return tuple(sorted({int(a) % rank for a in given})) if rank else ()


def _reduction(
    node: Node,
    function: str,
    before: Callable[[Term], Term],
    after: Callable[[Term, Count], Term],
) -> Reduction:
    shape = input_shape(node, 0)
    reduction = Reduction(
        function, shape, _axes(node, len(shape)), attribute(node, "keep_dims"), before, after
    )
    if not reduction.count:
        raise Unsupported("it reduces an axis of size 0")
    return reduction


def _same(x: Term) -> Term:
    return x


@describes("Sum Prod Max Min All Any")
def _plain(node: Node) -> Reduction:
    boolean = node.type in ("All", "Any")
    require(frozenset({"bool"}) if boolean else NUMBERS, node.inputs[0])
    dtype = node.dtypes[0].name
    before = Term.wide if node.type in ("Sum", "Prod") else _same
    return _reduction(node, node.type.lower(), before, lambda total, count: total.cast(dtype))


@describes("Mean")
def _mean(node: Node) -> Reduction:
    require(NUMBERS, node.inputs[0])
    dtype = node.dtypes[0].name

    def after(total: Term, count: Count) -> Term:
        if total.is_floating:
            return (total / count(total.dtype)).cast(dtype)
        # Of integers rounded towards zero.
        return total.apply("sign") * abs(total).apply("floor_divide", count(dtype))

    reduction = _reduction(node, "sum", Term.wide, after)
    if dtype in INTEGERS and reduction.count > np.iinfo(dtype).max:
        raise Unsupported(f"it is the mean of more numbers than {dtype} can count")
    return reduction


@describes("L2Loss")
def _l2_loss(node: Node) -> Reduction:
    require(FLOATS, node.inputs[0])
    shape, dtype = input_shape(node, 0), node.dtypes[0].name
    return Reduction(
        "sum",
        shape,
        tuple(range(len(shape))),
        False,
        lambda x: x.wide().square(),
        lambda total, count: (total * 0.5).cast(dtype),
    )


@describes("ArgMax ArgMin")
def _place_of_extreme(node: Node) -> Expression:
    require(NUMBERS, node.inputs[0])
    shape, dtype = input_shape(node, 0), node.dtypes[0].name
    if _axes(node, len(shape)) != (len(shape) - 1,):
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
        column = Term(x.builder, x.builder.column())
        first = found.where(column, column.like(_LARGEST)).apply("row_min")
        return first.cast(dtype)

    space = row_space(shape)
    return Expression("row", space, (Access(0, shape),), ((*space[:-1], 1),), write)
