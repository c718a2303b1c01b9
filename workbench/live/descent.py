"""What a run begins with that descends from another one: a fork, or a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.live.engine import Change, Engine
from workbench.live.frames import Frame, Frames
from workbench.live.history import History
from workbench.live.hyperparameters import Value
from workbench.live.program_log import ProgramLog


@dataclass(frozen=True)
class Descent:
    """A past that a run shares with its parent, in the process of that or in another one."""

    name: str
    #: The run that it descends from, and the step.
    parent: Mapping[str, Any]
    #: The state to begin with: of `step`, or of an earlier one that it is brought on from.
    frame: Frame
    step: int
    #: What it has recorded already; None where that is nothing.
    history: History | None
    #: The changes of hyperparameters: those on the way to `step`, or those that are still to come.
    changes: Sequence[Change]
    #: The values of the hyperparameters at step 0.
    initial: Mapping[str, Value]
    #: The states to go back to.
    frames: Frames
    #: Which programs ran the steps.
    log: ProgramLog
    #: Steps that no way leads over but by a frame.
    barriers: Sequence[int]
    #: What random operations without seeds begin with.
    entropy: int
    limit: int | None
    paused: bool
    #: Whether it is to do all again that its parent did.
    is_replay: bool = False
    #: Which batches the steps took, where several replicas took them; and how many are wanted.
    taken: Sequence[Sequence[int]] = ()
    replicas: int = 1
    strategy: str | None = None
    encoding: str | None = None

    def begin(self, engine: Engine) -> None:
        """Brings the engine of the run to where it starts."""
        if not self.is_replay:
            engine.return_to(self.frame, self.step, self.changes)
            return
        engine.restore(self.frame)
        engine.values.update(self.initial)
        engine.schedule(self.changes)
