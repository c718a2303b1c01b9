"""The part of the replica that has the run: says to the others what they need to know."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workbench.cluster.replication.strategy import Replication, Share, TrainingState
from workbench.core.errors import OpError
from workbench.live import machine as m
from workbench.pool.runs.errors import error_of
from workbench.pool.runs.place import is_gone
from workbench.pool.runs.replicas.board import Word
from workbench.pool.runs.replicas.board_client import BoardClient
from workbench.pool.runs.replicas.changes import change_text

if TYPE_CHECKING:
    from workbench.live.run import Run


#: Others may take so long to come to the end of a step that nobody else waits for, in seconds.
_REST_SECONDS = 30.0
_LOOK_SECONDS = 0.01


def hold_word(state: str, epoch: int = -1) -> Word:
    """What has the others hold, in this state of the run.

    `epoch` is that of the group which they leave before they do; -1 for at once.
    """
    return {"kind": "hold", "state": state, "epoch": epoch}


class Leading:
    """Leads the replicas of a run; all but `lead` is called in the thread of the run.

    As long as steps follow each other, nothing is said: who does not come to a step is awaited in
    it. Where no step comes, "hold" is said and the group is formed anew: so the others, who may
    wait in the step that did not come, leave it, and hear the word. They wait for the word "go",
    which is said when the next step comes, and for nobody. Where somebody waits to be let in
    meanwhile, or is dead, "gather" is said, and all form anew.

    Args:
      is_held: whether the others were told to hold.
      in_step: whether replicas wait for each other in a step.
    """

    def __init__(
        self, board: BoardClient, replication: Replication, is_held: bool, in_step: bool
    ) -> None:
        self._board, self._replication = board, replication
        self._is_held, self._in_step = is_held, in_step
        self._run: Run | None = None
        self._told_events = 0
        self._told: tuple[Any, ...] = ()
        self._told_watches: list[dict[str, Any]] = []
        #: The values of the hyperparameters that the others have.
        self._values: dict[str, Any] = {}
        #: The step after which the others hold without being told.
        self._until: int | None = None

    def lead(self, run: Run) -> None:
        """The run whose replicas these are."""
        self._run = run
        self._values = {name: each.value for name, each in run.spec.known.items()}

    # -- the role ----------------------------------------------------------------------------

    def before_step(self) -> None:
        """The others take the coming step with what was said until now.

        Raises:
          TakenOverError: another worker has the run now.
          Exception: what the part of another replica failed with.
        """
        self._hear_all()
        if self._is_new_to_others:
            self.rest()
        elif not self._is_held and self._watches != self._told_watches:
            # It makes no difference to their steps, but to what they do when one of them leads.
            self._board.post(self._news())
        if self._is_held:
            # Before the others take steps: this one may be where they are applied.
            self._until = self._replication.until = self._end
            then = m.PAUSED if self._state == m.STEPPING else m.RUNNING
            go = {"kind": "go", "until": self._until, "then": then}
            self._board.post([*self._news(), go])
            self._is_held = False

    def rest(self) -> None:
        """No step comes now."""
        if self._is_held:
            return
        replication = self._replication
        must_recall = self._in_step and replication.step_number != self._until
        epoch = replication.share.epoch if must_recall else -1
        number = self._board.post([*self._news(), hold_word(self._state, epoch)])
        self._is_held = True
        if must_recall:
            replication.restore(replication.state())
            replication.join()
        elif not self._in_step:
            self._await_rest(number)

    def _await_rest(self, number: int) -> None:
        """Waits until the others have taken their steps to the end, and rest too."""
        deadline = time.monotonic() + _REST_SECONDS
        while self._board.ask("restless", number=number) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)

    def tend(self) -> None:
        """No step comes yet: lets in who waits, with the state that there is here.

        Raises:
          TakenOverError: another worker has the run now.
        """
        replication = self._replication
        if not (self._is_held and replication.is_awaited):
            return
        try:
            self._board.post([*self._news(), {"kind": "gather", "epoch": replication.epoch}])
        except OpError as error:
            if is_gone(error):
                # Nobody hears it, and nobody comes: that is to be met with the next step.
                return
            raise
        # What was looked at does not change, however the others come to what all begin with.
        replication.restore(replication.state())
        replication.join()

    def regrouped(self, share: Share) -> None:
        """The replicas have formed anew: where this one was out of reach, another one may lead.

        Raises:
          TakenOverError: so it is; the step is not taken here.
        """
        self._board.check_lead()

    def hear(self) -> list[str]:
        """Takes in all that was said until now; tells of the replicas that are there no more.

        Raises:
          TakenOverError: another worker has the run now.
          Exception: what the part of another replica failed with.
        """
        with suppress(OpError):
            self._board.fetch()
        return self._hear_all()

    def restored(self, state: TrainingState) -> None:
        """All replicas go on from another state."""
        self._replication.restore(state)

    def finish(self, state: str) -> None:
        """The run has ended; where only this process ends, another one may lead."""
        # Where another one has it, this worker may follow it by now.
        is_over = state != m.INTERRUPTED and not self._board.is_taken_over
        with suppress(OpError):
            if is_over:
                self._board.ask("close")
            elif not self._board.is_taken_over:
                self._board.ask("leave", why="has left", ends=True)
        self._board.close()
        self._replication.leave(is_over)

    # -- words -------------------------------------------------------------------------------

    @property
    def _state(self) -> str:
        return m.RUNNING if self._run is None else self._run._loop.machine.state

    @property
    def _end(self) -> int | None:
        """The step after which there is a pause, or the end."""
        if self._run is None:
            return None
        machine = self._run._loop.machine
        last = machine.step + machine.remaining if machine.state == m.STEPPING else None
        ends = [end for end in (last, machine.limit) if end is not None]
        return min(ends, default=None)

    @property
    def _is_new_to_others(self) -> bool:
        """Whether the coming step is not as they think: a change was waiting for it."""
        return self._run is not None and self._run._loop.engine.values != self._values

    @property
    def _watches(self) -> list[dict[str, Any]]:
        return [] if self._run is None else self._run._loop.watching.described

    def _news(self) -> list[Word]:
        """What has changed of the run since it was told."""
        run = self._run
        if run is None:
            return []
        events, loop = run.history.events, run._loop
        epoch, values, watches = loop.machine.epoch, loop.engine.values, self._watches
        now = (epoch, len(events))
        if now == self._told and values == self._values and watches == self._told_watches:
            return []
        is_new = not self._told or epoch != self._told[0]
        first = 0 if is_new else self._told_events
        self._told, self._told_events, self._values = now, len(events), dict(values)
        self._told_watches = watches
        return [
            {
                "kind": "run",
                "epoch": epoch,
                "step": loop.engine.step,
                "values": dict(values),
                "watches": watches,
                "first_event": first,
                "events": [e.to_json() for e in events[first:]],
            }
        ]

    def _hear_all(self) -> list[str]:
        left = []
        while (word := self._board.next()) is not None:
            self._hear(word)
            if word["kind"] == "left":
                left.append(f"{word['name']} {word['why']}")
        return left

    def _hear(self, word: Word) -> None:
        kind = word["kind"]
        if kind == "leader" and word["worker"] != self._board.worker:
            raise self._board.taken_over()
        if kind == "failed":
            error = error_of(word["error"], None if self._run is None else self._run.graph)
            raise error
        text = change_text(word)
        if text is not None and self._run is not None:
            self._run._loop.record("log", text)
