"""What each operation of a graph is for: forward, backward, to update, or beside the computation.

The rules, in this order; what none of them takes is forward:

| role      | what has it                                                                       |
|-----------|-----------------------------------------------------------------------------------|
| auxiliary | what saves, restores, summarises or asks what is initialised, by type             |
| auxiliary | initialisers: in the graph's table; called "variable/Assign"; assigning what      |
|           | depends on no variable and no feed; assigning what was restored                   |
| auxiliary | what waits for auxiliary operations alone, such as groups of them, and is unused  |
| auxiliary | what only auxiliary operations use, variables and feeds apart; what only          |
|           | summaries use stays what it is, constants apart                                   |
| update    | what changes variables, by type: Apply..., Assign..., Scatter...                  |
| update    | groups of updates                                                                 |
| backward  | what stands in a scope `gradients`, computes a gradient by its type, or uses such |
| update    | what only updates use: the decay of a learning rate, moving averages              |
| update    | optimizers' slots: variables that updates take, but not as what they apply to,    |
|           | and that nothing else uses                                                        |

Types and edges decide before names do, so graphs of other makers have roles, too; the scope
`gradients` is what TensorFlow and this package call what `gradients()` adds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from workbench.core.graph.graph import Graph
    from workbench.core.graph.operation import Operation

FORWARD, BACKWARD, UPDATE, AUXILIARY = range(4)
_UNKNOWN = -1

_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp", "TemporaryVariable"})
_FEEDS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})
_PASSING = frozenset({"Identity", "RefIdentity", "ReadVariableOp", "Reshape", "Cast"})
_GROUPS = frozenset({"NoOp", "ControlTrigger"})

_SAVING = re.compile(
    r"Save(Slices|V2)?|Restore(Slice|V2)?|ShardedFilename|MergeV2Checkpoints|ReadFile|WriteFile"
)
_SUMMARY = re.compile(r"\w*Summary(V2)?|WriteGraphSummary|SummaryWriter|CreateSummaryFileWriter")
_ASKING = re.compile(r"IsVariableInitialized|VarIsInitializedOp|Make(Iterator|Dataset)|Assert")
_APPLYING = re.compile(r"(Resource)?(Sparse)?Apply\w+")
_ASSIGNING = re.compile(
    r"Assign(Add|Sub)?|Assign(Add|Sub)?VariableOp|"
    r"(Resource)?Scatter(Nd)?(Add|Sub|Mul|Div|Min|Max|Update)|(Resource)?StridedSliceAssign"
)
_SETTING = frozenset({"Assign", "AssignVariableOp"})
_DIFFERENTIATING = re.compile(
    r"\w+Grad(V\d)?|\w+GradWithArgmax|\w+GradGrad(V\d)?|\w+GradInput|\w+GradFilter|"
    r"\w+Backprop(Input|Filter)?(V\d)?|\w+Backprop(Input|Filter)\w*|FakeQuant\w+Gradient|"
    r"SymbolicGradient"
)
_GRADIENT_SCOPE = re.compile(r"(^|/)gradients(_\d+)?(/|$)")


def operation_roles(graph: Graph) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The role of each operation of a graph, in creation order: 0 forward, 1 backward, 2 update,
    3 auxiliary.

    >>> import workbench as tf
    >>> with tf.Graph().as_default() as graph:
    ...     w = tf.Variable(2.0, name="w")
    ...     loss = tf.square(w, name="loss")
    ...     train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, name="train")
    >>> roles = dict(zip([op.name for op in graph.get_operations()], operation_roles(graph)))
    >>> [int(roles[name]) for name in ("w", "loss", "gradients/grad_ys_0", "train", "w/Assign")]
    [0, 0, 1, 2, 3]
    """
    return _Roles(graph).found()


class _Type(NamedTuple):
    """What the rules ask of an operation's type."""

    #: The role that it has wherever it stands, or `_UNKNOWN`.
    role: int
    is_variable: bool
    #: Variables and feeds, which stay the user's whatever uses them.
    is_kept: bool
    is_passing: bool
    is_group: bool
    is_setting: bool
    is_differentiating: bool


