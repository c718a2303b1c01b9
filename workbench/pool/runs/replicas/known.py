"""What a follower knows of a run, from the words that were said: enough to lead it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.live.events import Event
from workbench.live.history import History
from workbench.pool.runs.replicas.board import Word
from workbench.pool.runs.replicas.changes import change_event


@dataclass
class Known:
    """What is known of a run; pure data, which words change.

    >>> known = Known(History(["loss"]))
    >>> known.hear({"kind": "hold", "state": "paused"}), known.is_held, known.state
    (None, True, 'paused')
    """

    history: History
    #: How often the run was rewound.
    epoch: int = 0
    #: Whether no step is to be taken.
    is_held: bool = False
    #: The step after which it holds by itself.
    until: int | None = None
    #: The last group that all were to leave while they hold, for one with those who wait; -1: none.
    gathered: int = -1
    #: The state that the run is in, or will be in when it holds.
    state: str = "running"
    #: The worker that leads now; None for the first one.
    leader: str | None = None
    #: What the run is watched for, as `Watching.described` has it.
    watches: list[Mapping[str, Any]] = field(default_factory=list)
    #: Changes of the replicas that the leader has not made events of.
    changes: list[Word] = field(default_factory=list)

    def hear(self, word: Word) -> Mapping[str, Any] | None:
        """Takes in a word; gives the values of the hyperparameters, where it has them."""
        match word["kind"]:
            case "hold":
                self.is_held, self.state = True, str(word["state"])
            case "go":
                self.is_held, self.until, self.state = False, word["until"], str(word["then"])
            case "gather":
                self.gathered = int(word["epoch"])
            case "leader":
                self.leader = str(word["worker"])
            case "joined" | "left":
                self.changes.append(word)
            case "run":
                self._take(word)
                values: Mapping[str, Any] = word["values"]
                return values
        return None

    def _take(self, word: Word) -> None:
        if word["epoch"] != self.epoch:
            self.epoch = int(word["epoch"])
            self.history.truncate(int(word["step"]))
        self.changes.clear()
        self.watches = list(word["watches"])
        events = [Event.from_json(e) for e in word["events"]]
        self.history.events[int(word["first_event"]) :] = events

    def unsaid(self, step: int) -> list[Event]:
        """Events that nobody has told of yet."""
        found = [change_event(word, step) for word in self.changes]
        return [event for event in found if event is not None]
