"""What a task does of a step, and which steps live, as data: every order of small cases."""

from __future__ import annotations

import itertools

import pytest

from workbench.cluster.execution import mailbox
from workbench.cluster.execution.mailbox import Mailbox
from workbench.cluster.execution.part_run import (
    Finished,
    PartRun,
    PartTables,
    RunStage,
    SendValues,
)
from workbench.core.plan.partition.parts import Part, StagePart


def stage(number, takes=(), gives=(), after=(), sends=(), returns=()):
    """A stage whose placeholders are named like the tensors."""
    pairs = [tuple((t, t) for t in names) for names in (takes, gives)]
    return StagePart(number, "d", *pairs, (), tuple(after), tuple(sends), tuple(returns), False)


#: Takes a feed and two values of others; its last stage waits for the end of another task's stage.
PART = Part(
    "t",
    b"",
    (
        stage(0, takes=("fed",), gives=("a",), sends=[("other", ("a",), True)]),
        stage(2, takes=("a", "x"), gives=("b",)),
        stage(5, takes=("b", "y"), gives=("c",), after=(4,), returns=("c",)),
    ),
    ("fed",),
)


@pytest.mark.parametrize("order", list(itertools.permutations(["begin", "x", "y", "end"])))
def test_a_part_ends_alike_in_every_order_of_what_comes(order):
    run = PartRun(PART)
    events = {
        "begin": lambda: run.begin({"fed": 1}),
        "x": lambda: run.arrived([("x", 10)], None),
        "y": lambda: run.arrived([("y", 100), ("unknown", 0)], None),
        "end": lambda: run.arrived([], 4),
    }
    ran, sent, finished = [], [], []
    for event in order:
        waiting = events[event]()
        while waiting:
            instruction = waiting.pop(0)
            if isinstance(instruction, RunStage):
                number = instruction.stage.number
                ran.append(number)
                given = {key: sum(instruction.values) for key, _ in instruction.stage.gives}
                waiting += run.stage_ended(number, given)
            elif isinstance(instruction, SendValues):
                sent.append((instruction.task, instruction.values, instruction.ended))
            elif isinstance(instruction, Finished):
                finished.append(instruction.values)
    assert ran == [0, 2, 5]
    assert sent == [("other", (("a", 1),), 0)]
    assert finished == [{"c": 111}] and run.is_finished
    assert run.missing() == ([], [])


#: What may happen to two steps of a session, the second one begun by a master that has seen the
#: first one end.
EVENTS = ("deliver 1", "begin 1", "end 1", "deliver 2", "begin 2")


@pytest.mark.parametrize("order", list(itertools.permutations(EVENTS)))
def test_letters_reach_their_step_or_are_dropped(order):
    box: Mailbox[str, str] = Mailbox()
    box.open("s")
    got: dict[str, list[str]] = {}
    refused = set()
    for event in order:
        kind, number = event.split()
        if kind == "begin":
            early = box.begin("s", int(number), int(number), number)
            if early is None:
                refused.add(number)
            else:
                got[number] = early
        elif kind == "deliver":
            if box.deliver("s", int(number), "letter") is not None:
                got[number].append("letter")
        else:
            box.end("s", int(number))
    at = order.index
    over = at("end 1") < at("begin 1") or at("begin 2") < at("begin 1")
    assert ("1" in refused) == over
    assert got["2"] == ["letter"]
    if not over:
        # The master of the second step knows that the first one is over.
        is_late = at("deliver 1") > min(at("end 1"), at("begin 2"))
        assert got["1"] == ([] if is_late else ["letter"])
    assert not box._sessions["s"].early


def test_sessions_that_are_closed_get_nothing():
    box: Mailbox[str, str] = Mailbox()
    box.open("s")
    assert box.begin("s", 1, 1, "step") == []
    assert box.steps("s") == ["step"] and box.close("s") == ["step"]
    assert box.deliver("s", 1, "letter") is None and box.begin("s", 2, 1, "step") is None


def test_letters_for_steps_that_never_begin_have_a_bound(monkeypatch):
    monkeypatch.setattr(mailbox, "MOST_EARLY_LETTERS", 3)
    box: Mailbox[str, int] = Mailbox()
    box.open("s")
    for number in range(10):
        assert box.deliver("s", number, number) is None
    assert sum(map(len, box._sessions["s"].early.values())) == 3


def test_a_stage_is_alone_where_all_others_come_before_it_or_after_it():
    chain = [stage(0, gives=("a",)), stage(1, takes=("a",), gives=("b",)), stage(2, after=(1,))]
    assert PartTables(Part("t", b"", tuple(chain), ())).alone == {0, 1, 2}
    beside = [*chain, stage(3, takes=("a",)), stage(4, takes=("x",))]
    assert PartTables(Part("t", b"", tuple(beside[:4]), ())).alone == {0}
    # What comes from elsewhere may come while any of them runs.
    assert PartTables(Part("t", b"", tuple(beside), ())).alone == set()


def test_values_that_come_twice_or_that_nobody_takes_change_nothing():
    run = PartRun(PART)
    run.begin({"fed": 1})
    assert [i.stage.number for i in run.stage_ended(0, {"a": 1}) if isinstance(i, RunStage)] == []
    (started,) = run.arrived([("x", 10)], None)
    assert started.values == (1, 10)
    assert run.arrived([("x", 11), ("fed", 2), ("nobody", 0)], 4) == []
    assert run.arrived([], 4) == [] and run.missing() == (["b", "y"], [])
