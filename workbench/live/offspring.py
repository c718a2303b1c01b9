"""Runs that begin with another one's past: forks and replays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.core.runtime.session import Session
from workbench.live.engine import Change, Engine
from workbench.live.events import Event
from workbench.live.folder import RunFolder, check_run_name
from workbench.live.frames import Frame
from workbench.live.history import History
from workbench.live.hyperparameters import Value

if TYPE_CHECKING:
    from workbench.live.run import Run


class Offspring:
    """Makes runs beside one; its methods are called in that run's thread."""

    def __init__(self, parent: Run) -> None:
        self._parent = parent

    def fork(
        self,
        frame: Frame,
        step: int,
        name: str | None,
        values: Mapping[str, Value],
        paused: bool = False,
    ) -> Run:
        """A run that shares the past up to `step` and has other hyperparameters from there.

        It brings itself from the frame, of that step or an earlier one, to the step.
        """
        parent, loop = self._parent, self._parent._loop
        history = parent.history.prefix(step)
        history.events = [e for e in parent.history.events if e.step <= step]
        at = _values_at(parent.initial, loop.past.changes, step)
        changed = ", ".join(f"{n} {at[n]!r} -> {v!r}" for n, v in values.items())
        text = f"forked from {parent.name!r} at step {step}" + (f", {changed}" if changed else "")
        history.events.append(Event(step, "fork", text, dict(values) or None))
        changes = [(e.step, e.values) for e in history.events if e.values]

        def begin(engine: Engine) -> None:
            engine.return_to(frame, step, changes)

        called = name or f"{parent.name}-fork"
        return self._make(called, begin, history, step, parent.spec.limit, paused)

    def replay(self, frame: Frame, steps: int, name: str | None) -> Run:
        """A run that does the same as the parent did, from step 0 on."""
        parent = self._parent
        changes: list[Change] = parent._loop.past.changes

        def begin(engine: Engine) -> None:
            engine.restore(frame)
            engine.values.update(parent.initial)
            engine.schedule(changes)

        return self._make(name or f"{parent.name}-replay", begin, None, 0, steps)

    def _make(
        self,
        name: str,
        begin: Any,
        history: History | None,
        step: int,
        limit: int | None,
        paused: bool = False,
    ) -> Run:
        from workbench.live.run import Run

        parent = self._parent
        check_run_name(name)
        folder = None
        if parent._folder is not None:
            folder = RunFolder.create(parent._folder.project, name)
        engine = parent._loop.engine
        session = Session(
            graph=parent.graph,
            check_numerics=parent.session.check_numerics,
            tier=parent.session._programs.tiers.tier.value,
        )
        session.state.entropy = parent.entropy
        frames = parent._loop.past.frames.shared(step, parent.spec.options.snapshot_bytes)
        run = Run(
            replace(parent.spec, limit=limit),
            session,
            name=name,
            folder=folder,
            owns_session=True,
            begin=begin,
            history=history,
            frames=frames,
            initial=parent.initial,
            parent={"run": parent.id, "step": step},
            paused=paused,
            log=engine.log.copy(engine.reached),
        )
        run.initializers = parent.initializers
        run._loop.past.barriers = [b for b in parent._loop.past.barriers if b <= step]
        run._begin()
        return run


def _values_at(initial: Mapping[str, Value], changes: list[Change], step: int) -> dict[str, Value]:
    """The hyperparameters after `step` steps."""
    values = dict(initial)
    for at, changed in changes:
        if at <= step:
            values.update(changed)
    return values
