"""Trains for a long time on both tiers, and watches memory and losses.

    python -m tests.core.fusion.soak SECONDS

Two threads train a network each, with batches of many sizes; now and then they open another session
and close it, and compare some steps with the interpreter's. The last line is what was found, as
JSON; whatever is wrong ends the program with an error.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.networks import NETWORKS, Network
from workbench.core.codegen import table
from workbench.core.runtime.compiling import compiler

#: The part of the time after which nothing grows any more.
_WARM = 0.4
#: So many steps come between two comparisons, and so many are compared.
_BETWEEN, _COMPARED = 100, 8
#: How far losses may be apart after these: rounding errors grow with each step.
_APART = 2e-3
#: What memory may grow after the warm-up, in bytes: the allocator's fragments come and go.
_GROWTH = 24 << 20


class Trainer:
    """Trains a network with batches of changing size, until the time is up."""

    def __init__(self, network: str, sizes: list[int], seed: int) -> None:
        self.graph = tf.Graph()
        self.random = np.random.RandomState(seed)
        self.sizes = sizes
        self.steps = self.compared = self.opened = 0
        self.apart = 0.0
        self.error: BaseException | None = None
        with self.graph.as_default():
            tf.set_random_seed(seed)
            self.network: Network = NETWORKS[network]()
            train = tf.train.MomentumOptimizer(0.01, 0.5).minimize(self.network.loss)
            self.fetches = [self.network.loss, train]
            self.initialise = tf.global_variables_initializer()
        self.session = tf.Session(graph=self.graph)
        self.twin = tf.Session(graph=self.graph, tier="interpreted")
        for session in (self.session, self.twin):
            session.run(self.initialise)
        self.initial = self.values()

    def values(self) -> dict[str, Any]:
        return {n: np.array(s.value) for n, s in self.session.state.variables.items()}

    def feeds(self) -> dict[Any, Any]:
        return self.network.batch(int(self.random.choice(self.sizes)), self.random)

    def work(self, until: float) -> None:
        try:
            while time.monotonic() < until:
                for _ in range(_BETWEEN):
                    loss = self.session.run(self.fetches, self.feeds())[0]
                    self.steps += 1
                    assert np.isfinite(loss), f"the loss became {loss}"
                self.compare()
                self.open_another()
        except BaseException as error:
            self.error = error

    def compare(self) -> None:
        """Some steps on both tiers, from the same values."""
        for name, value in self.values().items():
            self.twin.state.variables[name].value = value if value.ndim else value[()]
        for name, count in self.session.state.random_steps.items():
            self.twin.state.random_steps[name] = count
        for _ in range(_COMPARED):
            feeds = self.feeds()
            fast, slow = (s.run(self.fetches, feeds)[0] for s in (self.session, self.twin))
            self.apart = max(self.apart, float(abs(fast - slow) / max(abs(slow), 0.1)))
            self.steps += 1
        self.compared += 1
        assert self.apart < _APART, f"losses are {self.apart:.1e} apart"
        # From the start again now and then: a network that has learned all shows nothing.
        if self.compared % 10 == 0:
            for name, value in self.initial.items():
                self.session.state.variables[name].value = value.copy() if value.ndim else value[()]

    def open_another(self) -> None:
        """A session that comes and goes leaves nothing."""
        tier = ("auto", "compiled")[self.opened % 2]
        with tf.Session(graph=self.graph, tier=tier) as session:
            session.run(self.initialise)
            for _ in range(3):
                session.run(self.fetches, self.feeds())
        self.opened += 1


def resident() -> int:
    """The process's memory in bytes."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def counts(trainers: list[Trainer]) -> dict[str, int]:
    """How many there are of what could become more and more."""
    gc.collect()
    return {
        "tables": len(table._alive),
        "programs": sum(len(t.session._programs._programs) for t in trainers),
        "compilations": sum(len(t.session._programs.tiers.compilations) for t in trainers),
        "signatures": sum(len(t.session._signatures) for t in trainers),
        "operations": sum(len(t.graph.get_operations()) for t in trainers),
        # The compiling thread goes home when nothing comes for a while.
        "threads": sum(t.name != "workbench-compiler" for t in threading.enumerate()),
    }


def soak(seconds: float) -> dict[str, Any]:
    """Trains for so long; gives what was found, and raises where something is wrong."""
    trainers = [
        Trainer("perceptron", [1, 2, 3, 7, 8, 16, 31, 64, 100, 128], 1),
        Trainer("convolutional", [1, 4, 5, 12, 32, 33], 2),
    ]
    began = time.monotonic()
    _together(trainers, began + seconds * _WARM)
    assert compiler().wait(60)
    warm, memory = counts(trainers), resident()
    _together(trainers, began + seconds)
    assert compiler().wait(60)
    found, grown = counts(trainers), resident() - memory
    for trainer in trainers:
        size = trainer.sizes[0]
        explained = trainer.session.explain(
            trainer.fetches, trainer.network.batch(size, trainer.random)
        )
        assert explained.programs[0].tier == "compiled", explained
    assert found == warm, f"{warm} became {found}"
    assert grown < _GROWTH, f"memory grew by {grown} bytes: {memory} -> {memory + grown}"
    return {
        "seconds": seconds,
        "steps": [t.steps for t in trainers],
        "comparisons": [t.compared for t in trainers],
        "apart": max(t.apart for t in trainers),
        "memory": memory,
        "grown": grown,
        **found,
    }


def _together(trainers: list[Trainer], until: float) -> None:
    works: list[Callable[[], None]] = [lambda t=t: t.work(until) for t in trainers]  # type: ignore[misc]
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for trainer in trainers:
        if trainer.error is not None:
            raise trainer.error


if __name__ == "__main__":
    print(json.dumps(soak(float(sys.argv[1]))))
