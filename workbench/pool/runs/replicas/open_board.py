"""A board with what belongs to it: where replicas meet, who waits for words, who comes later."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from workbench.cluster.replication.strategy import Meeting
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.pool.runs.replicas.board import Board, Instruction

KIND = "board"
#: Who waits for words waits so long at most, in seconds.
_MOST_HOLD = 5.0
#: A worker that cannot take part is asked again after so long, and then after twice as long, in
#: seconds; so often: the leader may have been about to lead.
_AGAIN_SECONDS = 0.5
_MOST_TRIES = 6


class _Waiting(NamedTuple):
    """Somebody who wants the words after one, and until when."""

    sender: Any
    message: Message
    since: int
    until: float


class OpenBoard:
    """What a pool has of one run of several replicas, until it is over. For one thread at a time.

    Args:
      board: who takes part, and what was said.
      meeting: where the replicas meet.
      endpoint: what answers those who wait for words.
      opening: of no other board, of this run or another.
    """

    def __init__(self, board: Board, meeting: Meeting, endpoint: Endpoint, opening: str) -> None:
        self.board, self.meeting, self._endpoint = board, meeting, endpoint
        self.opening = opening
        self._waiting: list[_Waiting] = []
        #: How often each worker could not take part, and when it is asked again.
        self._refusals: dict[str, int] = {}
        self._again: dict[str, float] = {}

    # -- words -------------------------------------------------------------------------------

    def wait(self, sender: Any, message: Message) -> None:
        """Somebody asks for the words after one: it is answered when there are some, or later."""
        since = int(message.fields["since"])
        hold = min(max(float(message.fields["hold"]), 0.0), _MOST_HOLD)
        self._waiting.append(_Waiting(sender, message, since, time.monotonic() + hold))
        self.tell()

    def tell(self) -> None:
        """Answers those who wait for words that are there, or for no longer."""
        now, said = time.monotonic(), len(self.board.words)
        kept = []
        for each in self._waiting:
            if each.since < said or now >= each.until or self.board.is_closed:
                fields = {"words": self.board.since(each.since), "closed": self.board.is_closed}
                self._endpoint.answer(each.sender, each.message, Message(KIND, {"value": fields}))
            else:
                kept.append(each)
        self._waiting[:] = kept

    # -- who cannot take part ----------------------------------------------------------------

    def refused(self, worker: str, why: str) -> Sequence[Instruction]:
        """A worker that was asked to take part cannot; what follows from that."""
        tries = self._refusals[worker] = self._refusals.get(worker, 0) + 1
        if tries <= _MOST_TRIES:
            self._again[worker] = time.monotonic() + _AGAIN_SECONDS * 2 ** (tries - 1)
        return self.board.lost(worker, f"cannot take part: {why}")

    def is_put_off(self, worker: str) -> bool:
        """Whether a worker that could not take part is to be asked again later."""
        return worker in self._again

    def due(self) -> list[str]:
        """The workers that are to be asked again now."""
        now = time.monotonic()
        found = [worker for worker, due in self._again.items() if now >= due]
        for worker in found:
            del self._again[worker]
        return found

    # -- the end -----------------------------------------------------------------------------

    def end(self, is_over: bool) -> None:
        """The replicas are let go, and all who wait are told; unless the run is over, they may go
        on without a board."""
        self.board.is_closed = True
        self.tell()
        if is_over:
            self.meeting.end()
        else:
            self.meeting.close()
