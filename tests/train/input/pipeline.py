"""Running pipelines of queues to their end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import workbench as tf


@contextmanager
def running() -> Iterator[Any]:
    """A session of the default graph in which the queue runners run; their threads end with it."""
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        try:
            yield session
        finally:
            coordinator.request_stop()
            coordinator.join(threads, stop_grace_period_secs=20)
            assert not any(thread.is_alive() for thread in threads)


def all_results(fetches: Any, at_most: int = 1000) -> list[Any]:
    """What the runs of a pipeline give until it ends."""
    found: list[Any] = []
    with running() as session:
        while True:
            try:
                found.append(session.run(fetches))
            except tf.errors.OutOfRangeError:
                return found
            assert len(found) < at_most, "the pipeline does not end"


def numbers(count: int) -> Any:
    """0, 1, ... once."""
    return tf.train.range_input_producer(count, num_epochs=1, shuffle=False).dequeue()
