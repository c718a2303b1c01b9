"""Beginning a run on a worker, from what a client sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from workbench import __version__
from workbench.cluster.wire.message import Message
from workbench.core.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from workbench.core.files import atomic_write
from workbench.core.runtime.session import LocalSession, Session
from workbench.live.data_store import store
from workbench.live.descent import Descent
from workbench.live.engine import Engine
from workbench.live.feeds import BatchFeed
from workbench.live.folder import RunFolder, check_run_name
from workbench.live.run import Run
from workbench.live.spec import RunSpec
from workbench.pool.runs.data import ReceivedData
from workbench.pool.runs.package import Unpacked, unpack

#: The file of a run's folder with the users' lines that made its operations.
_LINES = "lines.json"


def checked_names(fields: Mapping[str, Any]) -> tuple[str, str]:
    """The id and the name of a run that is to begin; InvalidArgumentError where they are none."""
    key, name = fields.get("run"), check_run_name(fields.get("name"))
    if not isinstance(key, str) or not key.isalnum() or len(key) > 64:
        raise InvalidArgumentError(None, None, f"{key!r:.80} cannot be the id of a run")
    return key, name


def unpacked_of(message: Message, received: ReceivedData) -> Unpacked:
    """What a run is to do. InvalidArgumentError, NotFoundError where that cannot be known,
    FailedPreconditionError where another version of workbench says it."""
    fields = message.fields
    theirs = fields.get("version", __version__)
    if theirs != __version__:
        raise FailedPreconditionError(
            None,
            None,
            f"The run is of workbench {theirs!s:.40}, and this worker has {__version__}: both need "
            "the same version",
        )
    try:
        data: list[Any] = []
        if fields["data"] is not None:
            found = received.find(fields["data"])
            if found is None:
                raise NotFoundError(None, None, "The data of the run has not come")
            data = found
        return unpack(fields, message.blobs, dict(message.arrays), data)
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidArgumentError(None, None, f"This is no run: {error!r:.200}") from None


def session_for(unpacked: Unpacked, fields: Mapping[str, Any]) -> Session:
    """A session for it, in which nothing is initialised."""
    found = fields.get("session")
    options: dict[str, Any] = {}
    if isinstance(found, dict):
        options = {"check_numerics": bool(found["check_numerics"]), "tier": str(found["tier"])}
    session = LocalSession(graph=unpacked.spec.graph, **options)
    seed = fields.get("seed")
    if seed is not None:
        session.state.entropy = int(seed)
    return session


def initialise(engine: Engine, unpacked: Unpacked) -> None:
    """Brings an engine to where the run starts."""
    if unpacked.frame is not None:
        engine.restore(unpacked.frame)
    elif unpacked.initializers:
        graph = engine.graph
        engine.session.run([graph.get_operation_by_name(n) for n in unpacked.initializers])


def made_run(
    project: str,
    unpacked: Unpacked,
    session: Session,
    fields: Mapping[str, Any],
    engine: Engine | None = None,
    start: Callable[[Run], object] | None = None,
    descent: Descent | None = None,
) -> Run:
    """The run, which has not begun.

    Args:
      project: the folder of the runs of this process.
      unpacked, session, fields: what it is to do, in which session, and as what.
      engine: takes its steps, where that is no common one.
      start: called in its thread, to bring its engine to where it starts.
      descent: its past, where it has one.
    """
    key, name = checked_names(fields)
    folder = RunFolder.create(project, name) if fields.get("keep", True) else None
    if folder is not None:
        write_lines(folder.path, fields["lines"])

    def begin(engine: Engine) -> None:
        if run._loop.writer is not None:
            # Killed after its first step, it goes on: all that this takes is there before.
            run._loop.writer.flush()
        if start is not None:
            start(run)
        elif descent is not None:
            descent.begin(engine)
        else:
            initialise(engine, unpacked)

    past: dict[str, Any] = {}
    if descent is not None:
        past = {
            "history": descent.history,
            "frames": descent.frames,
            "initial": descent.initial,
            "parent": descent.parent,
            "log": descent.log,
        }
    run = Run(
        unpacked.spec,
        session,
        name=name,
        folder=folder,
        owns_session=True,
        begin=begin,
        key=key,
        paused=bool(fields["paused"]),
        engine=engine,
        **past,
    )
    run.initializers = unpacked.initializers
    run._loop.begins_with_a_state = descent is not None or unpacked.frame is not None
    if descent is not None:
        run._loop.past.barriers = list(descent.barriers)
    if folder is not None:
        run.data_key = _stored_data(project, unpacked.spec)
    return run


def _stored_data(project: str, spec: RunSpec) -> str | None:
    """What the data of a run is called on the disk, where it is before the first step."""
    source = spec.source
    if isinstance(source, BatchFeed):
        return store(project, source.batches.arrays)
    values = [np.asarray(v) for v in source.feed(0)[1]]
    return store(project, values) if values else None


def write_lines(folder: str, lines: Mapping[str, Any]) -> None:
    """Writes the users' lines that made the operations to the folder of a run."""
    atomic_write(Path(folder, _LINES), json.dumps(lines).encode())


def read_lines(folder: str) -> dict[str, Any] | None:
    """What `write_lines` wrote; None where it is not there."""
    with suppress(OSError, ValueError):
        found = json.loads(Path(folder, _LINES).read_bytes())
        return found if isinstance(found, dict) else None
    return None
