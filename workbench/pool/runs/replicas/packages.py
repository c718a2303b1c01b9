"""What a replica that joins needs of a run, asked of one that takes part already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench import __version__
from workbench.cluster.wire.message import Message
from workbench.live.history import History
from workbench.pool.runs.data import CHUNK_BYTES, Chunks, ReceivedData
from workbench.pool.runs.mirror import Mirror
from workbench.pool.runs.package import pack
from workbench.pool.runs.place import AddressPlace, ask
from workbench.pool.runs.replicas.elements import told
from workbench.pool.runs.replicas.positions import Positions


class Sent:
    """A run as it is sent to workers that join it: without its state, which the others have.

    Args:
      run: the run.
      lines: the users' lines that made the operations.
      wanted: how many replicas there are to be.
      strategy: how they train together.
      encoding: how what they learn goes from one to another.
    """

    def __init__(
        self,
        run: Any,
        lines: Mapping[str, Any],
        wanted: int,
        strategy: str,
        encoding: str | None,
    ) -> None:
        package = pack(run.spec, None, run.entropy)
        chunks = Chunks(package.data) if package.data else None
        session = run.session
        elements, starts = told(session)
        fields = {
            **package.fields,
            "run": run.id,
            "name": run.name,
            "created": run.created,
            "parent": None if run.parent is None else dict(run.parent),
            "keep": run.folder is not None,
            "initializers": list(run.initializers),
            "lines": dict(lines),
            "paused": False,
            "initial": dict(run.initial),
            "wanted": wanted,
            "strategy": strategy,
            "encoding": encoding,
            "elements": elements,
            "version": __version__,
            "data": None if chunks is None else chunks.key,
            "described": None if chunks is None else chunks.described,
            "session": {
                "check_numerics": bool(session.check_numerics),
                "tier": session._programs.tiers.tier.value,
            },
        }
        arrays = [*package.arrays, *starts]
        self.message = Message("package", fields, arrays, blobs=package.blobs)


def fetch(place: AddressPlace, run: str, received: ReceivedData) -> Message:
    """A run as a worker that has it sends it, with its data in `received`."""
    message = ask(place, "package", {"run": run})
    fields = message.fields
    key = fields["data"]
    if key is not None and received.begin(key, fields["described"]):
        for index, (_, _, size) in enumerate(fields["described"]):
            for start in range(0, size, CHUNK_BYTES):
                piece = ask(place, "piece", {"run": run, "index": index, "start": start})
                received.add({"key": key, "index": index, "start": start}, piece.blobs[0])
        received.end(key)
    return message


def record_of(
    first: AddressPlace, run: str, names: Any
) -> Callable[[History, str | None], Positions]:
    """Makes a history what the worker at an address has recorded, or the first one that led,
    whenever it is called, without its events; gives which batches the steps took."""
    mirror = Mirror(run, run, names)

    def catch_up(history: History, leader: str | None) -> Positions:
        place = first if leader is None else AddressPlace(leader)
        while True:
            answer = ask(place, "follow", {"run": run, "have": mirror.have(), "hold": 0.0})
            mirror.apply(answer.fields, dict(answer.arrays))
            if not mirror.lacks_rows:
                break
        rows = mirror.history.since(0)
        history.truncate(0)
        history.extend(rows.steps, rows.values)
        return Positions(mirror.status.taken)

    return catch_up
