"""One replica that times its steps: `scaling_program.py WORKLOAD ROSTER NUMBER plain|replica`."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
import time
from typing import Any


def main() -> None:
    """Prints the median seconds of a step."""
    name, roster, number, way = sys.argv[1:5]
    with contextlib.suppress(AttributeError):
        # Before anything starts threads.
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(number)]})
    # The programs of the workloads choose their engine by the command line.
    sys.argv = [sys.argv[0], name, "workbench"]
    from graph_programs import NETWORKS
    from workloads import WORKLOADS

    import workbench as tf
    from workbench.cluster.replication.replica import Replica

    workload = WORKLOADS[name]()
    x = tf.placeholder(tf.as_dtype(workload.x.dtype), workload.x.shape)
    y = tf.placeholder(tf.as_dtype(workload.y.dtype), workload.y.shape)
    variables = [tf.Variable(w) for w in workload.weights]
    loss = NETWORKS[name](variables, x, y)
    train = tf.train.GradientDescentOptimizer(workload.learning_rate).minimize(loss)
    config = tf.ConfigProto(intra_op_parallelism_threads=1)
    feed: dict[Any, Any] = {x: workload.x, y: workload.y}
    with tf.Session(config=config) as session, contextlib.ExitStack() as stack:
        session.run(tf.global_variables_initializer())
        if way == "plain":
            fetches = [loss, train]

            def step() -> Any:
                return session.run(fetches, feed)
        else:
            replica = stack.enter_context(Replica(session, train, roster))

            def step() -> Any:
                return replica.step(loss, feed)

        # As many steps on all replicas, whatever their pace: compiled programs come in between.
        for _ in range(60):
            step()
            time.sleep(0.03)
        times = []
        for _ in range(60):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        print(json.dumps(statistics.median(times)), flush=True)


if __name__ == "__main__":
    main()
