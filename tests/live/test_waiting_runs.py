"""Runs whose steps wait for a queue: they stop, and go back exactly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

import workbench as wb

#: No wait of a test is longer, in seconds.
PATIENCE = 20.0


@pytest.fixture
def fed() -> Iterator[tuple[Any, Any, Any, Any]]:
    """A session, the run of steps that add numbers from a queue, the sum, and the queue."""
    with wb.Graph().as_default():
        queue = wb.FIFOQueue(20, wb.float32, shapes=[[]], name="numbers")
        total = wb.Variable(0.0)
        step = total.assign_add(queue.dequeue())
        fill = queue.enqueue_many([[1.0, 2.0, 3.0, 4.0, 5.0]])
        closing = queue.close()
        session = wb.Session()
        session.run([wb.global_variables_initializer(), fill])
        with (
            session,
            wb.run(step, steps=100, session=session, track={"total": step}, folder=None) as run,
        ):
            yield session, run, queue, closing


def wait_until_it_waits(session: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not session.waiting():
        assert time.monotonic() < end, "the step does not wait"
        time.sleep(0.005)


def test_run_stops_though_its_step_waits(fed: Any) -> None:
    session, run, _, _ = fed
    wait_until_it_waits(session)
    assert run.step_number == 5
    assert run.stop() == 5
    assert run.state == "stopped"
    assert session.waiting() == []
    assert run.history["total"].tolist() == [1, 3, 6, 10, 15]
    assert any("given up" in event.text for event in run.history.events)


def test_rewound_run_finds_the_queue_as_it_was(fed: Any) -> None:
    session, run, _, closing = fed
    wait_until_it_waits(session)
    run.stop()
    run.rewind(step=2)
    assert run.history["total"].tolist() == [1, 3]
    run.resume()
    wait_until_it_waits(session)
    assert run.history["total"].tolist() == [1, 3, 6, 10, 15]
    # The end of the queue is the end of the data.
    session.run(closing)
    run.wait(PATIENCE)
    assert run.state == "finished"


def test_closing_the_session_ends_the_run(fed: Any) -> None:
    session, run, _, _ = fed
    wait_until_it_waits(session)
    session.close()
    with pytest.raises((wb.errors.CancelledError, RuntimeError)):
        run.wait(PATIENCE)
    assert run.state == "failed"
