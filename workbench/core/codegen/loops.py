"""Element-wise computations and reductions over a space of iteration, as machine code."""

from __future__ import annotations

import math

from workbench.core.codegen.loop_columns import columns_code
from workbench.core.codegen.loop_cost import (
    chunk_units,
    loop_bytes,
    loop_flops,
    partial_block,
    partial_count,
    unit_nanoseconds,
)
from workbench.core.codegen.loop_flat import flat_code
from workbench.core.codegen.loop_rows import rows_code
from workbench.core.codegen.loop_shape import choose_lanes, simplified, vectors_along_rows
from workbench.core.codegen.loop_short_rows import short_rows_code, vectors_of_round
from workbench.core.codegen.specs import Argument, Call, LoopSpec, Lowered
from workbench.core.codegen.target import Target

__all__ = ["lower_loop", "partial_count"]


def lower_loop(spec: LoopSpec, target: Target) -> Lowered:
    """The call of a loop; its arguments are the operands and, with order "columns", the rows.

    A partial's operand has `partial_count(spec.shape)` parts.

    >>> from workbench.core.codegen.specs import Operand, Step, Store
    >>> from workbench.core.codegen.target import AVX512
    >>> array = Operand("float32", (1,))
    >>> steps = (Step("load", (), "float32", 0), Step("add", (0, 0), "float32"))
    >>> doubled = LoopSpec((1000,), (array, array), steps, (Store(1, 1),))
    >>> lower_loop(doubled, AVX512).calls[0].units
    1000
    """
    simple = simplified(spec)
    lanes = choose_lanes(simple, target)
    arguments = [Argument("operand", number) for number in range(len(spec.operands))]
    block = partial_block(spec.shape)
    multiple, axis = 1, 0
    if simple.order == "columns":
        code = columns_code(simple, lanes, target)
        arguments.append(Argument("integer", simple.shape[0]))
        form, axis = "columns", 1
        multiple = 4 * lanes
    elif round_vectors := vectors_of_round(simple, lanes, target):
        code = short_rows_code(simple, lanes, round_vectors, target)
        form = "several rows to a vector"
        multiple = lanes
    elif vectors_along_rows(simple):
        code = flat_code(simple, lanes, target, block)
        form = "flat"
        multiple = 64 * lanes
    else:
        code, form = rows_code(simple, lanes, target, block)
        form = f"rows {form}"
    if spec.partials:
        multiple = block
    units = simple.shape[axis]
    calls: tuple[Call, ...] = ()
    if units and not (simple.order == "rows" and _is_empty(simple)):
        duration = unit_nanoseconds(simple, axis, lanes, target)
        chunk = chunk_units(units, duration, multiple)
        calls = (Call(code, tuple(arguments), units, chunk),)
    notes = {"kind": "loop", "form": form, "lanes": lanes}
    return Lowered(calls, 0, loop_flops(spec), loop_bytes(spec), notes)


def _is_empty(spec: LoopSpec) -> bool:
    """True if no element is there to store, reduced ones included."""
    if math.prod(spec.shape):
        return False
    reduces = any(step.function.startswith("row_") for step in spec.steps)
    return not reduces and not spec.partials
