"""What all views of a kernel share: graphs, cells, connections and the thread that sends."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

from workbench.notebook.connection import Answer, Call, Connection, Send
from workbench.notebook.graph_cache import GraphCache
from workbench.notebook.publisher import Publisher
from workbench.notebook.shown import ShownGraphs

Answers = dict[str, Callable[[Call], Answer | None]]


class Hub:
    """The kernel's side of every view; one for each kernel, closed when the kernel ends."""

    def __init__(self) -> None:
        from workbench.notebook import (
            charts,
            graph_answers,
            observation_answers,
            pool_answers,
            run_answers,
        )
        from workbench.notebook.known_runs import KnownRuns
        from workbench.pool.statistics.overview import Overview

        #: Tells this kernel's life from the next one's.
        self.kernel = str(uuid.uuid4())
        self.graphs = ShownGraphs()
        self.graph_cache = GraphCache(self.graphs)
        self.runs = KnownRuns(self.graphs)
        self.publisher = Publisher()
        #: The pools and their workers, looked at while a view shows them.
        self.overview = Overview()
        self.answers: Answers = {
            "hello": hello,
            "received": received,
            **graph_answers.ANSWERS,
            **run_answers.ANSWERS,
            **observation_answers.ANSWERS,
            **charts.ANSWERS,
            **pool_answers.ANSWERS,
        }
        #: True while a cell is executed: then the main thread hears no view.
        self.busy = False
        self._lock = threading.Lock()
        self._connections: list[Connection] = []

    def connect(self, view: str, send: Send) -> Connection:
        """A connection for a view that has come."""
        connection = Connection(self, view, send)
        with self._lock:
            self._connections.append(connection)
        return connection

    def forget(self, connection: Connection) -> None:
        """Called by a connection that was closed."""
        with self._lock:
            if connection in self._connections:
                self._connections.remove(connection)

    @property
    def connections(self) -> list[Connection]:
        """The views that are there."""
        with self._lock:
            return list(self._connections)

    def close(self) -> None:
        """Closes every connection and the publisher."""
        for connection in self.connections:
            connection.close()
        self.overview.close()
        self.publisher.close()

    def leave(self) -> None:
        """Closes all of it at the kernel's end, and says nothing to the views.

        A page knows that a kernel ends, and has forgotten its comms by then: what would come on
        them now it could only complain about.
        """
        for connection in self.connections:
            connection.on_close = None
        self.close()


def hello(call: Call) -> Answer:
    """`hello`: who is there."""
    import workbench
    from workbench.notebook import protocol

    result: dict[str, Any] = {
        "protocol": protocol.VERSION,
        "version": workbench.__version__,
        "kernel": call.hub.kernel,
        "graphs": call.hub.graphs.summaries(),
        "runs": call.hub.runs.messages(),
    }
    return Answer(result)


def received(call: Call) -> Answer:
    """`received`: the newest notification that has reached the view."""
    call.connection.acknowledge(call.params["sequence"])
    return Answer({})


_hub: Hub | None = None
_hub_lock = threading.Lock()


def get_hub() -> Hub:
    """The kernel's hub, made when it is first asked for."""
    global _hub
    with _hub_lock:
        if _hub is None:
            _hub = Hub()
        return _hub


def _take_hub() -> Hub | None:
    global _hub
    with _hub_lock:
        hub, _hub = _hub, None
    return hub


def close_hub() -> None:
    """Closes the kernel's hub, if there is one; the next `get_hub` makes another."""
    hub = _take_hub()
    if hub is not None:
        hub.close()


def leave_hub() -> None:
    """Closes the kernel's hub, if there is one, at the end of the process."""
    hub = _take_hub()
    if hub is not None:
        hub.leave()
