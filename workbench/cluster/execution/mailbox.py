"""Which steps of which sessions are alive, and what came for steps that have not begun.

Tasks send to each other before all of them have been told of a step. What comes for a step that
is over, or of a session that is, is dropped.
"""

from __future__ import annotations

from typing import Generic, TypeVar

#: So many letters are kept for the steps of a session that have not begun; what comes then is from
#: a sender who is astray, and is dropped.
MOST_EARLY_LETTERS = 10_000

Step = TypeVar("Step")
Letter = TypeVar("Letter")


class _Session(Generic[Step, Letter]):
    def __init__(self) -> None:
        #: Steps with lower numbers are over.
        self.oldest = 0
        self.active: dict[int, Step] = {}
        self.early: dict[int, list[Letter]] = {}
        self.over: set[int] = set()


class Mailbox(Generic[Step, Letter]):
    """The steps that run here by session and number."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session[Step, Letter]] = {}

    def open(self, session: str) -> None:
        """A session begins."""
        self._sessions.setdefault(session, _Session())

    def close(self, session: str) -> list[Step]:
        """A session ends; its steps that still run."""
        found = self._sessions.pop(session, None)
        return list(found.active.values()) if found is not None else []

    def begin(self, session: str, number: int, oldest: int, step: Step) -> list[Letter] | None:
        """A step begins; what came for it before. None where it must not begin: it is over.

        `oldest` is the lowest number of a step of the session that may still run.
        """
        found = self._sessions.get(session)
        if found is None or number < found.oldest or number in found.over or number in found.active:
            return None
        if oldest > found.oldest:
            found.oldest = oldest
            found.over = {n for n in found.over if n >= oldest}
            found.early = {n: letters for n, letters in found.early.items() if n >= oldest}
        found.active[number] = step
        return found.early.pop(number, [])

    def all_steps(self) -> list[Step]:
        """The steps of all sessions that run here."""
        return [step for found in self._sessions.values() for step in found.active.values()]

    def deliver(self, session: str, number: int, letter: Letter) -> Step | None:
        """Something came for a step: the step to give it to. What is early is kept for it."""
        found = self._sessions.get(session)
        if found is None or number < found.oldest or number in found.over:
            return None
        step = found.active.get(number)
        if step is None and sum(map(len, found.early.values())) < MOST_EARLY_LETTERS:
            found.early.setdefault(number, []).append(letter)
        return step

    def steps(self, session: str) -> list[Step]:
        """The steps of a session that run here."""
        found = self._sessions.get(session)
        return list(found.active.values()) if found is not None else []

    def end(self, session: str, number: int) -> Step | None:
        """A step is over, or must not begin any more; the step if it runs."""
        found = self._sessions.get(session)
        if found is None:
            return None
        if number >= found.oldest:
            found.over.add(number)
        found.early.pop(number, None)
        return found.active.pop(number, None)
