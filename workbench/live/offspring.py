"""Runs that begin with another one's past: forks and replays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.core.runtime.session import LocalSession
from workbench.live.descent import Descent
from workbench.live.engine import Change
from workbench.live.errors import NoWayBackError
from workbench.live.events import Event
from workbench.live.folder import RunFolder, check_run_name
from workbench.live.frames import Frame
from workbench.live.history import History
from workbench.live.hyperparameters import Value
from workbench.live.together import told_terms

if TYPE_CHECKING:
    from workbench.live.run import Run


class Offspring:
    """Makes runs beside one; its methods are called in that run's thread."""

    def __init__(self, parent: Run) -> None:
        self._parent = parent
        #: Called with each run that is made here, before it begins.
        self.met: Callable[[Run], object] = lambda run: None

    def forked(
        self,
        frame: Frame,
        step: int,
        name: str | None,
        values: Mapping[str, Value],
        paused: bool = False,
    ) -> Descent:
        """What a run needs that shares the past up to `step` and has other hyperparameters from
        there. It brings itself from the frame, of that step or an earlier one, to the step.
        """
        parent, loop = self._parent, self._parent._loop
        history = parent.history.prefix(step)
        history.events = [e for e in parent.history.events if e.step <= step]
        at = _values_at(parent.initial, loop.past.changes, step)
        changed = ", ".join(f"{n} {at[n]!r} -> {v!r}" for n, v in values.items())
        text = f"forked from {parent.name!r} at step {step}" + (f", {changed}" if changed else "")
        history.events.append(Event(step, "fork", text, dict(values) or None))
        changes = [(e.step, e.values) for e in history.events if e.values]
        called = name or f"{parent.name}-fork"
        made = self._descent(called, frame, step, history, changes, parent.spec.limit, paused)
        return replace(made, taken=[row for row in loop.engine.taken if row[0] < step])

    def replayed(self, frame: Frame, steps: int, name: str | None) -> Descent:
        """What a run needs to do the same as the parent did, from step 0 on.

        Raises:
          NoWayBackError: replicas did that which cannot do it again.
        """
        parent = self._parent
        engine, changes = parent._loop.engine, parent._loop.past.changes
        made = self._descent(name or f"{parent.name}-replay", frame, 0, None, changes, steps, False)
        made = replace(made, is_replay=True)
        if not engine.is_replicated:
            return made
        sizes = {size for _, _, size in engine.taken}
        if not engine.repeats or len(sizes) != 1:
            reason = (
                f"its steps were taken by {', '.join(map(str, sorted(sizes)))} replicas"
                if engine.repeats
                else f'replicas of strategy "{made.strategy}" wait for nobody'
            )
            raise NoWayBackError(f"The run cannot be replayed to the bit: {reason}")
        return replace(made, replicas=sizes.pop())

    def _descent(
        self,
        name: str,
        frame: Frame,
        step: int,
        history: History | None,
        changes: list[Change],
        limit: int | None,
        paused: bool,
    ) -> Descent:
        parent = self._parent
        past, engine = parent._loop.past, parent._loop.engine
        return Descent(
            check_run_name(name),
            {"run": parent.id, "step": step},
            frame,
            step,
            history,
            changes,
            dict(parent.initial),
            past.frames.shared(step, parent.spec.options.snapshot_bytes),
            engine.log.copy(engine.reached),
            [b for b in past.barriers if b <= step],
            parent.entropy,
            limit,
            paused,
            **(told_terms(engine.terms) or {}),
        )

    def make(self, descent: Descent) -> Run:
        """The run, in this process; it has begun.

        Raises:
          ValueError: replicas are to run it, which this process alone cannot find.
        """
        from workbench.live.run import Run

        parent = self._parent
        if parent._loop.engine.is_replicated:
            raise ValueError("What replicas have begun goes on where a pool has workers for it")
        folder = None
        if parent._folder is not None:
            folder = RunFolder.create(parent._folder.project, descent.name)
        session = LocalSession(
            graph=parent.graph,
            check_numerics=parent.session.check_numerics,
            tier=parent.session._programs.tiers.tier.value,
        )
        session.state.entropy = descent.entropy
        run = Run(
            replace(parent.spec, limit=descent.limit),
            session,
            name=descent.name,
            folder=folder,
            owns_session=True,
            begin=descent.begin,
            history=descent.history,
            frames=descent.frames,
            initial=descent.initial,
            parent=descent.parent,
            paused=descent.paused,
            log=descent.log,
        )
        run.initializers = parent.initializers
        run._loop.begins_with_a_state = True
        run._loop.past.barriers = list(descent.barriers)
        self.met(run)
        run._begin()
        return run


def _values_at(initial: Mapping[str, Value], changes: list[Change], step: int) -> dict[str, Any]:
    """The hyperparameters after `step` steps."""
    values = dict(initial)
    for at, changed in changes:
        if at <= step:
            values.update(changed)
    return values
