"""The state machine of dataflow programs, as data: every order in which kernels may finish."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.runtime.dataflow.drawing import Drawing, described, results
from workbench.core.runtime.dataflow.frames import DEAD
from workbench.core.runtime.dataflow.machine import Machine, Run
from workbench.core.runtime.dataflow.structure import Kind


def only(drawing: Drawing, *wanted: str, **limits: int) -> Any:
    """The wanted values, the same in all orders."""
    found = [values for values, _ in drawing.outcomes(*wanted, **limits)]
    assert all(values == found[0] for values in found)
    return found[0]


def diamond() -> Drawing:
    drawing = Drawing()
    drawing.source("x", 3)
    drawing.plain("left", lambda x: x + 1, "x")
    drawing.plain("right", lambda x: x * 10, "x")
    drawing.plain("sum", lambda a, b: a + b, "left", "right")
    return drawing


def test_a_node_runs_once_all_inputs_are_there() -> None:
    orders = {tuple(order) for _, order in diamond().outcomes("sum")}
    assert orders == {("left", "right", "sum"), ("right", "left", "sum")}
    assert only(diamond(), "sum") == [34]


def test_control_edges_order_and_carry_nothing() -> None:
    drawing = Drawing()
    drawing.source("x", 1)
    drawing.plain("first", lambda x: x, "x")
    drawing.plain("second", lambda x: x + 1, "x", after=["first"])
    assert [order for _, order in drawing.outcomes("second")] == [["first", "second"]]


def branches(predicate: bool) -> Drawing:
    """A conditional by hand: x + 1 where true, else -x."""
    drawing = Drawing()
    drawing.source("x", 5)
    drawing.source("p", predicate)
    drawing.node("switch", Kind.SWITCH, "x", "p")
    drawing.plain("no", lambda x: -x, "switch:0")
    drawing.plain("yes", lambda x: x + 1, "switch:1")
    drawing.node("merge", Kind.MERGE, "no", "yes")
    return drawing


@pytest.mark.parametrize(("predicate", "value", "runs"), [(True, 6, "yes"), (False, -5, "no")])
def test_only_the_branch_that_was_chosen_runs(predicate: bool, value: int, runs: str) -> None:
    assert list(branches(predicate).outcomes("merge")) == [([value], [runs])]


def test_what_needs_a_dead_value_is_dead() -> None:
    drawing = branches(True)
    drawing.plain("more", lambda x: x, "no")
    drawing.plain("ordered", lambda x: x, "x", after=["no"])
    assert only(drawing, "more", "ordered", "merge") == [DEAD, DEAD, 6]


def test_a_trigger_runs_whether_its_inputs_are_dead_or_alive() -> None:
    drawing = branches(True)
    drawing.node("trigger", Kind.TRIGGER, after=["no", "yes"])
    drawing.plain("after", lambda: "ran", after=["trigger"])
    assert only(drawing, "after") == ["ran"]


def test_a_merge_takes_the_first_value_and_says_which() -> None:
    drawing = Drawing()
    drawing.source("x", 0)
    drawing.plain("a", lambda x: "a", "x")
    drawing.plain("b", lambda x: "b", "x")
    drawing.node("merge", Kind.MERGE, "a", "b")
    drawing.plain("both", lambda value, index: (value, int(index)), "merge:0", "merge:1")
    found = [(*v, order[0]) for v, order in drawing.outcomes("both")]
    assert set(found) == {("a", "a"), ("b", "b")}


def test_a_merge_of_dead_values_is_dead() -> None:
    drawing = branches(True)
    drawing.node("inner", Kind.SWITCH, "no", "p")
    drawing.node("dead merge", Kind.MERGE, "inner:0", "inner:1")
    assert only(drawing, "dead merge") == [DEAD]


def test_a_merge_waits_for_its_control_inputs() -> None:
    drawing = Drawing()
    drawing.source("x", 1)
    drawing.plain("gate", lambda x: x, "x")
    drawing.plain("value", lambda x: x + 1, "x")
    drawing.node("merge", Kind.MERGE, "value", after=["gate"])
    drawing.plain("after", lambda v: v, "merge")
    for _, order in drawing.outcomes("after"):
        assert order[-1] == "after"
        assert set(order[:2]) == {"gate", "value"}


def counting(start: int, limit: int, parallel: int = 10) -> Drawing:
    drawing = Drawing()
    drawing.source("start", start)
    drawing.source("limit", limit)
    drawing.loop("loop", "start", "limit", lambda x: x + 1, parallel)
    return drawing


@pytest.mark.parametrize("parallel", [1, 2, 10])
@pytest.mark.parametrize(("start", "limit"), [(0, 3), (2, 3), (5, 3)])
def test_a_loop_counts(start: int, limit: int, parallel: int) -> None:
    assert only(counting(start, limit, parallel), "loop.exit") == [max(start, limit)]


def side_by_side(parallel: int) -> Drawing:
    """A loop of three turns whose values nothing waits for until the end: turns overlap."""
    drawing = counting(0, 3, parallel)
    inside: dict[str, Any] = {"frame_name": "loop", "parallel_iterations": parallel}
    drawing.source("zero", 0)
    drawing.node("sum.enter", Kind.ENTER, "zero", **inside)
    drawing.node("sum.merge", Kind.MERGE, "sum.enter", "sum.next")
    drawing.node("sum.switch", Kind.SWITCH, "sum.merge", "loop.condition")
    drawing.plain("slow", lambda i: i * 10, "loop.switch:1")
    drawing.plain("sum.add", lambda s, v: s + v, "sum.switch:1", "slow")
    drawing.node("sum.next", Kind.NEXT_ITERATION, "sum.add")
    drawing.node("sum.exit", Kind.EXIT, "sum.switch:0")
    return drawing


@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_turns_that_overlap_give_the_same(parallel: int) -> None:
    assert only(side_by_side(parallel), "sum.exit", "loop.exit") == [30, 3]


@pytest.mark.parametrize(("parallel", "ahead"), [(1, 0), (2, 1), (3, 2)])
def test_no_more_turns_are_under_way_than_allowed(parallel: int, ahead: int) -> None:
    furthest = 0
    for _, order in side_by_side(parallel).outcomes("sum.exit"):
        done = 0
        for step in order:
            name, _, turn = step.partition("@")
            if name == "loop.body":
                furthest = max(furthest, int(turn) - done)
            elif name == "sum.add":
                done = int(turn) + 1
    assert furthest == ahead


def test_every_turn_sees_a_constant_and_the_first_turn_a_value() -> None:
    drawing = counting(0, 2)
    drawing.source("c", "c")
    drawing.node("c.enter", Kind.ENTER, "c", frame_name="loop", is_constant=True)
    seen: list[tuple[int, str]] = []
    drawing.plain("look", lambda i, c: seen.append((i, c)) or i, "loop.merge", "c.enter")
    drawing.plain("use", lambda i: i, "look")
    next(drawing.outcomes("loop.exit"))
    assert seen == [(0, "c"), (1, "c"), (2, "c")]


@pytest.mark.parametrize("predicate", [True, False])
def test_a_loop_on_a_branch_that_was_not_taken_is_dead(predicate: bool) -> None:
    drawing = Drawing()
    drawing.source("x", 0)
    drawing.source("limit", 2)
    drawing.source("p", predicate)
    drawing.node("switch", Kind.SWITCH, "x", "p")
    drawing.node("limit switch", Kind.SWITCH, "limit", "p")
    drawing.loop("loop", "switch:1", "limit switch:1", lambda x: x + 1)
    drawing.plain("other", lambda x: x - 1, "switch:0")
    drawing.node("merge", Kind.MERGE, "other", "loop.exit")
    assert only(drawing, "merge") == [2 if predicate else -1]
    assert only(drawing, "loop.exit") == [2 if predicate else DEAD]


def test_loops_in_loops_have_frames_of_their_own() -> None:
    drawing = Drawing()
    drawing.source("start", 0)
    drawing.source("outer limit", 6)
    drawing.source("two", 2)
    inside: dict[str, Any] = {"frame_name": "outer", "parallel_iterations": 10}
    drawing.node("enter", Kind.ENTER, "start", **inside)
    drawing.node("limit", Kind.ENTER, "outer limit", is_constant=True, **inside)
    drawing.node("step", Kind.ENTER, "two", is_constant=True, **inside)
    drawing.node("merge", Kind.MERGE, "enter", "next")
    drawing.plain("less", lambda a, b: a < b, "merge", "limit")
    drawing.node("switch", Kind.SWITCH, "merge", "less")
    drawing.plain("target", lambda a, b: a + b, "switch:1", "step")
    drawing.loop("inner", "switch:1", "target", lambda x: x + 1)
    drawing.node("next", Kind.NEXT_ITERATION, "inner.exit")
    drawing.node("exit", Kind.EXIT, "switch:0")
    assert only(drawing, "exit", most=300) == [6]
    _, order = next(drawing.outcomes("exit"))
    assert [o for o in order if o.startswith("inner.body")] == [
        f"inner.body@{outer}@{inner}" for outer in range(3) for inner in range(2)
    ]


def test_turns_that_are_over_are_let_go() -> None:
    drawing = counting(0, 50, parallel=4)
    structure = drawing.structure("loop.exit")
    machine = Machine(structure)
    ready = machine.start(drawing.sources(structure))
    frames = []
    while ready:
        run = ready.pop(0)
        frames.append(run.frame)
        assert len(run.frame.turns) <= 4
        outputs = drawing.kernels[structure.nodes[run.node].name](*run.inputs)
        ready += machine.finish(run, (outputs,))
    assert not frames[-1].turns
    assert results(structure, machine, ("loop.exit",)) == [50]


def test_instructions_come_as_soon_as_they_can() -> None:
    drawing = diamond()
    structure = drawing.structure("sum")
    machine = Machine(structure)
    first = machine.start(drawing.sources(structure))
    assert [described(structure, run) for run in first] == ["left", "right"]
    assert machine.finish(first[1], (30,)) == []
    assert not machine.is_done
    (last,) = machine.finish(first[0], (4,))
    assert last == Run(3, last.frame, 0, (4, 30))
    assert machine.missing == [3]
    assert machine.finish(last, (34,)) == []
    assert machine.is_done
    assert machine.results == {3: (34,)}


def test_what_never_gets_its_inputs_is_named() -> None:
    drawing = counting(0, 2)
    drawing.source("x", 1)
    drawing.node("once", Kind.ENTER, "x", frame_name="loop")
    drawing.plain("late", lambda a, b: a + b, "loop.switch:1", "once")
    drawing.node("late exit", Kind.EXIT, "late")
    structure = drawing.structure("loop.exit", "late exit")
    machine = Machine(structure)
    ready = machine.start(drawing.sources(structure))
    while ready:
        run = ready.pop(0)
        outputs = drawing.kernels[structure.nodes[run.node].name](*run.inputs)
        ready += machine.finish(run, (outputs,))
    stalled = [(structure.nodes[s.node].name, s.path[-1][1]) for s in machine.stalled]
    assert ("late", 1) in stalled
    lacking = next(s.missing for s in machine.stalled if s.path[-1][1] == 1)
    assert [structure.nodes[n].name for n in lacking] == ["once"]
