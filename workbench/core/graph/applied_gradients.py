"""Which gradients optimizers apply: where the step of a replica is cut to average them."""

from __future__ import annotations

from typing import Any, NamedTuple


class AppliedGradient(NamedTuple):
    """A gradient, a tensor or `IndexedSlices`, and the operation that applies it."""

    gradient: Any
    update: Any


def record(graph: Any, gradient: Any, update: Any) -> None:
    """An optimizer has made `update`, an operation of `graph` that applies `gradient`."""
    graph.applied_gradients.append(AppliedGradient(gradient, update))


def applied_gradients(graph: Any) -> list[AppliedGradient]:
    """What was recorded for a graph, in the order in which it was made.

    Graphs that were imported have no such record: their updates have to be looked at.
    """
    return list(graph.applied_gradients)
