"""Programs as users write them, on processes of their own, apart from the addresses."""

from __future__ import annotations

import pytest

import workbench as tf
from tests.cluster.processes import Processes, Replicas

PROGRAMS = "tests.cluster.programs"


def test_a_graph_is_replicated_on_workers_with_a_supervisor(tmp_path):
    logs = tmp_path / "logs"
    flags = [f"--logdir={logs}", "--steps=60"]
    with Replicas(f"{PROGRAMS}.full_graph", flags, ps=2, worker=2) as replicas:
        found = replicas.results()
    assert max(f["step"] for f in found) >= 60
    assert sum(f["own"] for f in found) >= 60
    assert min(f["loss"] for f in found) < 0.01
    # What the chief wrote: summaries, and a checkpoint of what lies on two servers.
    prefix = tf.train.latest_checkpoint(str(logs))
    reader = tf.train.NewCheckpointReader(prefix)
    assert reader.get_tensor("slope") == pytest.approx(3.0, abs=0.2)
    assert reader.get_tensor("shift") == pytest.approx(-1.0, abs=0.2)
    events = [e for path in logs.glob("*tfevents*") for e in tf.train.summary_iterator(str(path))]
    tags = {value.tag for event in events for value in event.summary.value}
    assert "steepness" in tags and any(event.graph_def for event in events)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "workers"),
    [
        ([], 2),
        (["--sync_replicas"], 2),
        (["--sync_replicas", "--replicas_to_aggregate=2"], 3),
    ],
    ids=["asynchronous", "synchronous", "backup"],
)
def test_replicas_of_a_network_learn_digits(flags, workers):
    with Replicas(f"{PROGRAMS}.digits_replica", flags, ps=1, worker=workers) as replicas:
        found = replicas.results()
    assert all(f["step"] >= 60 for f in found)
    assert min(f["accuracy"] for f in found) > 0.9


@pytest.mark.slow
def test_clients_use_servers_that_run_already():
    """The workers' programs are clients of servers that others have started."""
    program = f"{PROGRAMS}.digits_replica"
    with (
        Processes(ps=1, worker=2) as servers,
        Replicas(program, ["--existing_servers"], beside=servers, worker=2) as clients,
    ):
        found = clients.results()
    assert all(f["step"] >= 60 for f in found)
    assert min(f["accuracy"] for f in found) > 0.9
