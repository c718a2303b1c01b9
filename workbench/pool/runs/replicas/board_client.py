"""A worker's way to the board of a run: what it says, and what was said to all."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.core.errors import (
    AbortedError,
    DeadlineExceededError,
    FailedPreconditionError,
    OpError,
    UnavailableError,
)
from workbench.live.errors import TakenOverError
from workbench.pool.runs.errors import error_of
from workbench.pool.runs.place import shared_endpoint
from workbench.pool.runs.replicas.board import Word
from workbench.pool.runs.replicas.open_board import KIND

#: An answer of the board may take so long, in seconds.
ANSWER_SECONDS = 30.0
#: The board answers after so long where nothing was said, in seconds.
_HOLD_SECONDS = 2.0
_RETRY_SECONDS = 0.2


class BoardClient:
    """The board of one run, as one worker has it. Its words come in a thread of its own.

    Args:
      address: where the boards of the pool are.
      run: the run's id.
      worker: the address of the worker's runtime.
      name: what users call it.
    """

    def __init__(self, address: str, run: str, worker: str, name: str) -> None:
        self.address, self.run, self.worker, self.name = address, run, worker, name
        #: Which of the boards that the run has had, one after another, is meant, once it is known.
        self.opening: str | None = None
        #: Whether this worker led the run, and another one does now.
        self.is_taken_over = False
        self._changed = threading.Condition()
        self._words: list[Word] = []
        self._taken = 0
        self._gone: BaseException | None = None
        self._is_closed = False
        self._thread: threading.Thread | None = None
        #: The replicas and their paces, as the board told last.
        self.paces: list[dict[str, Any]] = []

    @property
    def own_pace(self) -> dict[str, Any]:
        """Of these the one of this worker; empty as long as the board has not told of it."""
        return next((pace for pace in self.paces if pace["worker"] == self.name), {})

    # -- asking ------------------------------------------------------------------------------

    def ask(self, command: str, seconds: float = ANSWER_SECONDS, **fields: Any) -> Any:
        """What the board answers.

        Raises:
          UnavailableError, DeadlineExceededError: it says nothing.
          OpError: what it refuses.
        """
        asked = {
            "command": command,
            "run": self.run,
            "opening": self.opening,
            "worker": self.worker,
            "name": self.name,
        }
        about = f"{command} by the board of run {self.run}"
        answer = shared_endpoint().request(self.address, Message(KIND, asked | fields), about)
        try:
            message = answer.result(seconds)
        except TimeoutError:
            answer.cancel()
            raise DeadlineExceededError(
                None, None, f"The board of the pool has not answered {command!r} for {seconds:g} s"
            ) from None
        if message.kind == "error":
            raise error_of({"kind": "OpError", **message.fields})
        return message.fields["value"]

    def post(self, words: Sequence[Word]) -> int:
        """Says something to all replicas, of which this one leads; how many words there are.

        TakenOverError where another one leads by now.
        """
        try:
            return int(self.ask("post", words=[dict(w) for w in words]))
        except FailedPreconditionError:
            raise self.taken_over() from None

    def check_lead(self) -> None:
        """TakenOverError where another worker leads by now, as far as the board can be asked."""
        try:
            leader = self.ask("who")["leader"]
        except AbortedError:
            raise self.taken_over() from None
        except OpError:
            # Without it nobody else can have become the leader.
            return
        if leader != self.worker:
            raise self.taken_over()

    def taken_over(self) -> TakenOverError:
        """Notes that another worker leads by now; the error that says so."""
        self.is_taken_over = True
        return TakenOverError("Another worker of the pool has this run now")

    # -- words -------------------------------------------------------------------------------

    @property
    def heard(self) -> int:
        """How many words were taken."""
        return self._taken

    def next(self) -> Word | None:
        """The next word of those that have come; None where there is none.

        Raises:
          AbortedError: the board is closed: the run is over for its replicas.
        """
        with self._changed:
            if self._taken < len(self._words):
                self._taken += 1
                return self._words[self._taken - 1]
            # Where it is gone, those who take steps need not know.
            if self._gone is not None and not isinstance(self._gone, UnavailableError):
                raise self._gone
            return None

    def peek(self) -> Word | None:
        """What `next` would give, which stays the next one."""
        word = self.next()
        if word is not None:
            self._taken -= 1
        return word

    def fetch(self) -> None:
        """Has all come that was said until now."""
        with self._changed:
            since = len(self._words)
        self._came(since, self.ask("words", since=since, hold=0.0))

    def wait(self, seconds: float) -> None:
        """Waits until there is a next word. UnavailableError where the board is gone."""
        with self._changed:
            if isinstance(self._gone, UnavailableError):
                raise self._gone
            if len(self._words) == self._taken and self._gone is None and not self._is_closed:
                self._changed.wait(seconds)

    def wake(self) -> None:
        """Ends a wait."""
        with self._changed:
            self._changed.notify_all()

    def listen(self) -> None:
        """Begins to listen to what is said."""
        self._thread = threading.Thread(
            target=self._listen, name=f"workbench-words-{self.run}", daemon=True
        )
        self._thread.start()

    def _listen(self) -> None:
        silent_since: float | None = None
        while not self._is_closed:
            since = len(self._words)
            try:
                seconds = _HOLD_SECONDS + ANSWER_SECONDS / 2
                found = self.ask("words", seconds, since=since, hold=_HOLD_SECONDS)
                silent_since = None
            except (UnavailableError, DeadlineExceededError) as error:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > ANSWER_SECONDS:
                    self._end(_gone(error))
                    return
                time.sleep(_RETRY_SECONDS)
                continue
            except OpError as error:
                self._end(error)
                return
            self._came(since, found)
            if found["closed"]:
                self._end(AbortedError(None, None, f"The replicas of run {self.run} are let go"))
                return

    def _came(self, since: int, found: Mapping[str, Any]) -> None:
        with self._changed:
            # Two may have asked at the same time.
            self._words.extend(found["words"][len(self._words) - since :])
            self._changed.notify_all()

    def _end(self, error: BaseException) -> None:
        with self._changed:
            self._gone = error
            self._changed.notify_all()

    def pace(self, told: Mapping[str, Any]) -> None:
        """Tells how this replica is getting on, and hears of the others."""
        self.paces = list(self.ask("pace", pace=dict(told)))

    def close(self) -> None:
        """Listens no more; what is awaited is not waited for."""
        self._is_closed = True
        self.wake()


def _gone(error: OpError) -> OpError:
    return UnavailableError(
        None, None, f"The scheduler of the pool, which has the replicas of runs, is gone: {error}"
    )
