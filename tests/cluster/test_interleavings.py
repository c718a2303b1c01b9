"""The explorer itself: it finds what goes wrong in some orders only."""

from __future__ import annotations

import math

import pytest

from tests.cluster.interleavings import Channels, Explored, explore


class Counting:
    """Several threads that add to a number which they read before, with or without a lock."""

    def __init__(self, threads: int, locks: bool) -> None:
        self.total, self.locks = 0, locks
        self.read: list[int | None] = [None] * threads
        self.done = [False] * threads

    def events(self) -> list[tuple[str, int]]:
        held = self.locks and any(r is not None for r in self.read)
        found = [("write", n) for n, r in enumerate(self.read) if r is not None]
        if not held:
            idle = [n for n, r in enumerate(self.read) if r is None and not self.done[n]]
            found += [("read", n) for n in idle]
        return found

    def do(self, event: tuple[str, int]) -> None:
        what, number = event
        if what == "read":
            self.read[number] = self.total
        else:
            self.total, self.read[number], self.done[number] = (
                (self.read[number] or 0) + 1,
                None,
                True,
            )

    def check(self) -> None:
        assert self.total <= len(self.done)

    def check_end(self) -> None:
        assert self.total == len(self.done), "an addition was lost"


def test_it_finds_the_orders_that_go_wrong() -> None:
    with pytest.raises(AssertionError, match=r"after \[\('read', .*an addition was lost"):
        explore(Counting(2, locks=False))
    assert explore(Counting(3, locks=True)).ends == 1


class Paths:
    """Independent parts that take steps: all orders lead to a grid of states."""

    def __init__(self, lengths: tuple[int, ...]) -> None:
        self.left = list(lengths)

    def events(self) -> list[int]:
        return [n for n, left in enumerate(self.left) if left]

    def do(self, event: int) -> None:
        self.left[event] -= 1

    def check(self) -> None:
        assert min(self.left) >= 0

    def check_end(self) -> None:
        assert not any(self.left)


def test_each_state_is_visited_once() -> None:
    lengths = (2, 3, 4)
    assert explore(Paths(lengths)) == Explored(math.prod(n + 1 for n in lengths), 1)
    with pytest.raises(AssertionError, match="more than 10 states"):
        explore(Paths(lengths), most=10)


def test_channels_keep_the_order_of_one_sender() -> None:
    channels = Channels()
    for message in (1, 2):
        channels.send("a", "b", message)
    channels.send("c", "b", 3)
    assert channels.ready() == [("a", "b"), ("c", "b")]
    assert [channels.take(("a", "b")) for _ in range(2)] == [1, 2]
    assert not channels.has_from("a") and channels.has_from("c")
    channels.lose_to("b")
    assert channels.ready() == []
