"""Sending runs to workers, and coming back to those that are there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from workbench import __version__
from workbench.core.errors import OpError, UnavailableError
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.reach import needed_operations
from workbench.live.acknowledgement import PATIENCE
from workbench.live.effects import changing_operations
from workbench.live.registry import registry
from workbench.live.spec import RunSpec
from workbench.pool.runs.data import Chunks
from workbench.pool.runs.package import pack
from workbench.pool.runs.place import LedPlace, Place, ask
from workbench.pool.runs.remote_run import RemoteRun
from workbench.pool.runs.replicas.strategies import computed_apart

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
      pool: has the workers, and knows who leads a run of several: `boards` and `leader_of`.

    Raises:
      ValueError: the graph or the feed holds what only this process has.
      UnavailableError: no worker answers.
      Exception: what the worker refuses.
    """
    if replicas > 1:
        check_cut(spec, strategy)
    package = pack(spec, session, seed)
    place = quietest(places)
    key = None if not package.data else send_data(place, package.data)
    fields = {
        **package.fields,
        "run": uuid.uuid4().hex[:12],
        "name": name,
        "keep": keep,
        "version": __version__,
        "paused": paused,
        "data": key,
        "have": _NOTHING,
        "session": None if session is None else _options_of(session),
    }
    if replicas > 1:
        fields["replicas"] = {"board": pool.boards(), "wanted": replicas, "strategy": strategy}
    answer = ask(place, "start", fields, package.blobs, package.arrays, PATIENCE)
    run = RemoteRun(_led(place, answer.fields["card"], pool), answer.fields["card"], spec.graph)
    run._begin(answer)
    return run


def _led(place: Place, card: Mapping[str, Any], pool: Any) -> Place:
    """Where a run is: of one that several workers train, whoever leads it."""
    if card["replicated"] and pool is not None:
        return LedPlace(pool, str(card["run"]), place)
    return place


def check_cut(spec: RunSpec, strategy: str) -> None:
    """InvalidArgumentError, ValueError where several cannot train together what `spec` says."""
    if len(spec.targets) > 1:
        raise ValueError(
            "Replicas take the steps of one operation: put those of the list together with "
            "tf.group(...)"
        )
    apart = computed_apart(spec.targets[0], strategy)
    tensors = [each for each in apart if isinstance(each, Tensor)]
    operations = [each for each in apart if isinstance(each, Operation)]
    own = set(needed_operations(tensors, operations, ()))
    for name, tensor in spec.tracked.items():
        needed = needed_operations([tensor], [], ())
        changing = changing_operations(op for op in needed if op not in own)
        if changing:
            raise ValueError(
                f"{name} cannot be tracked: {tensor.name!r} needs {changing[0].name!r} of type "
                f"{changing[0].type}, which replicas do together, after what each computes"
            )


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
                key = str(card["run"])
                known = registry.find(key)
                if isinstance(known, RemoteRun):
                    # Its worker may be one of a pool that was restarted.
                    known.place = _led(place, card, pool)
                with suppress(OpError, ValueError, RuntimeError):
                    found[key] = found.get(key) or known or attach(place, key, pool)
    return sorted(found.values(), key=lambda run: run.created)


def attach(place: Place, key: str, pool: Any = None) -> RemoteRun:
    """The run of an id on a worker.

    Raises:
      NotFoundError: it has no such run.
    """
    fields = {"run": key, "client": "", "have": _NOTHING, "hold": 0.0, "card": True}
    answer = ask(place, "follow", fields, seconds=PATIENCE)
    run = RemoteRun(_led(place, answer.fields["card"], pool), answer.fields["card"])
    run._begin(answer)
    return run
