"""A client of a worker's server that counts on the parameter server, step by step.

    python -m tests.chaos.counting_client SPEC

Prints what it has counted; where a step fails, "failed", the kind of the error and its text in one
line, and begins a new session as soon as there can be one.
"""

from __future__ import annotations

import json
import sys
import time

import workbench as tf


def main(spec: str) -> None:
    """Counts until it is killed."""
    with tf.device("/job:ps/task:0"):
        count = tf.Variable(0, name="count")
    with tf.device("/job:worker/task:0"):
        one = tf.placeholder(tf.int32, []) * 1
    with tf.device("/job:ps/task:0"):
        up = count.assign_add(one)
    target = f"tcp://{json.loads(spec)['worker'][0]}"
    with tf.Session(target) as session:
        session.run(count.initializer)
    while True:
        try:
            with tf.Session(target) as session:
                while True:
                    print(session.run(up, {one.op.inputs[0]: 1}), flush=True)
                    time.sleep(0.02)
        except tf.errors.OpError as error:
            text = " ".join(str(error).split())
            print(f"failed {type(error).__name__} {text}", flush=True)
            time.sleep(0.5)


if __name__ == "__main__":
    main(sys.argv[1])
