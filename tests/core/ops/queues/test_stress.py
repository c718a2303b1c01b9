"""Many threads at one queue, with closes, cancels and time-outs in between.

Each round has a queue and a session of its own. What went in comes out once, or is there still, or
was given back to who gave it; and no thread is left.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from typing import Any

import pytest

import workbench as tf
from tests.core.ops.queues.threads import Task

_KINDS = ("fifo", "shuffle", "priority")
_ENDS = (tf.errors.CancelledError, tf.errors.OutOfRangeError, tf.errors.DeadlineExceededError)


class Round:
    """One round: so many threads put numbers in, as many take them out."""

    def __init__(self, kind: str, threads: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.threads = threads
        with tf.Graph().as_default():
            if kind == "shuffle":
                queue: Any = tf.RandomShuffleQueue(5, 1, [tf.int64, tf.int64], [[], []], seed=seed)
            elif kind == "priority":
                queue = tf.PriorityQueue(5, tf.int64, shapes=[[]])
            else:
                queue = tf.FIFOQueue(5, [tf.int64, tf.int64], shapes=[[], []])
            self.fed = tf.placeholder(tf.int64, [None])
            self.enqueue = queue.enqueue_many([self.fed, self.fed])
            self.count = tf.placeholder(tf.int32, [])
            # Of a priority queue no more are taken at once than it can hold.
            self.most = 3
            self.dequeue = queue.dequeue_many(self.count)[1]
            self.up_to = queue.dequeue_up_to(self.count)[1]
            self.close = queue.close()
            self.cancel = queue.close(cancel_pending_enqueues=True)
            self.size = queue.size()
            self.session = tf.Session()
        self.given: list[list[int]] = [[] for _ in range(threads)]
        self.uncertain: list[list[int]] = [[] for _ in range(threads)]
        self.taken: list[list[int]] = [[] for _ in range(threads)]

    def run(self) -> None:
        """All of it, and the check."""
        seeds = [self.random.random() for _ in range(2 * self.threads)]
        givers = [Task(self._give, i, seeds[i]) for i in range(self.threads)]
        takers = [Task(self._take, i, seeds[-1 - i]) for i in range(self.threads)]
        ending = self.random.choice(["close", "cancel", "session"])
        if ending == "close":
            # All that is given is taken.
            for task in givers:
                task.end()
            self.session.run(self.close)
        elif ending == "cancel":
            self._ignoring_ends(self.cancel)
        else:
            self.session.close()
        for task in (*givers, *takers):
            task.end()
        left: list[int] = []
        if ending != "session":
            if self.session.run(self.size):
                left = self.session.run(self.up_to, {self.count: 9}).tolist()
            assert self.session.run(self.size) == 0
            assert self.session.waiting() == []
        self.session.close()
        self._check(left, complete=ending != "session")

    def _check(self, left: list[int], complete: bool) -> None:
        out = Counter(left)
        for taken in self.taken:
            out.update(taken)
        assert all(count == 1 for count in out.values()), "an element came twice"
        sure = {n for given in self.given for n in given}
        maybe = {n for given in self.uncertain for n in given}
        assert set(out) <= sure | maybe, "an element came from nowhere"
        if complete:
            assert sure <= set(out), "an element was lost"

    def _give(self, number: int, seed: float) -> None:
        chance = random.Random(seed)
        following = number * 1000
        for _ in range(3):
            numbers = list(range(following, following + chance.randrange(1, 5)))
            following += len(numbers)
            try:
                self.session.run(self.enqueue, {self.fed: numbers}, self._options(chance))
            except (*_ENDS, RuntimeError) as error:
                # Some of them may be in.
                self.uncertain[number] += numbers
                if not isinstance(error, tf.errors.DeadlineExceededError):
                    return
            else:
                self.given[number] += numbers

    def _take(self, number: int, seed: float) -> None:
        chance = random.Random(seed)
        while True:
            operation = chance.choice([self.dequeue, self.up_to])
            feed = {self.count: chance.randrange(1, self.most + 1)}
            try:
                found = self.session.run(operation, feed, self._options(chance))
            except tf.errors.DeadlineExceededError:
                continue
            except tf.errors.OutOfRangeError:
                if feed[self.count] == 1 or operation is self.up_to:
                    return
            except (tf.errors.CancelledError, RuntimeError):
                return
            else:
                self.taken[number] += found.tolist()

    @staticmethod
    def _options(chance: random.Random) -> Any:
        """A run in five is in a hurry."""
        return (
            tf.RunOptions(timeout_in_ms=chance.randrange(1, 5)) if chance.random() < 0.2 else None
        )

    def _ignoring_ends(self, operation: Any) -> None:
        with contextlib.suppress(*_ENDS):
            self.session.run(operation)


def play(rounds: int, threads: int, seed: int) -> None:
    """So many rounds, and a look at the threads that are left."""
    before = threading.active_count()
    for number in range(rounds):
        Round(_KINDS[number % len(_KINDS)], threads, seed + number).run()
    left = [t for t in threading.enumerate() if isinstance(t, Task)]
    assert not left
    # The thread that compiles may have come, and goes when it is idle.
    assert threading.active_count() <= before + 1


def test_nothing_is_lost_or_doubled_in_some_rounds() -> None:
    play(rounds=12, threads=8, seed=0)


def test_nothing_is_lost_or_doubled_with_many_threads() -> None:
    play(rounds=3, threads=32, seed=100)


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_in_ten_thousand_rounds() -> None:
    """32 producers and 32 consumers in each; it takes a quarter of an hour."""
    play(rounds=10_000, threads=32, seed=1000)
