"""Reductions along axes: sums, means, products and extremes.

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
    Reduction,
    attribute,
    constant_input,
    input_shape,
    require,
)
from workbench.core.codegen.translation.table import describes
from workbench.core.codegen.translation.term import Term
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import Node

Count = Callable[[str], Term]


def reduced_axes(node: Node, rank: int) -> tuple[int, ...]:
    """The axes that a node reduces, sorted and not negative; its second input lists them."""
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
        function, shape, reduced_axes(node, len(shape)), attribute(node, "keep_dims"), before, after
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
