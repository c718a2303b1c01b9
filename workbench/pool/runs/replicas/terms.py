"""What a worker is, on what terms it trains a run with others, and what it keeps of that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from workbench.core.files import atomic_write
from workbench.core.graph.graph import Graph
from workbench.live.spec import RunSpec
from workbench.pool.runs.package import graph_from
from workbench.pool.runs.replicas.engine import ReplicatedEngine
from workbench.pool.runs.replicas.positions import Positions
from workbench.pool.runs.replicas.strategies import is_in_step

_META_GRAPH = "graph.meta"


class Identity(NamedTuple):
    """What a worker is known by."""

    #: Where its runtime is reached.
    address: str
    name: str
    #: The host at which its replicas listen.
    host: str


class Terms(NamedTuple):
    """How a run is to be trained by several."""

    board: str
    wanted: int
    strategy: str
    #: How what they learn goes from one to another; None for as it is.
    encoding: str | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Terms:
        """From plain data."""
        encoding = found.get("encoding")
        return cls(
            str(found["board"]),
            int(found["wanted"]),
            str(found["strategy"]),
            None if encoding is None else str(encoding),
        )


def write_graph(folder: str, content: bytes) -> None:
    """Keeps the meta graph of a run, which names the variables that replicas have in common."""
    atomic_write(Path(folder, _META_GRAPH), content)


def read_graph(folder: str) -> Graph:
    """What `write_graph` wrote. OSError, OpError where it cannot be read."""
    return graph_from(Path(folder, _META_GRAPH).read_bytes())


def made_engine(
    spec: RunSpec, session: Any, terms: Terms, positions: Positions
) -> ReplicatedEngine:
    """The steps of a run that is trained on these terms."""
    tracked = list(spec.tracked.values())
    engine = ReplicatedEngine(session, spec.targets, tracked, spec.source, spec.known)
    engine.prepare(positions, is_in_step(terms.strategy), terms._asdict())
    return engine
