"""`wb.resume`: go on with a run from its folder, in a process that knows nothing of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from workbench.core.errors import DataLossError, NotFoundError, OpError
from workbench.core.graph.graph import Graph
from workbench.core.runtime.session import LocalSession
from workbench.live.batches import Batches
from workbench.live.data_store import load
from workbench.live.engine import Engine
from workbench.live.events import Event
from workbench.live.folder import RunFolder, existing_folder
from workbench.live.frame_files import read_frame
from workbench.live.frames import Frame
from workbench.live.graph_file import missing_parts, stored_graph
from workbench.live.history import History
from workbench.live.history_file import read_history
from workbench.live.hyperparameters import Hyperparameter, add_hyperparameters
from workbench.live.program_log import ProgramLog
from workbench.live.run import Run
from workbench.live.spec import Options, RunSpec, make_spec


def resume(
    folder: str | os.PathLike[str],
    feed: Any = None,
    graph: Graph | None = None,
    steps: int | None = None,
    paused: bool = False,
) -> Run:
    """Goes on with a run from its last checkpoint: the same run, with the same numbers to come.

    Graph, data and state come from the folder. What cannot be there must be given: `graph` where
    the graph has Python functions or datasets, `feed` where the run was fed by a function or an
    iterator, or its data is not kept because it is too large. Changes of hyperparameters that were
    recorded after the checkpoint happen again at their steps, unless `set` is called before.

    Args:
      folder: the run's own folder, such as "runs/digits".
      feed: as for `wb.run`.
      graph: the graph, built as it was for the run.
      steps: another number of steps to end after.
      paused: whether it waits before its first step.

    Raises:
      NotFoundError: there is no run in the folder.
      DataLossError: its record is damaged beyond use.
      RuntimeError: it is running, here or in another process.
      ValueError: the graph or the feed must be given, or does not fit.

    >>> import tempfile
    >>> import workbench as wb
    >>> w = wb.Variable(0.0, name="w")
    >>> with tempfile.TemporaryDirectory() as project:
    ...     with wb.run(w.assign_add(1.0), 9, name="a", folder=project, paused=True) as run:
    ...         run.step(4)
    ...     with wb.resume(project + "/a") as run:
    ...         float(run.wait(timeout=60).eval("w:0"))
    4
    9.0
    """
    made = taken_up(folder, feed, graph, steps, paused)
    made._begin()
    return made


def taken_up(
    folder: str | os.PathLike[str],
    feed: Any = None,
    graph: Graph | None = None,
    steps: int | None = None,
    paused: bool = False,
    *,
    ended: str | None = None,
    make_engine: Callable[[Any, RunSpec, Mapping[str, Any]], Engine] | None = None,
    then: Callable[[Run], None] = lambda run: None,
) -> Run:
    """What `resume` goes on with, which has not begun.

    Args:
      folder, feed, graph, steps, paused: as for `resume`.
      ended: how it had ended, where it is to stay so.
      make_engine: makes its engine from a session, what it does and its record.
      then: called in its thread when the state is back.
    """
    place = existing_folder(folder)
    place.lock()
    try:
        return _resumed(place, feed, graph, steps, paused, ended, make_engine, then)
    except BaseException:
        place.unlock()
        raise


def _resumed(
    place: RunFolder,
    feed: Any,
    graph: Graph | None,
    steps: Any,
    paused: bool,
    ended: str | None,
    make_engine: Callable[[Any, RunSpec, Mapping[str, Any]], Engine] | None,
    then: Callable[[Run], None],
) -> Run:
    document = place.read()
    if graph is None:
        graph = _stored_graph(place)
    add_hyperparameters(graph, [Hyperparameter.from_json(h) for h in document["hyperparameters"]])
    if feed is None:
        feed = _stored_feed(place, graph, document["feed"])
    spec = _spec(graph, document, feed, steps)
    start = _start(place, document, spec, is_over=ended is not None)
    session = LocalSession(graph=graph)
    session.state.entropy = int(document["entropy"])

    def begin(engine: Engine) -> None:
        _begin(made, engine, start)
        then(made)

    document["epoch"] += 1
    document["cuts"].append([document["epoch"], start.step])
    made = Run(
        spec,
        session,
        name=document["name"],
        folder=place,
        owns_session=True,
        begin=begin,
        history=start.history,
        initial=document["initial"],
        key=document["id"],
        parent=document["parent"],
        paused=paused,
        resumed=document | {"data": document["feed"].get("data")},
        log=ProgramLog.from_json(document.get("programs"), start.reached),
        engine=None if make_engine is None else make_engine(session, spec, document),
        ended=ended,
    )
    made._loop.watching.take_up(document.get("watches", ()))
    return made


class _Start(NamedTuple):
    """Where a run goes on."""

    step: int
    #: How far the record goes: the steps up to there are repeated as they were.
    reached: int
    frame: Frame | None
    history: History
    #: All recorded changes of hyperparameters, those to come too.
    changes: list[tuple[int, Mapping[str, Any]]]
    #: The operations to run where there is no state yet.
    initializers: list[str]


def _begin(run: Run, engine: Engine, start: _Start) -> None:
    """In the loop's thread: brings the state back, and drops what was recorded after it."""
    writer = run._loop.writer
    assert writer is not None
    writer.cut(start.step, run.epoch, lambda: None)
    if start.frame is None:
        _initialise(engine, start.initializers)
    else:
        engine.return_to(start.frame, start.step, start.changes)
    engine.schedule(c for c in start.changes if c[0] > start.step)


