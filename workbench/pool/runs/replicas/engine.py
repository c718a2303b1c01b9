"""The steps of a run that several replicas take together, as one of them has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

from workbench.cluster.replication.strategy import Look, Replication, Share, TrainingState
from workbench.core.graph.tensor import Tensor
from workbench.core.runtime.activity import COMPUTE, WAIT, span
from workbench.live.engine import Engine
from workbench.live.errors import NoWayBackError
from workbench.live.frames import Frame
from workbench.pool.runs.replicas.elements import align
from workbench.pool.runs.replicas.positions import Positions
from workbench.pool.runs.replicas.pulse import Pulse
from workbench.pool.runs.replicas.strategies import computed_apart

#: How often who waits for other replicas looks whether they are there, in seconds.
_LOOK_SECONDS = 0.05


class Role(Protocol):
    """What a replica has to do beside its steps: to lead, or to follow."""

    def before_step(self) -> None:
        """Called before each step; what it raises keeps the step from being taken."""

    def regrouped(self, share: Share) -> None:
        """Called in a step that other replicas take than the one before, before it is computed;
        what it raises keeps the step from being taken by this one."""

    def rest(self) -> None:
        """No step comes now: others are not to wait for one."""

    def tend(self) -> None:
        """Called now and then while no step comes, by the run of the replica that leads."""

    def hear(self) -> list[str]:
        """Takes in all that was said until now: who takes part no more, and why; raises what the
        part of another replica failed with."""

    def restored(self, state: TrainingState) -> None:
        """The training goes on from another state."""

    def finish(self, state: str) -> None:
        """The run has ended, in this state."""


class ReplicatedEngine(Engine):
    """An engine whose steps are taken together with those of other replicas.

    Until it has a replication and a role, it can be restored, and cannot advance.
    """

    is_replicated = True
    replication: Replication | None = None
    role: Role | None = None
    #: Tells others of its pace, and knows theirs.
    pulse: Pulse | None = None
    #: Finds replicas again after the run has ended.
    reopen: Callable[[], object] | None = None

    def prepare(self, positions: Positions, in_step: bool, terms: Mapping[str, Any]) -> None:
        """Before its first step.

        Args:
          positions: where in the data it was after which step.
          in_step: whether the replicas take the same steps together.
          terms: on which others take part, for the record.
        """
        self.positions = positions
        self.in_step = in_step
        self._terms = terms
        #: The group of replicas of the last step.
        self.epoch = 0
        self._share: Share | None = None
        #: How many steps it has taken itself; those of other replicas, and of its past, are more.
        self.own_steps = 0
        #: What it does: "computes", "waits" for other replicas, or "rests"; and since when.
        self.doing: tuple[str, float] = ("rests", time.monotonic())
        #: How many replicas took the steps that it is to repeat; None where that is no matter.
        self._repeated: int | None = None

    def join(self, share: Share) -> None:
        """It takes part from this share of a step on, with the state that the others have."""
        self.step, self.epoch = share.step, share.epoch

    def repeat_with(self, replicas: int, seconds: float) -> None:
        """Its steps are to repeat those of so many replicas; where there are others later, it says
        so.

        NoWayBackError where there are not as many to begin with, and so many seconds later.
        Exception: what the part of another replica failed with.
        """
        assert self.replication is not None and self.role is not None
        until = time.monotonic() + seconds
        there, missing = self.replication.share.size, self.role.hear()
        while there < replicas and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            if self.replication.is_awaited:
                there = self.replication.gather().size
            missing += self.role.hear()
        if there != replicas:
            raise NoWayBackError(
                f"The run cannot be replayed to the bit: {replicas} replicas took its steps, and "
                f"{there} can here{f' ({missing[-1]})' if missing else ''}"
            )
        self._repeated = replicas

    # -- steps -------------------------------------------------------------------------------

    def advance(self, observer: Any = None) -> list[Any]:
        """Takes a step together with the other replicas; gives what was computed before it."""
        assert self.role is not None
        if self.step == self._next_change:
            self._change()
        if self.step == self._next_watched:
            self._rewatch()
        self.do("waits")
        self.is_between_steps = True
        with span(WAIT):
            self.role.before_step()
        self.is_between_steps = False
        assert self.replication is not None
        self.replication.look = None if observer is None else self._look_with(observer)
        return self.take()

    def _look_with(self, observer: Any) -> Look:
        """Has the observer run what this replica computes in the step."""
        is_seen = False

        def look(session: Any, fetches: Sequence[Any], feed: Mapping[Any, Any]) -> Any:
            nonlocal is_seen
            if session is self.session:
                assert self._share is not None
                results = observer.run(fetches, feed, self._share.step + 1)
                is_seen = results is not None
                return results
            return observer.run_rest(session, fetches, feed) if is_seen else None

        return look

    def own_seconds(self, seconds: float) -> float:
        """What this replica's own computation took: not how long it waited for others."""
        assert self.replication is not None
        return self.replication.computed

    def take(self) -> list[Any]:
        """Takes the step, whose moment has come."""
        replication, before = self.replication, self.step
        assert replication is not None
        with span(COMPUTE, before + 1):
            results: list[Any] = replication.step([*self.tracked, *self.watched], self._feed)
        self.step = replication.step_number
        if not self.in_step:
            # Of those that others take beside it, it may not know yet.
            self.step = max(self.step, before + 1)
        self.own_steps += 1
        self.do("waits")
        return results

    def _feed(self, share: Share) -> Mapping[Any, Any]:
        """What this replica's share of a step is fed."""
        assert self.role is not None
        if share.epoch != self.epoch:
            self.epoch = share.epoch
            self.role.regrouped(share)
            if self._repeated not in (None, share.size):
                self._complain(
                    f"{self._repeated} replicas took the steps that are repeated, and {share.size} "
                    f"take those from step {share.step + 1} on: they differ"
                )
                self._repeated = None
        self.do("computes")
        self._share = share
        if self.in_step:
            self.positions.note(share.step, share.batch - share.rank, share.size)
        tensors, values = self.last_feed = self.source.feed(share.batch)
        if tensors != self._tensors:
            self._prepare(tensors)
        return dict(zip(tensors, values, strict=True)) | dict(
            zip(self._hyperparameters, self._fed, strict=True)
        )

    @cached_property
    def own_part(self) -> list[Any]:
        """What this replica computes by itself: where all apply an average, that is no part."""
        return [*self.tracked, *computed_apart(self.targets[0], self._terms["strategy"])]

    def next_feed(self) -> tuple[Callable[..., Any], dict[Tensor, Any]]:
        """The function that runs this replica's part of the next step, and its feed."""
        rank = 0 if self._share is None else self._share.rank
        batch = self.positions.batch(self.step) + rank
        self.session.state.draw_for(batch)
        self.last_feed = self.source.feed(batch)
        tensors, given = self.last_feed
        return self.session.run, dict(zip(tensors, given, strict=True)) | self.fed_values()

    @property
    def repeats(self) -> bool:
        """Whether steps that are taken again give the same."""
        return self.in_step

    def _prepare(self, tensors: tuple[Tensor, ...]) -> None:
        super()._prepare(tensors)
        self._hyperparameters = self._fed_tensors[len(tensors) :]

    def do(self, what: str) -> None:
        """Notes what it does from now on."""
        self.doing = what, time.monotonic()

    @property
    def tier(self) -> str:
        """What ran the last step: its two halves may differ."""
        return self._programs.tier

    def rest(self) -> None:
        """No step comes now."""
        if self.role is not None:
            self.role.rest()
            self.do("rests")
        if not self.in_step and self.replication is not None:
            self.step = max(self.step, self.replication.step_number)

    def tend(self) -> None:
        """Called now and then while no step comes."""
        if self.role is not None:
            self.role.tend()

    def finish(self, state: str) -> None:
        """The run has ended, in this state."""
        role, self.role = self.role, None
        if role is not None:
            role.finish(state)
            self.do("rests")
        if self.pulse is not None:
            self.pulse.close()
            self.pulse = None

    @property
    def terms(self) -> Mapping[str, Any] | None:
        """On what terms others take part."""
        return self._terms

    @property
    def taken(self) -> Sequence[Sequence[int]]:
        """Which batches the steps took."""
        return self.positions.rows

    @property
    def replicas(self) -> Sequence[Mapping[str, Any]]:
        """The replicas and their paces."""
        return () if self.pulse is None else self.pulse.replicas

    # -- states ------------------------------------------------------------------------------

    def frame(self) -> Frame:
        """A copy of the state after the steps done so far."""
        if not self.in_step and self._share is not None:
            # About there: other replicas take batches meanwhile.
            self.positions.note(self.step, self._share.batch + 1, self._share.size)
        # Wherever it goes on from there, its iterators are where the next batch begins.
        align(self, self.positions.batch(self.step))
        return super().frame()

    def restore(self, frame: Frame) -> None:
        """Makes the state of a frame that of all replicas."""
        super().restore(frame)
        if self.role is not None:
            self.role.restored(self.training_state())
        elif self.reopen is not None:
            self.reopen()

    def training_state(self) -> TrainingState:
        """What this replica has, as the state of the training."""
        assert self.replication is not None
        here = self.replication.state()
        return replace(here, step=self.step, batch=self.positions.batch(self.step))

    def evaluate(self, fetches: Any, feed: Mapping[Any, Any] | None) -> Any:
        """Runs `fetches`; where that changes the state, it is the state of all replicas then."""
        changes = self.would_change(fetches, feed)
        try:
            with self.session.state.turns.outside():
                return super().evaluate(fetches, feed)
        finally:
            if changes and self.role is not None:
                self.role.restored(self.training_state())
