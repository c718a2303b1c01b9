"""The states of a run and how it goes from one to another: a machine without threads or clocks.

Stimuli go in, instructions come out; the loop performs them. The machine counts the steps, knows
when the run is over and refuses what cannot be done in a state, in words for the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

CREATED = "created"
RUNNING = "running"
PAUSED = "paused"
STEPPING = "stepping"
FINISHED = "finished"
STOPPED = "stopped"
FAILED = "failed"
INTERRUPTED = "interrupted"

STATES = (CREATED, RUNNING, PAUSED, STEPPING, FINISHED, STOPPED, FAILED, INTERRUPTED)
ENDED = frozenset({FINISHED, STOPPED, FAILED, INTERRUPTED})


# -- stimuli -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Started:
    """The session is ready; the run is at `step`."""

    step: int = 0
    paused: bool = False
    #: The state in which it had ended before.
    ended: str | None = None


@dataclass(frozen=True)
class StepDone:
    """One more step is done."""


@dataclass(frozen=True)
class DataEnded:
    """There is no data for another step."""


@dataclass(frozen=True)
class WatchHit:
    """A watched value met its condition in the last step."""


@dataclass(frozen=True)
class Failure:
    """A step, or going back, raised an error."""

    #: Whether that was between two steps, so that the state is that after the last one.
    between_steps: bool = False


@dataclass(frozen=True)
class PauseAsked:
    """The user wants to pause."""


@dataclass(frozen=True)
class ResumeAsked:
    """The user wants to go on."""


@dataclass(frozen=True)
class StepsAsked:
    """The user wants some steps, then a pause."""

    count: int


@dataclass(frozen=True)
class StopAsked:
    """The user wants to end the run."""


@dataclass(frozen=True)
class RewindAsked:
    """The user wants to go back."""

    step: int


@dataclass(frozen=True)
class ChangeAsked:
    """The user wants something that only a run that can go on has: new values, a watch."""

    what: str


@dataclass(frozen=True)
class ProcessEnds:
    """The interpreter is about to end."""


Stimulus = (
    Started | StepDone | DataEnded | WatchHit | Failure | PauseAsked | ResumeAsked | StepsAsked
    | StopAsked | RewindAsked | ChangeAsked | ProcessEnds
)  # fmt: skip


# -- instructions --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Publish:
    """Tell everybody about the new state."""

    state: str


@dataclass(frozen=True)
class Note:
    """Add an event of this kind to the history."""

    kind: str
    text: str


@dataclass(frozen=True)
class Restore:
    """Put the state after `step` steps back, and drop what was recorded later."""

    step: int


@dataclass(frozen=True)
class Refuse:
    """Do nothing, and say why."""

    message: str
    #: True where the run has ended, and only that is in the way.
    ended: bool = False


@dataclass(frozen=True)
class Conclude:
    """Bring the run to an end: write what is left; `clean` where the session's state is sound."""

    clean: bool


Instruction = Publish | Note | Restore | Refuse | Conclude


