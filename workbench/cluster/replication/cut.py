"""Cuts a train operation in two: what a replica computes for itself, and what all do alike.

The first program has no effect on variables. It gives the gradients, and whatever else of this
replica's data goes into variables: averages of batches for one. The second one takes the averages
of these over all replicas, and does all updates. So a step may be begun again until it is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.applied_gradients import applied_gradients
from workbench.core.graph.body_graph import VARIABLES
from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.plan.placement.colocation import gives_handles, stays_put
from workbench.core.plan.reach import needed_operations

#: Rows and their numbers as updates of some rows of a variable call them.
_ROWS = {"grad": "indices", "updates": "indices"}
#: What operations are called that take data of their own replica.
_TAKING_DATA = ("QueueDequeue", "IteratorGetNext")


@dataclass(frozen=True)
class Cut:
    """Where a train operation is cut. All of these come from the first program."""

    train_op: Operation
    #: Averaged over the replicas.
    dense: tuple[Tensor, ...]
    #: Rows of a variable and their numbers: those of all replicas, as parts of an average.
    sparse: tuple[tuple[Tensor, Tensor], ...]
    #: What has no average, as integers: all replicas take those of the first.
    chosen: tuple[Tensor, ...]
    #: What only checks and the like take, of which each replica has its own; and what may be fed.
    own: tuple[Tensor, ...]

    @property
    def tensors(self) -> list[Tensor]:
        """All of them: what the first program gives, and the second one takes."""
        rows = [t for pair in self.sparse for t in pair]
        return list(dict.fromkeys([*self.dense, *rows, *self.chosen, *self.own]))


def cut(train_op: Operation) -> Cut:
    """Where to cut a train operation.

    InvalidArgumentError where it changes nothing, or waits for something that each replica has
    for itself, as an element of a queue, without taking it.
    """
    order = needed_operations((), [train_op], ())
    needed = set(order)
    dense: dict[Tensor, None] = {}
    sparse: dict[tuple[Tensor, Tensor], None] = {}
    for gradient, update in applied_gradients(train_op.graph):
        if update not in needed:
            continue
        if isinstance(gradient, IndexedSlices):
            sparse[gradient.values, gradient.indices] = None
        else:
            dense[gradient] = None
    given = {*dense, *(t for pair in sparse for t in pair)}
    order = needed_operations((), [train_op], given)
    walk = _Walk(order, given)
    for op in order:
        walk.visit(op)
    if not walk.updates:
        raise InvalidArgumentError(
            None, train_op, f"{train_op.name} changes no variable: replicas have nothing to train"
        )
    for pair in walk.rows:
        sparse[pair] = None
    taken = {*given, *(t for pair in sparse for t in pair)}
    floating = [t for t in walk.shared if t not in taken and t.dtype.is_floating]
    others = [t for t in walk.shared if t not in taken and not t.dtype.is_floating]
    own = [t for t in walk.own if t not in taken and t not in walk.shared]
    # What may be fed to a step, as a hyperparameter, is alike for both programs.
    cuts = {*taken, *floating, *others, *own}
    again = needed_operations((), [train_op], cuts)
    own += [op.outputs[0] for op in again if op.type == "PlaceholderWithDefault"]
    found = Cut(
        train_op,
        (*dense, *floating),
        tuple(sparse),
        tuple(others),
        tuple(own),
    )
    _check(found)
    return found


class _Walk:
    """Finds what goes from one replica's data into what all replicas do alike."""

    def __init__(self, order: Sequence[Operation], given: set[Tensor]) -> None:
        self._given = given
        #: What depends on this replica's data.
        self._local: set[Operation] = set()
        #: What comes after an update, or uses a gradient: it is in the second program.
        self._late: set[Operation] = set()
        self._used = {t for op in order for t in op.inputs}
        self.updates = False
        self.shared: dict[Tensor, None] = {}
        self.rows: dict[tuple[Tensor, Tensor], None] = {}
        self.own: dict[Tensor, None] = {}

    def visit(self, op: Operation) -> None:
        """An operation, after all that it needs."""
        declaration = registry.lookup(op.type)
        stateful = declaration is None or declaration.stateful
        takes_state = any(stays_put(t) for t in op.inputs)
        takes_data = takes_state and op.type.startswith(_TAKING_DATA)
        updates = takes_state and stateful and not _reads(op) and not takes_data
        local = [t for t in op.inputs if t not in self._given and t.op in self._local]
        late = (
            updates
            or any(t in self._given or t.op in self._late for t in op.inputs)
            or any(control in self._late for control in op._control_inputs)
        )
        self.updates = self.updates or updates
        if late:
            self._late.add(op)
            self._take(op, declaration, local)
        elif op.type in ("Placeholder", "PlaceholderV2") or (
            stateful
            and (takes_data or not takes_state)
            and op.type not in VARIABLES
            and not gives_handles(op)
        ):
            self._local.add(op)
            self.own.update(dict.fromkeys(local if not _gives(op, self._used) else ()))
        elif local:
            self._local.add(op)
            if not _gives(op, self._used):
                # Something waits for it, and nothing uses it.
                self.own.update(dict.fromkeys(local))

    def _take(self, op: Operation, declaration: Any, local: list[Tensor]) -> None:
        names = _input_names(declaration)
        by_name = dict(zip(names, op.inputs, strict=False)) if len(names) == len(op.inputs) else {}
        for rows, numbers in _ROWS.items():
            if by_name.get(numbers) in local and by_name.get(rows) is not None:
                pair = (by_name[rows], by_name[numbers])
                self.rows[pair] = None
                local = [t for t in local if t not in pair]
        self.shared.update(dict.fromkeys(local))


def _reads(op: Operation) -> bool:
    """Whether an operation only reads variables."""
    return op.type in ("ReadVariableOp", "Identity", "IsVariableInitialized", "ResourceGather")


def _gives(op: Operation, used: set[Tensor]) -> bool:
    return any(t in used for t in op.outputs)


def _input_names(declaration: Any) -> list[str]:
    if declaration is None:
        return []
    return [part.split(":")[0].strip() for part in declaration.inputs.split(",") if part.strip()]


def _check(found: Cut) -> None:
    """Looks at what the second program would run again."""
    again = needed_operations((), [found.train_op], found.tensors)
    for op in again:
        declaration = registry.lookup(op.type)
        stateful = declaration is None or declaration.stateful
        takes_state = any(stays_put(t) for t in op.inputs)
        if stateful and not op.inputs and op.outputs and not gives_handles(op):
            problem = f"{op.name} ({op.type}) gives each replica something else"
        elif takes_state and op.type.startswith(_TAKING_DATA):
            problem = f"{op.name} ({op.type}) takes data that belongs to this replica"
        else:
            continue
        raise InvalidArgumentError(
            None,
            op,
            f"{problem}, and {found.train_op.name} only waits for it: use its result, or leave "
            "the control dependency out",
        )
