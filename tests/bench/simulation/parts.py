"""The parts of a step, from the pieces that the threads of its processes were found to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.bench.simulation.probes import (
    BEGAN,
    CALLED,
    GOES_ON,
    GOT,
    RAN,
    SENT,
    WOKEN,
    Pieces,
)

_RUN, _VALUES, _DONE = SENT + "run", SENT + "values", SENT + "done"


class Part(NamedTuple):
    """What a process does for one reason, in seconds of a processor each time.

    Attributes:
      count: how often in a step.
      before: until others hear of it.
      after: from then on.
    """

    count: float
    before: float
    after: float

    @property
    def seconds(self) -> float:
        """What it takes in a step."""
        return self.count * (self.before + self.after)

    def at(self, times: float) -> Part:
        """Where everything takes so many times as long."""
        return Part(self.count, self.before * times, self.after * times)


Parts = dict[str, Part]
#: The parts of a worker, and of a server.
WORKER_PARTS = ("ask", "hear", "give", "finish", "chief_ask")
SERVER_PARTS = ("send", "take", "note", "begin", "apply", "let")
Marks = tuple[str, ...]


def server_parts(pieces: Pieces) -> Parts:
    """What a server does: see `TrainingCosts` and `Together`, whose names these are.

    What it takes to receive and to wait belongs to each message in equal parts: half of it before,
    when a thread wakes up, and half after, when it goes to sleep.
    """
    ends = {"send": _VALUES, "take": _DONE, "apply": _DONE, "let": _DONE}
    found = _sorted_in(pieces, _server_part, ends)
    steps = found["send"][0]
    messages = sum(found[name][0] for name in ("send", "take", "note", "begin") if name in found)
    _, waking, rest = found.pop("rest", (0, 0.0, 0.0))
    parts = {}
    for name, (count, before, after) in found.items():
        is_message = name in ("send", "take", "note", "begin")
        more = (waking / 2 / messages, (waking / 2 + rest) / messages)
        more = more if is_message else (0.0, 0.0)
        parts[name] = Part(count / steps, before / count + more[0], after / count + more[1])
    return parts


def _server_part(marks: Marks) -> str:
    begins, ends = marks[1], marks[-1]
    if begins == GOES_ON:
        # The step of all takes the gradients first, before it applies them.
        return "apply" if marks.count(RAN) > 1 else "let"
    if RAN not in marks:
        return "note" if ends == GOT else "rest"
    if ends == BEGAN:
        return "send" if _VALUES in marks else "begin"
    return "take"


def worker_parts(pieces: Pieces) -> Parts:
    """What a worker does, in the same names.

    What is not done for another reason belongs to each message in equal parts: half of it when a
    thread wakes up to `hear`, and half when it goes to sleep before, after what it did last.
    """
    ends = {"ask": _RUN, "give": _VALUES, "chief_ask": _RUN}
    found = _sorted_in(pieces, _worker_part, ends)
    steps = found["ask"][0]
    # It is sent the parameters and the end; in step with others, where it has a chief as well, the
    # step that it goes on with, and the end of the chief's.
    messages = 4 if "chief_ask" in found else 2
    _, before, after = found.pop("rest", (0, 0.0, 0.0))
    each = (before + after) / 2 / steps / messages
    parts = {
        # It goes to sleep after each of these.
        name: Part(n / steps, a / n, b / n + each)
        for name, (n, a, b) in found.items()
    }
    more = messages - len(parts)
    return {**parts, "hear": Part(messages, each * (1 + more / messages), 0.0)}


def _worker_part(marks: Marks) -> str:
    is_main = marks[0] == "main"
    if _RUN in marks:
        return "ask" if is_main else "chief_ask"
    if is_main and _VALUES in marks:
        return "give"
    return "finish" if is_main and RAN in marks else "rest"


def _sorted_in(
    pieces: Pieces, name_of: Callable[[Marks], str], ends: dict[str, str]
) -> dict[str, tuple[int, float, float]]:
    """How often pieces of each name were, and their seconds before and after what `ends` says."""
    found: dict[str, tuple[int, float, float]] = {}
    for marks, (count, legs, _) in pieces.items():
        name = name_of(marks)
        if name == "rest":
            until = len(legs) if marks[-1] in (CALLED, WOKEN) or marks[1] == CALLED else 0
        elif name == "take" and _DONE not in marks:
            until = _place(marks, RAN, len(legs))
        else:
            until = _place(marks, ends.get(name, ""), len(legs))
        before, after = sum(legs[:until]), sum(legs[until:])
        n, a, b = found.get(name, (0, 0.0, 0.0))
        found[name] = n + count, a + before, b + after
    return {name: sums for name, sums in found.items() if sums[0] or name == "rest"}


def spread(pieces: Pieces) -> float:
    """How unequal pieces of one kind are: their deviation as a share of their mean, which counts
    by the seconds that a kind takes in all."""
    total = weighted = 0.0
    for count, legs, squares in pieces.values():
        if (seconds := sum(legs)) > 0:
            total += seconds
            weighted += seconds * max(squares * count / seconds**2 - 1.0, 0.0)
    return float((weighted / total) ** 0.5)


def _place(marks: Marks, mark: str, otherwise: int) -> int:
    """How many legs there are until a mark is passed first."""
    return marks.index(mark, 2) - 1 if mark in marks[2:] else otherwise
