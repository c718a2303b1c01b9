"""The runs that a worker runs, and what others may ask of them."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.core.errors import InvalidArgumentError, NotFoundError
from workbench.live import commands as c
from workbench.live.acknowledgement import PATIENCE
from workbench.live.run import Run
from workbench.live.run_record import RunRecord
from workbench.live.runs import runs as runs_of_project
from workbench.pool.runs.beginning import (
    checked_names,
    made_run,
    read_lines,
    session_for,
    unpacked_of,
    write_lines,
)
from workbench.pool.runs.commands import unpack_command, value_arrays
from workbench.pool.runs.data import ReceivedData
from workbench.pool.runs.errors import error_fields
from workbench.pool.runs.parcel import descent_of, pack_descent
from workbench.pool.runs.recovering import back, records, recovered
from workbench.pool.runs.replicas.team import Team
from workbench.pool.runs.replicas.terms import Identity
from workbench.pool.runs.served_run import ServedRun

#: Who asks for news waits no longer than this for them, in seconds.
_MOST_HOLD = 2.0
#: The commands that begin a run beside another one.
_MAKING = (c.Fork, c.Replay)
#: What a client has that has nothing.
_NOTHING = {"life": None, "epoch": 0, "rows": 0, "events": 0}


class RunHost:
    """Runs of one worker, in a folder of their own: a worker that was killed goes on with them.

    `answer` may be called in any thread, and may take as long as a step does.

    Args:
      folder: where the runs are kept.
      identity: what the worker is known by, for runs that it trains together with others.
      met: called with each run that it has from now on.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        identity: Identity | None = None,
        met: Callable[[Run], object] | None = None,
    ) -> None:
        self._met = met
        self.project = str(Path(folder))
        os.makedirs(self.project, exist_ok=True)
        #: Tells this process from earlier ones that had the folder.
        self.life = uuid.uuid4().hex
        self.data = ReceivedData(self.project)
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._served: dict[str, ServedRun] = {}
        identity = identity or Identity("tcp://127.0.0.1:0", f"process {os.getpid()}", "127.0.0.1")
        self.team = Team(identity, self.project, self.data, self._serve)
        self._answers: dict[str, Callable[[Message], Message]] = {
            "hello": self._hello,
            "list": self._list,
            "begin_data": self._begin_data,
            "add_data": self._add_data,
            "end_data": self._end_data,
            "start": self._start,
            "graph": self._graph,
            "follow": self._follow,
            "leave": self._leave,
            "obey": self._obey,
            "close": self._close,
            "delete": self._delete,
            "join": self._join,
            "package": self._package,
            "piece": self._piece,
        }
        self._recover()

    @property
    def commands(self) -> list[str]:
        """The names of what can be asked."""
        return list(self._answers)

    def answer(self, command: Any, message: Message) -> Message:
        """The answer to a question, or its refusal; nothing that comes raises."""
        found = self._answers.get(command) if isinstance(command, str) else None
        try:
            if found is None:
                raise InvalidArgumentError(None, None, f"Runs do not know what {command!r} is")
            return found(message)
        except Exception as error:
            return Message("refused", {"refusal": error_fields(error)})

    def live_runs(self) -> list[dict[str, Any]]:
        """What is to be seen of the runs that go on, at a glance."""
        with self._lock:
            served = list(self._served.values())
        found = []
        for run in (s.run for s in served if s.run.is_live):
            status = run.status()
            names = ("run", "name", "state", "step", "steps", "rate")
            found.append({name: getattr(status, name) for name in names})
        return found + self.team.followed

    # -- life --------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Goes on with the runs that an earlier process of this folder left in their midst."""
        for run in recovered(self.project, self.team):
            assert run.folder is not None
            self._serve(run, read_lines(run.folder))
            run._begin()

    def _serve(self, run: Run, lines: Mapping[str, Any] | None) -> ServedRun:
        served = ServedRun(run, self.life, lines)
        run._loop.offspring.met = lambda made: self._meet(made, served.lines)
        if self._met is not None:
            self._met(run)
        with self._lock:
            self._served[run.id] = served
        return served

    def _meet(self, made: Run, lines: Mapping[str, Any]) -> None:
        """One of the runs has begun another one, in its own thread."""
        if made.folder is not None:
            write_lines(made.folder, lines)
        self._serve(made, lines)

    def _find(self, message: Message) -> ServedRun:
        key = message.fields.get("run")
        with self._lock:
            found = self._served.get(key) if isinstance(key, str) else None
        if found is not None:
            return found
        with self._starting:
            for record in self._records():
                if record.id == key:
                    # It ended in an earlier life: here again, it can be read, rewound and forked.
                    run = back(record, self.team)
                    if run is not None:
                        served = self._serve(run, read_lines(record.folder))
                        run._begin()
                        return served
        raise NotFoundError(None, None, f"The worker has no run {key!r:.80}")

    def _records(self) -> list[RunRecord]:
        with self._lock:
            known = set(self._served)
        return [r for r in records(self.project) if r.id not in known]

    def close(self) -> None:
        """Ends the runs as the end of a process does: another one can go on with them."""
        self.team.close()
        with self._lock:
            served, self._served = list(self._served.values()), {}
        for each in served:
            each.close()
            if each.run.is_live:
                each.run._interrupt()
        for each in served:
            each.run._loop.settled.wait(PATIENCE)
            each.run.close()

    # -- answers -----------------------------------------------------------------------------

    def _hello(self, message: Message) -> Message:
        with self._lock:
            live = self.team.live + sum(s.run.is_live for s in self._served.values())
        return Message("hello", {"life": self.life, "live": live, "process": os.getpid()})

    def _list(self, message: Message) -> Message:
        with self._lock:
            served = list(self._served.values())
        cards = [s.card() | {"state": s.run.state} for s in served]
        for record in self._records():
            cards.append({"run": record.id, "name": record.name, "created": record.created,
                          "state": record.state,
                          "replicated": record.document.get("replicas") is not None})  # fmt: skip
        return Message("runs", {"runs": sorted(cards, key=lambda card: card["created"])})

    def _begin_data(self, message: Message) -> Message:
        fields = message.fields
        is_wanted = self.data.begin(fields.get("key"), fields.get("described"))
        return Message("data", {"wanted": is_wanted})

    def _add_data(self, message: Message) -> Message:
        if len(message.blobs) != 1:
            raise InvalidArgumentError(None, None, "A piece of data is one blob")
        self.data.add(message.fields, message.blobs[0])
        return Message("data", {})

    def _end_data(self, message: Message) -> Message:
        self.data.end(message.fields.get("key"))
        return Message("data", {})

    def _start(self, message: Message) -> Message:
        fields = message.fields
        key, _ = checked_names(fields)
        with self._starting:
            with self._lock:
                served = self._served.get(key)
            if served is None:
                # Whoever got no answer asks again, and gets the same run.
                served = self._started(message)
        return _with(served.update(fields.get("have")), card=served.card())

    def _started(self, message: Message) -> ServedRun:
        fields = message.fields
        unpacked = unpacked_of(message, self.data)
        try:
            lines, descent = fields["lines"], None
            if fields.get("past") is not None:
                descent = descent_of(fields, unpacked, message.blobs, dict(message.arrays))
            if fields.get("replicas") is not None:
                run = self.team.made(unpacked, message, descent)
            else:
                session = session_for(unpacked, fields)
                run = made_run(self.project, unpacked, session, fields, descent=descent)
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidArgumentError(None, None, f"This is no run: {error!r:.200}") from None
        served = self._serve(run, lines)
        run._begin()
        return served

    # -- replicas ----------------------------------------------------------------------------

    def _join(self, message: Message) -> Message:
        return self.team.join(message.fields)

    def _package(self, message: Message) -> Message:
        served = self._find(message)
        return self.team.package(served.run.id, served.lines)

    def _piece(self, message: Message) -> Message:
        index, start = message.fields.get("index"), message.fields.get("start")
        return Message("piece", {}, blobs=(self._find(message).piece(index, start),))

    def _graph(self, message: Message) -> Message:
        from workbench.train.meta_graph_export import export_meta_graph

        served = self._find(message)
        names = [op.name for op in served.run.graph.get_operations()]
        fields = {"card": served.card(), "names": names}
        if message.fields.get("names_alone"):
            return Message("graph", fields)
        meta_graph = export_meta_graph(graph=served.run.graph)
        return Message("graph", fields, blobs=(meta_graph.SerializeToString(),))

    def _follow(self, message: Message) -> Message:
        hold = message.fields.get("hold")
        seconds = float(hold) if isinstance(hold, (int, float)) else 0.0
        client = str(message.fields.get("client", ""))[:64]
        served = self._find(message)
        answer = served.follow(client, message.fields, min(max(seconds, 0.0), _MOST_HOLD))
        return _with(answer, card=served.card()) if message.fields.get("card") else answer

    def _leave(self, message: Message) -> Message:
        self._find(message).leave(str(message.fields.get("client", ""))[:64])
        return Message("left", {})

    def _obey(self, message: Message) -> Message:
        fields, served = message.fields, self._find(message)
        command = unpack_command(
            fields.get("obey"), fields.get("arguments"), dict(message.arrays), served.run.graph
        )
        step, value = served.run.submit(command).result(PATIENCE)
        blobs: tuple[bytes, ...] = ()
        if isinstance(command, _MAKING):
            with self._lock:
                made = self._served[value.id]
            begun = made.update(_NOTHING)
            value = made.card() | {"update": begun.fields}
            arrays = tuple(begun.arrays)
        elif isinstance(command, c.Descend):
            parcel = pack_descent(served.run, value, served.lines)
            value, blobs, arrays = parcel.fields, parcel.blobs, parcel.arrays
        else:
            arrays = value_arrays(command, value)
        update = served.update(fields.get("have"))
        plain = None if isinstance(command, (c.Peek, c.Evaluate)) else value
        return Message(
            "obeyed",
            {**update.fields, "step": step, "value": plain},
            [*update.arrays, *((f"value/{n}", array) for n, array in arrays)],
            blobs=blobs,
        )

    def _close(self, message: Message) -> Message:
        served = self._find(message)
        with self._lock:
            self._served.pop(served.run.id, None)
        served.close()
        served.run.close()
        self.team.forget(served.run.id)
        return Message("closed", {})

    def _delete(self, message: Message) -> Message:
        served = self._find(message)
        if served.run.is_live:
            raise RuntimeError(f"{served.run.name!r} is {served.run.state}: stop it first")
        self._close(message)
        if served.run.folder is not None:
            runs_of_project(self.project).delete(served.run.id)
        return Message("deleted", {})


def _with(message: Message, **fields: Any) -> Message:
    return Message(message.kind, {**message.fields, **fields}, message.arrays)
