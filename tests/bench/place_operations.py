"""How long placement by cost takes, and what it finds.

    python -m tests.bench.place_operations [--operations 10000] [--rounds 3] [--limit 5]

Graphs of matrix products in eight rows that exchange their values now and then, on two and on
eight devices. Prints the median seconds of this thread, and how much shorter the simulated step
is than with all on one device. Ends with status 1 where a placement takes longer than the limit,
in seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence

import workbench as tf
from workbench.core.plan.placement.costs import CostModel
from workbench.core.plan.placement.devices import device_name
from workbench.core.plan.placement.placer import place_by_cost
from workbench.core.plan.reach import needed_operations

ROWS = 8


def products(count: int) -> list[tf.Operation]:
    """So many operations, each after what it needs."""
    with tf.Graph().as_default() as graph:
        rows = [tf.placeholder(tf.float32, [100, 100]) for _ in range(ROWS)]
        while (made := len(graph.get_operations())) < count:
            # One product in five takes a value of another row.
            other = made + 3 if made % 5 == 0 else made
            rows[made % ROWS] = tf.matmul(rows[made % ROWS], rows[other % ROWS])
        return list(needed_operations(rows, [], []))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=5.0)
    options = parser.parse_args(arguments)
    print(f"load {os.getloadavg()[0]:.1f}")
    is_slow = False
    for count in (100, options.operations):
        order = products(count)
        for number in (2, ROWS):
            devices = [device_name("worker", index) for index in range(number)]
            seconds = []
            for _ in range(options.rounds):
                began = time.thread_time()
                found = place_by_cost(order, devices, devices[0], CostModel())
                seconds.append(time.thread_time() - began)
            took = statistics.median(seconds)
            gain = min(found.alone.values()) / found.seconds
            print(f"{count} operations, {number} devices: {took:.3f} s, {gain:.2f}x one device")
            is_slow |= took > options.limit
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main())
