"""What a run costs beside a bare loop: `wb.run` against `for ...: session.run(...)`.

    python tests/bench/run_overhead.py [--steps 2000] [--rounds 7] [--limit 10]

Both run the same steps on the same batches and keep the loss of each step. The run is as users have
it: with its folder, history, TensorBoard events, states to go back to and checkpoints. The two are
measured in turn, in the processor time of the thread that runs the steps, so that a busy machine
disturbs little; the answer is the difference of the fastest rounds, which were disturbed least.
Ends with status 1 above the limit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from typing import Any

import numpy as np

import workbench as wb
from workbench.live.commands import Call


def model(width: int) -> tuple[Any, Any, Any]:
    """A training step of one hidden layer, its loss and its batches."""
    random = np.random.default_rng(0)
    xs = random.normal(size=(2000, 20)).astype(np.float32)
    ys = random.normal(size=(2000, 1)).astype(np.float32)
    x = wb.placeholder(wb.float32, [None, 20])
    y = wb.placeholder(wb.float32, [None, 1])
    hidden = wb.layers.dense(x, width, activation=wb.nn.relu)
    loss = wb.reduce_mean(wb.square(wb.layers.dense(hidden, 1) - y))
    lr = wb.hyperparameter("lr", 0.01, low=1e-4, high=1.0, log=True)
    train = wb.train.AdamOptimizer(lr).minimize(loss)
    return train, loss, wb.batches({x: xs, y: ys}, 40, shuffle=True, seed=0)


def bare_seconds(train: Any, loss: Any, data: Any, steps: int) -> float:
    """Seconds a step of the loop that a user writes."""
    losses = []
    with wb.Session(graph=train.graph) as session:
        session.run([v.initializer for v in wb.global_variables()])
        session.run([train, loss], data[0])
        began = time.thread_time()
        for step in range(steps):
            losses.append(session.run([train, loss], data[step])[1])
        return (time.thread_time() - began) / steps


def run_seconds(train: Any, loss: Any, data: Any, steps: int, folder: str) -> float:
    """Seconds a step of a run."""
    with wb.run(train, feed=data, track={"loss": loss}, folder=folder, paused=True) as run:
        run.step(1)
        clock = Call(time.thread_time)
        began = run.submit(clock).result().value
        run.step(steps)
        seconds: float = run.submit(clock).result().value - began
        return seconds / steps


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--limit", type=float, default=10.0, help="microseconds a step")
    arguments = parser.parse_args()
    worst = 0.0
    for width in (16, 1024):
        with wb.Graph().as_default(), tempfile.TemporaryDirectory() as folder:
            train, loss, data = model(width)
            bare, ours = [], []
            for _ in range(arguments.rounds):
                bare.append(bare_seconds(train, loss, data, arguments.steps) * 1e6)
                ours.append(run_seconds(train, loss, data, arguments.steps, folder) * 1e6)
        extra = min(ours) - min(bare)
        worst = max(worst, extra)
        print(
            f"{width} hidden: bare loop {min(bare):.1f} us a step, run {min(ours):.1f} us, "
            f"difference {extra:+.1f} us "
            f"(limit {arguments.limit:g})"
        )
    return int(worst > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
