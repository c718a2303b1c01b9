"""Where the operations of graphs run, as the sessions that run them have chosen last."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence

from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation


class Noted:
    """What is known of one graph."""

    def __init__(self, devices: Sequence[str]) -> None:
        #: The devices of the session that was opened last, the default one first.
        self.devices = tuple(devices)
        #: The device of each operation, by its name, that was part of a step.
        self.chosen: dict[str, str] = {}
        #: Grows with each step that was planned.
        self.changes = 1


_lock = threading.Lock()
_noted: weakref.WeakKeyDictionary[Graph, Noted] = weakref.WeakKeyDictionary()


def note_devices(graph: Graph, devices: Sequence[str]) -> None:
    """A session was opened that runs a graph on these devices, the default one first."""
    with _lock:
        known = _noted.get(graph)
        if known is None or known.devices != tuple(devices):
            made = _noted[graph] = Noted(devices)
            made.changes += 0 if known is None else known.changes


def note_step(graph: Graph, chosen: Mapping[Operation, str]) -> None:
    """A step of a graph was planned, with a device for each of its operations."""
    with _lock:
        known = _noted.get(graph)
        if known is not None:
            known.chosen.update({op.name: device for op, device in chosen.items()})
            known.changes += 1


def noted(graph: Graph) -> Noted | None:
    """What is known of a graph; None where no session has run it on several devices.

    >>> import workbench as tf
    >>> from workbench.core.plan.placement.noted import note_devices, note_step, noted
    >>> graph = tf.Graph()
    >>> noted(graph) is None
    True
    >>> note_devices(graph, ["/job:worker/replica:0/task:0/device:CPU:0"])
    >>> with graph.as_default():
    ...     one = tf.constant(1.0, name="one").op
    >>> note_step(graph, {one: "/job:worker/replica:0/task:0/device:CPU:0"})
    >>> noted(graph).chosen
    {'one': '/job:worker/replica:0/task:0/device:CPU:0'}
    """
    with _lock:
        return _noted.get(graph)
