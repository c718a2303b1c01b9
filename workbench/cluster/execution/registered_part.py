"""A part of a step that a task has been told of: its graph, and a function for each stage."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from workbench.cluster.execution.edge_encodings import EdgeEncodings
from workbench.cluster.execution.part_run import PartTables
from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.graph import Graph
from workbench.core.graph.importer import import_nodes
from workbench.core.graph.operation import Operation
from workbench.core.plan.partition.parts import Part, StagePart
from workbench.core.plan.partition.stages import frees_nobody, has_effect
from workbench.core.plan.placement.colocation import gives_handles
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.base_session import BaseSession
from workbench.core.runtime.session_tensors import HANDLE_OPERATIONS, passed_on
from workbench.core.runtime.state import SessionState
from workbench.core.sync.registry import Waiting

#: What takes longer than this, in seconds, is not done in a thread that receives; nor what has not
#: been done so often yet.
_QUICK_SECONDS = 0.005
_TRIALS = 3
#: Optimizers' first updates are done one at a time in a task, so many runs of a stage. Two that mix
#: when moments are next to nothing, one's first moment with another's second, take steps that
#: trainings do not recover from; and at first programs are slow, so that they would mix often.
_FIRST_UPDATES = 64
_UPDATES = re.compile(r"(Resource)?(Sparse)?Apply\w+")
#: But what an update runs may run another one: so long they wait for each other, in seconds.
_TURN_SECONDS = 1.0


class Pace:
    """How long something takes, as far as is known.

    >>> from workbench.cluster.execution.registered_part import Pace
    >>> pace = Pace()
    >>> for seconds in (0.5, 0.001, 0.001):  # the first time is for preparations
    ...     pace.add(seconds)
    >>> pace.is_quick, pace.seconds
    (True, 0.001)
    >>> pace.add(0.5)
    >>> pace.is_quick
    False
    """

    def __init__(self) -> None:
        self.count = 0
        #: What it takes now, about.
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """It took so long this time."""
        self.count += 1
        if self.count <= _TRIALS:
            self.seconds = seconds
        else:
            self.seconds += (seconds - self.seconds) / 4

    @property
    def is_quick(self) -> bool:
        """Whether others may wait for it."""
        return self.count >= _TRIALS and self.seconds < _QUICK_SECONDS


class PartSession(BaseSession):
    """A session that has its variables and resources from a task, which keeps them."""

    def __init__(self, graph: Graph, config: Any, state: SessionState) -> None:
        super().__init__(graph=graph, config=config)
        self.state = state
        #: The user's session tells where operations are.
        self._placement_log = None

    def close(self) -> None:
        """Forgets the programs; the variables stay."""
        self.state = SessionState()
        super().close()


class RegisteredPart:
    """What a task needs to run its part of a step again and again.

    `turns` is what first updates of all parts of the task hold.
    """

    def __init__(
        self, part: Part, config: Any, state: SessionState, turns: threading.Lock | None = None
    ) -> None:
        self.part = part
        self._turns = turns or threading.Lock()
        self.tables = PartTables(part)
        self._paces = {stage.number: Pace() for stage in part.stages}
        graph = Graph()
        with graph.as_default():
            import_nodes(_parsed(part.graph), name="", raises=False)
        self.encodings = EdgeEncodings(part, graph, config)
        self._session = PartSession(graph, config, state)
        self._functions = {stage.number: self._function(stage) for stage in part.stages}
        needed = {stage.number: _needed(stage, graph) for stage in part.stages}
        self._waiting_only = {s.number for s in part.stages if _only_waits(s, needed[s.number])}
        self._updating = {n for n, ops in needed.items() if any(map(_updates, ops))}
        #: The stages that keep tensors in the session and give their handles.
        self._giving_handles = {
            stage.number
            for stage in part.stages
            for _, name in stage.gives
            if graph.get_tensor_by_name(name).op.type in HANDLE_OPERATIONS
        }

    def _function(self, stage: StagePart) -> Callable[..., list[Any]]:
        fetches = [*(name for _, name in stage.gives), *stage.targets]
        if not fetches:
            return lambda *values, **options: []
        return self._session.make_callable(fetches, [name for _, name in stage.takes])

    def run(
        self, stage: StagePart, values: tuple[Any, ...], traces: list[bytes] | None = None
    ) -> dict[str, Any]:
        """What a stage gives for the values it takes; its `StepStats` go to `traces`, if given."""
        function, pace = self._functions[stage.number], self._paces[stage.number]
        with self._turn(stage, pace):
            began = time.perf_counter()
            if traces is None:
                results = function(*values)
            else:
                results = _traced(function, values, stage.device, traces)
            pace.add(time.perf_counter() - began)
        if stage.number in self._giving_handles:
            results = [passed_on(value) for value in results]
        return dict(zip([key for key, _ in stage.gives], results, strict=False))

    def _turn(self, stage: StagePart, pace: Pace) -> AbstractContextManager[object]:
        """A block in which no other first update is done, where this is one."""
        if stage.number not in self._updating or pace.count >= _FIRST_UPDATES:
            return _ANY_TIME
        return _held_for_a_while(self._turns)

    def pace(self, stage: StagePart) -> Pace:
        """How long a stage takes."""
        return self._paces[stage.number]

    def only_waits(self, stage: StagePart) -> bool:
        """Whether a stage does nothing but wait: it may be begun again where it would have to."""
        return stage.number in self._waiting_only

    def waiting(self) -> list[Waiting]:
        """What its stages wait for."""
        return self._session.waiting()

    def close(self) -> None:
        """Forgets the programs."""
        self._session.close()


_ANY_TIME = nullcontext()


@contextmanager
def _held_for_a_while(lock: threading.Lock) -> Iterator[None]:
    has_turn = lock.acquire(timeout=_TURN_SECONDS)
    try:
        yield
    finally:
        if has_turn:
            lock.release()


def _needed(stage: StagePart, graph: Graph) -> list[Operation]:
    """The operations that a stage runs."""
    taken = [graph.get_tensor_by_name(name) for _, name in stage.takes]
    given = [graph.get_tensor_by_name(name) for _, name in stage.gives]
    targets = [graph.get_operation_by_name(name) for name in stage.targets]
    return needed_operations(given, targets, taken)


def _only_waits(stage: StagePart, needed: list[Operation]) -> bool:
    """Whether whatever a stage does is to wait, so that nobody else goes on by it."""
    return stage.may_wait and all(
        frees_nobody(op) or not has_effect(op) or _tells_what(op) for op in needed
    )


def _updates(op: Operation) -> bool:
    """Whether an operation is an optimizer's update that may mix with another's."""
    return _UPDATES.fullmatch(op.type) is not None


def _tells_what(op: Operation) -> bool:
    """Whether an operation only tells which variable or resource is meant."""
    return gives_handles(op) and not op.inputs


def _traced(
    function: Callable[..., list[Any]], values: tuple[Any, ...], device: str, traces: list[bytes]
) -> list[Any]:
    from workbench.core.protos import RunMetadata, RunOptions

    metadata = RunMetadata()
    options = RunOptions(trace_level=RunOptions.FULL_TRACE)
    results = function(*values, options=options, run_metadata=metadata)
    for entry in metadata.step_stats.dev_stats:
        entry.device = device
    traces.append(metadata.step_stats.SerializeToString())
    return results


def _parsed(graph: bytes) -> Any:
    from google.protobuf.message import DecodeError

    from workbench.core.protos import GraphDef

    definition = GraphDef()
    try:
        definition.ParseFromString(graph)
    except DecodeError as error:
        raise InvalidArgumentError(None, None, f"This is not a graph: {error}") from None
    return definition
