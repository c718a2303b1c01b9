"""Operations between processes of one host, through memory that all of them have.

Arrays go through in pieces, so that the memory stays small and in the processor's cache. At each
stage a rank gives its numbers of a piece, adds up its own part of the piece before, and takes the
results of the piece before that; then all wait for each other. What is given in one stage is read
in the next, while the stage after that uses the other half of the memory: one wait for each stage
is enough. Small arrays take one stage: each rank adds up everything for itself. The ranks' numbers
are always added in the order of the ranks.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.cluster.collectives.errors import LostMembersError
from workbench.cluster.collectives.parcels import pack, packed_size, unpack
from workbench.cluster.collectives.reductions import Array, Reduction
from workbench.cluster.collectives.segments import Segment
from workbench.cluster.collectives.wire_group import (
    TIMEOUT,
    WireGroup,
    awaited_text,
    checked_out,
)
from workbench.cluster.collectives.words import STRIDE, Words
from workbench.cluster.wire.traffic import through_memory
from workbench.core.errors import AbortedError, DeadlineExceededError
from workbench.core.runtime.activity import EXCHANGE, WAIT, span

#: So many bytes go through at a time. Two halves for each rank and one for results lie in memory.
PIECE_BYTES = 1 << 20
#: Up to so many bytes each rank adds up everything for itself.
_SMALL_BYTES = 64 << 10
#: How often who waits looks whether those awaited are there still, in seconds.
_ASK_SECONDS = 0.02


def segment_bytes(ranks: int) -> int:
    """The size of the memory of a group."""
    return _first_byte(ranks) + 2 * (ranks + 1) * PIECE_BYTES


def _first_byte(ranks: int) -> int:
    return -(-ranks * STRIDE // 4096) * 4096


class SharedGroup:
    """The same operations as those of `WireGroup`, all of them through shared memory."""

    def __init__(self, wire: WireGroup, segment: Segment) -> None:
        self.wire, self._segment = wire, segment
        self.name, self.epoch = wire.name, wire.epoch
        self.members, self.rank, self.size = wire.members, wire.rank, wire.size
        self._words = Words(segment.buffer, self.size, self.rank)
        #: How many stages this rank has ended.
        self._count = 0
        self._broken: str | None = None
        self._is_closed = False
        first = _first_byte(self.size)
        memory = np.frombuffer(segment.buffer, np.uint8)[first:]
        halves = memory.reshape(2, self.size + 1, PIECE_BYTES)
        #: By half: the memory of each rank, and that of the results.
        self._given: list[list[Array]] = [[half[r] for r in range(self.size)] for half in halves]
        self._results: list[Array] = [half[self.size] for half in halves]
        self.count_saved = wire.count_saved

    def all_reduce(
        self,
        array: Array,
        op: str = "sum",
        out: Array | None = None,
        timeout: float = TIMEOUT,
    ) -> Array:
        """See `WireGroup.all_reduce`."""
        result = np.empty(array.shape, array.dtype) if out is None else out
        self.all_reduce_many([array], op, [result], timeout)
        return result

    def all_reduce_many(
        self, arrays: Sequence[Array], op: str, outs: Sequence[Array], timeout: float = TIMEOUT
    ) -> None:
        """See `WireGroup.all_reduce_many`. They go through one after the other without a pause."""
        reduction = Reduction(op, self.size)
        pairs = []
        for array, out in zip(arrays, outs, strict=True):
            reduction.check(array)
            checked_out(out, array)
            pairs.append((np.ascontiguousarray(array).reshape(-1), out.reshape(-1)))
        until = time.monotonic() + timeout
        count = sum(array.nbytes for array, _ in pairs)
        about = f"all-reduce of {count} bytes"
        through_memory.add("all-reduce", bytes_shared=count)
        with span(EXCHANGE):
            if len(pairs) == 1 and count <= _SMALL_BYTES:
                self._reduce_at_once(*pairs[0], reduction, about, until)
            else:
                pieces = [piece for array, out in pairs for piece in _pieces(array, out)]
                self._reduce_in_pieces(pieces, reduction, about, until)

    def all_gather(self, arrays: Sequence[Any], timeout: float = TIMEOUT) -> list[list[Any]]:
        """See `WireGroup.all_gather`."""
        own = pack(arrays)
        found = self._exchange(own, range(self.size), "all-gather", time.monotonic() + timeout)
        return [unpack(found[rank]) for rank in range(self.size)]

    def broadcast(
        self, arrays: Sequence[Any] | None, root: int = 0, timeout: float = TIMEOUT
    ) -> list[Any]:
        """See `WireGroup.broadcast`."""
        own = pack(arrays or ()) if self.rank == root else None
        return unpack(self._exchange(own, [root], "broadcast", time.monotonic() + timeout)[root])

    def barrier(self, timeout: float = TIMEOUT) -> None:
        """Returns when all ranks have come here."""
        self.advance("barrier", timeout)

    def advance(self, about: str, timeout: float = TIMEOUT) -> None:
        """As `barrier`; `about` is what is awaited, in words."""
        self._advance(about, time.monotonic() + timeout)

    def is_there(self, rank: int) -> bool:
        """Whether a rank has not left the group, and its process has not ended."""
        return self._segment.is_held(rank)

    # -- how it is done ----------------------------------------------------------------------

    def _reduce_at_once(
        self, array: Array, out: Array, reduction: Reduction, about: str, until: float
    ) -> None:
        given = self._given[self._count & 1]
        views = [memory[: array.nbytes].view(array.dtype) for memory in given]
        np.copyto(views[self.rank], array)
        self._advance(about, until)
        reduction.reduce(views, out)

    def _reduce_in_pieces(
        self,
        pieces: Sequence[tuple[Array, Array]],
        reduction: Reduction,
        about: str,
        until: float,
    ) -> None:
        for stage in range(len(pieces) + 2):
            half = self._count & 1
            if stage < len(pieces):
                self._give(pieces[stage][0], half)
            if 1 <= stage <= len(pieces):
                self._add_up(*pieces[stage - 1], reduction, half)
            if stage >= 2:
                self._take(pieces[stage - 2][1], half ^ 1)
            if stage <= len(pieces):
                self._advance(about, until)

    def _exchange(
        self, own: Array | None, givers: Sequence[int], about: str, until: float
    ) -> dict[int, Array]:
        """What some ranks give, by rank, a piece at a time; `own` is what this one gives, if it is
        one of them."""
        found: dict[int, Array] = {} if own is None else {self.rank: own}
        place, end = 0, PIECE_BYTES
        while place < end:
            given = self._given[self._count & 1]
            if own is not None and place < own.size:
                piece = own[place : place + PIECE_BYTES]
                given[self.rank][: piece.size] = piece
            self._advance(about, until)
            for rank in givers:
                if rank not in found:
                    found[rank] = np.empty(packed_size(given[rank]), np.uint8)
                if rank != self.rank and place < found[rank].size:
                    piece = found[rank][place : place + PIECE_BYTES]
                    piece[...] = given[rank][: piece.size]
            end = max(found[rank].size for rank in givers)
            place += PIECE_BYTES
        return found

    def _part(self, length: int, rank: int) -> slice:
        """What a rank adds up of a piece."""
        return slice(length * rank // self.size, length * (rank + 1) // self.size)

    def _give(self, piece: Array, half: int) -> None:
        memory = self._given[half][self.rank][: piece.nbytes].view(piece.dtype)
        own = self._part(piece.size, self.rank)
        np.copyto(memory[: own.start], piece[: own.start])
        np.copyto(memory[own.stop :], piece[own.stop :])

    def _add_up(self, piece: Array, out: Array, reduction: Reduction, half: int) -> None:
        own = self._part(piece.size, self.rank)
        arrays = [
            piece[own] if rank == self.rank else memory[: piece.nbytes].view(piece.dtype)[own]
            for rank, memory in enumerate(self._given[half ^ 1])
        ]
        # Not into `out` at once: it may be the array itself, which is still to be added.
        result = self._results[half][: piece.nbytes].view(piece.dtype)[own]
        reduction.reduce(arrays, result)
        np.copyto(out[own], result)

    def _take(self, out: Array, half: int) -> None:
        memory = self._results[half][: out.nbytes].view(out.dtype)
        own = self._part(out.size, self.rank)
        np.copyto(out[: own.start], memory[: own.start])
        np.copyto(out[own.stop :], memory[own.stop :])

    # -- waiting -----------------------------------------------------------------------------

    def _advance(self, about: str, until: float) -> None:
        """Ends a stage, and waits until all have ended it."""
        if self._broken is not None:
            raise AbortedError(None, None, f"Group {self.name!r} is broken: {self._broken}")
        self._count = count = self._count + 1 & 0xFFFFFFFF
        words = self._words
        words.publish(count)
        for rank in range(self.size):
            if not words.look(rank, count):
                self._sleep(rank, count, about, until)

    def _sleep(self, rank: int, count: int, about: str, until: float) -> None:
        words, since = self._words, time.monotonic()
        with span(WAIT):
            while not words.sleep(rank, count, _ASK_SECONDS):
                try:
                    self._check(count, about, since, until)
                except BaseException as error:
                    self._broken = self._broken or str(error)
                    raise

    def _check(self, count: int, about: str, since: float, until: float) -> None:
        if self._broken is not None:
            raise AbortedError(None, None, f"Group {self.name!r} is broken: {self._broken}")
        others = [r for r in range(self.size) if r != self.rank]
        gone = [r for r in others if not self._segment.is_held(r)]
        # In this order: who died after it had ended the stage is not awaited.
        late = [r for r in others if not self._words.has_reached(r, count)]
        now = time.monotonic()
        lost = [r for r in gone if r in late]
        if lost:
            text = awaited_text(self, lost, about, now - since)
            raise LostMembersError(f"{text}, and gone", lost)
        if now > until and late:
            raise DeadlineExceededError(None, None, awaited_text(self, late, about, now - since))

    def abort(self, reason: str) -> None:
        """Ends what runs, and all further operations, with AbortedError."""
        self._broken = self._broken or reason
        self.wire.abort(reason)

    def close(self) -> None:
        """Leaves the group: others that wait for this rank see it gone."""
        if self._is_closed:
            return
        self._is_closed = True
        self.abort("it is closed")
        views: list[Any] = [*self._results, *(a for half in self._given for a in half)]
        self._results, self._given = [], []
        self._words.close()
        self._segment.close(views)


def _pieces(array: Array, out: Array) -> list[tuple[Array, Array]]:
    """A flat array and its result in pieces that go through at a time."""
    length = PIECE_BYTES // array.itemsize
    return [(array[i : i + length], out[i : i + length]) for i in range(0, array.size, length)]
