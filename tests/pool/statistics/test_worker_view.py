"""What is made of the answers of workers: pure data, told what came and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.core.runtime import activity
from workbench.pool.statistics.clocks import Clock
from workbench.pool.statistics.log_tail import FileTail, LogTail
from workbench.pool.statistics.service import last_spans
from workbench.pool.statistics.worker_view import SILENT_SECONDS, WorkerView

KNOWN = {
    "index": 1,
    "name": "b",
    "pid": 7,
    "host": "here",
    "address": "tcp://127.0.0.1:1",
    "devices": ["/job:worker/task:1/device:CPU:0"],
    "folder": "/nowhere",
    "incarnation": 3,
    "memory": 10,
}


def answer(time: float, **given: Any) -> dict[str, Any]:
    """What a worker tells: its counters are what they are after `time` seconds of its clock."""
    names = ["processor", "compute", "exchange", "wait", "bytes_sent", "bytes_received"]
    counts = {
        **dict.fromkeys(names, 0.0),
        "bytes_shared": 0,
        "bytes_saved": 0,
        **given.pop("counts", {}),
    }
    told = {"time": time, "incarnation": 3, "activity_since": 0.0, "memory": 100, "threads": 4}
    told |= {"memory_of_machine": 1000, "counts": counts, "runs": [], "steps": []}
    return {**told, **given}


def test_rates_are_those_between_two_answers() -> None:
    view = WorkerView(KNOWN, now=50.0)
    first = view.description(50.0)
    assert (first["state"], first["processor"], first["shares"]) == ("starting", None, None)
    assert (first["memory"], first["wire"]["sent"]) == (10, None)
    view.answered(50.0, 50.1, answer(50.05, counts={"processor": 3.0, "bytes_sent": 500}))
    assert view.description(50.2)["processor"] is None
    counts = {"processor": 3.9, "bytes_sent": 2500, "compute": 0.8, "wait": 0.1}
    counts |= {"bytes_saved": 900}
    view.answered(51.0, 51.1, answer(51.05, counts=counts))
    told = view.description(51.2)
    assert told["state"] == "idle" and told["memory"] == 100
    assert told["processor"] == pytest.approx(0.9)
    assert told["wire"]["sent"] == pytest.approx(2000.0)
    assert told["wire"]["total_sent"] == 2500
    assert told["wire"]["saved"] == pytest.approx(900.0) and told["wire"]["total_saved"] == 900
    assert told["shares"] == pytest.approx({"compute": 0.8, "exchange": 0.0, "wait": 0.1})


@pytest.mark.parametrize(
    "given, state",
    [
        ({}, "idle"),
        ({"runs": [{"state": "running"}, {"state": "paused"}]}, "running"),
        ({"runs": [{"state": "paused"}]}, "paused"),
        ({"steps": [{"step": 3}]}, "running"),
    ],
)
def test_says_what_a_worker_does(given: dict[str, Any], state: str) -> None:
    view = WorkerView(KNOWN, now=0.0)
    view.answered(1.0, 1.0, answer(1.0, **given))
    assert view.description(1.5)["state"] == state
    silent = view.description(1.0 + SILENT_SECONDS + 0.1)
    assert silent["state"] == "silent" and silent["silent"] == pytest.approx(SILENT_SECONDS + 0.1)


def test_another_process_has_no_rates_yet() -> None:
    view = WorkerView(KNOWN, now=0.0)
    view.answered(1.0, 1.0, answer(1.0, counts={"processor": 90.0}))
    view.answered(2.0, 2.0, answer(2.0, incarnation=4, counts={"processor": 0.1}))
    assert view.description(2.0)["processor"] is None


def test_spans_of_other_machines_are_moved_to_our_clock() -> None:
    view = WorkerView(KNOWN, now=10.0)
    spans = np.array([[0, 0, 0, 5, 7001.0, 7002.0]])
    view.answered(10.0, 10.2, answer(7010.1), spans)
    assert view.spans[0].tolist() == pytest.approx([0, 0, 0, 5, 1.0, 2.0])
    assert view.by_its_clock(10.0) == pytest.approx(7010.0)
    view.answered(11.0, 11.1, answer(7011.05))
    assert len(view.spans) == 0


def test_spans_are_told_of_up_to_a_time() -> None:
    spans = [activity.Span(0, 0, 0, step, step, step + 0.5) for step in range(1000)]
    assert [span.step for span in last_spans(spans, 600.0)] == list(range(440, 600))
    assert last_spans(spans, None)[-1].step == 999
    # None of that time is kept any more: better those of another than none.
    assert last_spans(spans, 0.2)[-1].step == 999
    assert last_spans([], 600.0) == []


def test_a_quick_answer_tells_the_time_best() -> None:
    clock = Clock()
    clock.answered(asked=10.0, heard=14.0, theirs=500.0)
    assert clock.ahead == 488.0
    clock.answered(asked=20.0, heard=20.1, theirs=509.0)
    assert clock.ahead == pytest.approx(488.95)
    clock.answered(asked=30.0, heard=33.0, theirs=520.0)
    assert clock.ahead == pytest.approx(488.95)


def test_clocks_of_one_machine_are_the_same() -> None:
    clock = Clock()
    clock.answered(asked=10.0, heard=10.2, theirs=10.03)
    assert clock.ahead == 0.0


def test_a_tail_begins_anew_with_another_life_and_after_gaps() -> None:
    tail = LogTail()
    tail.take(1, 0, ["a", "b"])
    assert tail.since(-1, 0) == (1, 0, ["a", "b"])
    tail.take(1, 2, ["c"])
    assert tail.since(1, 2) == (1, 2, ["c"])
    tail.take(1, 100, ["x"])
    assert tail.since(1, 3) == (1, 100, ["x"])
    tail.take(2, 0, [])
    assert tail.since(1, 101) == (2, 0, [])


def test_a_file_is_followed_line_by_line(tmp_path: Path) -> None:
    path, tail = tmp_path / "log.txt", LogTail()
    file = FileTail(path, tail)
    file.look()
    assert tail.since(0, 0)[2] == []
    path.write_text("one\ntw")
    file.look()
    with path.open("a") as added:
        added.write("o\nthree\n")
    file.look()
    file.look()
    assert tail.since(0, 0)[2] == ["one", "two", "three"]
    path.write_text("anew\n")
    file.look()
    assert tail.since(1, 3)[2] == ["anew"]


def test_only_the_end_of_a_large_file_is_read(tmp_path: Path) -> None:
    path, tail = tmp_path / "log.txt", LogTail()
    path.write_text("".join(f"line {n}\n" for n in range(20_000)))
    FileTail(path, tail).look()
    lines = tail.since(0, 0)[2]
    assert lines[-1] == "line 19999" and len(lines) <= 1000
    assert all(line.startswith("line ") for line in lines)
