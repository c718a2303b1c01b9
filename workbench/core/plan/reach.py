"""The part of a graph that the fetches need.

Of a conditional or loop it takes what its used outputs need, as if each of its inputs went in
through a Switch of its own: captures, and variables of loops, that no used output depends on are
not computed, and what only they need does not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.body import CONTROL_FLOW, LOOPS, Body
from workbench.core.graph.body_graph import variable_of
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor

#: Between these a loop in raw form goes round.
_MERGING = frozenset({"Merge", "RefMerge"})
_TURNING = frozenset({"NextIteration", "RefNextIteration"})


def needed_operations(
    fetches: Iterable[Tensor], targets: Iterable[Operation], fed: Iterable[Tensor]
) -> list[Operation]:
    """The operations that must run, each after what it needs; fed tensors need nothing.

    The beginning of a loop in raw form comes before the end of its turns, which it needs as well.
    """
    fetches, targets, is_fed = list(fetches), list(targets), set(fed)
    order = connected_operations(fetches, targets, is_fed)
    if not any(op.type in CONTROL_FLOW for op in order):
        return order
    uses = _Uses(fetches, targets, is_fed)
    while uses.grow(order):
        pass
    return [op for op in order if op in uses.operations]


def needed_inside(body: Body, results: Sequence[Tensor]) -> tuple[Operation, ...]:
    """The operations of a body that some of its results need, its arguments among them."""
    graph, key = body.graph, tuple(results)
    changes = graph.changes
    found = graph.needs.get(key)
    if found is None or found[0] != changes:
        found = graph.needs[key] = changes, tuple(needed_operations(results, (), ()))
    return found[1]


def used_outputs(
    order: Sequence[Operation], fetches: Iterable[Tensor], targets: Iterable[Operation]
) -> dict[Operation, tuple[int, ...]]:
    """For each conditional and loop among the needed operations the outputs that something takes.

    Where something waits for the operation itself, all count that the user has.
    """
    if not any(op.type in CONTROL_FLOW for op in order):
        return {}
    uses = _Uses(fetches, targets, set())
    uses.operations.update(order)
    uses.grow(order)
    return {op: uses.outputs(op) for op in order if op.type in CONTROL_FLOW}


def taken_inputs(op: Operation, used: Iterable[int]) -> tuple[int, ...]:
    """The inputs of a conditional or loop that it needs for some of its outputs, by number."""
    if op.type in LOOPS:
        return needed_loop_variables(op, used)
    used = list(used)
    needed: set[int] = set()
    for name in ("then_branch", "else_branch"):
        body = op.attrs[name]
        needed.update(_arguments_needed(body, [body.results[i] for i in used]))
    return (0, *(i + 1 for i in sorted(needed)))


def needed_loop_variables(op: Operation, used: Iterable[int]) -> tuple[int, ...]:
    """The variables of a loop that its condition and the used outputs depend on, in order."""
    return loop_variables(op.attrs["cond"], op.attrs["body"], used)


def loop_variables(condition: Body, body: Body, used: Iterable[int]) -> tuple[int, ...]:
    """The same for a loop of this condition and body."""
    needed = {*used, *_arguments_needed(condition, condition.results)}
    waiting = sorted(needed)
    while waiting:
        found = _arguments_needed(body, [body.results[i] for i in waiting])
        waiting = [i for i in found if i not in needed]
        needed.update(waiting)
    return tuple(sorted(needed))


def visible_outputs(op: Operation) -> int:
    """How many outputs an operation had before gradients asked it for more."""
    count: int = op.attrs.get("_visible_outputs", len(op.outputs))
    return count


def _arguments_needed(body: Body, results: Sequence[Tensor]) -> list[int]:
    """The numbers of the arguments that some results of a body depend on."""
    place = {t: i for i, t in enumerate(body.arguments)}
    order = needed_inside(body, results)
    return [place[t] for op in order for t in op.outputs if t in place]


class _Uses:
    """What is used of the operations on the way to some fetches and targets."""

    def __init__(
        self, fetches: Iterable[Tensor], targets: Iterable[Operation], fed: set[Tensor]
    ) -> None:
        self._fed = fed
        self._taken = set(fetches)
        self._awaited = set(targets)
        self.operations = {t.op for t in self._taken if t not in fed} | self._awaited

    def grow(self, order: Sequence[Operation]) -> bool:
        """Adds what the operations so far use, the last first; True where that may be too little:
        in a loop in raw form the first ones use later ones."""
        before = len(self.operations)
        for op in reversed(order):
            if op in self.operations:
                self._use(op)
        return len(self.operations) > before and any(op.type in _MERGING for op in order)

    def _use(self, op: Operation) -> None:
        inputs: Iterable[Tensor] = op.inputs
        waits: Iterable[Operation] = op._control_inputs
        if op.type in CONTROL_FLOW:
            used = self.outputs(op)
            inputs = [op.inputs[i] for i in taken_inputs(op, used)]
            waits = _waits(op, used)
        self._taken.update(inputs)
        self.operations.update(t.op for t in inputs if t not in self._fed)
        self._awaited.update(waits)
        self.operations.update(c for c in waits if not _is_fed_placeholder(c, self._fed))

    def outputs(self, op: Operation) -> tuple[int, ...]:
        """The outputs of a conditional or loop that are used as far as it is known."""
        visible = visible_outputs(op) if op in self._awaited else 0
        return tuple(
            i
            for i, t in enumerate(op.outputs)
            if t in self._taken or (i < visible and _is_value(op, i))
        )


def _is_value(op: Operation, index: int) -> bool:
    """False for an output of a loop that stands for a variable which the loop uses."""
    return op.type not in LOOPS or variable_of(op.inputs[index]) is None


def _waits(op: Operation, used: Iterable[int]) -> Sequence[Operation]:
    """What a conditional or loop waits for, where only some of its outputs are used."""
    inside: Sequence[Operation] = op.attrs.get("_awaited_inside", ())
    if not inside:
        return op._control_inputs
    used = list(used)
    if op.type in LOOPS:
        condition, body = op.attrs["cond"], op.attrs["body"]
        kept = needed_loop_variables(op, used)
        parts = [(condition, condition.results), (body, [body.results[i] for i in kept])]
    else:
        branches = (op.attrs["then_branch"], op.attrs["else_branch"])
        parts = [(body, [body.results[i] for i in used]) for body in branches]
    still = {w for body, results in parts for w in awaited_outside(body, results)}
    return [c for c in op._control_inputs if c not in inside or c in still]


def awaited_outside(body: Body, results: Sequence[Tensor]) -> list[Operation]:
    """The operations outside that must have run before a body gives some of its results."""
    waits = body.graph.waits
    order = needed_inside(body, results) if waits else ()
    return [w for op in order for w in waits.get(op, ())]


def connected_operations(
    fetches: Iterable[Tensor], targets: Iterable[Operation], fed: Iterable[Tensor]
) -> list[Operation]:
    """All operations that lead to some others, used or not, in the order of `needed_operations`."""
    is_fed = set(fed)
    roots = [t.op for t in fetches if t not in is_fed]
    roots.extend(targets)
    order: list[Operation] = []
    done: set[Operation] = set()
    #: The operations on the way from a root to the current one, in that order.
    path: dict[Operation, None] = {}
    stack = roots[::-1]
    later: list[Operation] = []
    while stack or later:
        if not stack:
            stack, later = later[::-1], []
        op = stack[-1]
        if op in done:
            stack.pop()
        elif op in path:
            del path[op]
            done.add(op)
            order.append(stack.pop())
        else:
            # It stays on the stack below what it needs.
            path[op] = None
            # A fed placeholder has happened for those that wait for it: it has nothing to run.
            before = [c for c in op._control_inputs[::-1] if not _is_fed_placeholder(c, is_fed)]
            before += [t.op for t in op.inputs[::-1] if t not in is_fed]
            if op.type in _MERGING:
                # The end of a loop's turn comes after its beginning.
                turns = [b for b in before if b.type in _TURNING]
                before = [b for b in before if b.type not in _TURNING]
                later.extend(turns)
            for needed in before:
                if needed in path:
                    raise _cycle(list(path), needed)
                if needed not in done:
                    stack.append(needed)
    return order


def _cycle(path: list[Operation], op: Operation) -> InvalidArgumentError:
    names = [each.name for each in path[path.index(op) :]]
    return InvalidArgumentError(
        None,
        op,
        f"Graph is invalid, contains a cycle with {len(names)} nodes, including: "
        f"{', '.join(names)}",
    )


def _is_fed_placeholder(op: Operation, fed: set[Tensor]) -> bool:
    return op.type in ("Placeholder", "PlaceholderV2") and op.outputs[0] in fed
