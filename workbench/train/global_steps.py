"""The global step: the variable that counts training steps."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.core.graph.keys import GraphKeys


def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of the global step in a session, as an int."""
    # A step of shape [1], which old programs have, is a number too.
    return int(sess.run(global_step_tensor).item())


def get_global_step(graph: Graph | None = None) -> Any:
    """The graph's global step, or None when it has none."""
    graph = graph or get_default_graph()
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        raise RuntimeError("Multiple items found in the global_step collection.")
    if found:
        step = found[0]
    else:
        try:
            step = graph.get_tensor_by_name("global_step:0")
        except KeyError:
            return None
    assert_global_step(step)
    return step


def create_global_step(graph: Graph | None = None) -> Any:
    """Makes the graph's global step, an int64 variable that starts at 0.

    Raises ValueError when there is one already.
    """
    from workbench.core.ops import api

    graph = graph or get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.as_default(), graph.name_scope(None):
        return api.get_variable(
            GraphKeys.GLOBAL_STEP,
            shape=[],
            dtype=dtypes.int64,
            initializer=api.zeros_initializer(),
            trainable=False,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


def get_or_create_global_step(graph: Graph | None = None) -> Any:
    """The graph's global step, made when there is none.

    >>> import workbench as tf
    >>> step = tf.train.get_or_create_global_step()
    >>> step is tf.train.get_or_create_global_step()
    True
    """
    graph = graph or get_default_graph()
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


def assert_global_step(global_step_tensor: Any) -> None:
    """Raises TypeError unless it is an integer scalar."""
    if not hasattr(global_step_tensor, "dtype"):
        raise TypeError(
            f"Existing 'global_step' must be a Variable or Tensor: {global_step_tensor}"
        )
    if not global_step_tensor.dtype.base_dtype.is_integer:
        raise TypeError(
            f"Existing 'global_step' does not have integer type: {global_step_tensor.dtype}"
        )
    shape = global_step_tensor.get_shape()
    if shape.ndims not in (0, None):
        raise TypeError(f"Existing 'global_step' is not scalar: {shape}")
