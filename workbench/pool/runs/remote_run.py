"""A run that a worker runs, as the kernel has it: read, steered and shown like one of its own."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.core.errors import UnavailableError
from workbench.live import commands as c
from workbench.live.acknowledgement import PATIENCE, Acknowledgement
from workbench.live.registry import registry
from workbench.pool.runs.commands import Packed, pack_command
from workbench.pool.runs.following import Follower
from workbench.pool.runs.observing import RemoteObservation, RemoteTap
from workbench.pool.runs.place import Place, ask, checked, is_gone
from workbench.pool.runs.remote_looks import RemoteLooks

_NOBODY = object()


class RemoteRun(RemoteLooks):
    """A run of a worker. It goes on when this process ends; `detach` leaves it, `close` stops it.

    Args:
      place: the worker.
      card: what never changes of the run, as the worker tells it.
      graph: the graph that it runs; None to have it from the worker when it is asked for.
      pool: the worker's pool, where that is known.
    """

    def __init__(
        self, place: Place, card: Mapping[str, Any], graph: Any = None, pool: Any = None
    ) -> None:
        super().__init__(place, card, graph)
        self.pool = pool
        self._client = uuid.uuid4().hex[:16]
        self._changed = threading.Condition(self._lock)
        self._in_callback = threading.local()
        self._pending: dict[Acknowledgement, str | None] = {}
        self._is_closed = False
        self._follower = Follower(self)

    # -- what it is told ---------------------------------------------------------------------

    def submit(self, command: c.Command) -> Acknowledgement:
        """Sends a command to the run, without waiting for it."""
        if isinstance(command, (c.Fork, c.Replay)):
            from workbench.pool.runs.carrying import from_worker, send_offspring

            return send_offspring(self, command, from_worker)
        return self.send(command)

    def send(self, command: c.Command) -> Acknowledgement:
        """Sends a command to the worker that has the run."""
        acknowledgement = Acknowledgement(command)
        loss = self._loss()
        if loss is not None:
            # Nobody is there who could take it.
            acknowledgement.fail(loss)
            return acknowledgement
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
            elif packed.name == "descend":
                made = message
            step = int(message.fields["step"])
        except BaseException as error:
            self._refused(acknowledgement, error)
        else:
            if self._is_pending(acknowledgement):
                acknowledgement.succeed(step, made)
        finally:
            self._in_callback.is_set = False

    def _offspring(self, card: Mapping[str, Any], arrays: Mapping[str, Any]) -> RemoteRun:
        made = RemoteRun(self.place, card, self._graph, self.pool)
        made._has_own_graph = self._has_own_graph
        made._begin(Message("update", card["update"], tuple(arrays.items())))
        return made

    def _refused(self, acknowledgement: Acknowledgement, error: BaseException) -> None:
        if self._is_pending(acknowledgement):
            loss = self._loss() if is_gone(error) else None
            acknowledgement.fail(loss or error)

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

    def wait_for_replicas(self, workers: int | Iterable[Any], timeout: float) -> None:
        """Waits until so many workers, or just these workers of a pool, train the run together.

        Raises:
          TimeoutError: they do not within `timeout` seconds.
          RuntimeError: the run has ended.
        """
        wanted = workers if isinstance(workers, int) else {w.pid for w in workers}

        def is_so() -> bool:
            found = [each.get("pid") for each in self.replicas if each["state"] != "joining"]
            there = set(found) if isinstance(wanted, set) else len(found)
            return there == wanted or not self.is_live

        if not self._wait(is_so, timeout) or self._follower.silent_for > PATIENCE:
            listed = ", ".join(f"{each['worker']} {each['state']}" for each in self.replicas)
            raise TimeoutError(
                f"{self.name!r} has not the replicas that were awaited after {timeout:g} s: "
                f"{listed or 'none'}"
            )
        if not self.is_live:
            raise RuntimeError(f"{self.name!r} is {self.state}: nobody trains it any more")

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
