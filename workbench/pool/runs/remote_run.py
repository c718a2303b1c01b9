"""A run that a worker runs, as the kernel has it: read, steered and shown like one of its own."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.cluster.wire.message import Message
from workbench.core.errors import UnavailableError
from workbench.live import commands as c
from workbench.live import machine as m
from workbench.live.acknowledgement import PATIENCE, Acknowledgement
from workbench.live.channels import checked_channels
from workbench.live.events import Published
from workbench.live.history import History
from workbench.live.hyperparameters import Value
from workbench.live.listeners import Listeners
from workbench.live.registry import registry
from workbench.live.reports import line_of
from workbench.live.run_controls import RunControls
from workbench.live.status import RunStatus
from workbench.pool.runs.commands import Packed, pack_command
from workbench.pool.runs.errors import error_of
from workbench.pool.runs.following import Follower
from workbench.pool.runs.mirror import Mirror
from workbench.pool.runs.observing import RemoteObservation, RemoteTap
from workbench.pool.runs.package import graph_from, names_digest
from workbench.pool.runs.place import Place, ask, checked, is_gone

#: A worker that says nothing for so long is told of as gone, in seconds.
_LOST_SECONDS = 3.0
_NOBODY = object()


class RemoteRun(RunControls):
    """A run of a worker. It goes on when this process ends; `detach` leaves it, `close` stops it.

    Args:
      place: the worker.
      card: what never changes of the run, as the worker tells it.
      graph: the graph that it runs; None to have it from the worker when it is asked for.
    """

    def __init__(self, place: Place, card: Mapping[str, Any], graph: Any = None) -> None:
        self.id = str(card["run"])
        self.name = str(card["name"])
        self.created = float(card["created"])
        self.parent = card["parent"]
        self.graph_name = None
        self.place = place
        #: Its folder on the worker's machine, or None.
        self.worker_folder: str | None = card["folder"]
        self._digest = str(card["operations"])
        self._graph = graph
        self._has_own_graph = graph is not None
        self._places: Any = None
        self._knows_places = False
        self._client = uuid.uuid4().hex[:16]
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._mirror = Mirror(self.id, self.name, card["names"])
        self._listeners = Listeners()
        self._seen: dict[str, Any] = {}
        self._in_callback = threading.local()
        self._pending: dict[Acknowledgement, str | None] = {}
        self._error: tuple[Any, BaseException | None] = (None, None)
        self._is_closed = False
        self._follower = Follower(self)

    # -- what is known -----------------------------------------------------------------------

    @property
    def graph(self) -> Any:
        """The graph it runs; in a process that did not build it, as the worker has it."""
        with self._lock:
            if self._graph is None:
                answer = ask(self.place, "graph", {"run": self.id}, seconds=PATIENCE)
                self._graph = graph_from(answer.blobs[0])
            return self._graph

    @property
    def state(self) -> str:
        """As of other runs; "interrupted" while its worker is gone."""
        return m.INTERRUPTED if self._is_lost else self._mirror.state

    @property
    def step_number(self) -> int:
        """How many steps are done, as far as is known here."""
        return self._mirror.status.step

    @property
    def steps(self) -> int | None:
        """How many steps there are to be; None where there is no end."""
        return self._mirror.status.steps

    @property
    def epoch(self) -> int:
        """How often it was rewound, or taken up again by another process."""
        return self._mirror.status.epoch

    @property
    def history(self) -> History:
        """What was recorded: `history["loss"]`, `history.steps`, `history.events`."""
        return self._mirror.history

    @property
    def hyperparameters(self) -> dict[str, Value]:
        """The values of the hyperparameters from the next step on."""
        return {h.name: h.value for h in self._mirror.status.hyperparameters}

    @property
    def error(self) -> BaseException | None:
        """What it failed with, or None; of a worker that lost it or is gone for long, that."""
        silent = self._follower.silent_for
        if self._follower.refusal is not None and self.is_live:
            return self._follower.refusal
        if silent > PATIENCE and self.is_live:
            return UnavailableError(
                None,
                None,
                f"{self.place.name} says nothing for {silent:.0f} s; awaited is the run "
                f"{self.name!r}, which was at step {self.step_number}",
            )
        found = self._mirror.error
        if self._error[0] is not found:
            graph = self._graph if self._has_own_graph else None
            self._error = found, None if found is None else error_of(found, graph)
        return self._error[1]

    @property
    def stopped_by(self) -> Any:
        """The report of the watch that paused it, or None."""
        return self.status().stopped_by

    @property
    def watches(self) -> dict[str, str]:
        """What is watched, by the name that `watch` gave."""
        return dict(self._mirror.watches)

    @property
    def folder(self) -> str | None:
        """None: its folder is the worker's, `worker_folder`."""
        return None

    @property
    def is_live(self) -> bool:
        """True until it has ended."""
        return self._mirror.state not in m.ENDED

    @property
    def _is_lost(self) -> bool:
        follower = self._follower
        return self.is_live and (
            follower.refusal is not None or follower.silent_for > _LOST_SECONDS
        )

    def status(self) -> RunStatus:
        """Where it stands, as far as is known here."""
        found = self._mirror.status
        changed: dict[str, Any] = {"graph": self.graph_name}
        if self._is_lost:
            changed |= {"state": m.INTERRUPTED, "rate": 0.0, "eta": None}
        for name in ("error", "stopped_by"):
            report = getattr(found, name)
            if report is not None and self._has_own_graph:
                changed[name] = replace(report, line=self._line(report))
        return replace(found, **changed)

    def _line(self, report: Any) -> Any:
        try:
            return line_of(self._graph.get_operation_by_name(report.operation)) or report.line
        except (KeyError, TypeError, ValueError):
            return report.line

    # -- who is told -------------------------------------------------------------------------

    def subscribe(self, listener: Callable[[Published], None]) -> Callable[[], None]:
        """Calls `listener` with what happens to the run; the function returned ends that.

        It is called in a thread of this process when news has come; steps and states between two
        pieces of news are not told of.
        """
        return self._listeners.add(listener)

    def observe(self, channels: Iterable[str], rate: float = 10.0) -> RemoteObservation:
        """Looks at all operations while the run goes on; `.latest()` is the newest frame.

        Raises:
          ValueError: there is no such channel.
        """
        if not rate > 0:
            raise ValueError(f"rate must be positive, but got {rate}")
        key, wanted = uuid.uuid4().hex[:8], checked_channels(channels)
        made = RemoteObservation(key, wanted, rate, self.graph, self._own_places, self._look_away)
        self._look(made)
        return made

    def tap(self, tensor: Any, samples: int = 200) -> RemoteTap:
        """Samples a tensor up to ten times a second; `.latest()` is its value, `.history` the last.

        Args:
          tensor: a tensor, or its name.
          samples: how many steps and values `history` holds.
        """
        element = self.graph.as_graph_element(tensor)
        found = element if hasattr(element, "op") else next(iter(element.outputs), None)
        if found is None:
            raise ValueError(f"Operation {element.name!r} has no result that could be sampled")
        made = RemoteTap(uuid.uuid4().hex[:8], found, samples, self._look_away)
        self._look(made)
        return made

    def _look(self, made: RemoteObservation | RemoteTap) -> None:
        with self._lock:
            self._seen = {**self._seen, made.key: made}

    def _look_away(self, key: str) -> None:
        with self._lock:
            self._seen = {k: v for k, v in self._seen.items() if k != key}

    def _own_places(self) -> Any:
        """For each operation there its place in this graph; None where they are the same."""
        if not self._knows_places:
            names = [op.name for op in self.graph.get_operations()]
            if self._has_own_graph and names_digest(names) != self._digest:
                fields = {"run": self.id, "names_alone": True}
                there = ask(self.place, "graph", fields, seconds=PATIENCE).fields["names"]
                here = {name: i for i, name in enumerate(names)}
                self._places = np.array([here.get(n, -1) for n in there], np.int64)
            self._knows_places = True
        return self._places

    # -- what it is told ---------------------------------------------------------------------

    def submit(self, command: c.Command) -> Acknowledgement:
        """Sends a command to the run, without waiting for it."""
        acknowledgement = Acknowledgement(command)
        with self._lock:
            self._pending[acknowledgement] = self._mirror.life
            have = self._mirror.have()
        try:
            packed = pack_command(command, lambda: self.graph, self._known())
            fields = {
                "run": self.id,
                "obey": packed.name,
                "arguments": packed.arguments,
                "have": have,
            }
            answer = self.place.request("obey", fields, packed.arrays)
        except Exception as error:
            self._refused(acknowledgement, error)
            return acknowledgement
        answer.add_done_callback(lambda done: self._answered(acknowledgement, packed, done))
        return acknowledgement

    def _known(self) -> dict[str, Any]:
        return {h.name: h for h in self._mirror.status.hyperparameters}

    def _answered(
        self, acknowledgement: Acknowledgement, packed: Packed, done: Future[Message]
    ) -> None:
        """In the thread of the wire: takes in what came with the answer."""
        self._in_callback.is_set = True
        try:
            graph = self._graph if self._has_own_graph else None
            message = checked(done.result(0), graph)
            arrays = dict(message.arrays)
            self._take(message.fields, arrays)
            value = message.fields["value"]
            values = {n.removeprefix("value/"): a for n, a in arrays.items() if n[:6] == "value/"}
            made = packed.made(value, values)
            if packed.name in ("fork", "replay"):
                made = self._offspring(value, values)
            step = int(message.fields["step"])
        except BaseException as error:
            self._refused(acknowledgement, error)
        else:
            if self._is_pending(acknowledgement):
                acknowledgement.succeed(step, made)
        finally:
            self._in_callback.is_set = False

    def _offspring(self, card: Mapping[str, Any], arrays: Mapping[str, Any]) -> RemoteRun:
        made = RemoteRun(self.place, card, self._graph)
        made._has_own_graph = self._has_own_graph
        made._begin(Message("update", card["update"], tuple(arrays.items())))
        return made

    def _refused(self, acknowledgement: Acknowledgement, error: BaseException) -> None:
        if self._is_pending(acknowledgement):
            acknowledgement.fail(error)

    def _is_pending(self, acknowledgement: Acknowledgement) -> bool:
        """True once: what was given up is not answered again."""
        with self._lock:
            return self._pending.pop(acknowledgement, _NOBODY) is not _NOBODY

    # -- news --------------------------------------------------------------------------------

    def _question(self) -> dict[str, Any]:
        """What is asked again and again."""
        with self._lock:
            seen = list(self._seen.values())
            return {
                "run": self.id,
                "client": self._client,
                "have": self._mirror.have(),
                "observe": [s.wanted() for s in seen if isinstance(s, RemoteObservation)],
                "tap": [s.wanted() for s in seen if isinstance(s, RemoteTap)],
            }

    def _take(self, fields: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """Takes in an answer, and tells who listens."""
        was_in_callback = getattr(self._in_callback, "is_set", False)
        self._in_callback.is_set = True
        try:
            with self._lock:
                told = self._mirror.apply(fields, arrays)
                self._changed.notify_all()
                seen = self._seen
                life = self._mirror.life
                lost = [a for a, sent_to in self._pending.items() if sent_to != life]
            for acknowledgement in lost:
                # Sent to a process that is no more: nobody knows whether it was obeyed.
                text = f"{self.place.name} was replaced while it had the command"
                self._refused(acknowledgement, UnavailableError(None, None, text))
            for each in fields.get("seen", ()):
                found = seen.get(each["id"])
                if found is not None:
                    found.take(each, arrays)
            if told:
                if self.is_live:
                    registry.add(self)
                else:
                    registry.ended(self)
            for event in told:
                self._listeners.tell(event)
        finally:
            self._in_callback.is_set = was_in_callback

    def _begin(self, first: Message | None = None) -> None:
        """Begins to follow; `first` is an answer that there is already."""
        registry.add(self)
        if first is not None:
            self._take(first.fields, dict(first.arrays))
        self._follower.start()

    # -- waiting -----------------------------------------------------------------------------

    @property
    def _is_own_thread(self) -> bool:
        return bool(getattr(self._in_callback, "is_set", False))

    def _wait_rest(self, seconds: float) -> bool:
        return self._wait(lambda: self._mirror.resting, seconds)

    def _wait_settled(self, seconds: float) -> bool:
        return self._wait(lambda: self._mirror.settled and not self._mirror.lacks_rows, seconds)

    def _wait(self, is_so: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        with self._changed:
            while not is_so():
                left = deadline - time.monotonic()
                is_over = self._follower.refusal is not None or self._is_closed
                if left <= 0 or is_over:
                    return is_over or self._follower.silent_for > PATIENCE
                self._changed.wait(min(left, 1.0))
        return True

    # -- the end -----------------------------------------------------------------------------

    def detach(self) -> None:
        """Leaves the run as it is; `pool.runs()` comes back to it."""
        self._is_closed = True
        self._follower.stop()
        registry.forget(self)

    def close(self) -> None:
        """Stops the run where it goes on, frees what the worker has of it, and leaves it."""
        if self._is_closed:
            return
        try:
            ask(self.place, "close", {"run": self.id}, seconds=PATIENCE)
        except Exception as error:
            if not is_gone(error):
                raise
        finally:
            self.detach()

    def delete(self) -> None:
        """Removes the run, which has ended, with its folder on the worker.

        Raises:
          RuntimeError: it goes on.
        """
        ask(self.place, "delete", {"run": self.id}, seconds=PATIENCE)
        self.detach()

    def _interrupt(self) -> None:
        """The process ends, and the run goes on."""

    def _end_with_process(self, patience: float) -> None:
        self.detach()
