"""Loops of which it is known how often they go round become their passes, one after the other.

Then each pass is optimised and compiled like anything else, and lists between passes vanish
(`list_values`). Loops with many passes or large bodies stay loops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.graph.body import Body
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import registry
from workbench.core.ops.kernel_binding import bind_kernel
from workbench.core.plan.reach import loop_variables, needed_inside

#: A plan gets at most so many operations from loops.
MOST_OPERATIONS = 6000
#: What the condition of such a loop depends on is small.
_MOST_ELEMENTS = 16

_Array = np.ndarray[Any, Any]
#: For each pass the values of the variables that are known, by their numbers.
Passes = list[dict[int, _Array]]


def known_passes(
    condition: Body, body: Body, known: Callable[[int], _Array | None], most_operations: int
) -> Passes | None:
    """The passes of a loop, where it is known how many there are; the last entry is behind them.

    `known` gives what is known of an input. None too where they have too many operations.
    """
    carried = loop_variables(condition, body, ())
    state = {i: known(i) for i in carried}
    if any(array is None or array.size > _MOST_ELEMENTS for array in state.values()):
        return None
    size = max(1, len(needed_inside(body, body.results)) - len(body.arguments))
    most = most_operations // size
    goes_on = _evaluator(condition, condition.results[:1])
    step = _evaluator(body, [body.results[i] for i in carried])
    if goes_on is None or step is None or most < 1:
        return None
    passes: Passes = []
    while True:
        arrays = {i: a for i, a in state.items() if a is not None}
        passes.append(arrays)
        decided = goes_on(arrays)
        if decided is None or decided[0].size != 1:
            return None
        if not decided[0]:
            return passes
        if len(passes) > most:
            return None
        following = step(arrays)
        if following is None or any(a.size > _MOST_ELEMENTS for a in following):
            return None
        state = dict(zip(carried, following, strict=True))


def _evaluator(
    body: Body, results: Sequence[Tensor]
) -> Callable[[Mapping[int, _Array]], list[_Array] | None] | None:
    """A function that computes results of a body from arguments, by their numbers; None where
    something else than kernels without effects is needed."""
    place = {t: i for i, t in enumerate(body.arguments)}
    order = [op for op in needed_inside(body, results) if place.keys().isdisjoint(op.outputs)]
    calls: list[tuple[Operation, Any]] = []
    constants: dict[Tensor, _Array] = {}
    for op in order:
        if op.type == "Const":
            constants[op.outputs[0]] = op.attrs["value"]
            continue
        declaration = registry.lookup(op.type)
        if declaration is None or declaration.stateful:
            return None
        kernel = bind_kernel(op.type, op.attrs, len(op.inputs))
        if kernel is None:
            return None
        calls.append((op, kernel))

    def evaluate(arguments: Mapping[int, _Array]) -> list[_Array] | None:
        values = dict(constants)
        values.update({t: arguments[i] for t, i in place.items() if i in arguments})
        try:
            with np.errstate(all="ignore"):
                for op, kernel in calls:
                    found = kernel(*(values[t] for t in op.inputs))
                    outputs = found if len(op.outputs) > 1 else (found,)
                    values.update(zip(op.outputs, outputs, strict=True))
        except Exception:
            # The run tells of it.
            return None
        return [as_array(values[t]) for t in results]

    return evaluate
