"""The shell of dataflow programs: runs kernels as the state machine says.

Kernels run in the thread that asked, one at a time; those that may wait for others have threads
of their own, so that the rest goes on. When a run ends, however it ends, so do its threads.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import numpy as np

from workbench.core import errors
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.runtime.dataflow import failures
from workbench.core.runtime.dataflow.frames import DEAD
from workbench.core.runtime.dataflow.machine import Machine, Run
from workbench.core.runtime.dataflow.steps import Step
from workbench.core.runtime.dataflow.structure import Structure
from workbench.core.runtime.program import Observer
from workbench.core.sync import scope as scopes
from workbench.core.sync.registry import idle, waiting_threads

#: After so many kernels it is looked whether the run is still wanted.
_LOOK_EVERY = 256
#: How often it is looked whether all kernels that have threads wait, while updates are held back
#: for them, in seconds.
_GLANCE_SECONDS = 0.001
#: How long the end of a run waits for kernels that were told to stop waiting.
_JOIN_SECONDS = 10.0


class Layout(NamedTuple):
    """A dataflow program: what the state machine knows, and what runs its nodes."""

    structure: Structure
    #: What runs each node; None for those that the machine does by itself.
    steps: tuple[Step | None, ...]
    #: The operation that each node is of.
    operations: tuple[Operation, ...]
    #: The nodes of the fed tensors, in their order.
    fed: tuple[int, ...]
    #: The outputs of the nodes that are constants.
    constants: dict[int, tuple[Any, ...]]
    #: The node and the output that each fetched value comes from.
    fetches: tuple[tuple[int, int], ...]
    tensors: tuple[Tensor, ...]


class Executor:
    """Runs a layout as often as is wanted, also from several threads at a time."""

    def __init__(self, layout: Layout, session: Any, observer: Observer | None = None) -> None:
        self._layout = layout
        self._session = session
        self._observer = observer
        self._observed = (
            [failures.plan_node(op) for op in layout.operations] if observer is not None else []
        )

    def run(self, *fed: Any) -> tuple[Any, ...]:
        """The fetched values for the fed ones."""
        layout = self._layout
        values = dict(layout.constants)
        values.update({n: (v,) for n, v in zip(layout.fed, fed, strict=True)})
        machine = Machine(layout.structure)
        scope = scopes.Scope(outer=scopes.current())
        work = _Work(layout, machine, scope, self)
        try:
            with scopes.entered(scope):
                work.do(machine.start(values))
        finally:
            work.end()
            scope.end()
        if machine.missing:
            raise failures.stalled_error(layout.structure, machine, layout.operations)
        return tuple(self._fetched(machine, i) for i in range(len(layout.fetches)))

    def _fetched(self, machine: Machine, place: int) -> Any:
        node, output = self._layout.fetches[place]
        outputs = machine.results[node]
        value = DEAD if outputs is None else outputs[output]
        if value is DEAD:
            raise failures.dead_fetch_error(self._layout.tensors[place], place)
        if isinstance(value, np.ndarray):
            return value.copy() if value.ndim else value[()]
        return value

    def perform(self, run: Run) -> tuple[Any, ...]:
        """The outputs of one kernel."""
        step = self._layout.steps[run.node]
        assert step is not None
        try:
            outputs = step.call(run.inputs)
            if self._observer is not None:
                self._observer(self._observed[run.node], outputs)
        except Exception as error:
            raise failures.step_error(
                self._layout.operations[run.node],
                run.inputs,
                error,
                self._layout.structure,
                run.frame.path(run.turn),
            ) from None
        return outputs

    def check_wanted(self, scope: scopes.Scope) -> None:
        """Raises where nobody wants the run to go on."""
        if scope.is_cancelled:
            raise errors.CancelledError(None, None, "The run was cancelled")
        if self._session._closed:
            raise errors.CancelledError(None, None, "The session was closed while it ran")
        if scope.deadline is not None and time.monotonic() >= scope.deadline:
            raise errors.DeadlineExceededError(
                None, None, f"The run timed out after {scope.seconds or 0.0:g} s"
            )


class _Work:
    """What one run has to do."""

    def __init__(
        self, layout: Layout, machine: Machine, scope: scopes.Scope, executor: Executor
    ) -> None:
        self._steps: Sequence[Step | None] = layout.steps
        self._operations = layout.operations
        self._machine = machine
        self._scope = scope
        self._executor = executor
        self._ready: deque[Run] = deque()
        self._updates: deque[Run] = deque()
        self._threads: dict[int, threading.Thread] = {}
        self._answers: SimpleQueue[tuple[Run, tuple[Any, ...] | None, BaseException | None]] = (
            SimpleQueue()
        )

    def do(self, first: Sequence[Run]) -> None:
        """Runs kernels until there is nothing left to run."""
        self._take(first)
        ready, updates = self._ready, self._updates
        machine, perform = self._machine, self._executor.perform
        countdown = _LOOK_EVERY
        while True:
            if not self._answers.empty():
                self._answer()
            elif ready:
                run = ready.popleft()
                if self._steps[run.node].blocking and self._is_beside(run):  # type: ignore[union-attr]
                    continue
                self._take(machine.finish(run, perform(run)))
            elif updates and self._all_wait():
                run = updates.popleft()
                self._take(machine.finish(run, perform(run)))
            elif self._threads:
                self._answer(_GLANCE_SECONDS if updates else None)
            else:
                return
            countdown -= 1
            if not countdown:
                countdown = _LOOK_EVERY
                self._executor.check_wanted(self._scope)

    def end(self) -> None:
        """Ends the threads of the run."""
        if not self._threads:
            return
        self._scope.cancel()
        deadline = time.monotonic() + _JOIN_SECONDS
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take(self, runs: Sequence[Run]) -> None:
        for run in runs:
            step = self._steps[run.node]
            (self._updates if step is not None and step.updates else self._ready).append(run)

    def _is_beside(self, run: Run) -> bool:
        """Starts a kernel that may wait in a thread of its own, unless it is all there is to do."""
        if not (self._ready or self._updates or self._threads):
            return False
        name = self._operations[run.node].name
        thread = threading.Thread(
            target=self._work, args=(run,), name=f"workbench-run:{name}", daemon=True
        )
        self._threads[id(run)] = thread
        thread.start()
        return True

    def _work(self, run: Run) -> None:
        outputs, failure = None, None
        try:
            with scopes.entered(self._scope), np.errstate(all="ignore"):
                outputs = self._executor.perform(run)
        except BaseException as error:
            failure = error
        self._answers.put((run, outputs, failure))

    def _all_wait(self) -> bool:
        """True where all kernels that have threads wait: what others do may have to come first."""
        return not self._threads or {t.ident for t in self._threads.values()} <= waiting_threads()

    def _answer(self, timeout: float | None = None) -> None:
        try:
            with idle():
                run, outputs, failure = self._answers.get(timeout=timeout)
        except Empty:
            return
        self._threads.pop(id(run)).join()
        if failure is not None:
            raise failure
        assert outputs is not None
        self._take(self._machine.finish(run, outputs))
