"""Sending runs to workers, and coming back to those that are there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from workbench import __version__
from workbench.core.errors import OpError, UnavailableError
from workbench.live.acknowledgement import PATIENCE
from workbench.live.registry import registry
from workbench.live.spec import RunSpec
from workbench.pool.runs.data import Chunks
from workbench.pool.runs.package import pack
from workbench.pool.runs.place import LedPlace, Place, ask
from workbench.pool.runs.remote_run import RemoteRun
from workbench.pool.runs.replicas.strategies import check_cut, check_encoding

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
    replicas: int = 1,
    strategy: str = "sync",
    encoding: str | None = None,
    pool: Any = None,
) -> RemoteRun:
    """Begins a run on the worker that has the fewest, or on several.

    Args:
      places: the workers.
      spec: what the run is to do.
      name: of the run, and of its folder on the worker.
      keep: whether it has a folder, from which it goes on when its worker is killed.
      session: the session whose state it begins with; None to initialise the variables.
      seed: of random operations that have none.
      paused: whether it waits before its first step.
      replicas: how many workers train it together.
      strategy: how they do.
      encoding: how what they learn goes from one to another.
      pool: has the workers, and knows who leads a run of several: `boards` and `leader_of`.

    Raises:
      ValueError: the graph or the feed holds what only this process has, or there is no such
        encoding.
      UnavailableError: no worker answers.
      Exception: what the worker refuses.
    """
    if replicas > 1:
        check_cut(spec, strategy)
        check_encoding(encoding)
    package = pack(spec, session, seed)
    place = quietest(places)
    key = None if not package.data else send_data(place, package.data)
    fields = {
        **package.fields,
        **begin_fields(),
        "name": name,
        "keep": keep,
        "paused": paused,
        "data": key,
        "session": None if session is None else _options_of(session),
    }
    if replicas > 1:
        fields["replicas"] = {
            "board": pool.boards(),
            "wanted": replicas,
            "strategy": strategy,
            "encoding": encoding,
        }
    return begin(place, fields, package.blobs, package.arrays, spec.graph, pool)


def begin_fields() -> dict[str, Any]:
    """What is said of every run that is to begin."""
    return {"run": uuid.uuid4().hex[:12], "version": __version__, "have": _NOTHING}


def begin(
    place: Place,
    fields: Mapping[str, Any],
    blobs: tuple[bytes, ...],
    arrays: tuple[tuple[str, Any], ...],
    graph: Any,
    pool: Any,
) -> RemoteRun:
    """Has a worker begin a run, whose data it has.

    Args:
      place: the worker.
      fields, blobs, arrays: the run.
      graph: the graph, where it was built in this process.
      pool: the worker's pool.
    """
    answer = ask(place, "start", fields, blobs, arrays, PATIENCE)
    card = answer.fields["card"]
    run = RemoteRun(_led(place, card, pool), card, graph, pool)
    run._begin(answer)
    return run


def _led(place: Place, card: Mapping[str, Any], pool: Any) -> Place:
    """Where a run is: of one that several workers train, whoever leads it."""
    if not card["replicated"] or pool is None:
        return place
    made = LedPlace(pool, str(card["run"]), place)
    # One that led it once may have it still, as it was then.
    with suppress(OpError, RuntimeError):
        made.renew()
    return made


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


def runs_of(places: Sequence[Place], pool: Any = None) -> list[RemoteRun]:
    """The runs of workers, the oldest first, followed from now on.

    A worker that does not answer is left out.
    """
    found: dict[str, RemoteRun] = {}
    for place in places:
        with suppress(OpError):
            for card in ask(place, "list", {}).fields["runs"]:
                key, led = str(card["run"]), _led(place, card, pool)
                known = registry.find(key)
                if isinstance(known, RemoteRun):
                    # Its worker may be one of a pool that was restarted.
                    known.place, known.pool = led, pool
                with suppress(OpError, ValueError, RuntimeError):
                    found[key] = found.get(key) or known or attach(led, key, pool)
    return sorted(found.values(), key=lambda run: run.created)


def attach(place: Place, key: str, pool: Any = None) -> RemoteRun:
    """The run of an id, as the worker that has it, or leads it now, knows it.

    Raises:
      NotFoundError: it has no such run.
    """
    fields = {"run": key, "client": "", "have": _NOTHING, "hold": 0.0, "card": True}
    answer = ask(place, "follow", fields, seconds=PATIENCE)
    run = RemoteRun(place, answer.fields["card"], pool=pool)
    run._begin(answer)
    return run
