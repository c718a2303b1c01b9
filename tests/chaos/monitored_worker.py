"""A monitored training that checkpoints every few steps, for the kill test to kill.

Its journal says at which step it began and which checkpoints there are; what a line says is true
when it is there.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

import workbench as tf

CHECKPOINT_STEPS = 4
WIDTH = 200


class Note(tf.train.CheckpointSaverListener, tf.train.SessionRunHook):  # type: ignore[misc]
    """Writes the journal."""

    def __init__(self, folder: str) -> None:
        self._journal = open(os.path.join(folder, "journal"), "a")  # noqa: SIM115

    def note(self, text: str) -> None:
        """A line that survives a kill."""
        self._journal.write(text + "\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())

    def begin(self) -> None:
        """Called as a hook and as a listener."""
        graph = tf.get_default_graph()
        self._read = [tf.train.get_global_step(graph), graph.get_tensor_by_name("w:0")]

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Says where the training begins; every element of `w` equals the number of steps."""
        step, w = session.run(self._read)
        if not np.array_equal(w, np.full_like(w, step)):
            self.note(f"broken {step} {w.min()} {w.max()}")
            sys.exit(3)
        self.note(f"began {step}")

    def after_save(self, session: Any, global_step_value: int) -> None:
        """Says which checkpoint is there now."""
        self.note(f"saved {global_step_value}")

    def end(self, session: Any, global_step_value: int | None = None) -> None:
        """Called as a hook, and as a listener with the step."""
        if global_step_value is not None:
            self.note(f"finished {global_step_value}")


def main(folder: str, steps: int) -> None:
    """Trains from the last checkpoint on, with a queue that threads fill."""
    step = tf.train.get_or_create_global_step()
    w = tf.get_variable("w", [WIDTH, WIDTH], initializer=tf.zeros_initializer())
    queue = tf.FIFOQueue(8, tf.float32, shapes=[[]])
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(1.0)] * 2))
    # d(loss)/dw is -1 everywhere: each step adds one.
    loss = -queue.dequeue() * tf.reduce_sum(w)
    train = tf.train.GradientDescentOptimizer(1.0).minimize(loss, step)
    note = Note(folder)
    saver = tf.train.Saver(max_to_keep=2)
    hooks = [
        note,
        tf.train.CheckpointSaverHook(
            folder, save_steps=CHECKPOINT_STEPS, saver=saver, listeners=[note]
        ),
        tf.train.StopAtStepHook(last_step=steps),
    ]
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=folder,
        scaffold=tf.train.Scaffold(saver=saver),
        hooks=hooks,
        save_checkpoint_secs=None,
    ) as session:
        while not session.should_stop():
            session.run(train)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
