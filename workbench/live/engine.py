"""The steps of a run without its thread: what a step is, and how a state comes back.

Everything a step depends on is here: the session, the place in the data, the values of the
hyperparameters and the changes to them that are still to come. So running on from a frame gives the
same numbers again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.snapshot import restore_snapshot, take_snapshot
from workbench.live.effects import has_effects
from workbench.live.feeds import Feed, FeedSource
from workbench.live.frames import Frame
from workbench.live.hyperparameters import Hyperparameter, Value
from workbench.live.program_log import ProgramLog
from workbench.live.step_programs import StepPrograms

#: A change of hyperparameters: the number of steps after which it counts, and the new values.
Change = tuple[int, Mapping[str, Value]]


class Engine:
    """Runs the steps of a graph in a session.

    Args:
      session: the session; the engine does not close it.
      targets: the operations of a step.
      tracked: the tensors whose values every step gives.
      source: what a step is fed.
      known: the hyperparameters of the graph.
      log: which programs ran the steps before, where there were any.
    """

    def __init__(
        self,
        session: Any,
        targets: Sequence[Operation],
        tracked: Sequence[Tensor],
        source: FeedSource,
        known: Mapping[str, Hyperparameter],
        log: ProgramLog | None = None,
    ) -> None:
        self.session = session
        self.graph = session.graph
        self.targets = list(targets)
        self.tracked = list(tracked)
        #: What every step gives beside the tracked tensors: what is watched, and what was watched
        #: when a step that is repeated was run first.
        self.watched: list[Tensor] = []
        self._wanted: list[Tensor] = []
        self.source = source
        self.known = dict(known)
        #: Steps done.
        self.step = 0
        #: The values of the hyperparameters from the next step on.
        self.values: dict[str, Value] = {name: h.value for name, h in known.items()}
        self._changes: deque[Change] = deque()
        self._next_change = -1
        #: Told about each change that was waiting for its step.
        self.on_change: Callable[[int, Mapping[str, Value]], None] | None = None
        #: Told in words what kept a step from being repeated as it was.
        self.on_trouble: Callable[[str], None] | None = None
        #: Called when steps are about to be run by another program.
        self.on_program: Callable[[], None] | None = None
        #: Which programs run the steps.
        self.log = log if log is not None else ProgramLog()
        self._programs = StepPrograms(session, self.log, self._note_program, self._complain)
        self._next_watched = self.log.next_after(-1)
        #: The last feed, for those who ask for a value "now".
        self.last_feed: Feed | None = None
        self._tensors: tuple[Tensor, ...] | None = None
        self._fed_tensors: list[Tensor] = []
        self._fed: list[Any] = []
        self._used: list[str] = []

    # -- steps -------------------------------------------------------------------------------

    def advance(self, observer: Any = None) -> list[Any]:
        """Runs a step; gives the values of the tracked tensors, then of the watched ones.

        With an `Observer` the step is an observed one, with the same results.

        Raises StopIteration at the end of the data, and what the step fails with.
        """
        if self.step == self._next_change:
            self._change()
        feed = self.source.feed(self.step)
        tensors, values = feed
        if self.step == self._next_watched:
            self._rewatch()
        if tensors is not self._tensors and tensors != self._tensors:
            self._prepare(tensors)
        programs, given = self._programs, (*values, *self._fed)
        results = programs.repeat(self.step, given) if observer is None else None
        if results is None:
            program, taken = programs.choose(self.step, given)
            if observer is not None:
                fed = dict(zip(self._fed_tensors, taken, strict=True))
                results = observer.run(self.fetches, fed, self.step + 1, program)
            if results is None:
                results = programs.run(program, taken)
        self.last_feed = feed
        self.step += 1
        return results

    def next_feed(self) -> tuple[Callable[..., Any], dict[Tensor, Any]]:
        """The function that runs the next step, unprepared for speed, and its feed."""
        if self.step == self._next_change:
            self._change()
        self.last_feed = self.source.feed(self.step)
        tensors, given = self.last_feed
        return self.session.run, dict(zip(tensors, given, strict=True)) | self.fed_values()

    @property
    def fetches(self) -> list[Any]:
        """What a step fetches: the tracked tensors, the watched ones, then the operations."""
        return [*self.tracked, *self.watched, *self.targets]

    @property
    def own_part(self) -> list[Any]:
        """What this engine computes of a step, in which others may take part."""
        return [*self.tracked, *self.targets]

    def _prepare(self, tensors: tuple[Tensor, ...]) -> None:
        """Makes the function that runs a step which is fed `tensors`."""
        hyperparameters = {h.tensor for h in self.known.values()}
        for tensor in tensors:
            if tensor.name in hyperparameters:
                raise ValueError(
                    f"{tensor.op.name!r} is a hyperparameter, so the feed must not have it: "
                    "run.set(...) changes it"
                )
        wanted = [*self.tracked, *self.watched]
        needed = set(needed_operations(wanted, self.targets, tensors))
        self._used = [n for n in self.known if self._tensor(n).op in needed]
        self._fed_tensors = [*tensors, *map(self._tensor, self._used)]
        self._programs.prepare(self.fetches, self._fed_tensors, self.watched)
        self._tensors = tensors
        self._refresh()

    def _tensor(self, name: str) -> Tensor:
        tensor: Tensor = self.graph.get_tensor_by_name(self.known[name].tensor)
        return tensor

    def _refresh(self) -> None:
        self._fed = [self.known[n].fed(self.values[n]) for n in self._used]

    def watch(self, tensors: Iterable[Tensor]) -> None:
        """Has every step give the values of these tensors too."""
        self._wanted = list(tensors)
        self._rewatch()

    def _rewatch(self) -> None:
        """Has the next steps give what is watched now, and what was watched the first time."""
        again = self.step < self.log.until
        recorded = self.log.watched_at(self.step)
        watched = list(dict.fromkeys([*self._tensors_of(recorded if again else ()), *self._wanted]))
        if watched != self.watched:
            self.watched = watched
            self._tensors = None
        names = tuple(t.name for t in watched)
        if names != recorded:
            self.log.note_watched(self.step, names)
        self._next_watched = self.log.next_after(self.step) if again else None

    def _tensors_of(self, names: Iterable[str]) -> Iterator[Tensor]:
        for name in names:
            with suppress(KeyError):
                yield self.graph.get_tensor_by_name(name)

    def _note_program(self) -> None:
        if self.on_program is not None:
            self.on_program()

    @property
    def tier(self) -> str:
        """What ran the last step: "interpreted" or "compiled"."""
        return self._programs.tier

    @property
    def reached(self) -> int:
        """How far the run ever came: what it repeats up to there is to be as it was."""
        return max(self.log.until, self.step)

    def own_seconds(self, seconds: float) -> float:
        """How much of the time of the last step, which took `seconds`, an observed step is to be
        compared with."""
        return seconds

    #: Whether what `advance` failed with has left the state of the last step.
    is_between_steps = False
    #: Whether its steps are taken together with others.
    is_replicated = False

    @property
    def repeats(self) -> bool:
        """Whether steps that are taken again give the same."""
        return True

    @property
    def terms(self) -> Mapping[str, Any] | None:
        """On what terms others take part, for the record; None for a run of its own."""
        return None

    @property
    def taken(self) -> Sequence[Sequence[int]]:
        """Which batches the steps took, where that is not one each: from which step on, from
        which batch on, how many each."""
        return ()

    @property
    def replicas(self) -> Sequence[Mapping[str, Any]]:
        """The replicas that take the steps together, and their paces; none for a run of its own."""
        return ()

    def rest(self) -> None:
        """No step comes for now: the run is paused, or has something else to do before."""

    def tend(self) -> None:
        """Called now and then while no step comes."""

    def finish(self, state: str) -> None:
        """The run has ended, in this state; a rewind may take it up again."""

    def _complain(self, text: str) -> None:
        if self.on_trouble is not None:
            self.on_trouble(text)

    # -- hyperparameters ---------------------------------------------------------------------

    def set(self, values: Mapping[str, Value]) -> None:
        """New values of hyperparameters, which were checked."""
        self.values.update(values)
        self._refresh()

    def schedule(self, changes: Iterable[Change]) -> None:
        """Changes to make when their steps come; those that were waiting are forgotten."""
        self._changes = deque(c for c in changes if c[0] >= self.step)
        self._next_change = self._changes[0][0] if self._changes else -1

    @property
    def scheduled(self) -> list[Change]:
        """The changes that wait for their steps."""
        return list(self._changes)

    def _change(self) -> None:
        while self._changes and self._changes[0][0] <= self.step:
            step, values = self._changes.popleft()
            self.set(values)
            if self.on_change is not None:
                self.on_change(step, values)
        self._next_change = self._changes[0][0] if self._changes else -1

    def fed_values(self) -> dict[Tensor, Any]:
        """The hyperparameters as a feed."""
        return {self._tensor(n): h.fed(self.values[n]) for n, h in self.known.items()}

    # -- states ------------------------------------------------------------------------------

    def frame(self) -> Frame:
        """A copy of the state after the steps done so far."""
        return Frame(self.step, take_snapshot(self.session.state), dict(self.values))

    def restore(self, frame: Frame) -> None:
        """Makes the state of a frame the session's."""
        restore_snapshot(self.session.state, frame.state)
        self._remake_iterators()
        self.log.until = self.reached
        self.step = frame.step
        self._programs.review()
        self._rewatch()
        self.values = {**self.values, **frame.values}
        self._refresh()

    def _remake_iterators(self) -> None:
        """Makes the iterators of a new session at once: others ask for them by their handles."""
        waiting = {name for _, name in self.session.state.waiting_resources}
        for op in self.graph.get_operations() if waiting else ():
            if op.type in ("Iterator", "OneShotIterator"):
                shared = op.attrs.get("shared_name")
                name = shared.decode() if isinstance(shared, bytes) else shared
                if (name or op.name) in waiting:
                    self.session.run(op.outputs[0])

    def return_to(self, frame: Frame, step: int, changes: Iterable[Change]) -> None:
        """Makes the state after `step` steps the session's, by running on from an earlier frame.

        `changes` are those that were made to hyperparameters, in order.
        """
        waiting, told, wanted = self.scheduled, self.on_change, self._wanted
        self.on_change = None
        # Nobody looks at the steps on the way: they run as they did the first time.
        self._wanted = []
        self.restore(frame)
        # Changes at the frame's own step may have come after it was taken.
        self.schedule(c for c in changes if frame.step <= c[0] <= step)
        try:
            while self.step < step:
                self.advance()
            self._change()
        finally:
            self.on_change = told
            self.watch(wanted)
        self.schedule(waiting)

    # -- values ------------------------------------------------------------------------------

    def would_change(self, fetches: Any, feed: Mapping[Any, Any] | None) -> bool:
        """True where `evaluate` may change the state of the run."""
        return has_effects(self.graph, fetches, _tensors(self.graph, self._with_values(feed)))

    def _with_values(self, feed: Mapping[Any, Any] | None) -> dict[Any, Any]:
        merged: dict[Any, Any] = self.fed_values()
        merged.update(feed or {})
        return merged

    def evaluate(self, fetches: Any, feed: Mapping[Any, Any] | None) -> Any:
        """Runs `fetches`; random streams are where they were afterwards."""
        random_steps = dict(self.session.state.random_steps)
        try:
            return self.session.run(fetches, self._with_values(feed))
        finally:
            self._put_back(random_steps)

    def peek(self, tensor: Tensor) -> Any:
        """The value of a tensor with the last feed; the run goes on as if nobody had asked."""
        try:
            tensors, given = self.last_feed or self.source.look(self.step)
        except StopIteration:
            raise ValueError(f"There is no data to compute {tensor.name!r} with") from None
        feed = dict(zip(tensors, given, strict=True)) | self.fed_values()
        before = None
        if has_effects(self.graph, tensor, feed):
            before = take_snapshot(self.session.state)
        random_steps = dict(self.session.state.random_steps)
        try:
            return self.session.run(tensor, feed)
        finally:
            if before is not None:
                restore_snapshot(self.session.state, before)
            self._put_back(random_steps)

    def _put_back(self, random_steps: dict[str, int]) -> None:
        # In place: programs that run on hold the dictionary.
        self.session.state.random_steps.clear()
        self.session.state.random_steps.update(random_steps)


def _tensors(graph: Any, feed: Mapping[Any, Any]) -> list[Tensor]:
    from workbench.core.runtime.feeds import flatten_feeds

    return [t for t, _ in flatten_feeds(graph, feed)]
