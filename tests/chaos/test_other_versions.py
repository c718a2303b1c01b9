"""A training in which a process of another version of workbench takes the place of one that died:
it is told so, applies nothing, and is the same training once the right version is back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.chaos.sync_training import PATIENCE, SyncTraining, undisturbed

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]
SAYS = {
    "tasks": "speaks version 99 of the protocol between tasks, and was asked by one that speaks 1",
    "wire": "it speaks version 99 of the wire, not 3",
}


class Mixed(SyncTraining):
    """A training of which a process may be of another version."""

    def replace(self, role: str, what: str = "") -> None:
        """Kills a process; the one in its place speaks another version, where that is said."""
        self.processes[role].kill()
        self.processes[role].wait(10)
        of = self._roles[role]
        if what:
            at = of.command.index("-m") + 1
            command = [*of.command[:at], "tests.chaos.other_version", what, *of.command[at:]]
            self._roles[role] = dataclasses.replace(of, command=command)
        self.start(role)
        self._roles[role] = of

    def clients_that_failed(self) -> set[str]:
        return {role for role, _ in self.failures}


@pytest.mark.parametrize(
    ("role", "clients"),
    [("ps", {"client:0", "client:1"}), ("worker:1", {"client:1"})],
    ids=["parameter server", "worker"],
)
@pytest.mark.parametrize("what", ["tasks", "wire"])
def test_another_version_is_told_of_and_applies_nothing(tmp_path: Path, what, role, clients):
    with Mixed(tmp_path / "mixed", pace=0.02) as training:
        training.go_on(12, "the start")
        training.replace(role, what)
        training.wait_until(
            lambda: training.clients_that_failed() >= clients, "an error of each", PATIENCE
        )
        # Nobody else has failed: those who do not talk to it have nothing to say of it.
        assert training.clients_that_failed() == clients
        for client in clients:
            told = training.output(client).read_text("utf-8")
            assert "FailedPreconditionError" in told and SAYS[what] in told
            assert "the same version of workbench" in told
        training.replace(role)
        training.go_on(2, "a step with the right version")
        found = training.end_at(max(training.steps) + 5)
    assert found["wrong"] == {}
    assert found == undisturbed(tmp_path / "undisturbed", found["steps"])
