"""Sending runs to workers, and coming back to those that are there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from workbench.core.errors import OpError, UnavailableError
from workbench.live.acknowledgement import PATIENCE
from workbench.live.registry import registry
from workbench.live.spec import RunSpec
from workbench.pool.runs.data import Chunks
from workbench.pool.runs.package import pack
from workbench.pool.runs.place import Place, ask
from workbench.pool.runs.remote_run import RemoteRun

_NOTHING = {"life": None, "epoch": 0, "rows": 0, "events": 0}


def start_run(
    places: Sequence[Place],
    spec: RunSpec,
    *,
    name: str,
    keep: bool = True,
    session: Any = None,
    seed: int | None = None,
    paused: bool = False,
) -> RemoteRun:
    """Begins a run on the worker that has the fewest.

    Args:
      places: the workers.
      spec: what the run is to do.
      name: of the run, and of its folder on the worker.
      keep: whether it has a folder, from which it goes on when its worker is killed.
      session: the session whose state it begins with; None to initialise the variables.
      seed: of random operations that have none.
      paused: whether it waits before its first step.

    Raises:
      ValueError: the graph or the feed holds what only this process has.
      UnavailableError: no worker answers.
      Exception: what the worker refuses.
    """
    package = pack(spec, session, seed)
    place = quietest(places)
    key = None if not package.data else send_data(place, package.data)
    fields = {
        **package.fields,
        "run": uuid.uuid4().hex[:12],
        "name": name,
        "keep": keep,
        "paused": paused,
        "data": key,
        "have": _NOTHING,
        "session": None if session is None else _options_of(session),
    }
    answer = ask(place, "start", fields, package.blobs, package.arrays, PATIENCE)
    run = RemoteRun(place, answer.fields["card"], spec.graph)
    run._begin(answer)
    return run


def _options_of(session: Any) -> dict[str, Any]:
    tier = session._programs.tiers.tier.value
    return {"check_numerics": bool(session.check_numerics), "tier": tier}


def quietest(places: Sequence[Place]) -> Place:
    """The worker with the fewest runs that go on; UnavailableError where none answers."""
    found: list[tuple[int, int]] = []
    trouble: Exception | None = None
    for index, place in enumerate(places):
        try:
            found.append((ask(place, "hello", {}, seconds=PATIENCE).fields["live"], index))
        except OpError as error:
            trouble = error
    if not found:
        why = "it has no workers" if trouble is None else str(trouble)
        raise UnavailableError(None, None, f"No worker of the pool answers: {why}")
    return places[min(found)[1]]


def send_data(place: Place, arrays: Sequence[Any]) -> str:
    """Has a worker get arrays, where it has not got them; gives what they are called."""
    chunks = Chunks(arrays)
    said = {"key": chunks.key, "described": chunks.described}
    if ask(place, "begin_data", said).fields["wanted"]:
        for fields, piece in chunks:
            ask(place, "add_data", fields, (piece,))
        ask(place, "end_data", {"key": chunks.key}, seconds=PATIENCE)
    return chunks.key


def runs_of(places: Sequence[Place]) -> list[RemoteRun]:
    """The runs of workers, the oldest first, followed from now on.

    A worker that does not answer is left out.
    """
    found: list[RemoteRun] = []
    for place in places:
        with suppress(OpError):
            for card in ask(place, "list", {}).fields["runs"]:
                known = registry.find(str(card["run"]))
                with suppress(OpError, ValueError, RuntimeError):
                    found.append(known or attach(place, str(card["run"])))
    return sorted(found, key=lambda run: run.created)


def attach(place: Place, key: str) -> RemoteRun:
    """The run of an id on a worker.

    Raises:
      NotFoundError: it has no such run.
    """
    fields = {"run": key, "client": "", "have": _NOTHING, "hold": 0.0, "card": True}
    answer = ask(place, "follow", fields, seconds=PATIENCE)
    run = RemoteRun(place, answer.fields["card"])
    run._begin(answer)
    return run
