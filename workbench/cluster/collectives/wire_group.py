"""A group of processes over the wire: performs the instructions of collective operations."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np

from workbench.cluster.collectives.errors import LostMembersError
from workbench.cluster.collectives.instructions import Collective, Instruction, Send
from workbench.cluster.collectives.letters import Letter, Letters
from workbench.cluster.collectives.reductions import Array, Reduction
from workbench.cluster.collectives.ring import RingGather, RingReduce
from workbench.cluster.collectives.tree import TreeBroadcast, TreeReduce
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.core.errors import (
    AbortedError,
    DeadlineExceededError,
    InvalidArgumentError,
    UnavailableError,
)
from workbench.core.runtime.activity import EXCHANGE, WAIT, span

#: Arrays up to this size go along the tree: two times its height in hops instead of two rounds.
SMALL_BYTES = 32 << 10
#: Messages of a ring are this large at most, so that chunks are added up while others travel.
CHUNK_BYTES = 1 << 20
#: Operations fail after so long, if they are not told otherwise.
TIMEOUT = 60.0
#: After so long those who are awaited are asked whether they live.
_ASK_SECONDS = 1.0
#: What a rank sent before it went may arrive for so long.
_SETTLE_SECONDS = 0.3


class _Lost(NamedTuple):
    """A rank that is gone, since when and why."""

    rank: int
    since: float
    reason: str


class WireGroup:
    """The members of one epoch of a group; all of them do the same operations in the same order.

    Every operation ends with `DeadlineExceededError` after `timeout` seconds, which says who is
    awaited, with `LostMembersError` when one of those is gone, with `AbortedError` after `abort`.
    After an error the group is of no more use. One thread at a time uses it.
    """

    def __init__(
        self, endpoint: Endpoint, name: str, epoch: int, members: Sequence[str], rank: int
    ) -> None:
        self._endpoint = endpoint
        self.name, self.epoch = name, epoch
        self.members = tuple(members)
        self.rank, self.size = rank, len(self.members)
        self._letters = Letters()
        self._came: queue.SimpleQueue[Letter | _Lost | None] = queue.SimpleQueue()
        self._lost: dict[int, _Lost] = {}
        self._gone: set[int] = set()
        self._number = 0
        self._broken: str | None = None

    # -- operations --------------------------------------------------------------------------

    def all_reduce(
        self,
        array: Array,
        op: str = "sum",
        out: Array | None = None,
        timeout: float = TIMEOUT,
    ) -> Array:
        """The "sum", "mean", "min" or "max" of all ranks' arrays, with the same bits on all.

        `out` is where it goes, `array` itself is allowed. Shapes and types must be the same.
        """
        reduction = Reduction(op, self.size)
        reduction.check(array)
        given = np.ascontiguousarray(array)
        result = np.empty_like(given) if out is None else out
        checked_out(result, given)
        flat, flat_out = given.reshape(-1), result.reshape(-1)
        collective: Collective
        if given.nbytes <= SMALL_BYTES:
            collective = TreeReduce(self.rank, self.size, flat, flat_out, reduction)
        else:
            chunk = max(1, CHUNK_BYTES // given.itemsize)
            collective = RingReduce(self.rank, self.size, flat, flat_out, reduction, chunk)
        self.perform(collective, f"all-reduce of {given.nbytes} bytes", timeout)
        return result

    def all_reduce_many(
        self, arrays: Sequence[Array], op: str, outs: Sequence[Array], timeout: float = TIMEOUT
    ) -> None:
        """Several arrays at once, to `outs`; the arrays stay as they are, if they are not there."""
        for array, out in zip(arrays, outs, strict=True):
            self.all_reduce(array, op, out, timeout)

    def all_gather(self, arrays: Sequence[Any], timeout: float = TIMEOUT) -> list[list[Array]]:
        """What each rank gave: some arrays, whose shapes and number may differ."""
        # Copies, for others may still get them when this rank goes on.
        own = [np.array(a) for a in arrays]
        found = self.perform(RingGather(self.rank, self.size, own), "all-gather", timeout)
        return [list(each) for each in found]

    def broadcast(
        self, arrays: Sequence[Any] | None, root: int = 0, timeout: float = TIMEOUT
    ) -> list[Array]:
        """The arrays of the rank `root`, which alone must give some."""
        own = [np.array(a) for a in arrays or ()] if self.rank == root else None
        collective = TreeBroadcast(self.rank, self.size, root, own)
        return list(self.perform(collective, "broadcast", timeout))

    def barrier(self, timeout: float = TIMEOUT) -> None:
        """Returns when all ranks have come here."""
        nothing = np.zeros(0, np.uint8)
        reduction = Reduction("max", self.size)
        self.perform(
            TreeReduce(self.rank, self.size, nothing, nothing.copy(), reduction),
            "barrier",
            timeout,
        )

    def count_saved(self, count: int) -> None:
        """Counts bytes that need not be sent, for what is sent is in a shorter form."""
        self._endpoint.count_saved(self.members[(self.rank + 1) % self.size], count)

    # -- the shell ---------------------------------------------------------------------------

    def perform(self, collective: Collective, about: str, timeout: float = TIMEOUT) -> Any:
        """Does this rank's part of an operation and returns what comes of it."""
        with span(EXCHANGE):
            return self._perform(collective, about, timeout)

    def _perform(self, collective: Collective, about: str, timeout: float) -> Any:
        self._check()
        number = self._number
        self._number += 1
        try:
            early = self._letters.begin(number)
            found = self._follow(collective.begin(), number)
            for letter in early:
                if not found:
                    found = self._follow(_arrived(collective, letter), number)
            since = time.monotonic()
            asked: dict[int, Future[Message]] = {}
            while not found:
                letter_or_none = self._next(collective, about, since, timeout, asked)
                if letter_or_none is not None:
                    found = self._follow(_arrived(collective, letter_or_none), number)
            return found[0]
        except BaseException as error:
            self._broken = self._broken or str(error)
            raise

    def _check(self) -> None:
        if self._broken is not None:
            raise AbortedError(None, None, f"Group {self.name!r} is broken: {self._broken}")

    def _follow(self, instructions: list[Instruction], number: int) -> list[Any]:
        results = []
        for instruction in instructions:
            if isinstance(instruction, Send):
                self._send(instruction, number)
            else:
                results.append(instruction.value)
        return results

    def _send(self, send: Send, number: int) -> None:
        fields = {
            "group": self.name,
            "epoch": self.epoch,
            "operation": number,
            "rank": self.rank,
            "tag": list(send.tag),
        }
        arrays = [("", a) for a in send.arrays]
        self._endpoint.send(self.members[send.to], Message("collective", fields, arrays))

    def _next(
        self,
        collective: Collective,
        about: str,
        since: float,
        timeout: float,
        asked: dict[int, Future[Message]],
    ) -> Letter | None:
        """What comes next for the operation; None to look again."""
        self._check()
        now = time.monotonic()
        if now - since > timeout:
            raise DeadlineExceededError(
                None, None, self._awaited(collective.awaited(), about, now - since)
            )
        try:
            wait = self._patience(about, since, min(_ASK_SECONDS, since + timeout - now + 0.001))
            with span(WAIT):
                came = self._came.get(timeout=wait)
        except queue.Empty:
            self._ask(collective, about, since, asked)
            return None
        if isinstance(came, _Lost):
            self._lost[came.rank] = came
            return None
        return None if came is None else self._letters.deliver(came)

    def _patience(self, about: str, since: float, wait: float) -> float:
        """How long to wait for the next letter, at most `wait`.

        LostMembersError when a rank has been gone for long enough: what it had sent before, to
        this rank or to others, may have been on its way.
        """
        now = time.monotonic()
        for lost in self._lost.values():
            left = lost.since + _SETTLE_SECONDS - now
            if left <= 0 and self._came.empty():
                text = self._awaited([lost.rank], about, now - since)
                raise LostMembersError(f"{text}, and gone: {lost.reason}", list(self._lost))
            wait = min(wait, max(left, 0.001))
        return wait

    def _ask(
        self, collective: Collective, about: str, since: float, asked: dict[int, Future[Message]]
    ) -> None:
        """Asks those who are awaited whether they live, and fails when one does not."""
        for rank in collective.awaited():
            future = asked.get(rank)
            if future is None or (future.done() and future.exception() is None):
                address = self.members[rank]
                asked[rank] = self._endpoint.request(address, Message("ping"), about)
        lost = [r for r, f in asked.items() if f.done() and _is_unavailable(f)]
        if lost:
            text = self._awaited(lost, about, time.monotonic() - since)
            raise LostMembersError(f"{text}, and gives no sign of life", lost)

    def _awaited(self, ranks: Sequence[int], about: str, seconds: float) -> str:
        return awaited_text(self, ranks, about, seconds)

    def deliver(self, letter: Letter) -> None:
        """Takes what came from another rank; any thread calls it."""
        if 0 <= letter.sender < self.size:
            self._came.put(letter)

    def lost(self, rank: int, reason: str) -> None:
        """The connection with a rank is gone; any thread calls it."""
        self._gone.add(rank)
        self._came.put(_Lost(rank, time.monotonic(), reason))

    def is_there(self, rank: int) -> bool:
        """Whether nothing is known of a rank that would mean that it is gone."""
        return rank not in self._gone

    def abort(self, reason: str) -> None:
        """Ends what runs, and all further operations, with AbortedError."""
        self._broken = self._broken or reason
        self._came.put(None)

    def close(self) -> None:
        """The group is over for this member."""
        self.abort("it is closed")