class _Lists:
    """A list of places for each operation, in two lists for all: many small ones take long."""

    def __init__(self, counts: np.ndarray[Any, Any], members: np.ndarray[Any, Any]) -> None:
        self._ends: list[int] = [0, *np.cumsum(counts).tolist()]
        self._members: list[int] = members.tolist()

    def __getitem__(self, operation: int) -> list[int]:
        return self._members[self._ends[operation] : self._ends[operation + 1]]


class _Roles:
    """The roles of one graph while they are worked out, in some passes over lists of numbers."""

    def __init__(self, graph: Graph) -> None:
        operations: Sequence[Operation] = graph.get_operations()
        self._operations = operations
        self._initialisers = set(graph.variable_initializers.values())
        ids = np.array([op._id for op in operations], np.int64)
        #: The place of an operation by its id.
        self._places = np.zeros(int(ids.max(initial=0)) + 1, np.int64)
        self._places[ids] = np.arange(len(operations))
        names = [op.type for op in operations]
        known = {name: _describe(name) for name in set(names)}
        self._types = [known[name] for name in names]
        self._roles = [kind.role for kind in self._types]
        self._is_kept = bytes([kind.is_kept for kind in self._types])
        counts = np.array([len(op.inputs) for op in operations], np.int64)
        found = [tensor.op._id for op in operations for tensor in op.inputs]
        sources = self._places[np.array(found, np.int64)]
        targets = np.repeat(np.arange(len(operations)), counts)
        self._inputs = _Lists(counts, sources)
        users = np.bincount(sources, minlength=len(operations))
        self._consumers = _Lists(users, targets[np.argsort(sources, kind="stable")])
        #: For those that others wait for, who does; for those that wait, for whom.
        self._waiting: dict[int, list[int]] = {}
        self._awaited: dict[int, list[int]] = {}
        for i, op in enumerate(operations):
            if op._control_inputs:
                self._awaited[i] = [int(self._places[each._id]) for each in op._control_inputs]
                for source in self._awaited[i]:
                    self._waiting.setdefault(source, []).append(i)

    def found(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """All rules, one after the other."""
        self._find_initialisers()
        self._spread_auxiliary()
        self._group()
        self._find_backward()
        self._spread_update()
        self._find_slots()
        return np.array([FORWARD if r == _UNKNOWN else r for r in self._roles], np.uint8)

    @cached_property
    def _varies(self) -> bytearray:
        """Whether something depends on a variable or on what is fed."""
        varies = bytearray(len(self._operations))
        # Loops apart, inputs are made before what takes them.
        for i, is_kept in enumerate(self._is_kept):
            if is_kept:
                varies[i] = True
                continue
            for source in self._inputs[i]:
                if varies[source]:
                    varies[i] = True
                    break
        return varies

    def _users(self, operation: int) -> list[int]:
        waiting = self._waiting.get(operation)
        users = self._consumers[operation]
        return users if waiting is None else users + waiting

    def _open(self) -> list[int]:
        """The operations that have no role yet, variables and feeds apart."""
        pairs = zip(self._roles, self._is_kept, strict=True)
        return [i for i, (role, kept) in enumerate(pairs) if role == _UNKNOWN and not kept]

    def _find_initialisers(self) -> None:
        for i, kind in enumerate(self._types):
            if kind.is_setting and self._initialises(self._operations[i]):
                self._roles[i] = AUXILIARY

    def _initialises(self, op: Operation) -> bool:
        if op in self._initialisers:
            return True
        variable, value = op.inputs[0].op, op.inputs[1].op
        if op.name == f"{variable.name}/Assign":
            return True
        while value.type in _PASSING and value.inputs:
            value = value.inputs[0].op
        return (
            _SAVING.fullmatch(value.type) is not None or not self._varies[self._places[value._id]]
        )

    def _spread_auxiliary(self) -> None:
        """What waits for auxiliary operations alone is auxiliary, and so is what only they use."""
        self._group_auxiliary()
        roles = self._roles
        for i in reversed(self._open()):
            users = self._users(i)
            for user in users:
                if roles[user] != AUXILIARY:
                    break
            else:
                if users and not (self._inputs[i] and self._is_summarised(users)):
                    roles[i] = AUXILIARY
        self._group_auxiliary()

    def _is_summarised(self, users: Iterable[int]) -> bool:
        return any(_SUMMARY.fullmatch(self._operations[user].type) for user in users)

    def _group_auxiliary(self) -> None:
        for i, awaited in self._awaited.items():
            kind = self._types[i]
            if self._roles[i] == _UNKNOWN and (kind.is_group or kind.is_passing):
                members = {self._roles[each] for each in awaited}
                if members == {AUXILIARY} and not self._consumers[i]:
                    self._roles[i] = AUXILIARY

    def _group(self) -> None:
        """Groups of updates update; groups of groups do, too."""
        for i, awaited in self._awaited.items():
            is_open_group = self._roles[i] == _UNKNOWN and self._types[i].is_group
            if is_open_group and any(self._roles[each] == UPDATE for each in awaited):
                self._roles[i] = UPDATE

    def _find_backward(self) -> None:
        roles, operations = self._roles, self._operations
        for i in self._open():
            name = operations[i].name
            if self._types[i].is_differentiating or (
                "gradients" in name and _GRADIENT_SCOPE.search(name)
            ):
                roles[i] = BACKWARD
                continue
            for source in self._inputs[i]:
                if roles[source] == BACKWARD:
                    roles[i] = BACKWARD
                    break

    def _spread_update(self) -> None:
        """What only updates use belongs to them; variables and feeds stay the user's."""
        roles = self._roles
        for i in reversed(self._open()):
            updates = False
            for user in self._users(i):
                if roles[user] == UPDATE:
                    updates = True
                elif roles[user] != AUXILIARY:
                    break
            else:
                if updates:
                    roles[i] = UPDATE

    def _find_slots(self) -> None:
        """Variables that are applied with, and neither applied to nor used forward."""
        for i, kind in enumerate(self._types):
            if kind.is_variable and self._is_slot(i):
                self._roles[i] = UPDATE
                for user in self._consumers[i]:
                    if self._roles[user] == _UNKNOWN:
                        self._roles[user] = UPDATE

    def _is_slot(self, variable: int) -> bool:
        applied_with = False
        stack = [variable]
        while stack:
            source = stack.pop()
            for user in self._consumers[source]:
                if self._roles[user] == AUXILIARY or self._is_unused_read(user):
                    continue
                if self._roles[user] != UPDATE:
                    return False
                if self._types[user].is_passing:
                    stack.append(user)
                elif _APPLYING.fullmatch(self._operations[user].type):
                    if self._inputs[user][0] == source:
                        return False
                    applied_with = True
        return applied_with

    def _is_unused_read(self, operation: int) -> bool:
        """Variables get a read when they are made, whether anybody takes it or not."""
        return self._types[operation].is_passing and not self._users(operation)


def _describe(type_name: str) -> _Type:
    is_variable = type_name in _VARIABLES
    role = _UNKNOWN
    if any(kind.fullmatch(type_name) for kind in (_SAVING, _SUMMARY, _ASKING)):
        role = AUXILIARY
    elif _APPLYING.fullmatch(type_name) or _ASSIGNING.fullmatch(type_name):
        role = UPDATE
    return _Type(
        role=role,
        is_variable=is_variable,
        is_kept=is_variable or type_name in _FEEDS,
        is_passing=type_name in _PASSING,
        is_group=type_name in _GROUPS,
        is_setting=type_name in _SETTING and role == UPDATE,
        is_differentiating=_DIFFERENTIATING.fullmatch(type_name) is not None,
    )
