"""What views are told of pools, and have done with them: with one real pool, and with none."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.notebook.fakes import FakeView
from tests.pool.homes import home_at
from workbench.notebook import pool_answers, protocol
from workbench.notebook.hub import Hub

pytest.importorskip("distributed")

DEADLINE = 60.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's folder of these tests; whatever they leave is ended."""
    with home_at(tmp_path_factory.mktemp("home")) as folder:
        yield folder


@pytest.fixture
def view(home: Path) -> Iterator[FakeView]:
    hub = Hub()
    try:
        yield FakeView(hub)
    finally:
        hub.close()


def asked(view: FakeView, method: str, **params: Any) -> dict[str, Any]:
    """The answer to what takes a while."""
    view._ids += 1
    identity = view._ids
    view.connection.receive({"id": identity, "method": method, "params": params})
    return view.wait(lambda m: m.get("id") == identity, DEADLINE)[0]


class Watcher:
    """Takes in what the view is told of pools, one notification after the other."""

    def __init__(self, view: FakeView) -> None:
        self._view = view
        self._seen = 0

    def until(self, accept: Any) -> tuple[Any, list[bytes]]:
        """The next notification that `accept` takes."""

        def is_wanted(message: dict[str, Any]) -> bool:
            if message.get("method") != "pools" or message["sequence"] <= self._seen:
                return False
            return bool(accept(message["params"]["pools"]))

        try:
            message, buffers = self._view.wait(is_wanted, DEADLINE)
        except AssertionError:
            told = self._view.notifications("pools")
            pytest.fail(f"told last of {len(told)}: {told[-1:]}")
        self._seen = message["sequence"]
        return message["params"]["pools"], buffers


def _all_have_told(found: list[Any], count: int) -> bool:
    workers = [worker for pool in found for worker in pool["workers"]]
    return len(workers) == count and all(w["processor"] is not None for w in workers)


def test_a_pool_from_its_start_to_its_end(view: FakeView, home: Path) -> None:
    pools = Watcher(view)
    view.result("pools.subscribe")
    pools.until(lambda found: found == [])
    started = asked(view, "pool.start", workers=2, name="trial")
    assert started["result"] == {
        "pool": "trial",
        "python": "pool = wb.pool.local(2, name='trial')",
    }
    [pool], buffers = pools.until(lambda found: _all_have_told(found, 2))
    assert (pool["name"], pool["kind"], pool["state"]) == ("trial", "local", "alive")
    assert pool["can_scale"] is True and pool["trouble"] is None
    assert len(buffers) == 2
    for index, worker in enumerate(pool["workers"]):
        assert (worker["index"], worker["state"], worker["runs"]) == (index, "idle", [])
        assert worker["pid"] != os.getpid() and 10e6 < worker["memory"] < 10e9
        assert 0 <= worker["processor"] < 64
        assert worker["wire"]["total_sent"] > 0 and worker["wire"]["sent"] > 0
        assert set(worker["shares"]) == {"compute", "exchange", "wait"}

    # A run is seen where it is, with its steps.
    import workbench as tf
    from workbench.pool.listing import attach

    graph = tf.Graph()
    with graph.as_default():
        count = tf.Variable(0, name="count")
        step = tf.assign_add(count, 1)
        run = tf.run(step, pool=attach("trial"), name="counting", folder=None)
    try:
        [pool], buffers = pools.until(
            lambda found: any(
                w["runs"] and w["runs"][0]["step"] > 5 and w["shares"] and w["shares"]["compute"]
                for w in found[0]["workers"]
            ),
        )
        [busy] = [worker for worker in pool["workers"] if worker["runs"]]
        [seen] = busy["runs"]
        assert (seen["run"], seen["name"], seen["state"]) == (run.id, "counting", "running")
        assert busy["state"] == "running" and 0 < busy["shares"]["compute"] < 1.5
        spans = np.frombuffer(buffers[busy["spans"]], "<f8").reshape(-1, 6)
        computing = spans[spans[:, 0] == 0]
        assert len(computing) and np.all(np.diff(computing[:, 3]) >= 1)
        # By this process's clock, and in this test's time.
        assert np.all(computing[:, 4] <= computing[:, 5])
        assert abs(computing[-1, 5] - time.monotonic()) < DEADLINE

        # Its worker's log tells of it.
        view.result("log.subscribe", pool="trial", worker=busy["index"])
        view.wait(lambda m: "run 'counting': running at step 0" in str(m), DEADLINE)

        # It is not ended by the way.
        refused = asked(view, "pool.stop", pool="trial")["error"]
        assert refused["code"] == protocol.BAD_PARAMETERS
        assert "Runs go on in the pool 'trial': 'counting' at step" in refused["message"]
    finally:
        run.detach()
    assert asked(view, "pool.scale", pool="trial", workers=1)["result"] == {
        "python": "pool.scale(1)"
    }
    pools.until(lambda found: _all_have_told(found, 1))
    ended = asked(view, "pool.stop", pool="trial", despite=[run.id])
    assert ended["result"] == {"python": "pool.close()"}
    pools.until(lambda found: found == [])
    assert list((home / "pools").iterdir()) == []


