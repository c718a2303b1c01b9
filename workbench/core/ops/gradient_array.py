"""The TensorArray of gradients of another one: all of its objects stand for one array."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.tensor_array import TensorArray


class GradientArray(TensorArray):
    """An array that was asked for by a name, and is the same for all who ask.

    Other arrays are values: only the object that a write gives has what was written. Whoever asks
    for this one by its name has no such object, so that all objects of it have the list that was
    made last, by the order in which operations are built.
    """

    def __init__(self, array: TensorArray, flow: Tensor) -> None:
        vars(self).update(vars(array))
        self._element_shape = list(array._element_shape)
        #: The lists that were made so far, for all objects.
        self._lists: list[Tensor] = []
        self._flow = flow

    @property
    def _flow(self) -> Tensor:
        # What the body of a conditional or loop made is nothing to those outside or beside it.
        return next(flow for flow in reversed(self._lists) if _is_within_reach(flow))

    @_flow.setter
    def _flow(self, flow: Tensor) -> None:
        self._lists.append(flow)


def _is_within_reach(tensor: Tensor) -> bool:
    """True where operations of the current graph may use a tensor."""
    graph: Any = get_default_graph()
    while graph is not None and graph is not tensor.graph:
        graph = getattr(graph, "outer", None)
    return graph is not None
