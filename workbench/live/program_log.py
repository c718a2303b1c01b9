"""Which program ran each step of a run: only where that changed, so it stays short.

The interpreter and compiled code agree but for the last places of their numbers. A run begins with
the one and goes on with the other as soon as it is there, at a step that depends on how busy the
machine is; whoever wants the same numbers again must change over at the same step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The names of the tensors that a step is fed, with the shapes of their values; None for all
#: shapes, where one program serves them.
FeedShapes = tuple[tuple[str, tuple[int, ...]], ...] | None


@dataclass(frozen=True)
class Choice:
    """After `step` steps, what is fed such shapes is run by this program from then on."""

    step: int
    feed: FeedShapes
    #: "interpreted" or "compiled".
    tier: str
    #: The name of the machine code; empty for the interpreter.
    code: str = ""
    #: The names of the tensors that are fetched because they are watched.
    watched: tuple[str, ...] = ()


class ProgramLog:
    """The programs of a run, and the tensors that its steps fetched because they were watched.

    Args:
      until: steps up to this one were run before; they are to be repeated as they were.

    >>> log = ProgramLog()
    >>> log.note(Choice(0, (("x:0", (8,)),), "interpreted"))
    >>> log.note(Choice(23, (("x:0", (8,)),), "compiled", "5eed"))
    >>> log.at(22, (("x:0", (8,)),)).tier, log.at(23, (("x:0", (8,)),)).tier, log.next_after(0)
    ('interpreted', 'compiled', 23)
    """

    def __init__(self, until: int = 0) -> None:
        self.until = until
        #: In the order of their steps.
        self.choices: list[Choice] = []
        #: After so many steps, the names of the watched tensors from then on.
        self.watched: list[tuple[int, tuple[str, ...]]] = []

    # -- reading -----------------------------------------------------------------------------

    def at(self, step: int, feed: FeedShapes) -> Choice | None:
        """The newest choice for such a feed after `step` steps; None where there is none."""
        for choice in reversed(self.choices):
            if choice.step <= step and choice.feed in (feed, None):
                return choice
        return None

    def watched_at(self, step: int) -> tuple[str, ...]:
        """What is watched after `step` steps."""
        return next((names for at, names in reversed(self.watched) if at <= step), ())

    def next_after(self, step: int) -> int | None:
        """The first step after `step` at which something changes or nothing is known any more."""
        steps = [c.step for c in self.choices] + [at for at, _ in self.watched] + [self.until]
        return min((s for s in steps if s > step), default=None)

    # -- writing -----------------------------------------------------------------------------

    def note(self, choice: Choice) -> None:
        """Adds a choice, in place of another one for the same step and feed."""
        kept = [c for c in self.choices if (c.step, c.feed) != (choice.step, choice.feed)]
        self.choices = sorted([*kept, choice], key=lambda c: c.step)

    def note_watched(self, step: int, names: Sequence[str]) -> None:
        """Adds what is watched from a step on, in place of what was noted for that step."""
        kept = [each for each in self.watched if each[0] != step]
        self.watched = sorted([*kept, (step, tuple(names))])

    def copy(self, until: int) -> ProgramLog:
        """A log of its own for a run that is to repeat the first `until` steps, and any others that
        were repeated already."""
        made = ProgramLog(max(until, self.until))
        made.choices, made.watched = list(self.choices), list(self.watched)
        return made

    # -- as plain values ---------------------------------------------------------------------

    def to_json(self, until: int) -> dict[str, Any]:
        """For run.json, when the run came as far as `until`; each feed is written once."""
        choices = self.choices
        feeds = list(dict.fromkeys(c.feed for c in choices))
        written = []
        for choice in choices:
            each: dict[str, Any] = {
                "step": choice.step, "feed": feeds.index(choice.feed), "tier": choice.tier,
            }  # fmt: skip
            if choice.code:
                each["code"] = choice.code
            if choice.watched:
                each["watched"] = list(choice.watched)
            written.append(each)
        return {
            "until": until,
            "feeds": [None if feed is None else dict(feed) for feed in feeds],
            "choices": written,
            "watched": [[step, list(names)] for step, names in self.watched],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any] | None, until: int) -> ProgramLog:
        """From what `to_json` gave, for a run whose record reaches to step `until`.

        A run without such a record was interpreted.
        """
        if found is None:
            return cls(until)
        made = cls(max(until, int(found["until"])))
        feeds: list[FeedShapes] = [
            None if feed is None else tuple((name, tuple(shape)) for name, shape in feed.items())
            for feed in found["feeds"]
        ]
        made.choices = [
            Choice(
                each["step"],
                feeds[each["feed"]],
                each["tier"],
                each.get("code", ""),
                tuple(each.get("watched", ())),
            )
            for each in found["choices"]
        ]
        made.watched = [(step, tuple(names)) for step, names in found["watched"]]
        return made
