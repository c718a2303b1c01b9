"""Forks and replays that begin on another worker than that of their parent, or than this process.

The parent's process packs what they begin with, and this one carries it: so it goes between pools,
and between the kernel and a pool, as between two workers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from workbench.live import commands as c
from workbench.live.acknowledgement import PATIENCE, Acknowledgement, Obeyed
from workbench.live.together import check_fork
from workbench.pool.runs.dispatch import begin, begin_fields, quietest
from workbench.pool.runs.parcel import Parcel, pack_descent
from workbench.pool.runs.place import Place, ask
from workbench.pool.runs.remote_run import RemoteRun
from workbench.pool.runs.replicas.strategies import check_encoding


def send_offspring(
    run: Any, command: c.Fork | c.Replay, carry: Callable[[Any, Any], Obeyed]
) -> Acknowledgement:
    """Has a fork or a replay begin, in a thread that ends with that."""
    acknowledgement = Acknowledgement(command)

    def work() -> None:
        try:
            obeyed = carry(run, command)
        except BaseException as error:
            acknowledgement.fail(error)
        else:
            acknowledgement.succeed(*obeyed)

    threading.Thread(target=work, name=f"workbench-carry-{run.id}", daemon=True).start()
    return acknowledgement


def from_here(run: Any, command: c.Fork) -> Obeyed:
    """A fork of a run of this process, on a pool."""
    asked = _Asked(run, command, command.pool)
    place = asked.place()
    step, descent = run.submit(c.Descend(command)).result(PATIENCE)
    parcel = pack_descent(run, descent)
    chunks = parcel.chunks
    piece = (lambda index, start: b"") if chunks is None else chunks.piece
    made = asked.begin(place, parcel, piece, run.graph)
    return Obeyed(step, made)


def from_worker(run: RemoteRun, command: c.Fork | c.Replay) -> Obeyed:
    """A fork or a replay of a run of a worker, on the same or another one."""
    fork = command if isinstance(command, c.Fork) else c.Fork()
    asked = _Asked(run, fork, fork.pool or run.pool)
    if asked.pool is None:
        if asked.replicas not in (None, 1) or run.is_replicated or fork.worker is not None:
            raise ValueError(
                f"The pool of {run.place.name} is not known here: fork(..., pool=pool)"
            )
        return run.send(command).result(PATIENCE)
    place = asked.place()
    is_single = not run.is_replicated and asked.replicas in (None, 1)
    if is_single and place.name == run.place.name:
        return run.send(command).result(PATIENCE)
    step, message = run.send(c.Descend(command)).result(PATIENCE)
    arrays = tuple((n.removeprefix("value/"), a) for n, a in message.arrays if n[:6] == "value/")
    parcel = Parcel(dict(message.fields["value"]), tuple(message.blobs), arrays)

    def piece(index: int, start: int) -> bytes:
        asked = {"run": run.id, "index": index, "start": start}
        return bytes(ask(run.place, "piece", asked).blobs[0])

    return Obeyed(step, asked.begin(place, parcel, piece, run.own_graph))


class _Asked:
    """Where, by how many and how a run is to be trained, as a fork of another one asks for it.

    Raises:
      TypeError, ValueError: this cannot be asked for.
    """

    def __init__(self, run: Any, command: c.Fork, pool: Any) -> None:
        self.pool, self.replicas = pool, command.replicas
        self._strategy, self._encoding = command.strategy, command.encoding
        self._worker = command.worker
        if command.pool is not None and not hasattr(command.pool, "places"):
            raise TypeError(f"pool must be a pool of workers, but got {command.pool!r:.80}")
        check_fork(command, pool, run.terms)
        check_encoding(command.encoding)

    def place(self) -> Place:
        """The worker that is to have the run."""
        places = list(self.pool.places())
        if self._worker is None:
            return quietest(places)
        wanted = getattr(self._worker, "index", self._worker)
        numbers = {getattr(each, "index", n): each for n, each in enumerate(places)}
        if wanted not in numbers:
            listed = ", ".join(map(str, numbers)) or "none"
            raise ValueError(f"The pool has no worker {self._worker!r}; it has {listed}")
        found: Place = numbers[wanted]
        return found

    def begin(
        self, place: Place, parcel: Parcel, piece: Callable[[int, int], bytes], graph: Any
    ) -> RemoteRun:
        """Has the worker begin the run."""
        past = parcel.fields["past"]
        strategy = self._strategy or past["strategy"] or "sync"
        encoding = past["encoding"] if self._encoding is None else self._encoding
        replicas = past["replicas"] if self.replicas is None else int(self.replicas)
        fields = parcel.fields | begin_fields()
        # One that goes on with what several have taken is trained as theirs was.
        if replicas > 1 or past["strategy"] is not None:
            fields["replicas"] = {
                "board": self.pool.boards(),
                "wanted": replicas,
                "strategy": strategy,
                "encoding": encoding,
            }
        if parcel.fields["data"] is not None:
            _carry_data(place, parcel.fields, piece)
        return begin(place, fields, parcel.blobs, parcel.arrays, graph, self.pool)


def _carry_data(place: Place, fields: Any, piece: Callable[[int, int], bytes]) -> None:
    from workbench.pool.runs.data import CHUNK_BYTES

    key, described = fields["data"], fields["described"]
    if not ask(place, "begin_data", {"key": key, "described": described}).fields["wanted"]:
        return
    for index, (_, _, size) in enumerate(described):
        for start in range(0, size, CHUNK_BYTES):
            where = {"key": key, "index": index, "start": start}
            ask(place, "add_data", where, (piece(index, start),))
    ask(place, "end_data", {"key": key}, seconds=PATIENCE)
