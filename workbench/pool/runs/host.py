"""The runs that a worker runs, and what others may ask of them."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from workbench.cluster.wire.message import Message
from workbench.core.errors import InvalidArgumentError, NotFoundError, OpError
from workbench.core.files import atomic_write
from workbench.core.runtime.session import Session
from workbench.live import commands as c
from workbench.live.acknowledgement import PATIENCE
from workbench.live.data_store import store
from workbench.live.engine import Engine
from workbench.live.feeds import BatchFeed
from workbench.live.folder import RunFolder, check_run_name, project_runs
from workbench.live.resume import resume
from workbench.live.run import Run
from workbench.live.run_record import RunRecord
from workbench.live.runs import runs as runs_of_project
from workbench.live.spec import RunSpec
from workbench.pool.runs.commands import unpack_command, value_arrays
from workbench.pool.runs.data import ReceivedData
from workbench.pool.runs.errors import error_fields
from workbench.pool.runs.package import unpack
from workbench.pool.runs.served_run import ServedRun

#: Who asks for news waits no longer than this for them, in seconds.
_MOST_HOLD = 2.0
_LINES = "lines.json"
#: The commands that begin a run beside another one.
_MAKING = (c.Fork, c.Replay)
#: What a client has that has nothing.
_NOTHING = {"life": None, "epoch": 0, "rows": 0, "events": 0}


class RunHost:
    """Runs of one worker, in a folder of their own: a worker that was killed goes on with them.

    `answer` may be called in any thread, and may take as long as a step does.

    Args:
      folder: where the runs are kept.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.project = str(Path(folder))
        os.makedirs(self.project, exist_ok=True)
        #: Tells this process from earlier ones that had the folder.
        self.life = uuid.uuid4().hex
        self.data = ReceivedData(self.project)
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._served: dict[str, ServedRun] = {}
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
        return found

    # -- life --------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Goes on with the runs that an earlier process of this folder left in their midst."""
        for place in project_runs(self.project):
            record = RunRecord(RunFolder(place.path))
            if record.damage is not None or record.state != "interrupted":
                continue
            was_waiting = record._document.get("state") in ("paused", "stepping", "created")
            # One that lacks its graph or data stays as it is, and says so when it is asked for.
            with suppress(OpError, ValueError, RuntimeError):
                self._serve(resume(place.path, paused=was_waiting), _lines(place.path))

    def _serve(self, run: Run, lines: Mapping[str, Any] | None) -> ServedRun:
        served = ServedRun(run, self.life, lines)
        with self._lock:
            self._served[run.id] = served
        return served

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
                    assert record.folder is not None
                    run = resume(record.folder, paused=True)
                    return self._serve(run, _lines(record.folder))
        raise NotFoundError(None, None, f"The worker has no run {key!r:.80}")

    def _records(self) -> list[RunRecord]:
        with self._lock:
            known = set(self._served)
        records = [RunRecord(RunFolder(p.path)) for p in project_runs(self.project)]
        return [r for r in records if r.id not in known and r.damage is None]

    def close(self) -> None:
        """Ends the runs as the end of a process does: another one can go on with them."""
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
            live = sum(s.run.is_live for s in self._served.values())
        return Message("hello", {"life": self.life, "live": live, "process": os.getpid()})

    def _list(self, message: Message) -> Message:
        with self._lock:
            served = list(self._served.values())
        cards = [s.card() | {"state": s.run.state} for s in served]
        for record in self._records():
            cards.append({"run": record.id, "name": record.name, "created": record.created,
                          "state": record.state})  # fmt: skip
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
        key, name = fields.get("run"), check_run_name(fields.get("name"))
        if not isinstance(key, str) or not key.isalnum() or len(key) > 64:
            raise InvalidArgumentError(None, None, f"{key!r:.80} cannot be the id of a run")
        with self._starting:
            with self._lock:
                known = self._served.get(key)
            # Whoever got no answer asks again, and gets the same run.
            served = known or self._started(key, name, message)
        return _with(served.update(fields.get("have")), card=served.card())

    def _started(self, key: str, name: str, message: Message) -> ServedRun:
        fields = message.fields
        try:
            data: list[Any] = []
            if fields["data"] is not None:
                found = self.data.find(fields["data"])
                if found is None:
                    raise NotFoundError(None, None, "The data of the run has not come")
                data = found
            unpacked = unpack(fields, message.blobs, dict(message.arrays), data)
            seed, paused, lines = fields["seed"], bool(fields["paused"]), fields["lines"]
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidArgumentError(None, None, f"This is no run: {error!r:.200}") from None
        session = Session(graph=unpacked.spec.graph, **_session_options(fields))
        if seed is not None:
            session.state.entropy = int(seed)
        folder = RunFolder.create(self.project, name) if fields.get("keep", True) else None
        if folder is not None:
            atomic_write(folder.file(_LINES), json.dumps(lines).encode())
        graph = session.graph

        def begin(engine: Engine) -> None:
            if run._loop.writer is not None:
                # Killed after its first step, it goes on: all that this takes is there before.
                run._loop.writer.flush()
            if unpacked.frame is not None:
                engine.restore(unpacked.frame)
            elif unpacked.initializers:
                session.run([graph.get_operation_by_name(n) for n in unpacked.initializers])

        run = Run(
            unpacked.spec,
            session,
            name=name,
            folder=folder,
            owns_session=True,
            begin=begin,
            key=key,
            paused=paused,
        )
        run.initializers = unpacked.initializers
        if folder is not None:
            run.data_key = self._stored_data(unpacked.spec)
        served = self._serve(run, lines)
        run._begin()
        return served

    def _stored_data(self, spec: RunSpec) -> str | None:
        """What the data of a run is called on the disk, where it is before the first step."""
        source = spec.source
        if isinstance(source, BatchFeed):
            return store(self.project, source.batches.arrays)
        values = [np.asarray(v) for v in source.feed(0)[1]]
        return store(self.project, values) if values else None

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
        if isinstance(command, _MAKING):
            made = self._serve(value, served.lines)
            if value.folder is not None:
                path = os.path.join(value.folder, _LINES)
                atomic_write(path, json.dumps(served.lines).encode())
            begun = made.update(_NOTHING)
            value = made.card() | {"update": begun.fields}
            arrays = tuple(begun.arrays)
        else:
            arrays = value_arrays(command, value)
        update = served.update(fields.get("have"))
        plain = None if isinstance(command, (c.Peek, c.Evaluate)) else value
        return Message(
            "obeyed",
            {**update.fields, "step": step, "value": plain},
            [*update.arrays, *((f"value/{n}", array) for n, array in arrays)],
        )

    def _close(self, message: Message) -> Message:
        served = self._find(message)
        with self._lock:
            self._served.pop(served.run.id, None)
        served.close()
        served.run.close()
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


def _session_options(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = fields.get("session")
    if not isinstance(found, dict):
        return {}
    return {"check_numerics": bool(found["check_numerics"]), "tier": str(found["tier"])}


def _lines(folder: str) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        found = json.loads(Path(folder, _LINES).read_bytes())
        return found if isinstance(found, dict) else None
    return None
