"""Requests that have not been answered: to whom, about what, since when, until when."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.cluster.wire.receiving import Receiver
from workbench.core.errors import (
    CancelledError,
    DeadlineExceededError,
    OpError,
    exception_type_from_error_code,
)


class Answer(Future[Message]):
    """An answer that is to come. Who waits for it receives meanwhile."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__()
        self._receiver = receiver
        # After what wakes who waits in the ordinary way.
        self.add_done_callback(_nudge)

    def result(self, timeout: float | None = None) -> Message:
        """The answer; its error is raised, and TimeoutError after so many seconds."""
        return super().result(self._receiver.help(self.done, timeout))


def _nudge(answer: Future[Message]) -> None:
    assert isinstance(answer, Answer)
    answer._receiver.nudge()


@dataclass(slots=True, eq=False)
class Request:
    """A request that is open."""

    answer: Answer
    #: Whoever is to answer it.
    peer: Any
    about: str
    since: float
    deadline: float | None

    def fail(self, error: BaseException) -> None:
        """Ends it with an error."""
        # It may have been cancelled.
        with contextlib.suppress(InvalidStateError):
            self.answer.set_exception(error)


class Requests:
    """The open requests of an endpoint by their numbers."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._open: dict[int, Request] = {}

    def add(self, peer: Any, about: str, seconds: float | None) -> tuple[int, Answer]:
        """A new request: its number, and the future of its answer."""
        now = time.monotonic()
        deadline = None if seconds is None else now + seconds
        request = Request(Answer(self._receiver), peer, about, now, deadline)
        number = next(self._numbers)
        with self._lock:
            self._open[number] = request
        return number, request.answer

    def failed(self, error: BaseException) -> Answer:
        """A request that could not even be made."""
        answer = Answer(self._receiver)
        answer.set_exception(error)
        return answer

    def answered(self, peer: Any, message: Message) -> None:
        """An answer came. One that nobody waits for, or from somebody else, is dropped."""
        with self._lock:
            request = self._open.get(message.number)
            if request is None or request.peer is not peer:
                return
            del self._open[message.number]
        with contextlib.suppress(InvalidStateError):
            request.answer.set_result(message)

    def owed_by(self, peer: Any) -> float | None:
        """Since when a peer owes an answer; None where it owes none."""
        with self._lock:
            return min((r.since for r in self._open.values() if r.peer is peer), default=None)

    def of(self, peer: Any) -> list[Request]:
        """The requests to a peer; they are not open any more."""
        return self._take(lambda r: r.peer is peer)

    def end_of(self, peer: Any, error: OpError) -> None:
        """Ends the requests to a peer with an error like this one, which says what was awaited."""
        now = time.monotonic()
        kind = exception_type_from_error_code(error.error_code)
        for request in self.of(peer):
            waited = f"awaited was {request.about}, since {now - request.since:.1f} s"
            request.fail(kind(None, None, f"{error.message}; {waited}"))

    def end_overdue(self) -> None:
        """Ends the requests whose time is up."""
        now = time.monotonic()
        for request in self._take(lambda r: r.deadline is not None and r.deadline <= now):
            waited = f"did not answer within {now - request.since:.1f} s"
            text = f"{request.peer.address} {waited}; awaited was {request.about}"
            request.fail(DeadlineExceededError(None, None, text))

    def close(self) -> None:
        """Ends all requests: the endpoint is closed."""
        for request in self._take(lambda r: True):
            text = f"The endpoint was closed before {request.about}"
            request.fail(CancelledError(None, None, text))

    def _take(self, wanted: Callable[[Request], bool]) -> list[Request]:
        with self._lock:
            numbers = [number for number, request in self._open.items() if wanted(request)]
            return [self._open.pop(number) for number in numbers]
