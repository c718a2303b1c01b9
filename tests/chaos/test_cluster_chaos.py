"""A synchronous training on three hosts whose processes are killed and stopped, and whose network
is cut: it must be, bit for bit, the training that nobody disturbs.

WORKBENCH_CLUSTER_EVENTS is how often it is disturbed, WORKBENCH_CLUSTER_SEED what is drawn from.
"""

from __future__ import annotations

import contextlib
import os
import statistics
from pathlib import Path

import pytest

from tests.chaos.disturbances import draw, tally
from tests.chaos.remains import Remains
from tests.chaos.sync_training import HOSTS, SyncTraining, undisturbed

EVENTS = int(os.environ.get("WORKBENCH_CLUSTER_EVENTS", "10"))
SEED = int(os.environ.get("WORKBENCH_CLUSTER_SEED", "1"))
#: How long each client rests in a step, so that checkpoints and disturbances meet few steps.
PACE = 0.05
PLACES = sorted(set(HOSTS.values()))


@pytest.mark.chaos
@pytest.mark.timeout(60 * 60 * 4)
def test_a_disturbed_training_is_the_undisturbed_one(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        remains = stack.enter_context(Remains(tmp_path))
        network = stack.enter_context(remains.network(PLACES))
        events = draw(SEED, EVENTS, list(HOSTS), PLACES if network is not None else [])
        training = SyncTraining(tmp_path / "disturbed", network, PACE, remains.environment)
        remains.ports(training.local_addresses)
        stack.enter_context(training)
        training.go_on(5, "the start")
        recoveries = []
        for number, event in enumerate(events):
            training.disturb(event)
            recoveries.append(training.go_on(2, f"a step after {event}"))
            told = f"{event.kind} of {event.whom} for {event.seconds:.1f} s"
            print(f"{number}: {told}, on after {recoveries[-1]:.1f} s, at {training.steps}")
        end = max(training.steps) + 20
        found = training.end_at(end)
        failures, processes = list(training.failures), list(training.processes.values())
    print(f"seed {SEED}: {tally(events)}")
    print(
        f"seed {SEED}, {EVENTS} events, {found['steps']} steps, loss {found['loss']:.3g}, on after "
        f"{statistics.median(recoveries):.1f} s (median), {max(recoveries):.1f} s (most)"
    )
    # Each position was used in one applied step, and the global step has counted those.
    assert found["wrong"] == {} and found["steps"] == end
    assert found == undisturbed(tmp_path / "undisturbed", end)
    # Nobody has failed: who was not killed has recovered by itself.
    assert failures == []
    assert all(process.poll() is not None for process in processes)
    assert not list((tmp_path / "disturbed" / "checkpoints").glob("*.tmp*"))
