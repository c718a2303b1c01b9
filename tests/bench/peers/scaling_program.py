"""One replica that times its steps in blocks, as it is told on its standard input.

`scaling_program.py A|B ROSTER PROCESSOR FORM` binds itself to a processor, joins the roster, warms
up, and says that it is ready. Then each line "plain COUNT" or "replica COUNT" has it take so many
steps, by itself or with the others, and it answers with the median of their seconds.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import time
from typing import Any

import numpy as np

#: The network of a workload, the shapes of its weights and of a batch.
WORKLOADS = {
    # 784-512-512-10, on 128 images.
    "A": (
        "perceptron",
        [(784, 512), (512,), (512, 512), (512,), (512, 10), (10,)],
        (128, 784),
    ),
    # Two 5x5 convolutions with pooling, dense layers of 1024 and 10, on 64 images.
    "B": (
        "convolutional",
        [(5, 5, 1, 32), (32,), (5, 5, 32, 64), (64,), (3136, 1024), (1024,), (1024, 10), (10,)],
        (64, 28, 28, 1),
    ),
}
#: Steps of each kind before those that are timed: programs are compiled meanwhile.
WARMING = 20


def main() -> None:
    """Takes steps until its standard input ends."""
    name, roster, processor, form = sys.argv[1:5]
    with contextlib.suppress(AttributeError):
        # Before anything starts threads.
        os.sched_setaffinity(0, {int(processor)})
    # The programs of the workloads choose their engine by the command line.
    sys.argv = [sys.argv[0], name, "workbench"]
    from graph_programs import NETWORKS

    import workbench as tf
    from workbench.cluster.replication.replica import Replica
    from workbench.core.runtime.compiling import compiler

    network, shapes, batch = WORKLOADS[name]
    random = np.random.RandomState(0)
    xs = random.rand(*batch).astype(np.float32)
    ys = random.randint(0, 10, batch[0]).astype(np.int32)
    x, y = tf.placeholder(tf.float32, xs.shape), tf.placeholder(tf.int32, ys.shape)
    variables = [tf.Variable((0.05 * random.randn(*s)).astype(np.float32)) for s in shapes]
    loss = NETWORKS[network](variables, x, y)
    train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    feed: dict[Any, Any] = {x: xs, y: ys}
    fetches = [loss, train]
    transport, _, encoding = form.partition("-")
    config = tf.ConfigProto(intra_op_parallelism_threads=1)
    with tf.Session(config=config) as session:
        session.run(tf.global_variables_initializer())
        with Replica(
            session, train, roster, shared=transport == "shared", encoding=encoding or None
        ) as replica:
            steps = {
                "plain": lambda: session.run(fetches, feed),
                "replica": lambda: replica.step(loss, feed),
            }
            for step in steps.values():
                # As many steps on all replicas, whatever their pace.
                for _ in range(WARMING):
                    step()
                    compiler().wait(60)
            print("ready", flush=True)
            for line in sys.stdin:
                way, count = line.split()
                step, times = steps[way], []
                for _ in range(int(count)):
                    start = time.perf_counter()
                    step()
                    times.append(time.perf_counter() - start)
                print(statistics.median(times), flush=True)


if __name__ == "__main__":
    main()
