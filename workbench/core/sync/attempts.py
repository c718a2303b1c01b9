"""The one machine of waiting attempts that queues, barriers, stages and the like share.

An attempt is one operation that wants something of a resource, and may have to wait for it. A
machine is told of events (somebody enters, gives up, time passes) and answers with the attempts
that are over; whoever waits for those is to be told. It knows no threads, no clock and no tensors.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from workbench.core.errors import CancelledError, OpError


class Done(NamedTuple):
    """An attempt got what it wanted."""

    value: Any = None

    def result(self) -> Any:
        """The value."""
        return self.value


class Failed(NamedTuple):
    """An attempt ended without what it wanted."""

    kind: Any
    message: str

    def result(self) -> Any:
        """Raises the error."""
        error: OpError = self.kind(None, None, self.message)
        raise error


Outcome = Done | Failed


class Attempt:
    """One operation that wants something; `outcome` says how it ended, None while it waits."""

    __slots__ = ("gate", "outcome", "request")

    def __init__(self, request: Any) -> None:
        #: What it wants, in the terms of its machine; how far it has got is noted there.
        self.request = request
        self.outcome: Outcome | None = None
        #: What the thread that waits for it is stopped by, if there is one.
        self.gate: Any = None

    def __repr__(self) -> str:
        return f"Attempt({self.request!r}, {self.outcome!r})"


class Lane:
    """Attempts of one kind in the order they came.

    Where `in_turn`, only the first is served, and the others after it; else each as soon as it can
    be.
    """

    __slots__ = ("attempts", "in_turn")

    def __init__(self, in_turn: bool = True) -> None:
        self.attempts: deque[Attempt] = deque()
        self.in_turn = in_turn


class Machine:
    """Attempts in lanes, served whenever something changes.

    A subclass says in which lane an attempt waits, serves it, and takes back what was done for one
    that gives up.
    """

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self.lanes = tuple(lanes)

    # -- what a subclass says ----------------------------------------------------------------

    def lane(self, request: Any) -> Lane:
        """Where an attempt with that request waits."""
        return self.lanes[0]

    def serve(self, request: Any) -> Outcome | bool:
        """Does for a request what can be done: how it ended, or whether something changed."""
        raise NotImplementedError

    def take_back(self, request: Any) -> None:
        """Undoes what a request has got so far: nobody will have it."""

    def given_up(self, request: Any) -> str:
        """What to tell one whose attempt is cancelled."""
        return "The operation was cancelled"

    # -- events ------------------------------------------------------------------------------

    def enter(self, attempt: Attempt) -> list[Attempt]:
        """Somebody wants something. Gives the attempts that are over by that."""
        self.lane(attempt.request).attempts.append(attempt)
        return self.settle()

    def withdraw(self, attempt: Attempt, failure: Failed | None = None) -> list[Attempt]:
        """Somebody gives up, or has given up what they got; without a failure they are cancelled.

        Gives the attempts that are over by that, this one left out.
        """
        lane = self.lane(attempt.request)
        if attempt.outcome is None:
            lane.attempts.remove(attempt)
        self.take_back(attempt.request)
        attempt.outcome = failure or self._cancelled(attempt)
        return self.settle()

    def cancel_all(self, lanes: Iterable[Lane] | None = None) -> list[Attempt]:
        """All that wait, in some lanes, are cancelled. Gives the attempts that are over by that."""
        over: list[Attempt] = []
        for lane in self.lanes if lanes is None else lanes:
            # The newest first: what they had taken comes back in the order it was in.
            for attempt in reversed(lane.attempts):
                self.take_back(attempt.request)
                attempt.outcome = self._cancelled(attempt)
            over.extend(lane.attempts)
            lane.attempts.clear()
        return [*over, *self.settle()]

    def settle(self) -> list[Attempt]:
        """Serves all that can be served now. Gives the attempts that are over by that."""
        over: list[Attempt] = []
        while any(self._serve_lane(lane, over) for lane in self.lanes):
            pass
        return over

    @property
    def waiting(self) -> list[Attempt]:
        """The attempts that wait."""
        return [attempt for lane in self.lanes for attempt in lane.attempts]

    def _cancelled(self, attempt: Attempt) -> Failed:
        return Failed(CancelledError, self.given_up(attempt.request))

    def _serve_lane(self, lane: Lane, over: list[Attempt]) -> bool:
        """Serves the attempts of a lane; True where something changed."""
        changed = False
        if lane.in_turn:
            while lane.attempts:
                result = self.serve(lane.attempts[0].request)
                if isinstance(result, bool):
                    return changed or result
                attempt = lane.attempts.popleft()
                attempt.outcome = result
                over.append(attempt)
                changed = True
            return changed
        for attempt in list(lane.attempts):
            result = self.serve(attempt.request)
            if isinstance(result, bool):
                changed = changed or result
            else:
                lane.attempts.remove(attempt)
                attempt.outcome = result
                over.append(attempt)
                changed = True
        return changed
