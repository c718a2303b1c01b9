"""Any sequence of commands, against a plain loop that does the same arithmetic.

The run adds its hyperparameter to a variable in each step, so the number of each step is known
without running anything: the model is a list of numbers and the value of the hyperparameter.
"""

from __future__ import annotations

import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import workbench as wb
from tests.live.support import PATIENCE
from workbench.live.run import Run

_RATES = st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0])
#: Made into a step of the run: how many there are depends on how fast it went.
_PLACES = st.integers(0, 1000)


class Commands(RuleBasedStateMachine):
    """A run that is told things, and what must be true of it."""

    @initialize(rate=_RATES)
    def begin(self, rate: float) -> None:
        self.folder = tempfile.mkdtemp()
        with wb.Graph().as_default():
            added = wb.hyperparameter("rate", rate)
            self.total = wb.assign_add(wb.Variable(0.0, name="total"), added, name="sum")
            self.run: Run = wb.run(
                self.total, track={"sum": self.total}, name="told", folder=self.folder, paused=True,
                checkpoint_seconds=3600.0,
            )  # fmt: skip
        self.run.pause()
        self.rate = rate
        self.sums: list[float] = []
        #: The rate of each step.
        self.rates: list[float] = []
        self.forks: list[Run] = []

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        for each in (*self.forks, self.run):
            each.close()
        shutil.rmtree(self.folder)

    def _step(self) -> None:
        self.rates.append(self.rate)
        self.sums.append((self.sums[-1] if self.sums else 0.0) + self.rate)

    @rule(count=st.integers(1, 6))
    def step(self, count: int) -> None:
        assert self.run.step(count) == len(self.sums) + count
        for _ in range(count):
            self._step()

    @rule(rate=_RATES)
    def set(self, rate: float) -> None:
        assert self.run.set(rate=rate) == len(self.sums)
        self.rate = rate

    @rule()
    def go_on_and_pause(self) -> None:
        before = len(self.sums)
        assert self.run.resume() == before
        for _ in range(self.run.pause() - before):
            self._step()

    @rule(steps=st.integers(1, 5))
    def watch(self, steps: int) -> None:
        """Pauses in the step in which the sum gets above a limit."""
        before = self.sums[-1] if self.sums else 0.0
        name = self.run.watch("sum:0", "above", before + (steps - 0.5) * self.rate)
        self.run.resume()
        self.run.wait(PATIENCE)
        for _ in range(steps):
            self._step()
        assert self.run.stopped_by is not None and self.run.stopped_by.step == len(self.sums)
        assert self.run.unwatch(name) == len(self.sums)

    @rule()
    def snapshot(self) -> None:
        assert self.run.snapshot() == len(self.sums)

    @rule(place=_PLACES)
    def rewind(self, place: int) -> None:
        step = place % (len(self.sums) + 1)
        assert self.run.rewind(step) == step
        # A value that was set after so many steps counts from the next one on.
        self.rate = (*self.rates, self.rate)[step]
        del self.sums[step:], self.rates[step:]

    @precondition(lambda self: len(self.forks) < 2)
    @rule(place=_PLACES, rate=_RATES)
    def fork(self, place: int, rate: float) -> None:
        step = place % (len(self.sums) + 1)
        other = self.run.fork(step, paused=True, rate=rate)
        self.forks.append(other)
        assert other.step(2) == step + 2
        start = self.sums[step - 1] if step else 0.0
        expected = [*self.sums[:step], start + rate, start + 2 * rate]
        assert other.history["sum"].tolist() == expected

    @rule()
    def stop_and_come_back(self) -> None:
        """A run that was stopped is rewound to its end, and goes on."""
        step = self.run.stop()
        assert step == len(self.sums) and self.run.state == "stopped"
        assert self.run.rewind(step) == step

    @rule()
    def resume_in_another_life(self) -> None:
        """The folder alone is enough to go on."""
        self.run.snapshot()
        self.run.close()
        self.run = wb.resume(f"{self.folder}/told", paused=True)
        self.run.pause()

    @invariant()
    def the_numbers_are_those_of_the_loop(self) -> None:
        if not hasattr(self, "run"):
            return
        assert self.run.state == "paused"
        assert self.run.step_number == len(self.sums) == len(self.run.history)
        assert self.run.history["sum"].tolist() == self.sums
        assert self.run.hyperparameters == {"rate": self.rate}


def check(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Commands,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_commands_give_the_numbers_of_a_plain_loop() -> None:
    check(25, 15)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_commands_give_the_numbers_of_a_plain_loop() -> None:
    check(60, 30)
