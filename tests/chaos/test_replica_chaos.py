"""Replicas on three hosts, and their roster on a fourth, killed, stopped and cut off: the others
all go on, and what they have in the end is what undisturbed ones have, as far as that is exact.

WORKBENCH_REPLICA_EVENTS is how often they are disturbed, WORKBENCH_REPLICA_SEED what is drawn from.
"""

from __future__ import annotations

import contextlib
import os
import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.disturbances import draw, tally
from tests.chaos.remains import Remains
from tests.chaos.replica_training import MEMBERS, ROSTER, ROSTER_HOST, Members, given_again

EVENTS = int(os.environ.get("WORKBENCH_REPLICA_EVENTS", "6"))
SEED = int(os.environ.get("WORKBENCH_REPLICA_SEED", "1"))
PACE = 0.05
#: What those who are disturbed reach too.
LOSS = 1e-12


@pytest.mark.chaos
@pytest.mark.timeout(60 * 60 * 3)
@pytest.mark.parametrize("strategy", ["sync", "async", "parameter server"])
def test_no_step_is_lost_or_doubled_whoever_dies(tmp_path: Path, strategy: str) -> None:
    hosts = [ROSTER_HOST, *MEMBERS]
    with contextlib.ExitStack() as stack:
        remains = stack.enter_context(Remains(tmp_path))
        network = stack.enter_context(remains.network(hosts))
        members = Members(strategy, tmp_path / "members", network, PACE, remains.environment)
        remains.ports(members.local_addresses)
        stack.enter_context(members)
        members.go_on("the start")
        recoveries = []
        events = draw(SEED, EVENTS, [ROSTER, *MEMBERS], hosts if network else [])
        for number, event in enumerate(events):
            members.disturb(event)
            recoveries.append(members.go_on(f"steps after {event}"))
            told = f"{event.kind} of {event.whom} for {event.seconds:.1f} s"
            print(f"{number}: {told}, on after {recoveries[-1]:.1f} s, at {members.steps()}")
        end = max(members.steps()) + 200
        found = members.end_at(end)
        failures, taken = members.failures, members.taken()
    print(f"{strategy}, seed {SEED}: {tally(events)}")
    print(
        f"{strategy}, seed {SEED}, {EVENTS} events, {_short(found[0])}, started again: {failures}, "
        f"on after {statistics.median(recoveries):.1f} s (median), {max(recoveries):.1f} s (most)"
    )
    assert all(each["loss"] < LOSS and each["steps"] >= end for each in found)
    if strategy == "async":
        # Each counts its own steps, from what the group had when it was formed.
        assert all(each["counted"] == each["own count"] for each in found)
        assert given_again(taken) == set()
        # Where all average, a batch that was applied once is a part of each.
        unknown = {t.batch for t in taken} - set(_once(taken))
        more = {int(b) for each in found for b, times in each["wrong"].items() if times > 1 + 1e-9}
        assert more <= unknown
        return
    for each in found:
        assert each["wrong"] == {}
        assert each["counted"] == each["steps"]
    if strategy == "sync":
        assert found[0] == found[1] == found[2]
        assert found[0]["steps"] == end
        # Each batch up to the last one is in one applied step.
        assert found[0]["applied"] == pytest.approx(found[0]["batches"], abs=1e-6)
    else:
        assert all(each["applied"] == pytest.approx(each["steps"], abs=1e-6) for each in found)


def _once(taken: list[Any]) -> list[int]:
    """The batches that were given once."""
    counts: dict[int, int] = {}
    for each in taken:
        counts[each.batch] = counts.get(each.batch, 0) + 1
    return [batch for batch, count in counts.items() if count == 1]


def _short(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "wrong": len(found["wrong"])}
