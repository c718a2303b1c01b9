"""A training that checkpoints every few steps, for the kill test to kill.

It appends a line to its journal when it has restored, and after each checkpoint; what a line says
is true when it is there.
"""

from __future__ import annotations

import os
import sys

import numpy as np

import workbench as tf

CHECKPOINT_STEPS = 3
WIDTH = 300


def main(folder: str, steps: int) -> None:
    """Trains from the newest checkpoint on; every element of `w` equals the number of steps."""
    step = tf.train.get_or_create_global_step()
    w = tf.get_variable("w", [WIDTH, WIDTH], initializer=tf.zeros_initializer())
    x = tf.placeholder(tf.float32, [])
    # d(loss)/dw is -1 everywhere: each step adds one.
    train = tf.train.GradientDescentOptimizer(1.0).minimize(-x * tf.reduce_sum(w), step)
    saver = tf.train.Saver(max_to_keep=2)
    prefix = os.path.join(folder, "model")
    with tf.Session() as session, open(os.path.join(folder, "journal"), "a") as journal:

        def note(text: str) -> None:
            journal.write(text + "\n")
            journal.flush()
            os.fsync(journal.fileno())

        newest = tf.train.latest_checkpoint(folder)
        if newest:
            saver.restore(session, newest)
            done = int(session.run(step))
            values = session.run(w)
            if not np.array_equal(values, np.full_like(values, done)):
                note(f"broken {done} {values.min()} {values.max()}")
                sys.exit(3)
            note(f"restored {done}")
        else:
            session.run(tf.global_variables_initializer())
            note("started")
        while int(session.run(step)) < steps:
            session.run(train, {x: 1.0})
            done = int(session.run(step))
            if done % CHECKPOINT_STEPS == 0:
                saver.save(session, prefix, global_step=step)
                note(f"saved {done}")
        note("finished")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
