"""What others may ask of the runs that a worker has."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.core.errors import InvalidArgumentError
from workbench.live import commands as c
from workbench.live.acknowledgement import PATIENCE
from workbench.live.folder import RunFolder
from workbench.live.machine import FINISHED, STOPPED
from workbench.live.run import Run
from workbench.live.runs import runs as runs_of_project
from workbench.pool.runs.beginning import (
    checked_names,
    made_run,
    session_for,
    unpacked_of,
)
from workbench.pool.runs.commands import unpack_command, value_arrays
from workbench.pool.runs.data import ReceivedData
from workbench.pool.runs.errors import error_fields
from workbench.pool.runs.parcel import descent_of, pack_descent
from workbench.pool.runs.replicas.terms import Identity
from workbench.pool.runs.served_run import ServedRun
from workbench.pool.runs.worker_runs import WorkerRuns

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
        self.project = str(Path(folder))
        os.makedirs(self.project, exist_ok=True)
        self.data = ReceivedData(self.project)
        identity = identity or Identity("tcp://127.0.0.1:0", f"process {os.getpid()}", "127.0.0.1")
        self.runs = WorkerRuns(self.project, identity, self.data, met)
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
            "keeps": self._keeps,
        }
        self.runs.recover()

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
        found = []
        for run in (s.run for s in self.runs.served if s.run.is_live):
            status = run.status()
            names = ("run", "name", "state", "step", "steps", "rate")
            found.append({name: getattr(status, name) for name in names})
        return found + self.runs.team.followers.at_a_glance

    def close(self) -> None:
        """Ends the runs as the end of a process does: another one can go on with them."""
        self.runs.close()

    def _find(self, message: Message) -> ServedRun:
        return self.runs.find(message.fields.get("run"))

    # -- answers -----------------------------------------------------------------------------

    def _hello(self, message: Message) -> Message:
        fields = {"life": self.runs.life, "live": self.runs.live, "process": os.getpid()}
        return Message("hello", fields)

    def _list(self, message: Message) -> Message:
        cards = [s.card() | {"state": s.run.state} for s in self.runs.served]
        for record in self.runs.ended:
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
        # Whoever got no answer asks again, and gets the same run.
        served = self.runs.once(key, lambda: self._started(message))
        return _with(served.update(fields.get("have")), card=served.card())

    def _started(self, message: Message) -> ServedRun:
        fields = message.fields
        unpacked = unpacked_of(message, self.data)
        try:
            lines, descent = fields["lines"], None
            if fields.get("past") is not None:
                descent = descent_of(fields, unpacked, message.blobs, dict(message.arrays))
            if fields.get("replicas") is not None:
                run = self.runs.team.made(unpacked, message, descent)
            else:
                session = session_for(unpacked, fields)
                run = made_run(self.project, unpacked, session, fields, descent=descent)
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidArgumentError(None, None, f"This is no run: {error!r:.200}") from None
        served = self.runs.serve(run, lines)
        run._begin()
        return served

    # -- replicas ----------------------------------------------------------------------------

    def _join(self, message: Message) -> Message:
        return self.runs.team.join(message.fields)

    def _package(self, message: Message) -> Message:
        served = self._find(message)
        return self.runs.team.package(served.run.id, served.lines)

    def _piece(self, message: Message) -> Message:
        index, start = message.fields.get("index"), message.fields.get("start")
        return Message("piece", {}, blobs=(self._find(message).piece(index, start),))

    def _keeps(self, message: Message) -> Message:
        """Whether nobody else need keep what there was of a run until an epoch: here it goes on
        with that, and would after a kill, or it has ended."""
        key, epoch = message.fields["run"], int(message.fields["epoch"])
        served = self.runs.known(key)
        if served is None:
            ended = [r for r in self.runs.ended if r.id == key and r.state in (FINISHED, STOPPED)]
            return Message(
                "keeps", {"keeps": any(int(r.document.get("epoch", 0)) > epoch for r in ended)}
            )
        run = served.run
        keeps = (
            run.epoch > epoch
            and run.folder is not None
            and bool(RunFolder(run.folder).checkpoint_paths())
        )
        return Message("keeps", {"keeps": keeps})

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
            made = self.runs.find(value.id)
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
        self.runs.let_go(self._find(message))
        return Message("closed", {})

    def _delete(self, message: Message) -> Message:
        served = self._find(message)
        if served.run.is_live:
            raise RuntimeError(f"{served.run.name!r} is {served.run.state}: stop it first")
        self.runs.let_go(served)
        if served.run.folder is not None:
            runs_of_project(self.project).delete(served.run.id)
        return Message("deleted", {})


def _with(message: Message, **fields: Any) -> Message:
    return Message(message.kind, {**message.fields, **fields}, message.arrays)
