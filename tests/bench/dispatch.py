"""From `wb.run(..., pool=pool)` to the first step of the run, as its user sees it.

    python -m tests.bench.dispatch [--rounds 3] [--limit 0.8]

The model is that of the digits (`examples/pool.ipynb`). In each round a pool of two workers starts,
and gets four runs one after another: the first one finds workers that have had none yet. Two are
trained by one worker, and two by both together, in an order that changes with the round. What is
measured ends when this process knows of the step.

Ends with status 1 where a median is above the limit, in seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from typing import Any

import workbench as wb
from workbench.demo.data import load_digits


def model() -> tuple[Any, dict[str, Any], Any]:
    """The training step of the digits, what is tracked, and its batches."""
    data = load_digits()
    wb.set_random_seed(1)
    images = wb.placeholder(wb.float32, [None, 8, 8, 1], name="images")
    labels = wb.placeholder(wb.int64, [None], name="labels")
    edges = wb.layers.conv2d(images, 16, 3, activation=wb.nn.leaky_relu, name="edges")
    pooled = wb.layers.flatten(wb.layers.max_pooling2d(edges, 2, 2))
    logits = wb.layers.dense(pooled, 10, name="logits")
    each = wb.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = wb.reduce_mean(each, name="loss")
    accuracy = wb.reduce_mean(wb.to_float(wb.equal(wb.argmax(logits, 1), labels)))
    rate = wb.hyperparameter("lr", 0.1, low=0.001, high=10.0, log=True)
    count = wb.train.get_or_create_global_step()
    train = wb.train.GradientDescentOptimizer(rate).minimize(loss, global_step=count)
    fed = {images: data.train_images, labels: data.train_labels}
    batches = wb.batches(fed, 32, shuffle=True, seed=0)
    return train, {"loss": loss, "accuracy": accuracy}, batches


def first_step(pool: Any, replicas: int) -> float:
    """Seconds from the call to the first step."""
    with wb.Graph().as_default():
        train, tracked, batches = model()
        began = time.perf_counter()
        run = wb.run(train, feed=batches, track=tracked, pool=pool, replicas=replicas)
        run.wait(60, step=1)
        seconds = time.perf_counter() - began
        run.stop()
        run.close()
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=0.8, help="seconds")
    arguments = parser.parse_args()
    found: dict[str, list[float]] = {}
    for number in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as home:
            os.environ["WORKBENCH_HOME"] = home
            began = time.perf_counter()
            with wb.pool.local(workers=2, seconds=120) as pool:
                found.setdefault("pool ready", []).append(time.perf_counter() - began)
                for place, replicas in enumerate((1, 2, 1, 2) if number % 2 else (2, 1, 2, 1)):
                    what = "first run" if not place else "later run"
                    key = f"{what}, {replicas} worker{'s' * (replicas > 1)}"
                    found.setdefault(key, []).append(first_step(pool, replicas))
    worst = 0.0
    for what, seconds in sorted(found.items()):
        median = statistics.median(seconds)
        if what != "pool ready":
            worst = max(worst, median)
        print(f"{what}: median {median:.2f} s of {', '.join(f'{s:.2f}' for s in seconds)}")
    print(f"limit {arguments.limit:g} s; load {os.getloadavg()[0]:.1f}")
    return int(worst > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
