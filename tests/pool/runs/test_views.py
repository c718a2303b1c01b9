"""Views of the notebook on a run of a worker: they do not know the difference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.live.support import PATIENCE, make_model
from tests.notebook.fakes import FakeView
from tests.pool.runs.workers import HostProcess
from workbench.notebook import run_lookup
from workbench.notebook.hub import Hub


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


def test_a_view_follows_and_steers(hub: Hub, worker: HostProcess) -> None:
    model = make_model()
    run = model.run(None, pool=worker, name="seen", folder="runs")
    view = FakeView(hub)
    [listed] = [r for r in view.result("runs.list")["runs"] if r["run"] == run.id]
    assert listed["live"] and listed["graph"] and run_lookup.find_here("seen") is run
    view.result("run.subscribe", run=run.id, points=100)
    view.wait(lambda m: m.get("method") == "run.update" and m["params"]["count"] > 20)
    channels = ["time", "mean"]
    view.result("overlay.subscribe", run=run.id, channels=channels)
    tap = view.result("tap.open", run=run.id, tensor="loss:0")["tap"]
    _, buffers = view.wait(
        lambda m: m.get("method") == "overlay" and m["params"]["step"] > 0, PATIENCE
    )
    times = np.frombuffer(buffers[0], "<f4")
    assert np.isfinite(times).any() and np.nanmax(times) > 0
    said, _ = view.wait(lambda m: m.get("method") == "tap" and m["params"]["samples"] > 0)
    assert said["params"]["tap"] == tap and said["params"]["kind"] == "number"
    answer = view.result("run.command", run=run.id, command="set", arguments={"lr": 0.5})
    assert answer["python"] == "run.set(lr=0.5)" and run.hyperparameters == {"lr": 0.5}
    view.result("run.command", run=run.id, command="pause", arguments={})
    forked = view.result(
        "run.command", run=run.id, command="fork", arguments={"step": 5, "values": {"lr": 0.1}}
    )
    assert forked["run"] in [r["run"] for r in view.result("runs.list")["runs"]]
    view.result("run.command", run=run.id, command="rewind", arguments={"step": 3})
    view.wait(lambda m: m.get("method") == "run.update" and m["params"].get("reset"))
    refused = view.error("run.command", run=run.id, command="set", arguments={"lr": 7.0})
    assert "between" in refused["message"]
