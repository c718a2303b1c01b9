"""What running fetches would change in a session, told from the graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.plan.bodies import inner_operations
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.fetches import FetchPlan


def has_effects(graph: Graph, fetches: Any, fed: Iterable[Tensor]) -> bool:
    """True where running `fetches` may change variables or resources, random streams apart.

    >>> import workbench as tf
    >>> v = tf.Variable(1.0)
    >>> graph = tf.get_default_graph()
    >>> has_effects(graph, v + tf.random_normal([]), []), has_effects(graph, v.assign(2.0), [])
    (False, True)
    """
    plan = FetchPlan(graph, fetches)
    return bool(changing_operations(needed_operations(plan.tensors, plan.targets, fed)))


def changing_operations(operations: Iterable[Operation]) -> list[Operation]:
    """Those that may change variables or resources when they run."""
    return [op for op in operations if changes_state(op)]


def changes_state(op: Operation) -> bool:
    """True where running an operation may change variables or resources."""
    if op.type in CONTROL_FLOW:
        return any(changes_state(inner) for inner in inner_operations(op))
    declaration = registry.lookup(op.type)
    if declaration is None or not declaration.stateful:
        return False
    if declaration.updated_variables or declaration.blocking:
        return True
    # Iterators, tables and what else lives in a session are handed on as resources, or as
    # references to strings.
    if any(t.dtype.name in ("resource", "string_ref") for t in (*op.inputs, *op.outputs)):
        return op.type != "VarHandleOp"
    return op.type in _KEEPING


#: Operations that keep something in the session without a handle to it.
_KEEPING = frozenset(
    "LearnedUnigramCandidateSampler ThreadUnsafeUnigramCandidateSampler Print RecordInput "
    "StageClear MapClear OrderedMapClear".split()
)
