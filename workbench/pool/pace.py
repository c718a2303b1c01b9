"""When what keeps failing is tried again: pure data, told what happened and when."""

from __future__ import annotations

from dataclasses import dataclass, field

#: What fails is tried again at once so often in a row.
_FREE = 2
_FIRST_SECONDS = 1.0
_MOST_SECONDS = 30.0
#: One that lived so long has not failed to live.
CALM_SECONDS = 10.0


@dataclass
class Pace:
    """Waits that double with each failure in a row, up to half a minute.

    >>> from workbench.pool.pace import Pace
    >>> pace = Pace()
    >>> for _ in range(4):
    ...     pace.failed(now=100.0)
    >>> pace.failures, pace.seconds(now=100.0)
    (4, 2.0)
    """

    failures: int = 0
    #: When it is time for another attempt.
    due: float = 0.0

    def failed(self, now: float) -> None:
        """An attempt has failed."""
        self.failures += 1
        doubled = self.failures - _FREE - 1
        wait = 0.0 if doubled < 0 else min(_FIRST_SECONDS * 2.0 ** min(doubled, 30), _MOST_SECONDS)
        self.due = now + wait

    def went_well(self) -> None:
        """An attempt has not failed."""
        self.failures, self.due = 0, 0.0

    def seconds(self, now: float) -> float:
        """How long the next attempt waits; 0 where it may be made."""
        # The sum and the difference of two times round a little more than the limit at times.
        return min(max(self.due - now, 0.0), _MOST_SECONDS)


@dataclass
class _Life:
    pace: Pace = field(default_factory=Pace)
    #: Since when one serves; None where none does.
    since: float | None = None


class Lives:
    """How workers of a name fared, so that one that dies again and again is not started in a loop.

    >>> from workbench.pool.pace import Lives
    >>> lives = Lives()
    >>> for now in (0.0, 1.0, 2.0):
    ...     lives.began("first", now)
    ...     lives.ended("first", now + 0.5)
    >>> lives.deaths("first"), lives.wait("first", now=2.5)
    (3, 1.0)
    """

    def __init__(self) -> None:
        self._lives: dict[str, _Life] = {}

    def began(self, name: str, now: float) -> None:
        """The worker of a name serves."""
        self._lives.setdefault(name, _Life()).since = now

    def ended(self, name: str, now: float) -> None:
        """It is gone; where it had not begun, it did not get as far."""
        life = self._lives.setdefault(name, _Life())
        if life.since is not None and now - life.since >= CALM_SECONDS:
            life.pace.went_well()
        else:
            life.pace.failed(now)
        life.since = None

    def retired(self, name: str) -> None:
        """It was wished to go."""
        self._lives.pop(name, None)

    def wait(self, name: str, now: float) -> float:
        """How long the next of a name waits before it serves, in seconds."""
        life = self._lives.get(name)
        return 0.0 if life is None else life.pace.seconds(now)

    def deaths(self, name: str) -> int:
        """How many of a name died early, in a row."""
        life = self._lives.get(name)
        return 0 if life is None else life.pace.failures
