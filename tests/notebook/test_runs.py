"""Views of runs that really train: what they see, and what they tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.notebook.fakes import DEADLINE, FakeView
from workbench.notebook import protocol
from workbench.notebook.hub import Hub


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts runs of a small problem, and closes them."""
    lr = wb.hyperparameter("lr", 0.05, low=1e-4, high=1.0, log=True)
    w = wb.Variable([4.0, -3.0], name="w")
    loss = wb.reduce_sum(wb.square(w), name="loss")
    train = wb.train.GradientDescentOptimizer(lr).minimize(loss)
    started: list[Any] = []

    def start(**options: Any) -> Any:
        options = {"folder": None, "track": {"loss": loss, "size": wb.size(w)}, **options}
        run = wb.run(train, **options)
        started.append(run)
        return run

    yield start
    for run in started:
        run.close()


def columns(buffers: list[bytes]) -> list[np.ndarray[Any, Any]]:
    return [np.frombuffer(buffer, "<f8") for buffer in buffers]


def test_tells_of_a_finished_run(hub: Hub, start: Any) -> None:
    run = start(steps=300, name="small").wait(DEADLINE)
    view = FakeView(hub)
    [status] = view.result("hello")["runs"]
    assert status == view.result("runs.list")["runs"][0]
    assert (status["run"], status["name"], status["state"]) == (run.id, "small", "finished")
    assert (status["step"], status["steps"], status["live"]) == (300, 300, True)
    assert status["values"]["loss"] == run.history["loss"][-1]
    [lr] = status["hyperparameters"]
    assert (lr["name"], lr["type"], lr["log"]) == ("lr", "float", True)
    assert view.result("graph.get", graph=status["graph"])["operations"] == run.graph.version


def test_history_comes_whole_or_thinned(hub: Hub, start: Any) -> None:
    run = start(steps=300).wait(DEADLINE)
    view = FakeView(hub)
    message, buffers = view.ask("run.history", run=run.id)
    assert message["result"]["names"] == ["loss", "size"]
    assert message["result"]["count"] == 300
    steps, loss, size = columns(buffers)
    np.testing.assert_array_equal(steps, np.arange(1, 301))
    np.testing.assert_array_equal(loss, run.history["loss"])
    np.testing.assert_array_equal(size, np.full(300, 2.0))
    _, buffers = view.ask("run.history", run=run.id, points=20, first=100, last=200)
    steps = columns(buffers)[0]
    assert len(steps) <= 20 and steps[0] >= 100 and steps[-1] == 200


def test_updates_add_up_to_the_history(hub: Hub, start: Any) -> None:
    run = start(steps=400, paused=True)
    view = FakeView(hub)
    _, buffers = view.ask("run.subscribe", run=run.id)
    received = [columns(buffers)[0]]
    for _ in range(8):
        run.step(50)
        time.sleep(0.12)
    run.wait(DEADLINE)
    view.wait(
        lambda m: m.get("method") == "run.update" and m["params"]["status"]["state"] == "finished"
    )
    updates = view.notifications("run.update")
    received += [columns(buffers)[0] for _, buffers in updates]
    np.testing.assert_array_equal(np.concatenate(received), np.arange(1, 401))
    assert all("reset" not in params for params, _ in updates)
    assert updates[-1][0]["count"] == 400
    before = len(updates)
    time.sleep(0.4)
    assert len(view.notifications("run.update")) == before  # nothing happens, nothing is sent


def test_a_command_is_answered_with_its_step(hub: Hub, start: Any) -> None:
    run = start(paused=True)
    view = FakeView(hub)
    view.result("run.subscribe", run=run.id)
    command = {"run": run.id, "command": "step", "arguments": {"count": 10}}
    assert view.result("run.command", **command)["python"] == "run.step(10)"
    view.wait(lambda m: m.get("method") == "run.update" and m["params"]["status"]["step"] == 10)
    answer = view.result("run.command", run=run.id, command="set", arguments={"lr": 0.25})
    assert answer == {"step": 10, "python": "run.set(lr=0.25)"}
    assert run.hyperparameters["lr"] == 0.25
    told, _ = view.wait(lambda m: m.get("method") == "run.update" and m["params"]["events"])
    assert told["params"]["events"][-1] == {
        "step": 10,
        "kind": "set",
        "text": "lr 0.05 -> 0.25",
        "values": {"lr": 0.25},
    }


