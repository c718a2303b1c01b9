"""Sessions end with whoever leads them, and those that take their place wait for that."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from workbench.cluster.execution.leaders import Leader, Leaders
from workbench.cluster.execution.part_run import PartTables
from workbench.cluster.execution.task import Task
from workbench.core.plan.partition.parts import Part, StagePart

OLD, NEW, OTHER = Leader("/job:a", 1), Leader("/job:a", 2), Leader("/job:b", 1)


def test_what_a_process_led_is_over_when_another_one_takes_its_place():
    leaders = Leaders()
    for number, session in enumerate(["one", "two"], 1):
        assert leaders.begin(session, OLD, number) == []
    assert leaders.begin("other", OTHER, 1) == []
    assert sorted(leaders.begin("three", NEW, 1)) == ["one", "two"]
    assert leaders.begin("four", NEW, 2) == []


def test_what_a_leader_does_not_name_is_over():
    leaders = Leaders()
    for number, session in enumerate(["one", "two", "three"], 1):
        leaders.begin(session, OLD, number)
    leaders.begin("other", OTHER, 1)
    # It counted two sessions when it looked: the third one may have begun since.
    assert leaders.leads(OLD, ["two"], 2) == ["one"]
    assert leaders.leads(OLD, [], 2) == ["two"]
    assert leaders.leads(OLD, ["three"], 3) == []


def test_what_an_earlier_process_says_counts_for_nothing():
    leaders = Leaders()
    leaders.begin("one", OLD, 1)
    leaders.begin("two", NEW, 1)
    assert leaders.leads(OLD, [], 9) == []
    assert leaders.leads(OTHER, [], 9) == []
    leaders.end("two")
    assert leaders.leads(NEW, [], 9) == []


class Held:
    """A registered part whose stage takes until it is let go, whatever it is told."""

    def __init__(self, order: list[str]) -> None:
        self.order = order
        stage = StagePart(0, "/job:ps", (), (), (), (), (), (), False)
        self.part = Part("/job:ps", b"", (stage,), ())
        self.tables = PartTables(self.part)
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.encodings = SimpleNamespace(of=lambda session, keys: {})

    def run(self, *arguments: Any) -> dict[str, Any]:
        self.begun.set()
        assert self.go_on.wait(20)
        self.order.append("the end")
        return {}

    def close(self) -> None:
        pass


def test_a_session_waits_for_what_its_leader_has_closed_but_not_ended():
    task = Task("/job:ps", lambda *arguments: None)
    order: list[str] = []
    held = Held(order)
    task.open_session("/job:a-1")
    task._parts["/job:a-1"][1] = held  # type: ignore[assignment]
    step = threading.Thread(target=lambda: task.run("/job:a-1", 1, 1, 1, {}))
    step.start()
    assert held.begun.wait(20)
    task.close_session("/job:a-1")
    empty = Part("/job:ps", b"", (), ())

    def register(session: str) -> None:
        task.open_session(session)
        task.register(session, 1, empty)
        order.append(session)

    register("/job:b-1")
    later = threading.Thread(target=register, args=("/job:a-2",))
    later.start()
    later.join(0.1)
    assert order == ["/job:b-1"]
    held.go_on.set()
    for thread in (step, later):
        thread.join(20)
    assert order == ["/job:b-1", "the end", "/job:a-2"]
    task.close()
