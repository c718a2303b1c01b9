"""What is recorded of steps, and for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from workbench.core.runtime import activity
from workbench.core.runtime.activity import COMPUTE, EXCHANGE, WAIT, span


@pytest.fixture(autouse=True)
def nobody_has_looked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(activity, "_recorder", None)
    yield


def _spend(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_nothing_is_recorded_before_somebody_looks() -> None:
    with span(COMPUTE, 1):
        pass
    assert activity.look().spans == []


def test_seconds_of_spans_leave_out_what_lies_within() -> None:
    activity.look()
    with span(COMPUTE, 7):
        _spend(0.004)
        with span(EXCHANGE):
            with span(WAIT):
                _spend(0.003)
            _spend(0.002)
    found = activity.look()
    wait, exchange, compute = found.spans
    assert [(s.kind, s.depth, s.step) for s in found.spans] == [
        (WAIT, 2, 7),
        (EXCHANGE, 1, 7),
        (COMPUTE, 0, 7),
    ]
    assert compute.begins <= exchange.begins <= wait.begins < wait.ends <= exchange.ends
    lengths = [s.ends - s.begins for s in (compute, exchange, wait)]
    alone = lengths[0] - lengths[1], lengths[1] - lengths[2], lengths[2]
    assert found.seconds == pytest.approx(alone, abs=1e-9)
    assert sum(found.seconds) <= found.now - found.since


def test_an_error_ends_its_spans() -> None:
    activity.look()
    with pytest.raises(KeyError), span(COMPUTE, 1), span(WAIT):
        raise KeyError
    with span(COMPUTE, 2):
        pass
    assert [(s.depth, s.step) for s in activity.look().spans] == [(1, 1), (0, 1), (0, 2)]


def test_each_thread_has_a_lane_of_its_own() -> None:
    activity.look()
    both = threading.Barrier(2, timeout=10)

    def work() -> None:
        with span(COMPUTE, 1):
            both.wait()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    first, second = activity.look().spans
    assert first.lane != second.lane and first.depth == second.depth == 0


def test_ends_when_nobody_looks() -> None:
    activity.look(patience=-1.0)
    with span(COMPUTE, 1):
        pass
    with span(COMPUTE, 2):
        pass
    # That of the first was the last: who looks again begins anew.
    assert activity.look().spans == []


def test_keeps_the_newest() -> None:
    activity.look()
    for step in range(activity._KEPT + 10):
        with span(COMPUTE, step):
            pass
    spans = activity.look().spans
    assert len(spans) == activity._KEPT
    assert (spans[0].step, spans[-1].step) == (10, activity._KEPT + 9)
