"""A fork or a replay on its way to another process: all that it begins with, as plain data."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from workbench.live.descent import Descent
from workbench.live.events import Event
from workbench.live.frame_files import write_frame
from workbench.live.frames import Frame, Frames
from workbench.live.history import History
from workbench.live.program_log import ProgramLog
from workbench.pool.runs.data import Chunks
from workbench.pool.runs.package import Unpacked, frame_of, pack


class Parcel(NamedTuple):
    """What is sent to begin a run with a past; the data behind `wb.batches` is sent apart."""

    fields: dict[str, Any]
    blobs: tuple[bytes, ...]
    arrays: tuple[tuple[str, Any], ...]
    #: The data; None where the run is fed none, or who has the parcel asks for it in pieces.
    chunks: Chunks | None = None


def pack_descent(run: Any, descent: Descent, lines: Mapping[str, Any] | None = None) -> Parcel:
    """What another process needs to begin what descends from a run of this one.

    Args:
      run: the run.
      descent: what it begins with.
      lines: the users' lines that made the operations, where the graph does not know them.

    Raises:
      ValueError: the graph or the feed holds what only this process has.
    """
    package = pack(run.spec, None, descent.entropy)
    chunks = Chunks(package.data) if package.data else None
    history = descent.history
    session = run.session
    past = {
        "parent": dict(descent.parent),
        "step": descent.step,
        "changes": [[step, dict(values)] for step, values in descent.changes],
        "initial": dict(descent.initial),
        "events": None if history is None else [e.to_json() for e in history.events],
        "programs": descent.log.to_json(descent.log.until),
        "barriers": list(descent.barriers),
        "is_replay": descent.is_replay,
        "taken": [list(row) for row in descent.taken],
        "replicas": descent.replicas,
        "strategy": descent.strategy,
        "encoding": descent.encoding,
    }
    fields = {
        **package.fields,
        "steps": descent.limit,
        "name": descent.name,
        "keep": run.folder is not None,
        "paused": descent.paused,
        "past": past,
        "data": None if chunks is None else chunks.key,
        "described": None if chunks is None else chunks.described,
        "session": {
            "check_numerics": bool(session.check_numerics),
            "tier": session._programs.tiers.tier.value,
        },
    }
    if lines:
        fields["lines"] = dict(lines)
    blobs = [package.blobs[0], _frame_bytes(descent.frame)]
    first = descent.frames.nearest(0)
    if first is not None and first.step < descent.frame.step:
        blobs.append(_frame_bytes(first))
    arrays = list(package.arrays)
    if history is not None:
        rows = history.since(0)
        arrays += [("past/steps", rows.steps), ("past/values", rows.values)]
    return Parcel(fields, tuple(blobs), tuple(arrays), chunks)


def _frame_bytes(frame: Frame) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return Path(write_frame(folder, frame, 0, True, {})).read_bytes()


def descent_of(
    fields: Mapping[str, Any], unpacked: Unpacked, blobs: Any, arrays: Mapping[str, Any]
) -> Descent:
    """What `pack_descent` packed, for the run that was unpacked of the same.

    Raises:
      KeyError, TypeError, ValueError, OpError: it is no such thing.
    """
    past, spec = fields["past"], unpacked.spec
    if unpacked.frame is None:
        raise ValueError("A run with a past begins with a state")
    history = None
    if past["events"] is not None:
        history = History(spec.tracked)
        history.extend(arrays["past/steps"], arrays["past/values"])
        history.events = [Event.from_json(e) for e in past["events"]]
    frames = Frames(spec.options.snapshot_bytes)
    for blob in blobs[2:3]:
        frames.add(frame_of(blob, spec.graph), pinned=True)
    frames.add(unpacked.frame)
    return Descent(
        str(fields["name"]),
        dict(past["parent"]),
        unpacked.frame,
        int(past["step"]),
        history,
        [(int(step), dict(values)) for step, values in past["changes"]],
        dict(past["initial"]),
        frames,
        ProgramLog.from_json(past["programs"], 0),
        [int(step) for step in past["barriers"]],
        int(fields["seed"]),
        spec.limit,
        bool(fields["paused"]),
        bool(past["is_replay"]),
        [[int(n) for n in row] for row in past["taken"]],
        int(past["replicas"]),
        past["strategy"],
        past["encoding"],
    )
