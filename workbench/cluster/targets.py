"""Opens sessions on servers, of this process or of another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.cluster.addresses import canonical
from workbench.cluster.client import RemoteMaster, reset_server
from workbench.cluster.execution.edge_encodings import session_encoding
from workbench.cluster.master.planned_session import Master, PlannedSession
from workbench.cluster.server import server_at
from workbench.core.graph.graph import Graph
from workbench.core.runtime.targets import Elsewhere


def open_target(target: str, graph: Graph, config: Any) -> Elsewhere:
    """Where the steps of a session with this target run."""
    # An option that does not exist is told of here, and not by a task at the first step.
    session_encoding(config)
    server = server_at(target)
    master: Master
    if server is not None:
        master = server.open_master(config)
    else:
        master = RemoteMaster(canonical(target), config)
    config = master.config
    placer = config.graph_options.placer if config is not None else ""
    return PlannedSession(graph, master, placer or "default")


def reset_target(target: str, containers: Sequence[str], seconds: float | None) -> None:
    """Forgets the containers of all tasks of the cluster of a server, within so many seconds."""
    server = server_at(target)
    if server is not None:
        server.reset(containers)
    else:
        reset_server(canonical(target), containers, seconds)
