"""The training of `tests.chaos.sync_client`: a parameter server, two workers, two clients."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.chaos.cast import Cast, Role
from tests.cluster.network import Network
from tests.cluster.servers import addresses
from workbench.cluster.wire.keys import VARIABLE, make_keys, save_keys

#: The host of each role.
HOSTS = {"ps": "p", "worker:0": "a", "worker:1": "b", "client:0": "a", "client:1": "b"}
CLIENTS = ("client:0", "client:1")
#: A recovery takes seconds on an idle machine; nothing here may take longer than this.
PATIENCE = float(os.environ.get("WORKBENCH_CHAOS_PATIENCE", "180"))


class SyncTraining(Cast):
    """The processes of a training.

    Args:
      folder: a folder of its own, which is made.
      network: the network of its hosts; without one all are on this host.
      pace: how many seconds each client rests in a step.
      environment: more variables of the processes' environment.
    """

    def __init__(
        self,
        folder: Path,
        network: Network | None = None,
        pace: float = 0.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir()
        self.folder = folder
        keys = folder / "keys"
        save_keys(make_keys(), keys)
        spec = _spec(network)
        #: Where its servers listen, as far as that is on this host.
        local = spec.values() if network is None else []
        self.local_addresses = [address for job in local for address in job]
        environment = {VARIABLE: str(keys), **(environment or {})}
        super().__init__(_roles(spec, folder, pace), folder, network, environment)

    def at(self, index: int) -> int:
        """The step that a client has seen since `forget`; -1 for none."""
        try:
            return int((self.folder / f"at_{index}").read_text() or -1)
        except FileNotFoundError:
            return -1

    def go_on(self, steps: int, what: str) -> float:
        """Waits until both clients have seen a step, and then so many more; for how long."""
        for index in range(2):
            (self.folder / f"at_{index}").unlink(missing_ok=True)
        waited = self.wait_until(lambda: min(self.steps) >= 0, what, PATIENCE)
        wanted = [step + steps for step in self.steps]

        def is_so() -> bool:
            return all(at >= step for at, step in zip(self.steps, wanted, strict=True))

        return waited + self.wait_until(is_so, what, PATIENCE)

    @property
    def steps(self) -> Sequence[int]:
        """The steps that the clients have seen."""
        return [self.at(index) for index in range(2)]

    def end_at(self, step: int) -> dict[str, Any]:
        """What the training finds that ends at a step."""
        (self.folder / "end").write_text(str(step))
        self.wait_until(lambda: self.is_over(CLIENTS), f"step {step}", PATIENCE + 0.2 * step)
        return dict(json.loads((self.folder / "found").read_text()))


def undisturbed(folder: Path, steps: int) -> dict[str, Any]:
    """What a training finds that is on one host, and that nobody disturbs."""
    with SyncTraining(folder) as training:
        found = training.end_at(steps)
        assert training.failures == []
    return found


def _spec(network: Network | None) -> dict[str, list[str]]:
    if network is None:
        return addresses(ps=1, worker=2)
    at = network.addresses
    return {"ps": [f"{at['p']}:4000"], "worker": [f"{at['a']}:4001", f"{at['b']}:4001"]}


def _roles(spec: dict[str, list[str]], folder: Path, pace: float) -> dict[str, Role]:
    text = json.dumps(spec)
    found = {}
    for name, host in HOSTS.items():
        job, _, number = name.partition(":")
        if job == "client":
            command = ["tests.chaos.sync_client", text, number, str(folder), str(pace)]
        else:
            command = ["tests.cluster.serve", text, job, number or "0"]
        found[name] = Role([sys.executable, "-W", "ignore", "-m", *command], host)
    return found
