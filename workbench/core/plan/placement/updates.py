"""Which updates of variables each operation of a step comes after."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from workbench.core.graph.body_graph import variable_of
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.bodies import updated_inputs


class Updates:
    """The updates of a step, whose operations each come after what they need.

    They are looked for when they are first asked for: most steps never do.
    """

    def __init__(self, order: Sequence[Operation]) -> None:
        self._order = order

    def precede(self, op: Operation, variable: Tensor) -> bool:
        """Whether an operation comes after an update of a variable."""
        held = variable_of(variable)
        if held is None:
            return False
        of_variable, after = self._found
        seen = 0
        for needed in (*(t.op for t in op.inputs), *op._control_inputs):
            seen |= after.get(needed, 0)
        return bool(seen & of_variable.get(held.op, 0))

    @cached_property
    def _found(self) -> tuple[dict[Operation, int], dict[Operation, int]]:
        """Sets of updates, as bits: those of each variable, and those up to each operation."""
        of_variable: dict[Operation, int] = {}
        after: dict[Operation, int] = {}
        count = 0
        for op in self._order:
            seen = 0
            for needed in (*(t.op for t in op.inputs), *op._control_inputs):
                seen |= after.get(needed, 0)
            for tensor in updated_inputs(op):
                held = variable_of(tensor)
                if held is not None:
                    seen |= 1 << count
                    of_variable[held.op] = of_variable.get(held.op, 0) | 1 << count
                    count += 1
            after[op] = seen
        return of_variable, after
