"""Runs that read their data from queues: whose threads fill them."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE


def build() -> tuple[Any, Any]:
    """A step on an element of a queue, and the element."""
    numbers = wb.constant(np.arange(50, dtype=np.float32))
    x = wb.train.input_producer(numbers, shuffle=False, num_epochs=1).dequeue()
    w = wb.Variable(0.0)
    return wb.train.GradientDescentOptimizer(0.1).minimize(wb.square(w - x)), x


def test_a_session_with_its_threads_feeds_a_run() -> None:
    train, x = build()
    with wb.Session() as session:
        session.run([wb.global_variables_initializer(), wb.local_variables_initializer()])
        coordinator = wb.train.Coordinator()
        threads = wb.train.start_queue_runners(session, coordinator)
        run = wb.run(train, track={"x": x}, session=session, folder=None, paused=True)
        with closing(run):
            run.step(8)
            run.resume()
            run.wait(PATIENCE)
            assert run.state == "finished" and run.history["x"].tolist() == list(range(50))
        coordinator.request_stop()
        coordinator.join(threads)


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize(
    ("pool", "words"), [(None, r"wb.run\(..., session=session\)"), (True, "Workers of a pool")]
)
def test_without_them_it_does_not_begin(imported: bool, pool: Any, words: str) -> None:
    train, _ = build()
    name, graph = train.name, wb.get_default_graph()
    if imported:
        meta_graph = wb.train.export_meta_graph()
        with wb.Graph().as_default() as graph:
            wb.train.import_meta_graph(meta_graph)

    class Pool:
        def start_run(self) -> None:
            raise AssertionError("it is not sent")

    with graph.as_default(), pytest.raises(ValueError, match=f"queue '.*' ?, which .*{words}"):
        train = graph.get_operation_by_name(name)
        wb.run(train, 5, folder=None, pool=Pool() if pool else None)
