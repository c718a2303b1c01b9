"""The boards of a pool's runs: a place on the wire in the process of the pool's scheduler."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from workbench.cluster.remote_errors import to_fields
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.keys import Keys
from workbench.cluster.wire.message import MISREAD, Message
from workbench.core.errors import AbortedError, InvalidArgumentError, NotFoundError, OpError
from workbench.pool.runs.place import SERVICE, service_message
from workbench.pool.runs.replicas.board import Board, Instruction, Lose, Order
from workbench.pool.runs.replicas.open_board import KIND, OpenBoard
from workbench.pool.runs.replicas.strategies import make_meeting

_TICK_SECONDS = 0.2
#: A pool has so many runs of several replicas at a time at most.
_MOST_BOARDS = 256
#: Of so many that have ended it is known who led them last.
_MOST_ENDED = 1024


class Boards:
    """Answers the workers that train runs together, and tells them of each other.

    Args:
      address: where it listens; port 0 for any that is free.
      keys: those of the wire of the pool; None for a wire without.
    """

    def __init__(self, address: str = "tcp://127.0.0.1:0", keys: Keys | None = None) -> None:
        self._lock = threading.RLock()
        self._open: dict[str, OpenBoard] = {}
        #: The workers that led runs to their end, the last ones.
        self._ended: OrderedDict[str, str] = OrderedDict()
        #: The workers that serve, by address, and their names.
        self._serving: dict[str, str] = {}
        self._closed = threading.Event()
        self._host, self._keys = address.rpartition(":")[0], keys
        self._answers: dict[str, Callable[[str, Mapping[str, Any]], Any]] = {
            "open": self._opened,
            "who": self._who,
            "enter": self._enter,
            "leave": self._leave,
            "failed": self._failed,
            "cannot": self._cannot,
            "post": self._post,
            "pace": self._pace,
            "rests": self._rests,
            "restless": self._restless,
            "close": self._close,
            "ended": lambda run, fields: self._ended.get(run),
        }
        self._endpoint = Endpoint(address, self._handle, keys=keys)
        assert self._endpoint.address is not None
        self.address: str = self._endpoint.address
        self._clock = threading.Thread(target=self._tick, name="workbench-boards", daemon=True)
        self._clock.start()

    # -- what the pool tells -----------------------------------------------------------------

    def joined(self, worker: str, name: str) -> None:
        """A worker, by the address of its runtime, serves."""
        with self._lock:
            self._serving[worker] = name
            for each in self._open.values():
                self._seek(each)

    def left(self, worker: str) -> None:
        """A worker is gone."""
        with self._lock:
            self._serving.pop(worker, None)
            for each in self._open.values():
                self._perform(each, each.board.lost(worker, "is gone"))
                self._seek(each)

    def leader(self, run: str) -> str | None:
        """The address of the worker that leads a run; None where there is none."""
        with self._lock:
            found = self._open.get(run)
            return None if found is None else found.board.leader

    # -- what workers ask --------------------------------------------------------------------

    def _handle(self, sender: Any, message: Message) -> None:
        fields = message.fields
        if message.kind != KIND or not message.number:
            return
        try:
            run, command = str(fields["run"]), str(fields["command"])
            with self._lock:
                self._check_opening(run, fields)
                if command == "words":
                    self._find(run).wait(sender, message)
                    return
                found = self._answers.get(command)
                if found is None:
                    raise InvalidArgumentError(None, None, f"Boards do not know {command!r:.80}")
                answer = Message(KIND, {"value": found(run, fields)})
        except OpError as error:
            answer = Message("error", to_fields(error))
        except MISREAD as error:
            wrong = InvalidArgumentError(None, None, f"This is no word of a run: {error!r:.200}")
            answer = Message("error", to_fields(wrong))
        self._endpoint.answer(sender, message, answer)

    def _check_opening(self, run: str, fields: Mapping[str, Any]) -> None:
        """What is about an earlier board of a run is refused: it was opened again since."""
        found, meant = self._open.get(run), fields.get("opening")
        if found is not None and meant is not None and meant != found.opening:
            raise AbortedError(None, None, f"The replicas of run {run:.80} are let go")

    def _find(self, run: str) -> OpenBoard:
        found = self._open.get(run)
        if found is None:
            raise NotFoundError(None, None, f"No replicas train the run {run!r:.80} in this pool")
        return found

    def _opened(self, run: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A worker has a run and wants replicas beside it: where they meet, and how many begin."""
        worker, wanted = str(fields["worker"]), int(fields["wanted"])
        strategy = str(fields["strategy"])
        old = self._open.get(run)
        if old is not None:
            if old.board.leader not in (None, worker):
                old.board.lead(worker, "")
            self._end(run)
        if len(self._open) >= _MOST_BOARDS:
            raise InvalidArgumentError(None, None, "This pool has too many runs of replicas")
        self._ended.pop(run, None)
        board = Board(run, wanted)
        name = self._serving.setdefault(worker, str(fields["name"]))
        board.lead(worker, name)
        orders = board.seek(self._serving)
        begin = 1 + len(orders)
        opening = uuid.uuid4().hex
        meeting = make_meeting(strategy, begin, f"{self._host}:0", self._keys, opening)
        made = self._open[run] = OpenBoard(board, meeting, self._endpoint, opening)
        self._perform(made, orders)
        return {"meeting": meeting.address, "begin": begin, "opening": opening}

    def _who(self, run: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        found = self._find(run)
        return {
            "leader": found.board.leader,
            "meeting": found.meeting.address,
            "opening": found.opening,
        }

    def _enter(self, run: str, fields: Mapping[str, Any]) -> int:
        found = self._find(run)
        found.board.entered(str(fields["worker"]), str(fields["replica"]))
        found.tell()
        return len(found.board.words)

    def _leave(self, run: str, fields: Mapping[str, Any]) -> None:
        found = self._open.get(run)
        if found is not None:
            why = str(fields.get("why", "left"))
            if fields.get("ends"):
                # Its process ends: nobody asks it again.
                self._serving.pop(str(fields["worker"]), None)
            self._perform(found, found.board.lost(str(fields["worker"]), why))
            self._seek(found)

    def _failed(self, run: str, fields: Mapping[str, Any]) -> None:
        found = self._find(run)
        error = fields["error"]
        if not isinstance(error, Mapping):
            raise InvalidArgumentError(None, None, "An error has fields")
        self._perform(found, found.board.failed(str(fields["worker"]), error))

    def _cannot(self, run: str, fields: Mapping[str, Any]) -> None:
        """A worker that was asked to take part, and said that it does, could not."""
        found = self._find(run)
        self._perform(found, found.refused(str(fields["worker"]), str(fields["why"])))

    def _post(self, run: str, fields: Mapping[str, Any]) -> int:
        words = fields["words"]
        if not isinstance(words, list) or not all(isinstance(w, Mapping) for w in words):
            raise InvalidArgumentError(None, None, "Words are a list of mappings")
        found = self._find(run)
        number = found.board.post(str(fields["worker"]), words)
        found.tell()
        return number

    def _pace(self, run: str, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
        told = fields["pace"]
        if not isinstance(told, Mapping):
            raise InvalidArgumentError(None, None, "A pace has fields")
        return self._find(run).board.pace(str(fields["worker"]), told)

    def _rests(self, run: str, fields: Mapping[str, Any]) -> None:
        self._find(run).board.rests(str(fields["worker"]), int(fields["number"]))

    def _restless(self, run: str, fields: Mapping[str, Any]) -> list[str]:
        return self._find(run).board.restless(int(fields["number"]))

    def _close(self, run: str, fields: Mapping[str, Any]) -> None:
        found = self._open.get(run)
        if found is not None and found.board.leader in (None, fields["worker"]):
            self._end(run)
            self._ended[run] = str(fields["worker"])
            while len(self._ended) > _MOST_ENDED:
                self._ended.popitem(last=False)

    # -- what follows ------------------------------------------------------------------------

    def _tick(self) -> None:
        while not self._closed.wait(_TICK_SECONDS):
            with self._lock:
                for each in self._open.values():
                    self._ask_again(each)
                    each.tell()

    def _seek(self, found: OpenBoard) -> None:
        # Who cannot take part yet is asked again when it is time for that.
        serving = {w: name for w, name in self._serving.items() if not found.is_put_off(w)}
        self._perform(found, found.board.seek(serving))

    def _ask_again(self, found: OpenBoard) -> None:
        for worker in found.due():
            if worker in self._serving:
                self._perform(found, found.board.seek({worker: self._serving[worker]}))

    def _perform(self, found: OpenBoard, instructions: Sequence[Instruction]) -> None:
        for each in instructions:
            match each:
                case Order(worker):
                    self._order(found, worker)
                case Lose(replica):
                    found.meeting.lost(replica)
        found.tell()

    def _order(self, found: OpenBoard, worker: str) -> None:
        board = found.board
        fields = {"run": board.run, "board": self.address, "from": board.leader, "worker": worker}
        message = service_message("join", fields)
        asked = self._endpoint.request(worker, message, f"{SERVICE}.join by {worker}")

        def answered(done: Future[Message]) -> None:
            why = _refusal(done)
            if why is not None and not self._closed.is_set():
                with self._lock:
                    self._perform(found, found.refused(worker, why))

        asked.add_done_callback(answered)

    def _end(self, run: str, is_over: bool = True) -> None:
        self._open.pop(run).end(is_over)

    def close(self) -> None:
        """The pool ends."""
        self._closed.set()
        self._clock.join(10)
        with self._lock:
            for run in list(self._open):
                self._end(run, is_over=False)
        self._endpoint.close()


def _refusal(done: Future[Message]) -> str | None:
    """Why a worker does not take part; None where it does."""
    error = done.exception()
    if error is not None:
        return str(error)
    answer = done.result()
    if answer.kind not in ("refused", "error"):
        return None
    return str((answer.fields.get("refusal") or answer.fields).get("message", ""))