def awaited_text(group: Any, ranks: Sequence[int], about: str, seconds: float) -> str:
    """Who is awaited, for what and since when."""
    who = " and ".join(f"rank {r} ({group.members[r]})" for r in ranks)
    verb = "is" if len(ranks) == 1 else "are"
    return (
        f"{who} {verb} awaited since {seconds:.1f} s: {about} of group {group.name!r}, "
        f"epoch {group.epoch}"
    )


def checked_out(out: Array, array: Array) -> None:
    """InvalidArgumentError where a result has no place in `out`."""
    if out.shape != array.shape or out.dtype != array.dtype or not out.flags.c_contiguous:
        raise InvalidArgumentError(
            None,
            None,
            f"The result is {array.dtype} of shape {array.shape}, and has no place in "
            f"{out.dtype} of shape {out.shape}: 'out' must be a contiguous array like it",
        )


def _is_unavailable(future: Future[Message]) -> bool:
    return isinstance(future.exception(), UnavailableError)


def _arrived(collective: Collective, letter: Letter) -> list[Instruction]:
    try:
        return collective.arrived(letter.sender, letter.tag, letter.arrays)
    except (ValueError, TypeError, IndexError) as error:
        raise InvalidArgumentError(
            None,
            None,
            f"Rank {letter.sender} takes part with something else than this rank, or in another "
            f"operation: {error}",
        ) from None
