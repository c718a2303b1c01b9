"""What a run obeys. Commands only go into its queue, which the loop empties between two steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Command:
    """Something to do between two steps."""


@dataclass(frozen=True)
class Pause(Command):
    """Wait before the next step."""


@dataclass(frozen=True)
class Step(Command):
    """Run so many steps, then pause."""

    count: int = 1


@dataclass(frozen=True)
class Resume(Command):
    """Go on."""


@dataclass(frozen=True)
class Stop(Command):
    """End the run."""


@dataclass(frozen=True)
class Set(Command):
    """New values of hyperparameters, from the next step on."""

    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Watch(Command):
    """Pause at the step in which a tensor's value meets a condition."""

    tensor: Any
    when: str | Callable[[Any], Any] = "not finite"
    threshold: float | None = None


@dataclass(frozen=True)
class Unwatch(Command):
    """Watch no more."""

    watch: str


@dataclass(frozen=True)
class Peek(Command):
    """The value of a tensor now, without any effect on the run."""

    tensor: Any


@dataclass(frozen=True)
class Evaluate(Command):
    """Run fetches in the run's session, with the hyperparameters as they are now."""

    fetches: Any
    feed: Any = None


@dataclass(frozen=True)
class Snapshot(Command):
    """Keep this step's state, in memory and on disk."""


@dataclass(frozen=True)
class Rewind(Command):
    """Go back to the state after so many steps, and pause there."""

    step: int


@dataclass(frozen=True)
class Fork(Command):
    """Begin a second run with this one's past, here or on workers of a pool."""

    step: int | None = None
    name: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    paused: bool = False
    pool: Any = None
    worker: Any = None
    replicas: int | None = None
    strategy: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class Replay(Command):
    """Begin a run that does all the same again from the first step on."""

    name: str | None = None


@dataclass(frozen=True)
class Descend(Command):
    """What a fork or a replay begins with, for another process to begin it."""

    of: Fork | Replay


@dataclass(frozen=True)
class Call(Command):
    """Call a function between two steps; parts of a run that are no command of their own use it."""

    function: Callable[[], Any]


@dataclass(frozen=True)
class Interrupt(Command):
    """End because the process ends: with a checkpoint, to be resumed."""