def test_a_log_is_told_of_from_its_kept_lines_on(
    view: FakeView, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.pool.statistics.log_tail import LogTail

    tail = LogTail()
    tail.take(5, 10, ["one", "two"])
    overview = view.connection.hub.overview
    monkeypatch.setattr(overview, "log", lambda pool, worker: tail)
    view.result("log.subscribe", pool="trial", worker=1)
    view.wait(lambda m: m.get("method") == "log")
    assert tail.followers == 1
    tail.take(5, 12, ["three"])
    view.wait(lambda m: m.get("method") == "log" and m["params"]["lines"] == ["three"])
    tail.take(6, 0, ["another"])
    view.wait(lambda m: m.get("method") == "log" and m["params"]["lines"] == ["another"])
    heard = [params for params, _ in view.notifications("log")]
    assert [(p["first"], p["lines"], p.get("reset", False)) for p in heard] == [
        (10, ["one", "two"], True),
        (12, ["three"], False),
        (0, ["another"], True),
    ]
    assert {(p["pool"], p["worker"]) for p in heard} == {("trial", 1)}
    view.result("log.unsubscribe", pool="trial", worker=1)
    assert tail.followers == 0


@pytest.mark.parametrize(
    "method, params, message",
    [
        ("pool.scale", {"pool": "none", "workers": 2}, "There is no pool 'none'"),
        ("pool.stop", {"pool": "none"}, "There is no pool 'none'"),
        ("pool.start", {"name": "no name"}, "'no name' is no name for a pool"),
        ("pool.start", {"workers": -1}, "workers must be a whole number from 0"),
        ("pool.scale", {"pool": "none"}, "pool.scale needs workers"),
        ("log.subscribe", {"pool": "none", "worker": -2}, "worker must be a whole number"),
    ],
)
def test_what_cannot_be_is_refused(
    view: FakeView, method: str, params: dict[str, Any], message: str
) -> None:
    error = asked(view, method, **params)["error"]
    assert error["code"] == protocol.BAD_PARAMETERS and message in error["message"]


def test_an_error_inside_is_an_answer(view: FakeView, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Any:
        raise KeyError("lost")

    monkeypatch.setattr(pool_answers, "_find", broken)
    error = asked(view, "pool.scale", pool="trial", workers=2)["error"]
    assert error == {"code": protocol.FAILED_INSIDE, "message": "KeyError: 'lost'"}


def test_a_dead_pool_is_told_of_and_removed(view: FakeView, home: Path) -> None:
    from workbench.pool.records import Record, claim

    name = claim("left", "local")
    Record(name, "local", "tls://127.0.0.1:1", 2**22 + 1, "gone", 0.0).write()
    pools = Watcher(view)
    view.result("pools.subscribe")
    [pool], _ = pools.until(lambda found: found and found[0]["state"] == "dead")
    assert pool["name"] == "left" and pool["workers"] == []
    assert "is gone" in pool["trouble"]
    assert asked(view, "pool.restart", pool="left")["error"]["code"] == protocol.BAD_PARAMETERS
    assert asked(view, "pool.stop", pool="left")["result"] == {"python": "pool.close()"}
    pools.until(lambda found: found == [])


def test_nobody_looks_when_no_view_does(view: FakeView) -> None:
    overview = view.connection.hub.overview
    pools = Watcher(view)
    view.result("pools.subscribe")
    pools.until(lambda found: found == [])
    assert overview._looking == 1
    view.result("pools.unsubscribe")
    assert overview._looking == 0
    view.result("pools.subscribe")
    view.result("log.subscribe", pool="trial")
    assert overview._looking == 2
    view.connection.close()
    assert overview._looking == 0 and overview._ended.is_set()
