"""What the threads of a training were seen to do, told apart: nothing is lost, nothing doubled."""

from __future__ import annotations

import json

import pytest

from tests.bench.simulation.parts import server_parts, spread, worker_parts
from tests.bench.simulation.probes import Probe, difference, read

#: Ten steps of a server of one worker that trains in step, by its own chief: seconds from each mark
#: to the next, all together.
SERVER = {
    ("other", "waits", "called"): (40, [0.04], 0.0),
    ("other", "got", "waits"): (20, [0.02], 0.0),
    ("other", "woken", "ran", "sent values", "began"): (10, [1.0, 2.0, 0.5], 0.0),
    ("other", "woken", "ran", "began"): (10, [3.0, 0.25], 0.0),
    ("other", "woken", "got"): (10, [0.7], 0.0),
    ("other", "woken", "ran", "ran", "goes on"): (10, [4.0, 2.0, 0.125], 0.0),
    ("other", "goes on", "ran", "ran", "sent done", "goes on"): (10, [1.0, 2.0, 3.0, 0.4], 0.0),
    ("other", "goes on", "ran", "sent done", "got"): (10, [1, 1, 0.2], 0.0),
}
WORKER = {
    ("main", "woken", "sent run", "ran", "sent values", "waits"): (10, [2.0, 0.5, 0.5, 0.1], 0.0),
    ("main", "woken", "ran", "sent values", "waits"): (10, [3.0, 1.0, 0.2], 0.0),
    ("main", "woken", "ran", "waits"): (10, [0.3, 0.1], 0.0),
    ("other", "woken", "sent run", "waits"): (10, [1.5, 0.05], 0.0),
    ("other", "woken", "got"): (20, [2.0], 0.0),
    ("main", "waits", "woken"): (30, [0.4], 0.0),
}


def seconds(pieces):
    return sum(sum(legs) for _, legs, _ in pieces.values())


@pytest.mark.parametrize(("parts_of", "pieces"), [(server_parts, SERVER), (worker_parts, WORKER)])
def test_all_that_a_process_did_in_a_step_is_in_its_parts(parts_of, pieces):
    parts = parts_of(pieces)
    assert sum(part.seconds for part in parts.values()) == pytest.approx(seconds(pieces) / 10)


def test_a_servers_parts():
    parts = server_parts(SERVER)
    assert set(parts) == {"send", "begin", "note", "take", "apply", "let"}
    # Each of four messages has its share of what it takes to be called, of which half comes after,
    # and to wait again.
    assert parts["send"] == pytest.approx((1, 0.3 + 0.0005, 0.05 + 0.001))
    assert parts["take"] == pytest.approx((1, 0.4 + 0.0005, 0.2125 + 0.001))
    # What goes on by a message is no message.
    assert parts["apply"] == pytest.approx((1, 0.6, 0.04))
    assert parts["let"] == pytest.approx((1, 0.2, 0.02))


def test_a_workers_parts():
    parts = worker_parts(WORKER)
    # Half of what is done for no other reason is done to go to sleep after each of four.
    assert parts["ask"] == pytest.approx((1, 0.2, 0.11 + 0.03))
    assert parts["give"] == pytest.approx((1, 0.4, 0.02 + 0.03))
    assert parts["finish"] == pytest.approx((1, 0.04, 0.03))
    assert parts["chief_ask"] == pytest.approx((1, 0.15, 0.005 + 0.03))
    assert parts["hear"] == pytest.approx((4, 0.03, 0.0))


def test_pieces_begin_and_end_where_a_thread_waits_and_the_differences_of_two_looks(tmp_path):
    probe = Probe()
    for _ in range(3):
        for mark in ("waits", "woken", "ran", "sent run"):
            probe.mark(mark)
    probe.mark("waits")
    whole = ("main", "woken", "ran", "sent run", "waits")
    assert {marks: found[0] for marks, found in probe.pieces.items()} == {
        ("main", "waits", "woken"): 3,
        whole: 3,
    }
    assert len(probe.pieces[whole][1]) == 3
    probe.write(tmp_path / "pieces.json")
    first = read(tmp_path / "pieces.json")
    assert json.dumps([*map(list, first)]) == json.dumps([*map(list, probe.pieces)])
    probe.mark("woken")
    assert {m: f[0] for m, f in difference(first, probe.pieces).items()} == {
        ("main", "waits", "woken"): 1
    }


def test_what_is_left_out_belongs_to_no_piece(monkeypatch):
    now = iter([0.0, 0.0, 5.0, 5.0])
    probe = Probe()
    probe._own = 0.0
    monkeypatch.setattr("time.thread_time", lambda: next(now))
    probe.mark("woken")
    probe.leave_out(3.0)
    probe.mark("waits")
    assert probe.pieces == {("main", "woken", "waits"): (1, [2.0], 4.0)}


def test_how_unequal_pieces_are():
    # Two of 1 and 3 seconds: their mean is 2, their deviation 1.
    assert spread({("a",): (2, [4.0], 10.0)}) == pytest.approx(0.5)
    assert spread({("a",): (2, [4.0], 8.0), ("b",): (1, [1.0], 1.0)}) == 0.0
