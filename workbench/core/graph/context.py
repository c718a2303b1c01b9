"""The default graph, and the scopes that work on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from workbench.core.graph.elements import misplaced
from workbench.core.graph.function_graph import FunctionGraph
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor

_ELEMENTS = (Tensor, Operation)


class _GraphStack(threading.local):
    def __init__(self) -> None:
        self.graphs: list[Graph] = []


_stack = _GraphStack()
_global: Graph | None = None
_global_lock = threading.Lock()


def get_default_graph() -> Graph:
    """The graph that operations are added to in this thread.

    >>> import workbench as tf
    >>> tf.get_default_graph() is tf.constant(1).graph
    True
    """
    if _stack.graphs:
        return _stack.graphs[-1]
    global _global
    if _global is None:
        with _global_lock:
            if _global is None:
                _global = Graph()
    return _global


def reset_default_graph() -> None:
    """Starts over with an empty default graph; AssertionError inside a nested graph scope."""
    if _stack.graphs:
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs: leave the "
            "`with graph.as_default():` block first."
        )
    global _global
    _global = None


@contextmanager
def default_graph_scope(graph: Graph) -> Iterator[Graph]:
    """A scope in which `graph` is this thread's default graph."""
    _stack.graphs.append(graph)
    try:
        yield graph
    finally:
        if graph in _stack.graphs:
            while _stack.graphs.pop() is not graph:
                pass


def graph_of(inputs: Any, graph: Graph | None = None) -> Graph:
    """The graph that all `inputs` belong to, the default graph when there are none."""
    if isinstance(get_default_graph(), FunctionGraph):
        return get_default_graph()
    for value in inputs or ():
        owner = getattr(value, "graph", None)
        if not isinstance(owner, Graph):
            continue
        if owner.place:
            # For a variable its operation stands.
            raise ValueError(misplaced(value if isinstance(value, _ELEMENTS) else value.op))
        if graph is None:
            graph = owner
        elif owner is not graph:
            raise ValueError(f"{value} must be from the same graph as the other arguments.")
    return graph or get_default_graph()


class name_scope(AbstractContextManager[str]):
    """A scope that prefixes the names of the operations made inside.

    `name_scope(name)` or `name_scope(name, default_name, values)`; yields the scope with a slash.

    >>> import workbench as tf
    >>> with tf.name_scope("layer"):
    ...     print(tf.constant(1, name="one").name)
    layer/one:0
    """

    def __init__(
        self, name: str | None, default_name: str | None = None, values: Any = None
    ) -> None:
        self._name = default_name if name is None else name
        if self._name is None and values is not None:
            raise ValueError("tf.name_scope needs a name or a default_name")
        self._values = values
        self._scopes: list[Any] = []

    @property
    def name(self) -> str | None:
        """The name asked for."""
        return self._name

    def __enter__(self) -> str:
        graph = graph_of(self._values)
        graph_scope = None if graph is get_default_graph() else graph.as_default()
        outer = graph.open_name_scope(self._name)
        if graph_scope is not None:
            graph_scope.__enter__()
        self._scopes.append((graph, outer, graph_scope))
        name = graph.scopes.name
        return name + "/" if name else ""

    def __exit__(self, *error: Any) -> None:
        graph, outer, graph_scope = self._scopes.pop()
        graph.scopes.name = outer
        if graph_scope is not None:
            graph_scope.__exit__(*error)


def op_scope(values: Any, name: str | None, default_name: str | None = None) -> name_scope:
    """The old spelling of `name_scope(name, default_name, values)`."""
    return name_scope(name, default_name, values)


def control_dependencies(control_inputs: Any) -> Any:
    """A scope whose operations wait for `control_inputs`; None clears the outer scopes.

    >>> import workbench as tf
    >>> a = tf.constant(1)
    >>> with tf.control_dependencies([a]):
    ...     b = tf.constant(2)
    >>> b.op.control_inputs == [a.op]
    True
    """
    return get_default_graph().control_dependencies(control_inputs)


def device(device_name_or_function: Any) -> AbstractContextManager[None]:
    """A scope that pins operations to a device: a name, a DeviceSpec, a function or None."""
    return get_default_graph().device(device_name_or_function)


def colocate_with(op: Any, ignore_existing: bool = False) -> AbstractContextManager[None]:
    """A scope whose operations go where `op` goes."""
    return get_default_graph().colocate_with(op, ignore_existing)


def container(container_name: str) -> AbstractContextManager[str]:
    """A scope that puts variables and tables into a named container."""
    return get_default_graph().container(container_name)


def add_to_collection(name: Any, value: Any) -> None:
    """Adds `value` to a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """A copy of a collection of the default graph; with `scope`, the items whose names match."""
    return get_default_graph().get_collection(key, scope)


def get_collection_ref(key: Any) -> list[Any]:
    """A collection of the default graph itself, made when it does not exist."""
    return get_default_graph().get_collection_ref(key)


def set_random_seed(seed: int | None) -> None:
    """Sets the graph-level seed, from which operations without a seed of their own derive one."""
    get_default_graph().seed = seed


#: Seeds are taken modulo the largest 32-bit integer, as the operations' attributes hold them.
_SEEDS = 2**31 - 1


def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """The two seeds of a random operation, from the graph's seed and its own.

    (None, None) when neither is set: the operation then differs from run to run.
    """
    graph_seed = get_default_graph().seed
    if graph_seed is not None:
        if op_seed is None:
            op_seed = get_default_graph()._last_id
        seeds = (graph_seed % _SEEDS, op_seed % _SEEDS)
    elif op_seed is not None:
        seeds = (87654321, op_seed % _SEEDS)
    else:
        return None, None
    # (0, 0) would mean "not seeded" in an exported graph.
    return (0, _SEEDS) if seeds == (0, 0) else seeds
