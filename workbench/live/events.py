"""What a run publishes: to listeners as it happens, and on its history for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: What an event of a history can be about.
KINDS = ("set", "pause", "resume", "stop", "rewind", "fork", "watch", "failed", "log")


@dataclass(frozen=True, repr=False)
class Event:
    """Something that happened to a run after `step` steps; `history.events` lists them.

    Values of hyperparameters in it count for the steps after `step`.

    >>> Event(500, "set", "lr 0.1 -> 0.01", {"lr": 0.01})
    <wb.Event step 500: set: lr 0.1 -> 0.01>
    """

    step: int
    kind: str
    text: str
    values: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        said = self.text if self.text.startswith(self.kind) else f"{self.kind}: {self.text}"
        return f"step {self.step}: {said}"

    def __repr__(self) -> str:
        return f"<wb.Event {self}>"

    def to_json(self) -> dict[str, Any]:
        """As plain values, "values" only where there are some."""
        found: dict[str, Any] = {"step": self.step, "kind": self.kind, "text": self.text}
        if self.values is not None:
            found["values"] = dict(self.values)
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Event:
        """From what `to_json` gave."""
        values = found.get("values")
        return cls(int(found["step"]), str(found["kind"]), str(found["text"]), values)


@dataclass(frozen=True)
class Published:
    """What a listener is called with: which run, and after how many steps."""

    run: str
    step: int


@dataclass(frozen=True)
class StateChanged(Published):
    """The run is in another state."""

    state: str


@dataclass(frozen=True)
class Stepped(Published):
    """Steps were done; sent a few times a second, with the newest tracked values."""

    values: Mapping[str, float]


@dataclass(frozen=True)
class Happened(Published):
    """An event joined the history."""

    event: Event


@dataclass(frozen=True)
class Rewound(Published):
    """What was recorded after `step` is no more; data of an earlier epoch is stale."""

    epoch: int
