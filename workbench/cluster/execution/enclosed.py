"""Values for who leads a step that go with the answer to it: one message where there were two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.core.errors import InvalidArgumentError


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What the last stage of a part gives for the leader's own part, and which one it was.

    `ended` is None where nothing there waits for the end of the stage.
    """

    values: tuple[tuple[str, Any], ...]
    ended: int | None


def done(results: Mapping[str, Any], enclosed: Enclosed | None, traces: Sequence[bytes]) -> Message:
    """The answer of a task that has run its part of a step.

    >>> from workbench.cluster.execution.enclosed import Enclosed, done, opened
    >>> opened(done({"loss:0": 2.5}, Enclosed((("token:0", 7),), None), ()))
    ({'loss:0': 2.5}, Enclosed(values=(('token:0', 7),), ended=None))
    """
    if enclosed is None:
        return Message("done", {}, tuple(results.items()), blobs=traces)
    fields = {"enclosed": len(enclosed.values), "ended": enclosed.ended}
    return Message("done", fields, (*results.items(), *enclosed.values), blobs=traces)


def opened(answer: Message) -> tuple[dict[str, Any], Enclosed | None]:
    """What the user gets of a part, and what was enclosed in the answer.

    InvalidArgumentError where it says of itself what cannot be.
    """
    count, ended = answer.fields.get("enclosed"), answer.fields.get("ended")
    if count is None:
        return dict(answer.arrays), None
    first = len(answer.arrays) - count if type(count) is int else -1
    if not 0 <= first <= len(answer.arrays) or not (ended is None or type(ended) is int):
        raise InvalidArgumentError(None, None, "A task's answer encloses what it does not have")
    enclosed = Enclosed(tuple(answer.arrays[first:]), ended)
    return dict(answer.arrays[:first]), enclosed
