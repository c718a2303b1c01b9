"""Looking into the steps of replicas: values and times on operations, taps and watches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.live.support import PATIENCE
from tests.pool.runs.replicas.crew import Crew, crew
from tests.pool.runs.replicas.test_replicated_runs import Model
from tests.pool.runs.test_remote_run import eventually


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with crew(tmp_path_factory.mktemp("two"), 2) as made:
        yield made


def place(tensor: Any) -> int:
    return int(tensor.op._id) - 1


@pytest.mark.parametrize("strategy", ["sync", "async", "parameter server"])
def test_a_graph_view_has_what_the_leader_computes(two: Crew, strategy: str) -> None:
    model = Model()
    run = model.run(two, None, strategy=strategy)
    run.wait_for_replicas(2, PATIENCE)
    seen, tap = run.observe(["time", "calls", "mean"]), run.tap(model.loss)
    update = next(op for op in model.graph.get_operations() if op.type == "ApplyGradientDescent")
    gradient = run.tap(update.inputs[2])

    def is_all_there() -> bool:
        frame = seen.latest()
        return (
            frame is not None
            and tap.latest() is not None
            and gradient.latest() is not None
            and np.isfinite(frame.channels["time"][place(model.loss)])
            and np.isfinite(frame.channels["mean"][place(model.loss)])
        )

    eventually(is_all_there)
    frame = seen.latest()
    assert frame.channels["time"][place(model.loss)] > 0
    assert gradient.latest().shape == (3,)
    leads = two.leader(run)
    if strategy != "parameter server" or run.replicas[0]["leads"]:
        # Where the leader applies gradients, that is seen too.
        eventually(lambda: seen.latest().channels["calls"][update._id - 1] >= 1)
        assert seen.latest().channels["time"][update._id - 1] > 0
    first = seen.latest().step
    eventually(lambda: seen.latest().step > first)
    last = run.pause()
    assert leads == two.leader(run) and 0 < first < seen.latest().step <= last
    # What the tap has sampled is what was recorded of those steps.
    steps, values = tap.history
    if strategy == "sync":
        known = dict(zip(run.history.steps.tolist(), run.history["loss"].tolist(), strict=True))
        assert [known[step] for step in steps.tolist()] == values.tolist()
    seen.close()
    tap.close()
    run.close()
