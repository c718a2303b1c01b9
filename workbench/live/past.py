"""The way back to the earlier steps of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.errors import OpError
from workbench.live.engine import Change, Engine
from workbench.live.errors import NoWayBackError
from workbench.live.folder import RunFolder
from workbench.live.frame_files import Place, read_frame
from workbench.live.frames import Frame, Frames, Pace
from workbench.live.history import History


class Past:
    """What brings an earlier step back: frames in memory, checkpoints on disk, recorded changes.

    Args:
      engine: runs the steps.
      history: its events hold the changes of hyperparameters.
      frames: those in memory.
      folder: where checkpoints are, if anywhere.
      flush: has everything written that is still to be.
    """

    def __init__(
        self,
        engine: Engine,
        history: History,
        frames: Frames,
        folder: RunFolder | None,
        flush: Callable[[], Any],
    ) -> None:
        self.frames = frames
        self.pace = Pace()
        self._engine = engine
        self._history = history
        self._folder = folder
        self._flush = flush
        #: The rewinds: the epoch that each began, and the step it went back to.
        self.cuts: list[list[int]] = []
        #: Steps after which the user changed the state: no way leads over them but by a frame.
        self.barriers: list[int] = []
        #: Why no frame can be taken; None where they can.
        self.lost: str | None = None

    @property
    def changes(self) -> list[Change]:
        """The changes of hyperparameters so far."""
        return [(e.step, e.values) for e in self._history.events if e.values]

    def take(self) -> Frame | None:
        """A frame of now; None where none can be taken."""
        if self.lost is None:
            try:
                return self._engine.frame()
            except OpError as error:
                self.lost = error.message
        return None

    def check(self) -> None:
        """Raises NoWayBackError where the run has none, and says why."""
        reason = self._engine.source.unrepeatable
        if reason is not None:
            raise NoWayBackError(f"The run has no way back to an earlier step: {reason}")
        if self.take() is None:
            raise NoWayBackError(f"The run has no way back to an earlier step: {self.lost}")

    def frame_for(self, step: int) -> Frame:
        """The latest frame from which `step` can be reached by running on.

        Raises:
          NoWayBackError: there is none.
        """
        floor = max((b for b in self.barriers if b <= step), default=0)
        found = self.frames.nearest(step)
        if found is not None and found.step < floor:
            found = None
        if found is None or found.step < step:
            place = self._place_for(step, floor)
            if place is not None and (found is None or place.step > found.step):
                return read_frame(place.path, self._engine.graph)
        if found is None:
            raise NoWayBackError(f"Step {step} cannot be restored: {self._reachable()}")
        return found

    def _place_for(self, step: int, floor: int) -> Place | None:
        if self._folder is None:
            return None
        self._flush()
        places = [p for p in self._folder.places(self.cuts) if floor <= p.step <= step]
        return places[-1] if places else None

    def _reachable(self) -> str:
        steps = self.frames.steps
        if self._folder is not None:
            steps += [p.step for p in self._folder.places(self.cuts)]
        if not steps:
            return "no state of the run was kept"
        return f"the earliest state that was kept is that after step {min(steps)}"

    def cut(self, step: int, epoch: int) -> None:
        """Forgets what came after `step`."""
        self.frames.cut(step)
        self.barriers = [b for b in self.barriers if b <= step]
        self._history.truncate(step)
        self._history.events[:] = [e for e in self._history.events if e.step <= step]
        # Last: who reads the history with its epoch must not take old rows for new ones.
        self.cuts.append([epoch, step])

    @property
    def epoch(self) -> int:
        """How often the history was cut; what was read of it before is stale."""
        return int(self.cuts[-1][0]) if self.cuts else 0
