"""What a run costs beside its kernels: a step of a few scalars, interpreted and compiled.

    python tests/bench/call_overhead.py [--steps 20000] [--rounds 7] [--limit 3]

`session.run([loss, train], {x: ..., y: ...})` and the function of `make_callable`, in turn on both
tiers, in the processor time of this thread; the fastest round counts. Ends with status 1 when the
compiled `session.run` takes longer than the limit, in microseconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import workbench as tf


def best_microseconds(step: Callable[[], Any], steps: int, rounds: int) -> float:
    """Microseconds a call, of the fastest round."""
    best = float("inf")
    for _ in range(rounds):
        began = time.thread_time()
        for _ in range(steps):
            step()
        best = min(best, (time.thread_time() - began) / steps)
    return best * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--limit", type=float, default=3.0, help="microseconds a compiled run")
    arguments = parser.parse_args()
    x, y = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    slope, offset = tf.Variable(0.1), tf.Variable(0.0)
    loss = tf.square(slope * x + offset - y)
    train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    feed = {x: np.float32(1.5), y: np.float32(3.2)}
    taken = {}
    for tier in ("interpreted", "compiled"):
        with tf.Session(tier=tier) as session:
            session.run(tf.global_variables_initializer())
            call = session.make_callable([loss, train], [x, y])
            values = tuple(feed.values())
            steps: dict[str, Callable[[], Any]] = {
                "session.run": lambda session=session: session.run([loss, train], feed),
                "callable": lambda call=call, values=values: call(*values),
            }
            for name, step in steps.items():
                step()
                taken[name, tier] = best_microseconds(step, arguments.steps, arguments.rounds)
                print(f"{name:12} {tier:12} {taken[name, tier]:8.2f} us")
    return int(taken["session.run", "compiled"] > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
