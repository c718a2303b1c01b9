"""Trainings and sessions over networks that lose, delay and end what goes over them.

Hosts are name spaces with addresses that others reach: all of it is locked with keys (CURVE).
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.cast import Cast, Role
from tests.chaos.sync_training import HOSTS, PATIENCE, SyncTraining, undisturbed
from tests.cluster.network import Link, Network, needs_network
from workbench.cluster.wire.keys import VARIABLE, make_keys, save_keys

pytestmark = [pytest.mark.chaos, needs_network, pytest.mark.timeout(900)]
#: 5 % of all frames are lost, each takes 20 ms, and 10 Mbit go in a second.
BAD = Link(loss=0.05, seconds=0.02, rate=1.25e6, seed=3)


def test_a_training_over_bad_links_is_the_same_training(tmp_path: Path) -> None:
    links = {host: Link() if host == "p" else BAD for host in set(HOSTS.values())}
    with Network(links) as network, SyncTraining(tmp_path / "bad", network) as training:
        found = training.end_at(25)
        assert training.failures == []
    assert found["steps"] == 25 and found["wrong"] == {}
    assert found == undisturbed(tmp_path / "good", 25)


class Counting(Cast):
    """A parameter server, a worker, and a client that counts, each on a host of its own."""

    def __init__(self, folder: Path, network: Network) -> None:
        at = network.addresses
        self.spec = json.dumps({"ps": [f"{at['p']}:4000"], "worker": [f"{at['w']}:4001"]})
        self.keys = folder / "keys"
        save_keys(make_keys(), self.keys)
        python = [sys.executable, "-W", "ignore", "-m"]
        serve = [*python, "tests.cluster.serve", self.spec]
        count = [*python, "tests.chaos.counting_client", self.spec]
        roles = {
            "ps": Role([*serve, "ps", "0"], "p"),
            "worker": Role([*serve, "worker", "0"], "w"),
            "client": Role(count, "c"),
        }
        super().__init__(roles, folder, network, {VARIABLE: str(self.keys)})

    def lines(self) -> list[str]:
        """What the client has printed."""
        return self.output("client").read_text("utf-8").splitlines()

    def counted(self) -> list[int]:
        """What it has counted."""
        return [int(line) for line in self.lines() if line.isdigit()]

    def failed(self) -> list[str]:
        """The errors of its steps."""
        return [line for line in self.lines() if line.startswith("failed")]

    def await_count(self, more: int) -> None:
        """Waits until it has counted on."""
        wanted = len(self.counted()) + more
        self.wait_until(lambda: len(self.counted()) >= wanted, f"{more} more", PATIENCE)


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[tuple[Counting, Network]]:
    with (
        Network({"p": Link(), "w": Link(), "c": Link()}) as network,
        Counting(tmp_path, network) as counting,
    ):
        counting.await_count(10)
        yield counting, network


@pytest.mark.parametrize("host", ["p", "w", "c"], ids=["ps", "worker", "client"])
def test_a_cut_of_five_seconds_is_not_noticed(counting, host):
    processes, network = counting
    with network.without(host):
        before = len(processes.counted())
        with pytest.raises(AssertionError, match="were not|was not reached"):
            processes.wait_until(
                lambda: len(processes.counted()) > before + 2, "a step over a cut", 5.0
            )
    processes.await_count(10)
    assert processes.failed() == []
    assert processes.counted() == list(range(1, len(processes.counted()) + 1))


@pytest.mark.parametrize("host", ["p", "c"], ids=["ps", "client"])
def test_a_long_cut_says_who_is_awaited_for_what_and_since_when(counting, host):
    processes, network = counting
    with network.without(host):
        processes.wait_until(lambda: bool(processes.failed()), "an error", PATIENCE)
    awaited = json.loads(processes.spec)["ps" if host == "p" else "worker"][0]
    first = processes.failed()[0]
    assert re.match("failed (UnavailableError|AbortedError)", first), first
    assert awaited in first
    assert re.search(r"awaited was .*step.*since \d+\.\d s", first), first
    processes.await_count(10)
    counted = processes.counted()
    # What was counted when the way was cut may have come without its answer.
    gaps = [b - a for a, b in itertools.pairwise(counted)]
    assert set(gaps) <= {1, 2} and gaps.count(2) <= 1


def test_who_has_other_keys_gets_nothing(counting, tmp_path):
    processes, network = counting
    others = tmp_path / "others"
    save_keys(make_keys(), others)
    worker = json.loads(processes.spec)["worker"][0]
    program = f"import workbench as tf; tf.Session('tcp://{worker}')"
    stranger = network.command("c", ["env", f"{VARIABLE}={others}", sys.executable, "-c", program])
    with Cast({"stranger": Role(stranger)}, tmp_path) as cast:
        cast.wait_until(lambda: bool(cast.failures), "an error of the stranger", PATIENCE)
        assert "do the keys fit?" in cast.output("stranger").read_text("utf-8")
    processes.await_count(3)
    assert processes.failed() == []
