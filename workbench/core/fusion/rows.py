"""Gathers and sums over segments of a plan as descriptions of kernels."""

from __future__ import annotations

import math
from typing import NamedTuple

from workbench.core.codegen.specs import GatherSpec
from workbench.core.codegen.target import ITEM_BYTES
from workbench.core.codegen.translation.description import constant_input
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.places import dtype_of, shape_of
from workbench.core.plan.node import Node

ROW_TYPES = frozenset({"Gather", "GatherV2", "ResourceGather", "UnsortedSegmentSum"})

#: Numbers that the kernels of sums take; gathers move anything.
_SUMMED = frozenset({"float32", "float64"})


class RowKernel(NamedTuple):
    """The description, and what a failed check means."""

    spec: GatherSpec
    message: str


def row_kernel(node: Node) -> RowKernel:
    """The description of a node; Unsupported with the reason where it has none.

    Its operands are the first two inputs of the node, the result and the word of a check.
    """
    table, indices = node.inputs[:2]
    shape, places = shape_of(table), shape_of(indices)
    dtype, index_dtype = dtype_of(table), dtype_of(indices)
    if dtype not in ITEM_BYTES or index_dtype not in ("int32", "int64"):
        raise Unsupported(f"rows of {dtype} by {index_dtype} are not compiled")
    count = math.prod(places)
    if node.type == "UnsortedSegmentSum":
        if dtype not in _SUMMED:
            raise Unsupported(f"sums of rows are not compiled for {dtype}")
        result = shape_of(node.output())
        columns = math.prod(result[1:])
        spec = GatherSpec("scatter_add", count, result[0], columns, dtype, index_dtype)
        return RowKernel(spec, "a segment's number is not below the number of segments")
    if not shape:
        raise Unsupported("it takes rows of a scalar")
    if node.type == "GatherV2" and int(constant_input(node, 2, "the axis")) % len(shape) != 0:
        raise Unsupported("it takes along another axis than the first")
    spec = GatherSpec("gather", count, shape[0], math.prod(shape[1:]), dtype, index_dtype)
    return RowKernel(spec, "an index is not in the table")
