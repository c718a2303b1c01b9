"""One replica that times its steps:
`scaling_program.py A|B ROSTER NUMBER plain|replica FORM`."""

from __future__ import annotations

import contextlib
import json
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
#: Steps before those that are timed: programs are compiled meanwhile.
WARMING, TIMED = 20, 100


def main() -> None:
    """Prints the median seconds of a step, and those of the processor's time."""
    name, roster, number, way, form = sys.argv[1:6]
    with contextlib.suppress(AttributeError):
        # Before anything starts threads.
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(number)]})
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
    config = tf.ConfigProto(intra_op_parallelism_threads=1)
    feed: dict[Any, Any] = {x: xs, y: ys}
    with tf.Session(config=config) as session, contextlib.ExitStack() as stack:
        session.run(tf.global_variables_initializer())
        if way == "plain":
            fetches = [loss, train]

            def step() -> Any:
                return session.run(fetches, feed)
        else:
            transport, _, encoding = form.partition("-")
            replica = stack.enter_context(
                Replica(
                    session,
                    train,
                    roster,
                    shared=transport == "shared",
                    encoding=encoding or None,
                )
            )

            def step() -> Any:
                return replica.step(loss, feed)

        # As many steps on all replicas, whatever their pace.
        for _ in range(WARMING):
            step()
            compiler().wait(60)
        times, worked = [], []
        for _ in range(TIMED):
            start, began = time.perf_counter(), time.process_time()
            step()
            times.append(time.perf_counter() - start)
            worked.append(time.process_time() - began)
        print(json.dumps([statistics.median(times), statistics.median(worked)]), flush=True)


if __name__ == "__main__":
    main()
