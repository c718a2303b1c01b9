"""What replicas train in tests, with the same in plain NumPy beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE
from tests.pool.runs.support import eventually

#: The strategies by which replicas wait for nobody.
free_strategies = pytest.mark.parametrize("strategy", ["async", "parameter server"])
DATA = np.random.RandomState(0).standard_normal((24, 4))
DATA[:, 3] = DATA[:, :3] @ [1.0, -2.0, 0.5] + 0.1 * DATA[:, 3]
SIZE = 3


class Model:
    """A linear model in double precision, and counters of its steps and of the rows it was fed."""

    def __init__(self, rows: int = 24) -> None:
        self.graph = wb.get_default_graph()
        self.x = wb.placeholder(wb.float64, [None, 3], name="x")
        self.y = wb.placeholder(wb.float64, [None], name="y")
        self.rate = wb.hyperparameter("rate", 0.125, low=0.0, high=1.0)
        self.w = wb.Variable(np.zeros(3), name="w")
        self.count = wb.train.get_or_create_global_step()
        guess = wb.reduce_sum(self.x * self.w, 1)
        self.loss = wb.reduce_mean(wb.square(guess - self.y), name="loss")
        optimizer = wb.train.GradientDescentOptimizer(wb.cast(self.rate, wb.float64))
        self.train = optimizer.minimize(self.loss, global_step=self.count)
        self.data = wb.batches({self.x: DATA[:, :3], self.y: DATA[:, 3]}, SIZE, seed=1,
                               shuffle=True)  # fmt: skip

    def run(self, pool: Any, steps: int | None, **options: Any) -> Any:
        arguments = {"replicas": 2, "track": {"loss": self.loss}, "folder": None, "seed": 3}
        return wb.run(self.train, steps, self.data, pool=pool, **(arguments | options))

    def run_until(self, step: int, pool: Any, strategy: str) -> Any:
        """A run of two replicas, which goes on when both take part and it has come to a step."""
        run = self.run(pool, None, strategy=strategy)
        run.wait_for_replicas(2, PATIENCE)
        return run.wait(PATIENCE, step=step)

    def descend(self, sizes: list[int], rates: list[float]) -> Any:
        """The same in plain NumPy: each step takes as many batches as there are replicas."""
        w, batch = np.zeros(3), 0
        for size, rate in zip(sizes, rates, strict=True):
            gradients = []
            for number in range(batch, batch + size):
                x, y = self.data.values(number)
                gradients.append(2 * x.T @ (x @ w - y) / len(y))
            w = w - rate * np.mean(gradients, axis=0)
            batch += size
        return w


def assert_each_step_once(run: Any, model: Model) -> int:
    """What the run is now, beside plain NumPy with the batches that its record names."""
    last = run.pause()
    steps = run.history.steps
    gaps = [(int(steps[n]), int(steps[n + 1])) for n in np.flatnonzero(np.diff(steps) != 1)]
    assert (steps[0], steps[-1], gaps) == (1, last, [])
    assert run.eval(model.count) == last
    taken = run.status().taken
    ends = [row[0] for row in taken[1:]] + [last]
    sizes = [size for (first, _, size), end in zip(taken, ends, strict=True)
             for _ in range(first, end)]  # fmt: skip
    batches = np.cumsum([0, *sizes])
    assert [batch for _, batch, _ in taken] == [batches[first] for first, _, _ in taken], taken
    w = model.descend(sizes, [0.125] * last)
    np.testing.assert_allclose(run.eval(model.w), w, rtol=1e-6)
    return last


def goes_on(run: Any) -> None:
    before = run.step_number
    eventually(lambda: run.state == "running" and run.step_number > before + 3)


def there(run: Any) -> list[str]:
    """The workers that take part, beside those that are about to."""
    return sorted(each["worker"] for each in run.replicas if each["state"] != "joining")
