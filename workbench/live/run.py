"""A run: steps of a graph in a thread of their own, watched and steered from anywhere."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from workbench.core.errors import OpError
from workbench.live import commands as c
from workbench.live import machine as m
from workbench.live.acknowledgement import PATIENCE
from workbench.live.engine import Engine
from workbench.live.errors import RunEndedError
from workbench.live.events import Event, Published
from workbench.live.folder import RunFolder
from workbench.live.frames import Frames
from workbench.live.history import History
from workbench.live.hyperparameters import Value
from workbench.live.loop import Loop
from workbench.live.machine import RunMachine
from workbench.live.offspring import Offspring
from workbench.live.past import Past
from workbench.live.program_log import ProgramLog
from workbench.live.record import (
    initializers,
    lasting_document,
    run_document,
    set_data_key,
)
from workbench.live.registry import registry
from workbench.live.removal import delete_with_data
from workbench.live.run_view import RunView
from workbench.live.spec import RunSpec
from workbench.live.writer import RunWriter


class Run(RunView):
    """A training that goes on by itself; `wb.run` makes it.

    Every method that tells it something returns when the loop has obeyed, between two steps. What
    can be read (`state`, `step_number`, `history`, `status()`) is there at any time, at no cost to
    the run.

    >>> import workbench as wb
    >>> rate = wb.hyperparameter("rate", 0.5)
    >>> w = wb.Variable(0.0)
    >>> with wb.run(w.assign_add(rate), folder=None, paused=True) as run:
    ...     run.step(4), run.set(rate=0.25), run.step(2)
    ...     after = float(run.eval(w))
    ...     run.rewind(3), after, float(run.eval(w)), run.hyperparameters
    (4, 4, 6)
    (3, 2.5, 1.5, {'rate': 0.5})
    """

    def __init__(
        self,
        spec: RunSpec,
        session: Any,
        *,
        name: str,
        folder: RunFolder | None,
        owns_session: bool,
        begin: Callable[[Engine], None],
        history: History | None = None,
        frames: Frames | None = None,
        initial: Mapping[str, Value] | None = None,
        key: str | None = None,
        parent: Mapping[str, Any] | None = None,
        paused: bool = False,
        resumed: Mapping[str, Any] | None = None,
        log: ProgramLog | None = None,
        engine: Engine | None = None,
        ended: str | None = None,
    ) -> None:
        self.id = key or uuid.uuid4().hex[:12]
        self.name = folder.name if folder is not None else name
        self.spec = spec
        self.session = session
        self.parent = parent
        self.created = time.time()
        #: The name under which a view shows its graph, where one does.
        self.graph_name: str | None = None
        self._owns_session = owns_session
        self._folder = folder
        # An empty one has events.
        self._history = history if history is not None else History(spec.tracked)
        tracked = list(spec.tracked.values())
        if engine is None:
            engine = Engine(session, spec.targets, tracked, spec.source, spec.known, log)
            engine.values.update(initial or {})
        self.initial = dict(engine.values if initial is None else {**engine.values, **initial})
        #: What random operations without seeds begin with.
        self.entropy = session.state.entropy
        machine = RunMachine(spec.limit)
        writer = None
        if folder is not None:
            writer = RunWriter(
                folder,
                self._history,
                lambda: run_document(self),
                spec.options.keep_checkpoints,
                self._note_trouble,
            )
        past = Past(
            engine,
            self._history,
            frames if frames is not None else Frames(spec.options.snapshot_bytes),
            folder,
            writer.flush if writer is not None else lambda: None,
        )
        self._loop = Loop(
            self.id,
            engine,
            machine,
            self._history,
            past,
            writer,
            lambda: begin(engine),
            paused,
            spec.options.checkpoint_seconds,
            spec.options.checkpoint_steps,
            ended,
        )
        self._loop.offspring = Offspring(self)
        if resumed is not None:
            self.created = float(resumed["created"])
            machine.epoch = int(resumed["epoch"])
            self._loop.stopwatch.seconds = float(resumed["seconds"])
            past.cuts = [list(cut) for cut in resumed["cuts"]]
            past.barriers = list(resumed["barriers"])
        #: Where the data is kept, for run.json.
        self.data_key: str | None = (resumed or {}).get("data")
        #: The operations that initialise it: a graph that was read from a file does not know them.
        self.initializers: list[str] = (
            [op.name for op in initializers(spec.graph)]
            if resumed is None
            else list(resumed["initializers"])
        )
        self._writer = writer
        self._resumed = resumed is not None

    @cached_property
    def _lasting_document(self) -> dict[str, Any]:
        return lasting_document(self)

    def _begin(self) -> None:
        """Starts the threads."""
        registry.add(self)
        self._loop.subscribe(self._follow)
        if self._folder is not None and self._writer is not None:
            # Before anybody may look for it, or kill the process.
            try:
                self._folder.write(run_document(self))
            except (OpError, OSError):
                # One that is taken up has a record: it is written again when there is room.
                if not self._resumed:
                    raise
            self._writer.start(self.spec.graph, self._history.count if self._resumed else 0)
            set_data_key(self, self._writer)
        self._loop.start()

    def _follow(self, event: Published) -> None:
        state = getattr(event, "state", None)
        if state in m.ENDED:
            registry.ended(self)
        elif state is not None:
            registry.add(self)

    def _note_trouble(self, text: str) -> None:
        self._history.events.append(Event(self.step_number, "log", text))

    def close(self) -> None:
        """Stops the run where it goes on, and frees its session and the states it kept."""
        if self.is_live and not self._loop.is_own_thread:
            # It may end by itself just now.
            with suppress(RunEndedError):
                self._loop.submit(c.Stop()).result(PATIENCE)
        self._loop.close(PATIENCE)
        self._loop.observer.close()
        self._loop.past.frames.clear()
        if self._owns_session:
            self.session.close()
        registry.forget(self)

    def delete(self) -> None:
        """Removes the run, which has ended, with its folder.

        Raises:
          RuntimeError: it goes on.
        """
        if self.is_live:
            raise RuntimeError(f"{self.name!r} is {self.state}: stop it before it is deleted")
        self.close()
        if self._folder is not None:
            delete_with_data(self._folder)

    def _interrupt(self) -> None:
        self._loop.submit(c.Interrupt())

    def _end_with_process(self, patience: float) -> None:
        if self._loop.settled.wait(patience) and not self.is_live and self.folder is not None:
            print(
                f"The run {self.name!r} was interrupted after step {self.step_number}: "
                f"wb.resume({self.folder!r}) goes on",
                file=sys.stderr,
            )
        self._loop.close(patience)