def test_rewind_fork_and_watch(hub: Hub, start: Any) -> None:
    run = start(steps=100).wait(DEADLINE)
    view = FakeView(hub)
    view.result("run.subscribe", run=run.id)
    answer = view.result("run.command", run=run.id, command="rewind", arguments={"step": 40})
    assert answer["step"] == 40
    told, buffers = view.wait(lambda m: m.get("method") == "run.update" and m["params"]["epoch"])
    assert told["params"]["reset"] is True
    np.testing.assert_array_equal(columns(buffers)[0], np.arange(1, 41))
    stale = {"run": run.id, "command": "resume", "epoch": 0}
    assert view.error("run.command", **stale)["code"] == protocol.STALE
    watch = {"tensor": "loss:0", "when": "below", "threshold": 1e-3}
    answer = view.result("run.command", run=run.id, command="watch", arguments=watch)
    assert answer["watch"] in run.watches
    fork = {"step": 20, "values": {"lr": 0.2}}
    answer = view.result("run.command", run=run.id, command="fork", arguments=fork)
    [other] = [r for r in view.result("runs.list")["runs"] if r["run"] == answer["run"]]
    assert other["parent"] == {"run": run.id, "step": 20}


@pytest.mark.parametrize(
    ("command", "arguments", "code"),
    [
        ("set", {"learning": 1.0}, protocol.BAD_PARAMETERS),
        ("set", {"lr": 5.0}, protocol.BAD_PARAMETERS),
        ("set", {"lr": "much"}, protocol.BAD_PARAMETERS),
        ("rewind", {"step": 10_000}, protocol.BAD_PARAMETERS),
        ("watch", {"tensor": "los:0", "when": "not finite"}, protocol.BAD_PARAMETERS),
        ("unwatch", {"watch": "watch-9"}, protocol.BAD_PARAMETERS),
        ("fork", {"values": {"lr": 7.0}}, protocol.BAD_PARAMETERS),
    ],
)
def test_what_a_run_refuses_changes_nothing(
    hub: Hub, start: Any, command: str, arguments: dict[str, Any], code: int
) -> None:
    run = start(paused=True)
    run.step(3)
    view = FakeView(hub)
    before = view.result("runs.list")
    error = view.error("run.command", run=run.id, command=command, arguments=arguments)
    assert error["code"] == code
    assert error["message"]
    assert view.result("runs.list") == before


def test_a_run_that_has_ended_says_so(hub: Hub, start: Any) -> None:
    run = start(steps=5).wait(DEADLINE)
    error = FakeView(hub).error("run.command", run=run.id, command="pause")
    assert error["code"] == protocol.RUN_ENDED
    assert FakeView(hub).error("run.history", run="nothing")["code"] == protocol.BAD_PARAMETERS


def test_the_list_of_runs_follows_them(hub: Hub, start: Any, tmp_path: Path) -> None:
    view = FakeView(hub)
    view.result("runs.subscribe")
    run = start(paused=True, folder=tmp_path / "runs", name="kept")

    def told(state: str | None) -> Callable[[Any], bool]:
        def accept(message: Any) -> bool:
            if message.get("method") != "runs":
                return False
            states = {r["run"]: r["state"] for r in message["params"]["runs"]}
            return states.get(run.id) == state

        return accept

    view.wait(told("paused"))
    assert view.error("runs.delete", run=run.id)["code"] == protocol.BAD_PARAMETERS
    run.stop()
    view.wait(told("stopped"))
    folder = Path(run.folder)
    assert folder.is_dir()
    view.messages.clear()
    view.result("runs.delete", run=run.id)
    view.wait(told(None))
    assert not folder.exists()


def test_a_failure_names_the_users_line(hub: Hub, start: Any) -> None:
    start()  # the graph's own run
    x = wb.placeholder(wb.float32, [None], name="fed")
    wrong = wb.reshape(x, [3])
    run = wb.run(wrong, steps=2, feed={x: [1.0, 2.0]}, folder=None)
    with pytest.raises(wb.errors.InvalidArgumentError):
        run.wait(DEADLINE)
    [status] = [r for r in FakeView(hub).result("runs.list")["runs"] if r["run"] == run.id]
    assert status["state"] == "failed"
    assert status["error"]["line"]["text"] == "wrong = wb.reshape(x, [3])"
    assert set(status["error"]["line"]) == {"file", "line", "text", "cell"}
    run.close()


def test_the_graph_of_a_record_comes_from_its_folder(
    hub: Hub, start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = start(steps=3, name="past", folder="runs").wait(DEADLINE)
    operations = [op.name for op in run.graph.get_operations()]
    run.close()
    view = FakeView(hub)
    [status] = [s for s in view.result("runs.list")["runs"] if s["name"] == "past"]
    assert not status["live"]
    _, buffers = view.ask("graph.get", graph=status["graph"])
    assert buffers[0].decode().split("\n") == operations
    node = view.result("graph.node", graph=status["graph"], node=operations.index("loss"))
    assert node["name"] == "loss"
    assert view.error("graph.get", graph="run:none")["code"] == -32602