def _initialise(engine: Engine, names: list[str]) -> None:
    """Runs the initializers that the record names: a graph's own lists are not in its file."""
    operations = [engine.graph.get_operation_by_name(n) for n in names]
    if operations:
        engine.session.run(operations)


def _start(place: RunFolder, document: dict[str, Any], spec: RunSpec, is_over: bool) -> _Start:
    frame = None
    for each in reversed(place.places(document["cuts"])):
        with suppress(OpError):
            frame = read_frame(each.path, spec.graph)
            break
    step = 0 if frame is None else frame.step
    history = _history(place, spec)
    last = history.last
    reached = max(int(document["step"]), last[0] if last else 0)
    history.truncate(step)
    events = [Event.from_json(e) for e in document["events"]]
    history.events = [e for e in events if e.step <= step]
    if not is_over:
        history.events.append(Event(step, "resume", f"resumed from the state after step {step}"))
    changes = [(e.step, e.values) for e in events if e.values]
    return _Start(step, reached, frame, history, changes, document["initializers"])


def _history(place: RunFolder, spec: RunSpec) -> History:
    path = place.file("history")
    try:
        found = read_history(path)
    except NotFoundError:
        return History(spec.tracked)
    except DataLossError:
        # Out of the way of what is recorded from now on, but not lost.
        os.replace(path, path + ".damaged")
        return History(spec.tracked)
    return found if found.names == tuple(spec.tracked) else History(spec.tracked)


def _stored_graph(place: RunFolder) -> Graph:
    """The graph in the folder; ValueError where it cannot run without the program that made it."""
    try:
        graph = stored_graph(place)
    except NotFoundError:
        raise ValueError(
            f"The run ended before its graph was written to {place.file('graph.pb')!r}: pass "
            "graph=, built as it was"
        ) from None
    missing = missing_parts(graph)
    if missing is not None:
        raise ValueError(
            f"The graph has {missing}, which is in no file: pass graph=, built as it was for the "
            "run"
        )
    return graph


def _stored_feed(place: RunFolder, graph: Graph, described: Mapping[str, Any]) -> Any:
    """The feed that the record describes; ValueError where only the user has it."""
    kind = described["kind"]
    if kind in ("function", "iterator"):
        raise ValueError(f"The run was fed by {_article(kind)}, which is in no file: pass feed=")
    if not described["tensors"]:
        return None
    if described["data"] is None:
        raise ValueError(
            f"The run's data ({described['bytes'] / 1e6:.0f} MB) is not kept with it, because it "
            "is too large or the run ended before it was written: pass feed="
        )
    try:
        arrays = load(place.project, described["data"])
    except OpError as error:
        raise ValueError(f"The run's data cannot be read: pass feed= ({error})") from None
    tensors = [graph.get_tensor_by_name(n) for n in described["tensors"]]
    if kind == "constant":
        return dict(zip(tensors, arrays, strict=True))
    names = ("size", "shuffle", "seed", "drop_partial")
    return Batches(tensors, arrays, *(described[n] for n in names))


def _article(kind: str) -> str:
    return "an iterator" if kind == "iterator" else "a function"


def _spec(graph: Graph, document: Mapping[str, Any], feed: Any, steps: Any) -> RunSpec:
    names = ("snapshot_bytes", "checkpoint_seconds", "checkpoint_steps", "keep_checkpoints")
    options = Options(**{n: document[n] for n in names})
    try:
        targets = [graph.get_operation_by_name(n) for n in document["targets"]]
        track = {n: graph.get_tensor_by_name(t) for n, t in document["track"].items()}
    except KeyError as error:
        raise ValueError(f"The graph is not that of the run: {error.args[0]}") from None
    limit = document["steps"] if steps is None else steps
    spec = make_spec(targets, limit, feed, track, options)
    if steps is not None and steps < document["step"]:
        raise ValueError(f"The run has done {document['step']} steps already; steps is {steps}")
    # The record of the run knows the first values; the text in the graph has the last ones.
    known = {
        n: replace(h, value=document["initial"].get(n, h.value)) for n, h in spec.known.items()
    }
    return replace(spec, known=known)