class RunMachine:
    """The state of a run.

    Args:
      limit: the number of steps after which it is finished; None for no limit.

    >>> machine = RunMachine(limit=2)
    >>> machine.handle(Started())
    [Publish(state='running')]
    >>> machine.handle(StepDone()), machine.handle(StepDone())
    ([], [Publish(state='finished'), Conclude(clean=True)])
    """

    _DONE: ClassVar[dict[str, str]] = {
        FINISHED: "has finished",
        STOPPED: "was stopped",
        FAILED: "has failed",
        INTERRUPTED: "was interrupted",
    }

    def __init__(self, limit: int | None = None) -> None:
        self.state = CREATED
        #: Steps done.
        self.step = 0
        self.limit = limit
        #: Steps left before it pauses again, while stepping.
        self.remaining = 0
        #: How often it was rewound: what belongs to an earlier epoch is stale.
        self.epoch = 0
        #: False once a failed step may have left the session's state half changed.
        self.sound = True

    @property
    def wants_step(self) -> bool:
        """True when the loop is to run the next step."""
        return self.state in (RUNNING, STEPPING)

    @property
    def has_ended(self) -> bool:
        """True when nothing but a rewind brings it back."""
        return self.state in ENDED

    def handle(self, stimulus: Stimulus) -> list[Instruction]:
        """Takes in what happened, and says what is to be done."""
        match stimulus:
            case StepDone():
                return self.step_done()
            case Started(step, paused, ended):
                self.step = step
                if ended is not None:
                    return self._end(ended)
                return self._go(PAUSED if paused else RUNNING)
            case RewindAsked(step):
                return self._rewind(step)
            case Failure(between_steps):
                self.sound = between_steps
                return self._end(FAILED, clean=between_steps)
            case DataEnded():
                return [Note("log", f"the data ended after step {self.step}"), *self._end(FINISHED)]
            case WatchHit():
                return self._go(PAUSED) if not self.has_ended else []
            case ProcessEnds():
                return [] if self.has_ended else self._end(INTERRUPTED)
        refusal = self._refusal(stimulus)
        return [refusal] if refusal is not None else self._asked(stimulus)

    def _asked(self, stimulus: Stimulus) -> list[Instruction]:
        match stimulus:
            case PauseAsked():
                if self.state == PAUSED:
                    return []
                return [Note("pause", "paused"), *self._go(PAUSED)]
            case ResumeAsked():
                if self.state == RUNNING:
                    return []
                return [Note("resume", "resumed"), *self._go(RUNNING)]
            case StepsAsked(count):
                self.remaining = count
                return self._go(STEPPING) if self.state != STEPPING else []
            case StopAsked():
                return [Note("stop", "stopped"), *self._end(STOPPED)]
        return []

    def _refusal(self, stimulus: Stimulus) -> Refuse | None:
        what = {
            PauseAsked: "pause",
            ResumeAsked: "resume",
            StepsAsked: "step",
            StopAsked: "stop",
        }.get(type(stimulus))
        if isinstance(stimulus, ChangeAsked):
            what = stimulus.what
        if self.has_ended:
            return Refuse(
                f"The run {self._DONE[self.state]} after step {self.step}, so {what} has nothing "
                "to act on; rewind(step) takes it back to a step and leaves it paused there",
                ended=True,
            )
        if isinstance(stimulus, StepsAsked) and stimulus.count < 1:
            return Refuse(f"step needs a positive number of steps, but got {stimulus.count}")
        return None

    def step_done(self, count: int = 1) -> list[Instruction]:
        """`handle(StepDone())`, without the way through the table; `count` where others took some
        more meanwhile."""
        self.step += count
        if self.limit is not None and self.step >= self.limit:
            return self._end(FINISHED)
        if self.state == STEPPING:
            self.remaining -= count
            if self.remaining <= 0:
                return self._go(PAUSED)
        return []

    def _rewind(self, step: int) -> list[Instruction]:
        if self.state == INTERRUPTED:
            return [Refuse("The run was interrupted because the process ends", ended=True)]
        if not 0 <= step <= self.step:
            return [
                Refuse(f"The run can be rewound to a step from 0 to {self.step}, but got {step}")
            ]
        before = self.step
        self.step = step
        self.epoch += 1
        self.sound = True
        self.remaining = 0
        text = f"rewound from step {before} to {step}"
        return [Restore(step), Note("rewind", text), *self._go(PAUSED, always=True)]

    def _go(self, state: str, always: bool = False) -> list[Instruction]:
        if state != STEPPING:
            self.remaining = 0
        if state in (RUNNING, STEPPING) and self.limit is not None and self.step >= self.limit:
            return self._end(FINISHED)
        if state == self.state and not always:
            return []
        self.state = state
        return [Publish(state)]

    def _end(self, state: str, clean: bool = True) -> list[Instruction]:
        self.state = state
        self.remaining = 0
        return [Publish(state), Conclude(clean)]
