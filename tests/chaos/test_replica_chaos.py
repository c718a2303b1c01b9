"""Replicas on three hosts that average their gradients, killed, stopped and cut off: all the others
go on, and each batch of the data is in one applied step.

WORKBENCH_REPLICA_EVENTS is how often they are disturbed, WORKBENCH_REPLICA_SEED what is drawn from.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
from pathlib import Path

import pytest

from tests.chaos.cast import Cast, Role
from tests.chaos.disturbances import draw
from tests.chaos.sync_training import PATIENCE
from tests.cluster.network import REASON, Link, Network
from tests.cluster.servers import addresses
from workbench.cluster.wire.keys import VARIABLE, make_keys, save_keys

EVENTS = int(os.environ.get("WORKBENCH_REPLICA_EVENTS", "6"))
SEED = int(os.environ.get("WORKBENCH_REPLICA_SEED", "1"))
MEMBERS = ["a", "b", "c"]
PACE = 0.05


class Members(Cast):
    """The roster and the members of a training."""

    def __init__(self, folder: Path, network: Network | None) -> None:
        self.folder = folder
        save_keys(make_keys(), folder / "keys")
        if network is None:
            free = addresses(roster=1, member=3)
            roster, members = free["roster"][0], free["member"]
        else:
            roster = f"{network.addresses['p']}:4000"
            members = [f"{network.addresses[host]}:4001" for host in MEMBERS]
        python = [sys.executable, "-W", "ignore", "-m", "tests.chaos.replica_member"]
        roles = {"roster": Role([*python, "roster", roster, "3"], "p")}
        for number, (host, address) in enumerate(zip(MEMBERS, members, strict=True)):
            more = [roster, address, str(number), str(folder), str(PACE)]
            roles[host] = Role([*python, *more], host)
        super().__init__(roles, folder, network, {VARIABLE: str(folder / "keys")})

    def steps(self) -> list[int]:
        """The steps that the members have taken since `go_on`; -1 for none."""
        found = []
        for number in range(3):
            path = self.folder / f"at_{number}"
            found.append(int(path.read_text() or -1) if path.exists() else -1)
        return found

    def go_on(self, what: str) -> float:
        """Waits until all three have taken two steps; for how long."""
        for number in range(3):
            (self.folder / f"at_{number}").unlink(missing_ok=True)
        waited = self.wait_until(lambda: min(self.steps()) >= 0, what, PATIENCE)
        wanted = max(self.steps()) + 2
        return waited + self.wait_until(lambda: min(self.steps()) >= wanted, what, PATIENCE)


@pytest.mark.chaos
@pytest.mark.timeout(60 * 60 * 3)
def test_each_batch_is_applied_once_whoever_dies(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        network = None
        if REASON:
            print(f"NO CUTS OF THE NETWORK: {REASON}")
        else:
            links = {host: Link() for host in ["p", *MEMBERS]}
            network = stack.enter_context(Network(links))
        members = stack.enter_context(Members(tmp_path, network))
        members.go_on("the start")
        recoveries = []
        for number, event in enumerate(draw(SEED, EVENTS, MEMBERS, MEMBERS if network else [])):
            members.disturb(event)
            recoveries.append(members.go_on(f"steps after {event}"))
            told = f"{event.kind} of {event.whom} for {event.seconds:.1f} s"
            print(f"{number}: {told}, on after {recoveries[-1]:.1f} s, at {members.steps()}")
        end = max(members.steps()) + 200
        (tmp_path / "end").write_text(str(end))
        members.wait_until(lambda: members.is_over(MEMBERS), f"step {end}", PATIENCE + 0.5 * end)
        failures = members.failures
    found = [json.loads((tmp_path / f"found_{number}").read_text()) for number in range(3)]
    print(
        f"seed {SEED}, {EVENTS} events, {found[0]}, started again: {failures}, on after "
        f"{statistics.median(recoveries):.1f} s (median), {max(recoveries):.1f} s (most)"
    )
    assert found[0] == found[1] == found[2]
    assert found[0]["wrong"] == {} and found[0]["steps"] == end
    assert found[0]["loss"] < 1e-12
