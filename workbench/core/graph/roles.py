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
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workbench.core.graph.graph import Graph
    from workbench.core.graph.operation import Operation

FORWARD, BACKWARD, UPDATE, AUXILIARY = range(4)

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


class _Roles:
    """The roles of one graph while they are worked out; None is not known yet."""

    def __init__(self, graph: Graph) -> None:
        self._operations: Sequence[Operation] = graph.get_operations()
        self._index = {op: i for i, op in enumerate(self._operations)}
        self._initialisers = set(graph.variable_initializers.values())
        self._roles: list[int | None] = [None] * len(self._operations)
        self._consumers: list[list[int]] = [[] for _ in self._operations]
        self._waiting: list[list[int]] = [[] for _ in self._operations]
        for i, op in enumerate(self._operations):
            for source in {tensor.op for tensor in op.inputs}:
                self._consumers[self._index[source]].append(i)
            for control in op._control_inputs:
                self._waiting[self._index[control]].append(i)
        #: Whether something depends on a variable or on what is fed.
        self._varies: list[bool] = [False] * len(self._operations)

    def found(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """All rules, one after the other."""
        self._find_varying()
        self._by_type()
        self._spread_auxiliary()
        self._group()
        self._find_backward()
        self._spread_update()
        self._find_slots()
        return np.array([FORWARD if r is None else r for r in self._roles], np.uint8)

    def _inputs(self, op: Operation) -> Iterable[int]:
        return [self._index[tensor.op] for tensor in op.inputs]

    def _find_varying(self) -> None:
        # Loops apart, inputs are made before what takes them.
        for i, op in enumerate(self._operations):
            self._varies[i] = (
                op.type in _VARIABLES
                or op.type in _FEEDS
                or any(self._varies[j] for j in self._inputs(op))
            )

    def _by_type(self) -> None:
        kinds: dict[str, int | None] = {}
        for i, op in enumerate(self._operations):
            if op.type not in kinds:
                kinds[op.type] = _kind(op.type)
            role = kinds[op.type]
            if role == UPDATE and op.type in _SETTING and self._initialises(op):
                role = AUXILIARY
            self._roles[i] = role

    def _initialises(self, op: Operation) -> bool:
        if op in self._initialisers:
            return True
        variable, value = op.inputs[0].op, op.inputs[1].op
        if op.name == f"{variable.name}/Assign":
            return True
        while value.type in _PASSING and value.inputs:
            value = value.inputs[0].op
        return _SAVING.fullmatch(value.type) is not None or not self._varies[self._index[value]]

    def _spread_auxiliary(self) -> None:
        """What waits for auxiliary operations alone is auxiliary, and so is what only they use."""
        self._group_auxiliary()
        for i in reversed(range(len(self._operations))):
            op = self._operations[i]
            if self._roles[i] is not None or op.type in _VARIABLES or op.type in _FEEDS:
                continue
            users = self._consumers[i] + self._waiting[i]
            if not users or any(self._roles[user] != AUXILIARY for user in users):
                continue
            if not op.inputs or not any(
                _SUMMARY.fullmatch(self._operations[user].type) for user in users
            ):
                self._roles[i] = AUXILIARY
        self._group_auxiliary()

    def _group_auxiliary(self) -> None:
        for i, op in enumerate(self._operations):
            if self._roles[i] is None and op._control_inputs and op.type in _GROUPS | _PASSING:
                members = {self._roles[self._index[each]] for each in op._control_inputs}
                if members == {AUXILIARY} and not self._consumers[i]:
                    self._roles[i] = AUXILIARY

    def _group(self) -> None:
        """Groups of updates update; groups of groups do, too."""
        for i, op in enumerate(self._operations):
            if op.type in _GROUPS and self._roles[i] is None:
                members = [self._roles[self._index[each]] for each in op._control_inputs]
                if UPDATE in members:
                    self._roles[i] = UPDATE

    def _find_backward(self) -> None:
        for i, op in enumerate(self._operations):
            if self._roles[i] is not None or op.type in _VARIABLES or op.type in _FEEDS:
                continue
            if (
                _GRADIENT_SCOPE.search(op.name)
                or _DIFFERENTIATING.fullmatch(op.type)
                or any(self._roles[source] == BACKWARD for source in self._inputs(op))
            ):
                self._roles[i] = BACKWARD

    def _spread_update(self) -> None:
        """What only updates use belongs to them; variables and feeds stay the user's."""
        for i in reversed(range(len(self._operations))):
            op = self._operations[i]
            if self._roles[i] is not None or op.type in _VARIABLES or op.type in _FEEDS:
                continue
            users = self._consumers[i] + self._waiting[i]
            roles = {self._roles[user] for user in users} - {AUXILIARY}
            if roles == {UPDATE}:
                self._roles[i] = UPDATE

    def _find_slots(self) -> None:
        """Variables that are applied with, and neither applied to nor used forward."""
        for i, op in enumerate(self._operations):
            if op.type in _VARIABLES and self._is_slot(i):
                self._roles[i] = UPDATE
                for user in self._consumers[i]:
                    if self._roles[user] is None:
                        self._roles[user] = UPDATE

    def _is_slot(self, variable: int) -> bool:
        applied_with = False
        stack = [variable]
        while stack:
            source = stack.pop()
            for user in self._consumers[source]:
                op = self._operations[user]
                if self._roles[user] == AUXILIARY or self._is_unused_read(user):
                    continue
                if self._roles[user] != UPDATE:
                    return False
                if op.type in _PASSING:
                    stack.append(user)
                elif _APPLYING.fullmatch(op.type):
                    if self._index[op.inputs[0].op] == source:
                        return False
                    applied_with = True
        return applied_with

    def _is_unused_read(self, operation: int) -> bool:
        """Variables get a read when they are made, whether anybody takes it or not."""
        unused = not self._consumers[operation] and not self._waiting[operation]
        return unused and self._operations[operation].type in _PASSING


def _kind(type_name: str) -> int | None:
    """The role that a type has wherever it stands."""
    if any(kind.fullmatch(type_name) for kind in (_SAVING, _SUMMARY, _ASKING)):
        return AUXILIARY
    if _APPLYING.fullmatch(type_name) or _ASSIGNING.fullmatch(type_name):
        return UPDATE
    return None
