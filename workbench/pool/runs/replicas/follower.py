"""A replica that follows: takes the steps that the leader takes, and can lead in its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from workbench.cluster.replication.strategy import Replication, Share, TrainingState
from workbench.core.errors import (
    AbortedError,
    CancelledError,
    DeadlineExceededError,
    OpError,
    UnavailableError,
)
from workbench.live.frames import Frames, Pace
from workbench.live.history import History
from workbench.live.spec import RunSpec
from workbench.pool.runs.errors import error_fields
from workbench.pool.runs.replicas.board_client import BoardClient
from workbench.pool.runs.replicas.engine import ReplicatedEngine
from workbench.pool.runs.replicas.known import Known
from workbench.pool.runs.replicas.positions import Positions

_WAIT_SECONDS = 1.0
#: What says that somebody could not be reached, who may be later.
_OUT_OF_REACH = (UnavailableError, DeadlineExceededError, CancelledError)


class _Held(Exception):
    """The step is not taken."""


class Follower:
    """One replica of a run whose leader is another worker, in a thread of its own.

    Args:
      name: what the run is called.
      spec: what the run does.
      engine: its steps.
      board: the way to what is said.
      make_replication: makes the way to the other replicas.
      begin: brings the engine to where the run starts.
      catch_up: makes a history that of the leader, by its address, or of the first one, and gives
        which batches its steps took.
      promote: called in the follower's thread when it is to lead.
      ended: called when it follows no more.
    """

    def __init__(
        self,
        name: str,
        spec: RunSpec,
        engine: ReplicatedEngine,
        board: BoardClient,
        make_replication: Callable[[], Replication],
        begin: Callable[[], None],
        catch_up: Callable[[History, str | None], Positions],
        promote: Callable[[Follower], None],
        ended: Callable[[], None],
    ) -> None:
        self.name = name
        self.spec, self.engine, self.board = spec, engine, board
        self.known = Known(History(spec.tracked))
        self.frames = Frames(spec.options.snapshot_bytes)
        self._pace = Pace()
        self._make_replication = make_replication
        self._begin, self._catch_up = begin, catch_up
        self._promote, self._ended = promote, ended
        self._is_leaving = False
        #: Whether it has come to its end: who is asked to take part from then on begins anew.
        self.is_over = False
        #: Whether the others have let it in.
        self._takes_part = False
        #: How many words it had heard when it told that it rests.
        self._told_rest = 0
        self._thread = threading.Thread(
            target=self._main, name=f"workbench-replica-{board.run}", daemon=True
        )

    def start(self) -> None:
        """Begins."""
        self.engine.role = self
        self._thread.start()

    def leave(self, patience: float) -> bool:
        """Leaves between two steps: whether it did within so many seconds."""
        self._is_leaving = True
        self.board.wake()
        self._thread.join(patience)
        return not self._thread.is_alive()

    def await_end(self, patience: float) -> None:
        """Waits until it is let go. DeadlineExceededError where it is not in so many seconds."""
        self._thread.join(patience)
        if self._thread.is_alive():
            raise DeadlineExceededError(
                None,
                None,
                f"The replica that followed run {self.name!r} before has not ended in "
                f"{patience:g} s",
            )

    # -- the thread --------------------------------------------------------------------------

    def _main(self) -> None:
        failure: Exception | None = None
        try:
            self._take_part()
            self._takes_part = True
            while not self._is_leaving:
                if self.known.leader == self.board.worker:
                    self._promote(self)
                    return
                self._round()
        except AbortedError:
            # The run is over for its replicas.
            pass
        except Exception as error:
            failure = error
        self._end(failure)

    def _end(self, failure: Exception | None) -> None:
        # Before the board is told, which may ask this worker again at once.
        self.is_over = True
        try:
            if failure is not None:
                with suppress(OpError):
                    self._tell(failure)
            self.engine.finish("stopped")
            self.engine.session.close()
        finally:
            self._ended()

    def _tell(self, failure: Exception) -> None:
        """Says why it takes part no more: nothing has failed where it did not get so far as to."""
        if not self._takes_part and isinstance(failure, _OUT_OF_REACH):
            self.board.ask("cannot", why=str(failure))
        else:
            self.board.ask("failed", error=error_fields(failure))

    def _take_part(self) -> None:
        self._begin()
        replication = self.engine.replication = self._make_replication()
        self.board.listen()
        self._catch_up(self.known.history, self.known.leader)
        while True:
            try:
                share = replication.join()
                break
            except DeadlineExceededError:
                # The one that leads may have much to do before it lets somebody in.
                if self._is_leaving:
                    raise
        self.board.ask("enter", replica=replication.address)
        self.engine.join(share)
        # Its first step is taken with all that was said before: values, and whether to hold.
        self.board.fetch()
        self._hear()
        if share.step:
            # After the words, which may tell of steps that were taken back.
            self.engine.positions = self._catch_up(self.known.history, self.known.leader)
        self._keep_frame(pinned=True)

    def _round(self) -> None:
        """A step, or a while without one."""
        if self.known.is_held:
            if self.engine.doing[0] != "rests":
                # It may have been at the beginning of a step, which the others left.
                self.engine.do("rests")
            if self._told_rest != self.board.heard:
                self._told_rest = self.board.heard
                self.board.ask("rests", number=self._told_rest)
            self.board.wait(_WAIT_SECONDS)
            self._hear(until="go")
            if self.known.is_held:
                self._gather()
            return
        self._hear()
        if self.known.is_held or self.known.leader == self.board.worker:
            return
        assert self.engine.replication is not None
        self.engine.replication.until = self.known.until
        try:
            results = self.engine.take()
        except _Held:
            return
        self._record(results)
        if self.known.until is not None and self.engine.step >= self.known.until:
            self.known.is_held = True

    def _gather(self) -> None:
        """Forms anew with those who wait to be let in, where the leader has said so and does."""
        replication = self.engine.replication
        assert replication is not None
        if self.known.gathered >= replication.epoch:
            self.engine.join(replication.gather())

    def _hear(self, until: str | None = None) -> None:
        """Takes in the words that have come, to the first one of a kind.

        "hold" is for who has left the group in which it was said: the leader forms the next one
        with those who still wait in a step.
        """
        while (word := self.board.peek()) is not None:
            if word["kind"] == "hold" and word["epoch"] >= self.engine.epoch:
                return
            self.board.next()
            epoch = self.known.epoch
            values = self.known.hear(word)
            if self.known.epoch != epoch:
                # Set back, all go on from there.
                self.engine.step = int(word["step"])
            if values is not None:
                self.engine.set(values)
            if word["kind"] == until:
                return

    def _record(self, results: list[Any]) -> None:
        history, engine = self.known.history, self.engine
        if engine.in_step and engine.step > _last_step(history) + 1:
            # It was out of reach, and others have taken steps: one that leads has recorded them.
            with suppress(OpError):
                self._catch_up(history, self.known.leader)
        if engine.step > _last_step(history):
            history.append(engine.step, results[: len(engine.tracked)])
        now = time.perf_counter()
        if now >= self._pace.due:
            self._keep_frame()
            self._pace.took(now, time.perf_counter() - now)

    def _keep_frame(self, pinned: bool = False) -> None:
        # What has no way back has none here either.
        with suppress(OpError):
            self.frames.add(self.engine.frame(), pinned)

    # -- the role ----------------------------------------------------------------------------

    def before_step(self) -> None:
        """The step comes when the leader says so."""

    def regrouped(self, share: Share) -> None:
        """Others take the step, or the leader has said something: now is the time to hear it."""
        self.board.fetch()
        self._hear(until="hold")
        if self.known.is_held or self.known.leader == self.board.worker:
            raise _Held

    def rest(self) -> None:
        """It rests when it is told."""

    def tend(self) -> None:
        """It lets others in when it is told."""

    def hear(self) -> list[str]:
        """It hears what is said between its steps."""
        return []

    def restored(self, state: TrainingState) -> None:
        """It takes the state that others have."""

    def finish(self, state: str) -> None:
        """It follows no more."""
        with suppress(OpError):
            self.board.ask("leave", why="has left", ends=self._is_leaving)
        self.board.close()
        replication = self.engine.replication
        if replication is not None:
            replication.leave()


def _last_step(history: History) -> int:
    last = history.last
    return 0 if last is None else last[0]
