"""Who trains a run, who leads, and what is said: the board as data."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from workbench.core.errors import FailedPreconditionError
from workbench.live.events import Event
from workbench.live.history import History
from workbench.pool.runs.replicas.board import Board, Lose, Order
from workbench.pool.runs.replicas.known import Known
from workbench.pool.runs.replicas.positions import Positions

WORKERS = {"a": "worker 0", "b": "worker 1", "c": "worker 2"}


def board(wanted: int = 3) -> Board:
    made = Board("r", wanted)
    made.lead("a", "worker 0")
    return made


def test_asks_as_many_as_are_wanted_and_again_when_one_is_gone() -> None:
    made = board(wanted=2)
    assert made.seek(WORKERS) == [Order("b")]
    assert made.seek(WORKERS) == []
    assert made.lost("b", "cannot take part") == [Lose("b")]
    assert made.seek({"a": "worker 0", "c": "worker 2"}) == [Order("c")]


def test_whoever_takes_part_leads_in_place_of_one_that_is_gone() -> None:
    made = board()
    made.seek(WORKERS)
    made.entered("a", "A")
    made.entered("c", "C")
    # "b" was asked, and has not come: it cannot lead.
    assert made.lost("a", "is gone") == [Lose("A")]
    assert made.leader == "c"
    assert [w["kind"] for w in made.words] == ["joined", "joined", "left", "leader"]
    assert made.words[-1]["worker"] == "c"
    with pytest.raises(FailedPreconditionError, match="Another worker"):
        made.post("a", [{"kind": "go"}])
    made.post("c", [{"kind": "go"}])
    made.lost("c", "is gone")
    assert made.leader is None and made.seek(WORKERS) == []


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_in_whatever_order_they_go_one_of_those_left_leads(order: tuple[str, ...]) -> None:
    made = board()
    made.seek(WORKERS)
    for worker in "abc":
        made.entered(worker, worker.upper())
    left = list("abc")
    for worker in order:
        assert made.leader == left[0]
        made.lost(worker, "is gone")
        left.remove(worker)
        assert made.members == left
    counts = [w["count"] for w in made.words if w["kind"] == "left"]
    assert counts == [2, 1, 0]


def test_a_follower_knows_from_the_words_what_the_leader_knew() -> None:
    events = [Event(1, "pause", "paused"), Event(1, "set", "lr 1 -> 2", {"lr": 2})]
    known = Known(History(["loss"]))
    for step in range(1, 6):
        known.history.append(step, [0.5])

    def run(epoch: int, step: int, first: int, count: int) -> dict[str, Any]:
        listed = [e.to_json() for e in events[first:count]]
        return {"kind": "run", "epoch": epoch, "step": step, "values": {"lr": count},
                "watches": [{"name": str(count)}], "first_event": first,
                "events": listed}  # fmt: skip

    assert known.hear({"kind": "joined", "name": "worker 1", "count": 2}) is None
    assert [e.text for e in known.unsaid(5)] == ["worker 1 takes part: 2 replicas"]
    assert known.hear(run(0, 5, 0, 1)) == {"lr": 1}
    assert known.hear(run(0, 5, 1, 2)) == {"lr": 2}
    assert known.history.events == events and known.unsaid(5) == []
    assert known.watches == [{"name": "2"}]
    known.hear({"kind": "hold", "state": "paused"})
    assert known.is_held and known.state == "paused"
    known.hear(run(1, 3, 0, 1))
    assert known.epoch == 1 and known.history.events == events[:1]
    assert known.history.steps.tolist() == [1, 2, 3]
    known.hear({"kind": "go", "until": 7, "then": "paused"})
    assert not known.is_held and known.until == 7 and known.state == "paused"


@pytest.mark.parametrize("sizes", list(itertools.product((1, 3), repeat=4)))
def test_positions_are_the_sum_of_what_the_steps_took(sizes: tuple[int, ...]) -> None:
    positions, batch = Positions(), 0
    expected = [0]
    for step, size in enumerate(sizes):
        positions.note(step, batch, size)
        batch += size
        expected.append(batch)
    assert [positions.batch(step) for step in range(5)] == expected
    assert Positions(positions.rows).batch(4) == batch
    # Rewound to the state after two steps, one replica goes on.
    positions.note(2, expected[2], 1)
    assert [positions.batch(step) for step in range(5)] == [
        *expected[:3],
        expected[2] + 1,
        expected[2] + 2,
    ]
