"""Queues as state machines: beside a simple specification, in every order of few events."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.core.sync.specification import SimpleQueue, Wish
from workbench.core.errors import CancelledError, OutOfRangeError
from workbench.core.sync.attempts import Attempt, Done, Failed
from workbench.core.sync.queues import Close, Dequeue, Enqueue, QueueMachine
from workbench.core.sync.stores import FifoStore, PriorityStore, ShuffleStore

_ERRORS = {CancelledError: "cancelled", OutOfRangeError: "out of range"}


def said(attempt: Attempt) -> Any:
    """The outcome of an attempt in the specification's words."""
    if attempt.outcome is None:
        return None
    if isinstance(attempt.outcome, Failed):
        return _ERRORS[attempt.outcome.kind]
    return attempt.outcome.value if isinstance(attempt.request, Dequeue) else "done"


class Both:
    """A machine and its specification, told of the same events."""

    def __init__(self, capacity: int) -> None:
        self.machine = QueueMachine(FifoStore(), capacity, "queue")
        self.simple = SimpleQueue(capacity)
        self.pairs: list[tuple[Attempt, Wish]] = []
        self.given = 0
        self.over: list[Attempt] = []

    def enter(self, request: Any, wish: Wish) -> None:
        attempt = Attempt(request)
        self.pairs.append((attempt, wish))
        self.over += self.machine.enter(attempt)
        self.simple.ask(wish)

    def enqueue(self, count: int) -> None:
        elements = list(range(self.given, self.given + count))
        self.given += count
        self.enter(Enqueue(elements), Wish("enqueue", list(elements)))

    def dequeue(self, count: int, up_to: bool = False) -> None:
        self.enter(Dequeue(count, up_to), Wish("up to" if up_to else "dequeue", count=count))

    def close(self) -> None:
        self.enter(Close(), Wish("close"))

    def close_now(self) -> None:
        self.over += self.machine.close_now()
        self.simple.close_now()

    def cancel(self, number: int) -> None:
        if number < len(self.pairs):
            attempt, wish = self.pairs[number]
            if attempt.outcome is None:
                self.over += [*self.machine.withdraw(attempt), attempt]
            self.simple.cancel(wish)

    def check(self) -> None:
        assert [said(a) for a, _ in self.pairs] == [w.outcome for _, w in self.pairs]
        assert self.machine.store.contents() == self.simple.held
        assert self.machine.closed == self.simple.closed
        # Each is told once that it is over, and only then.
        assert len(self.over) == len({id(a) for a in self.over})
        assert {id(a) for a in self.over} == {id(a) for a, _ in self.pairs if a.outcome is not None}


_EVENTS = {
    "put 1": lambda both: both.enqueue(1),
    "put 3": lambda both: both.enqueue(3),
    "take 1": lambda both: both.dequeue(1),
    "take 3": lambda both: both.dequeue(3),
    "take up to 2": lambda both: both.dequeue(2, up_to=True),
    "close": lambda both: both.close(),
    "close now": lambda both: both.close_now(),
    "cancel the first": lambda both: both.cancel(0),
    "cancel the second": lambda both: both.cancel(1),
}


@pytest.mark.parametrize("capacity", [1, 2])
@pytest.mark.parametrize("first", sorted(_EVENTS))
def test_every_order_of_five_events(first: str, capacity: int) -> None:
    for others in itertools.product(_EVENTS, repeat=3):
        both = Both(capacity)
        for name in (first, *others, "take 1"):
            _EVENTS[name](both)
            both.check()


class QueueEvents(RuleBasedStateMachine):
    """Longer histories, by chance."""

    def __init__(self) -> None:
        super().__init__()
        self.both = Both(3)

    @rule(count=st.integers(0, 5))
    def enqueue(self, count: int) -> None:
        self.both.enqueue(count)

    @rule(count=st.integers(1, 5), up_to=st.booleans())
    def dequeue(self, count: int, up_to: bool) -> None:
        self.both.dequeue(count, up_to)

    @rule(number=st.integers(0, 30))
    def cancel(self, number: int) -> None:
        self.both.cancel(number)

    @rule()
    def close(self) -> None:
        self.both.close()

    @rule()
    def close_now(self) -> None:
        self.both.close_now()

    @invariant()
    def agrees(self) -> None:
        self.both.check()


TestQueueEvents = QueueEvents.TestCase
TestQueueEvents.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def entered(machine: QueueMachine, request: Any) -> Attempt:
    attempt = Attempt(request)
    machine.enter(attempt)
    return attempt


def test_cancelled_request_for_many_puts_back_what_it_took() -> None:
    machine = QueueMachine(FifoStore(), 2, "queue")
    many, one = entered(machine, Dequeue(3)), entered(machine, Dequeue(1))
    entered(machine, Enqueue("ab"))
    assert machine.size == 0
    machine.withdraw(many)
    assert one.outcome == Done(["a"])
    assert machine.store.contents() == ["b"]


def test_more_elements_than_there_is_room_for_go_through() -> None:
    machine = QueueMachine(FifoStore(), 2, "queue")
    giver, taker = entered(machine, Enqueue(range(10))), entered(machine, Dequeue(10))
    assert giver.outcome == Done()
    assert taker.outcome == Done(list(range(10)))


def test_priorities_are_in_order_within_a_batch() -> None:
    machine = QueueMachine(PriorityStore(), 10, "queue")
    taker = entered(machine, Dequeue(3))
    entered(machine, Enqueue([(5,), (1,)]))
    assert taker.outcome is None
    assert machine.size == 2
    entered(machine, Enqueue([(3,)]))
    assert taker.outcome == Done([(1,), (3,), (5,)])


def test_shuffle_waits_for_its_minimum_and_not_when_closed() -> None:
    machine = QueueMachine(ShuffleStore(2, seed=0), 5, "queue")
    taker = entered(machine, Dequeue(2))
    entered(machine, Enqueue(range(3)))
    assert taker.outcome is None
    assert machine.size == 2
    entered(machine, Close())
    assert isinstance(taker.outcome, Done)
    assert machine.size == 1
    assert sorted([*taker.outcome.value, *machine.store.contents()]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("requests", "kind", "message"),
    [
        ([Close(), Close()], CancelledError, "queue is already closed"),
        ([Close(), Enqueue([1])], CancelledError, "queue is closed"),
        (
            [Enqueue([1]), Close(), Dequeue(2)],
            OutOfRangeError,
            r"queue is closed and has insufficient elements \(requested 2, current size 1\)",
        ),
    ],
)
def test_errors_say_what_is_wrong(requests: list[Any], kind: Any, message: str) -> None:
    machine = QueueMachine(FifoStore(), 5, "queue")
    last = [entered(machine, request) for request in requests][-1]
    assert last.outcome is not None
    with pytest.raises(kind, match=message):
        last.outcome.result()


def test_saved_state_has_what_is_in_the_hands_of_those_that_wait() -> None:
    machine = QueueMachine(FifoStore(), 5, "queue")
    taker = entered(machine, Dequeue(3))
    entered(machine, Enqueue("ab"))
    saved = machine.saved()
    entered(machine, Enqueue("c"))
    assert taker.outcome == Done(["a", "b", "c"])
    assert machine.restore(saved) == []
    assert machine.store.contents() == ["a", "b"]
    other = QueueMachine(FifoStore(), 5, "queue")
    waiting = entered(other, Dequeue(2))
    assert other.restore(saved) == [waiting]
    assert waiting.outcome == Done(["a", "b"])
