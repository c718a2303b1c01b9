"""The global step as hooks read it: once, before the step changes it."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.train.global_steps import get_global_step

#: The collection that keeps the tensor, so that all hooks of a graph share it.
GLOBAL_STEP_READ_KEY = "global_step_read_op_cache"


def get_or_create_global_step_read(graph: Graph | None = None) -> Any:
    """A tensor with the global step before the run that fetches it, or None of a graph without.

    Raises:
      RuntimeError: the graph has several global steps.
    """
    graph = get_default_graph() if graph is None else graph
    found = graph.get_collection(GLOBAL_STEP_READ_KEY)
    if found:
        return found[0]
    step = get_global_step(graph)
    if step is None:
        return None
    with graph.as_default(), graph.name_scope(None), graph.name_scope(f"{step.op.name}/"):
        # A sum is a value of its own: later updates of the variable do not change it.
        read = step + 0
    graph.add_to_collection(GLOBAL_STEP_READ_KEY, read)
    return read


def required_global_step(user: str) -> Any:
    """The tensor of `get_or_create_global_step_read`, for a hook that cannot do without.

    Raises:
      RuntimeError: the default graph has no global step; the message names the hook.
    """
    step = get_or_create_global_step_read()
    if step is None:
        raise RuntimeError(
            f"Global step should be created to use {user}: call "
            f"tf.train.get_or_create_global_step() and pass it to the optimizer's minimize."
        )
    return step
