"""Watching a run without costing it: some of its steps are run with a probe, under a budget.

Most steps run the plain program. A few times a second one runs the observed program, which does the
same to the bit, notes when each operation ended, and lets statistics look at some results before
they are overwritten. What that costs is measured, not assumed, and kept within 2 % of the steps'
time: fewer operations are looked at in each observed step, in turn, and then fewer steps observed.
The observed program is written beside the run, once for each program of the run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.tensor import Tensor
from workbench.core.runtime.probe import work_clock
from workbench.core.runtime.program import Program
from workbench.live.channels import STATISTICS, checked_channels
from workbench.live.notes import Notes
from workbench.live.observation_pace import MOST_RATE, Pace
from workbench.live.observed_step import ReadyStep, Steps
from workbench.live.overlay import Observation, OverlayFrame
from workbench.live.taps import Tap


class Observer:
    """Observes the steps of a session, as a run's loop runs them.

    The loop asks `due()` before each step. Where it is True, it has `run` run the step, with the
    same result; else, or where `run` gives None, it runs the step itself and, while the observer is
    `active`, tells `note` how long that took. All other methods are for any thread.

    Args:
      session: the session in which the steps are run.
      is_patient: whether `run` waits for a program that can be looked into to be written; else it
        gives None until a thread of its own has written it.

    >>> import numpy as np
    >>> import workbench as tf
    >>> x = tf.placeholder(tf.float32, [3], name="x")
    >>> y = tf.square(x, name="y")
    >>> with tf.Session() as session:
    ...     observer = Observer(session)
    ...     observation = observer.subscribe(["mean", "zeros"])
    ...     observer.note(0.01)  # a step took 10 ms
    ...     if observer.due():
    ...         results = observer.run([y], {x: np.float32([0, 1, 2])}, step=2)
    >>> frame = observation.latest()
    >>> frame.step, frame.channels["mean"][y.op._id - 1].round(3)
    (2, np.float32(1.667))
    """

    def __init__(self, session: Any, is_patient: bool = True) -> None:
        self._graph = session.graph
        self._steps = Steps(session)
        #: Those of another session that runs the rest of each step; see `run_rest`.
        self._rest: Steps | None = None
        self._is_patient = is_patient
        #: True while somebody looks: without, a step costs no more than asking this.
        self.active = False
        self._pace = Pace()
        #: To be told how long a step took that was run without observing it, in seconds; and True
        #: where the next step should be an observed one.
        self.note, self.due = self._pace.note, self._pace.due
        self._notes = Notes(self._graph, self._steps)
        self._lock = threading.Lock()
        self._observations: tuple[Observation, ...] = ()
        self._taps: tuple[Tap, ...] = ()
        self._looks = False
        self._step = 0
        #: How many steps were observed.
        self.count = 0
        #: Grows with each number that is noted.
        self._noting = 0

    # -- who looks: any thread ---------------------------------------------------------------

    def subscribe(self, channels: Iterable[str], rate: float = MOST_RATE) -> Observation:
        """Begin to observe every operation.

        Args:
          channels: of `time` (seconds a step, smoothed over some), `memory` (bytes of results),
            `calls` (a step), and, of its first result, `mean`, `deviation`, `zeros` (share) and
            `nonfinite` (count); of loops `passes`, of conditionals `taken` (the share of times
            that the condition held), in the last observed step.
          rate: frames a second, at most 10; fewer come where the budget allows no more.

        Raises:
          ValueError: there is no such channel, or the rate is not positive.
        """
        if not rate > 0:
            raise ValueError(f"rate must be positive, but got {rate}")
        wanted = checked_channels(channels)
        observation = Observation(wanted, min(rate, MOST_RATE), self._frame, self._leave)
        with self._lock:
            self._observations = (*self._observations, observation)
            self._rearrange()
        return observation

    def tap(self, tensor: Any, samples: int = 200) -> Tap:
        """Begin to sample a tensor (or the first result of an operation, or one by its name).

        Args:
          tensor: the tensor; one that the steps do not compute is computed beside them.
          samples: how many steps and values `history` holds.

        Raises:
          ValueError, KeyError, TypeError: the graph has no such tensor.
        """
        element = self._graph.as_graph_element(tensor)
        found = element if isinstance(element, Tensor) else next(iter(element.outputs), None)
        if found is None:
            raise ValueError(f"Operation {element.name!r} has no result that could be sampled")
        tap = Tap(found, samples, self._leave)
        with self._lock:
            self._taps = (*self._taps, tap)
            self._rearrange()
        return tap

    def _leave(self, who: Observation | Tap) -> None:
        with self._lock:
            self._observations = tuple(each for each in self._observations if each is not who)
            self._taps = tuple(each for each in self._taps if each is not who)
            self._rearrange()

    def _rearrange(self) -> None:
        rates = [each.rate for each in self._observations] + [MOST_RATE] * bool(self._taps)
        wanted = {name for each in self._observations for name in each.channels}
        self._looks = not wanted.isdisjoint((*STATISTICS, "memory"))
        self._pace.want(max(rates, default=0.0), self._looks or bool(self._taps))
        self.active = bool(rates)

    def _frame(self, observation: Observation) -> OverlayFrame | None:
        made = self._noting
        if made != observation._made and made:
            names = observation.channels
            operations = self._steps.inside.operations
            observation._latest = OverlayFrame(self._step, *self._notes.copies(names), operations)
            observation._made = made
        return observation._latest

    @property
    def cost(self) -> float:
        """The share of the last seconds' time that went into observing; 0.0 when nobody looks."""
        return self._pace.cost if self.active else 0.0

    def close(self) -> None:
        """End all subscriptions and taps, and let go of what they needed."""
        with self._lock:
            self._observations = ()
            self._taps = ()
            self._rearrange()
        self._steps.clear()
        if self._rest is not None:
            self._rest.clear()

    # -- the loop's thread -------------------------------------------------------------------

    def run(
        self,
        fetches: Sequence[Any],
        feed_dict: Mapping[Any, Any],
        step: int,
        program: Program | None = None,
    ) -> list[Any] | None:
        """Run a step, observed: with the results of `session.run(fetches, feed_dict)`.

        Gives None where nothing was run, because the program for it is still being written.

        Args:
          step: the number of steps after this one.
          program: the one that runs the step unobserved, where it is not the session's newest.

        Raises:
          What the step fails with.
        """
        began = work_clock()
        taps = [tap for tap in self._taps if not tap.failed]
        if not self._is_patient and not self._steps.are_ready(fetches, feed_dict, taps, program):
            self._pace.defer()
            return None
        ready = self._steps.ready(fetches, feed_dict, taps, program)
        observed = ready.program
        is_first = not observed.is_described
        if is_first:
            self._notes.describe(observed)
            # Made once, it is no part of what observing costs from step to step.
            began = work_clock()
        try:
            self._prepare(ready, step)
            samples = list(self._steps.values_apart(ready, feed_dict))
            beside = work_clock() - began
            started = time.perf_counter()
            results = self._steps.run(ready)
            took = time.perf_counter() - started - observed.looking
            began = work_clock() - observed.work - beside
            self._notes.time(observed, *observed.seconds())
            self._notes.note_ways(observed)
        finally:
            observed.clear()
        if not ready.is_apart:
            samples += zip(ready.beside, results[len(fetches) :], strict=True)
        for tap, value in samples:
            _sampling(tap, step)(value)
        self._step = step
        self.count += 1
        self._noting += 1
        self._pace.observed(took, began, observed.expected, is_first)
        return results[: len(fetches)]

    def run_rest(
        self, session: Any, fetches: Sequence[Any], feed_dict: Mapping[Any, Any]
    ) -> list[Any] | None:
        """Run the rest of the step that `run` has run, where another session runs that.

        The graph of the session has copies of operations, with their names. Taps do not look there.

        Gives None where nothing was run, because the program for it is still being written.
        """
        if self._rest is None or self._rest.session is not session:
            self._rest = Steps(session, self._notes.unseen())
        rest = self._rest
        if not self._is_patient and not rest.are_ready(fetches, feed_dict, ()):
            return None
        began = work_clock()
        ready = rest.ready(fetches, feed_dict, ())
        observed = ready.program
        if not observed.is_described:
            self._notes.describe(observed)
            began = work_clock()
        try:
            self._prepare(ready, self._step)
            beside = work_clock() - began
            results = rest.run(ready)
            began = work_clock() - observed.work - beside
            self._notes.time(observed, observed.seconds()[0])
        finally:
            observed.clear()
        self._noting += 1
        self._pace.observed_rest(began, observed.expected)
        return results

    def _prepare(self, ready: ReadyStep, step: int) -> None:
        """Says what is looked at in the step that comes; looks at what is there before it."""
        program = ready.program
        if self._looks:
            for target in program.next_targets(self._pace.affordable()):
                program.look_at(target.place, self._notes.measuring(target))
        for tap, place in ready.places.items():
            program.look_at(place, _sampling(tap, step))
        program.look_at_feeds(ready.values)


def _sampling(tap: Tap, step: int) -> Callable[[Any], None]:
    def sample(value: Any) -> None:
        try:
            tap.take(step, value)
        except (TypeError, ValueError) as error:
            tap.fail(InvalidArgumentError(None, tap.tensor.op, str(error)))

    return sample
