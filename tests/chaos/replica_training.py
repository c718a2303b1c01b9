"""The training of `tests.chaos.replica_member`: a roster and three members, each on its host."""

from __future__ import annotations

import collections
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.cast import Cast, Role
from tests.chaos.sync_training import PATIENCE
from tests.cluster.network import Network
from tests.cluster.servers import addresses
from workbench.cluster.wire.keys import VARIABLE, make_keys, save_keys

MEMBERS = ["a", "b", "c"]
ROSTER = "roster"
#: The host of the roster.
ROSTER_HOST = "p"


class Taken(NamedTuple):
    """A batch that a member was given in one of its lives, and in which group."""

    life: str
    epoch: int
    batch: int


class Members(Cast):
    """The roster and the members of a training."""

    def __init__(
        self,
        strategy: str,
        folder: Path,
        network: Network | None,
        pace: float,
        environment: Mapping[str, str],
    ) -> None:
        self.folder = folder
        folder.mkdir()
        save_keys(make_keys(), folder / "keys")
        #: Where they listen, as far as that is on this host.
        self.local_addresses: list[str] = []
        if network is None:
            free = addresses(roster=1, member=3)
            roster, members = free["roster"][0], free["member"]
            self.local_addresses = [roster, *members]
        else:
            roster = f"{network.addresses[ROSTER_HOST]}:4000"
            members = [f"{network.addresses[host]}:4001" for host in MEMBERS]
        python = [sys.executable, "-W", "ignore", "-m", "tests.chaos.replica_member"]
        roles = {ROSTER: Role([*python, "roster", roster, "3"], ROSTER_HOST)}
        for number, (host, address) in enumerate(zip(MEMBERS, members, strict=True)):
            more = [strategy, roster, address, str(number), str(folder), str(pace)]
            roles[host] = Role([*python, *more], host)
        keys = {VARIABLE: str(folder / "keys")}
        super().__init__(roles, folder, network, {**keys, **environment})

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

    def end_at(self, step: int) -> list[dict[str, Any]]:
        """What the members find who end at a step, or after."""
        (self.folder / "end").write_text(str(step))
        self.wait_until(lambda: self.is_over(MEMBERS), f"step {step}", PATIENCE + 0.5 * step)
        return [json.loads((self.folder / f"found_{number}").read_text()) for number in range(3)]

    def taken(self) -> list[Taken]:
        """All that the members were given, whoever it was."""
        found = []
        for path in self.folder.glob("taken_*"):
            for line in path.read_text().splitlines():
                life, epoch, batch = line.split()
                found.append(Taken(f"{path.name} {life}", int(epoch), int(batch)))
        return found


def given_again(taken: list[Taken]) -> set[int]:
    """The batches that were given again though those who formed the group knew of it.

    Nobody knows what one was given who died, or was out of reach, when the group was formed.

    >>> before, after = Taken("a", 1, 5), Taken("b", 2, 5)
    >>> given_again([before, after]), given_again([before, after, Taken("a", 2, 6)])
    (set(), {5})
    """
    epochs: dict[str, set[int]] = collections.defaultdict(set)
    of_batch: dict[int, list[Taken]] = collections.defaultdict(list)
    for each in taken:
        epochs[each.life].add(each.epoch)
        of_batch[each.batch].append(each)
    found = set()
    for batch, takings in of_batch.items():
        takings.sort(key=lambda each: each.epoch)
        for position, later in enumerate(takings):
            for earlier in takings[:position]:
                was_there = any(earlier.epoch < e <= later.epoch for e in epochs[earlier.life])
                if was_there or earlier.epoch == later.epoch:
                    found.add(batch)
    return found
