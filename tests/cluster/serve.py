"""One process that is a task of a cluster and nothing else.

    python -m tests.cluster.serve SPEC JOB INDEX [DEVICES]

DEVICES is how many devices the task has.
"""

from __future__ import annotations

import json
import sys

import workbench as tf


def main(spec: str, job: str, index: str, devices: str = "1") -> None:
    """Serves until it is killed."""
    # A function of its own, which it must not take for those of others.
    tf.py_func(lambda: 1000.0, [], tf.float64)
    config = tf.ConfigProto(device_count={"CPU": int(devices)})
    server = tf.train.Server(json.loads(spec), job, int(index), config=config)
    print("up", flush=True)
    server.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
