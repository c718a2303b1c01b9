"""Models and runs for the tests of runs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

import workbench as wb
from workbench.core.runtime.compiling import compiler
from workbench.live.run import Run

#: Nothing in these tests takes so long; a wait that does has failed.
PATIENCE = 60.0


class Model(NamedTuple):
    """A small network with everything that has state: Adam's slots, dropout, a learning rate."""

    x: Any
    y: Any
    lr: Any
    loss: Any
    train: Any
    data: Any

    def run(self, steps: int | None = 60, **options: Any) -> Run:
        """A run of it, in memory alone unless a folder is given."""
        arguments: dict[str, Any] = {
            "feed": self.data,
            "track": {"loss": self.loss},
            "folder": None,
        }
        return wb.run(self.train, steps=steps, **(arguments | options))


def make_model(rows: int = 50) -> Model:
    """The model, in the default graph."""
    random = np.random.default_rng(0)
    xs = random.normal(size=(rows, 6)).astype(np.float32)
    ys = (xs.sum(1, keepdims=True) > 0).astype(np.float32)
    x = wb.placeholder(wb.float32, [None, 6], name="x")
    y = wb.placeholder(wb.float32, [None, 1], name="y")
    lr = wb.hyperparameter("lr", 0.02, low=1e-4, high=1.0, log=True)
    hidden = wb.nn.dropout(wb.layers.dense(x, 16, activation=wb.nn.relu), 0.8)
    logits = wb.layers.dense(hidden, 1)
    loss = wb.reduce_mean(
        wb.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits), name="loss"
    )
    train = wb.train.AdamOptimizer(lr).minimize(loss)
    data = wb.batches({x: xs, y: ys}, 16, shuffle=True, seed=1)
    return Model(x, y, lr, loss, train, data)


def variables(run: Run) -> dict[str, Any]:
    """Copies of the values of all variables."""
    return {n: np.copy(v.value) for n, v in run.session.state.variables.items()}


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """All values are equal to the last bit."""
    assert one.keys() == other.keys() and one
    for name, value in one.items():
        assert np.array_equal(value, other[name], equal_nan=True), name


def end_with_parent() -> None:
    """Ends this process as soon as the one that started it is gone, however that ended."""
    parent = os.getppid()

    def follow() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=follow, name="end-with-parent", daemon=True).start()


@contextmanager
def closing(*runs: Run) -> Iterator[None]:
    """Closes runs at the end, however it comes."""
    try:
        yield
    finally:
        for run in runs:
            run.close()


def _wait(gate: threading.Event) -> None:
    gate.wait(PATIENCE)


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """Holds the compiling thread up; afterwards it has done all its work."""
    gate = threading.Event()
    compiler().submit(lambda: _wait(gate))
    try:
        yield
    finally:
        gate.set()
        assert compiler().wait(PATIENCE)


class FullDisk:
    """A file that takes some bytes, and then no more."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.calls = inner, 0

    def write(self, content: bytes) -> int:
        self.calls += 1
        if self.calls > 1:
            raise OSError(28, "No space left on device")
        written: int = self.inner.write(content[:7])
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)
