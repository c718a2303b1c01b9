"""The hooks: what each does, when."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.train.summary_io import FileWriterCache


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph
    FileWriterCache.clear()


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Any:
    """The messages that are logged."""
    caplog.set_level(logging.INFO, logger="workbench")
    return lambda: [record.getMessage() for record in caplog.records]


def counting() -> Any:
    """A step that counts itself, and nothing else."""
    return tf.assign_add(tf.train.get_or_create_global_step(), 1)


def run(hooks: list[Any], fetches: Any, steps: int, **arguments: Any) -> list[Any]:
    """What so many steps with the hooks give, or those before somebody said stop."""
    results: list[Any] = []
    with tf.train.SingularMonitoredSession(hooks=hooks, **arguments) as session:
        while len(results) < steps and not session.should_stop():
            results.append(session.run(fetches))
    return results


class Journal(tf.train.SessionRunHook):
    """Notes the order of the calls."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name, self.notes = name, notes

    def begin(self) -> None:
        self.notes.append(f"{self.name} begin {tf.get_default_graph().finalized}")

    def after_create_session(self, session: Any, coord: Any) -> None:
        finalized = session.graph.finalized
        self.notes.append(f"{self.name} created {finalized} {coord.should_stop()}")

    def before_run(self, run_context: Any) -> Any:
        self.notes.append(f"{self.name} before {run_context.original_args.feed_dict}")

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self.notes.append(f"{self.name} after {run_values.results}")

    def end(self, session: Any) -> None:
        self.notes.append(f"{self.name} end")


def test_the_order_of_calls() -> None:
    notes: list[str] = []
    one = tf.constant(1)
    run([Journal("a", notes), Journal("b", notes)], one, 1)
    assert notes == [
        "a begin False",
        "b begin False",
        "a created True False",
        "b created True False",
        "a before None",
        "b before None",
        "a after None",
        "b after None",
        "a end",
        "b end",
    ]


@pytest.mark.parametrize(
    ("arguments", "start", "expected"),
    [
        ({"num_steps": 2}, 0, [1, 2]),
        ({"num_steps": 2}, 5, [6, 7]),
        ({"last_step": 3}, 0, [1, 2, 3]),
        ({"last_step": 3}, 2, [3]),
    ],
)
def test_stop_at_step(arguments: dict[str, int], start: int, expected: list[int]) -> None:
    step = counting()
    begin = tf.train.get_global_step()
    scaffold = tf.train.Scaffold(init_fn=lambda _, session: begin.load(start, session))
    hook = tf.train.StopAtStepHook(**arguments)
    assert run([hook], step, 9, scaffold=scaffold) == expected


@pytest.mark.parametrize("arguments", [{}, {"num_steps": 1, "last_step": 1}])
def test_stop_at_step_takes_one_number(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="num_steps or last_step"):
        tf.train.StopAtStepHook(**arguments)


@pytest.mark.parametrize(
    "hook",
    [
        lambda folder: tf.train.StopAtStepHook(num_steps=1),
        lambda folder: tf.train.StepCounterHook(),
        lambda folder: tf.train.GlobalStepWaiterHook(0),
        lambda folder: tf.train.CheckpointSaverHook(folder, save_steps=1),
        lambda folder: tf.train.SummarySaverHook(save_steps=1, summary_op="x"),
        lambda folder: tf.train.ProfilerHook(save_steps=1),
    ],
)
def test_hooks_that_need_the_global_step_say_so(hook: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Global step should be created to use"):
        hook(str(tmp_path)).begin()


def test_all_hooks_share_one_reading_of_the_step() -> None:
    step = tf.train.get_or_create_global_step()
    train = tf.assign_add(step, 1)
    run([tf.train.StopAtStepHook(num_steps=1), tf.train.StepCounterHook()], train, 3)
    assert [op.name for op in step.graph.get_operations() if op.type == "Add"] == [
        "global_step/add"
    ]


def test_a_loss_that_is_not_a_number() -> None:
    x = tf.get_variable("x", initializer=1.0)
    halved = tf.assign(x, x - 1.0)
    loss = tf.log(halved - 0.5)
    assert len(run([tf.train.NanTensorHook(loss, fail_on_nan_loss=False)], halved, 9)) == 1
    with pytest.raises(tf.train.NanLossDuringTrainingError, match="NaN loss during training"):
        run([tf.train.NanTensorHook(loss)], halved, 9)


def test_logging_tensors(messages: Any) -> None:
    step = counting()
    double = tf.multiply(step, 2, name="double")
    hook = tf.train.LoggingTensorHook({"twice": double, "step": step}, every_n_iter=2)
    run([hook], step, 4)
    lines = [line for line in messages() if line.startswith("twice")]
    assert lines[0] == "twice = 2, step = 1"
    assert lines[1].startswith("twice = 6, step = 3 (")
    assert len(lines) == 2


def test_logging_by_names_with_a_formatter_at_the_end(messages: Any) -> None:
    step = counting()
    tf.identity(step, name="number")
    hook = tf.train.LoggingTensorHook(
        ["number"], at_end=True, formatter=lambda values: f"now {values['number']}"
    )
    run([hook], step, 2)
    # Computing it once more at the end is another step.
    assert [line for line in messages() if line.startswith("now")] == ["now 3"]


def test_names_of_tensors_must_be_clear() -> None:
    tf.split(tf.ones([2]), 2, name="parts")
    hook = tf.train.LoggingTensorHook(["parts"], every_n_iter=1)
    with pytest.raises(ValueError, match="parts is ambiguous.* has 2 outputs"):
        hook.begin()
    with tf.Graph().as_default():
        other = tf.constant(1)
    with pytest.raises(ValueError, match="equal to current graph"):
        tf.train.LoggingTensorHook([other], every_n_iter=1).begin()


@pytest.mark.parametrize(
    "arguments",
    [{}, {"every_n_iter": 1, "every_n_secs": 1}, {"every_n_iter": 0}, {"every_n_iter": -3}],
)
def test_logging_intervals(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="every_n_iter"):
        tf.train.LoggingTensorHook(["x"], **arguments)


def values(folder: Path, tag: str) -> dict[int, float]:
    """What an event file says of a tag, by step."""
    found = {}
    for path in sorted(folder.glob("events.out*")):
        for event in tf.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.tag == tag:
                    found[event.step] = value.simple_value
    return found


def test_steps_per_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.train.sessions import timers

    clock = iter(range(100))
    # A reading of the clock for each count: a second lies between two of them.
    monkeypatch.setattr(timers, "time", SimpleNamespace(time=lambda: next(clock)))
    hook = tf.train.StepCounterHook(every_n_steps=10, output_dir=str(tmp_path))
    run([hook], counting(), 31)
    FileWriterCache.clear()
    assert values(tmp_path, "global_step/sec") == {11: 10.0, 21: 10.0, 31: 10.0}


def test_a_step_that_does_not_count_is_noticed(messages: Any) -> None:
    tf.train.get_or_create_global_step()
    run([tf.train.StepCounterHook(every_n_steps=1000)], tf.constant(1), 30)
    assert len([line for line in messages() if "has not been increased" in line]) == 1


class Listener(tf.train.CheckpointSaverListener):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.notes: list[Any] = []

    def begin(self) -> None:
        self.notes.append("begin")

    def before_save(self, session: Any, global_step_value: int) -> None:
        self.notes.append(("before", global_step_value))

    def after_save(self, session: Any, global_step_value: int) -> None:
        self.notes.append(("after", global_step_value))

    def end(self, session: Any, global_step_value: int) -> None:
        self.notes.append(("end", global_step_value))


def test_checkpoints_every_few_steps(tmp_path: Path) -> None:
    step, listener = counting(), Listener()
    tf.add_to_collection(tf.GraphKeys.SAVERS, tf.train.Saver(max_to_keep=None))
    folder = str(tmp_path)
    hook = tf.train.CheckpointSaverHook(folder, save_steps=3, listeners=[listener])
    run([hook], step, 6)
    saved = [1, 4, 6]
    around = [(word, number) for number in saved for word in ("before", "after")]
    assert listener.notes == ["begin", *around, ("end", 6)]
    for number in saved:
        path = f"{folder}/model.ckpt-{number}"
        assert tf.train.load_variable(path, "global_step") == number
    assert tf.train.latest_checkpoint(folder) == f"{folder}/model.ckpt-6"
    assert (tmp_path / "graph.pbtxt").exists()
    FileWriterCache.clear()
    (events,) = tmp_path.glob("events.out*")
    kinds = [event.WhichOneof("what") for event in tf.train.summary_iterator(str(events))]
    assert kinds == ["file_version", "graph_def", "meta_graph_def"] + ["session_log"] * 3


def test_which_saver_a_checkpoint_is_saved_with(tmp_path: Path) -> None:
    step = counting()
    folder = str(tmp_path)
    with pytest.raises(ValueError, match="both saver and scaffold"):
        tf.train.CheckpointSaverHook(
            folder, save_steps=1, saver=tf.train.Saver(), scaffold=tf.train.Scaffold()
        )
    hook = tf.train.CheckpointSaverHook(folder, save_steps=1)
    for _ in range(2):
        tf.add_to_collection(tf.GraphKeys.SAVERS, tf.train.Saver())
    scaffold = tf.train.Scaffold(saver=tf.train.Saver())
    with pytest.raises(RuntimeError, match="More than one item in collection savers"):
        run([hook], step, 1, scaffold=scaffold)


def test_summaries_every_few_steps(tmp_path: Path) -> None:
    step = counting()
    tf.summary.scalar("number", tf.cast(step, tf.float32))
    hook = tf.train.SummarySaverHook(
        save_steps=4, output_dir=str(tmp_path), summary_op=tf.summary.merge_all()
    )
    run([hook], step, 9)
    FileWriterCache.clear()
    assert values(tmp_path, "number") == {1: 1.0, 5: 5.0, 9: 9.0}


def test_summaries_need_one_source() -> None:
    for arguments in ({}, {"scaffold": tf.train.Scaffold(), "summary_op": "x"}):
        with pytest.raises(ValueError, match="scaffold or summary_op"):
            tf.train.SummarySaverHook(save_steps=1, **arguments)


def test_values_at_the_end() -> None:
    step = counting()
    x = tf.placeholder(tf.float32, [])
    hook = tf.train.FinalOpsHook([tf.train.get_global_step(), x * 2.0], {x: 3.0})
    assert hook.final_ops_values is None
    run([hook], step, 2)
    assert [float(value) for value in hook.final_ops_values] == [2.0, 6.0]


def test_feeds_from_a_function() -> None:
    x = tf.placeholder(tf.float32, [])
    numbers = iter([1.0, 2.0, 3.0])
    hook = tf.train.FeedFnHook(lambda: {x: next(numbers)})
    assert [float(value) for value in run([hook], x * 10.0, 3)] == [10.0, 20.0, 30.0]


def test_waiting_for_others(monkeypatch: pytest.MonkeyPatch, messages: Any) -> None:
    from workbench.train.sessions import stopping_hooks

    step = tf.train.get_or_create_global_step()
    ahead = tf.assign_add(step, 1000)
    hook = tf.train.GlobalStepWaiterHook(3000)
    sessions: list[Any] = []
    scaffold = tf.train.Scaffold(init_fn=lambda _, session: sessions.append(session))
    # Instead of waiting, the others get on.
    monkeypatch.setattr(stopping_hooks.time, "sleep", lambda _: sessions[0].run(ahead))
    assert run([hook], step, 2, scaffold=scaffold) == [3000, 3000]
    waits = [line for line in messages() if line.startswith("Waiting for global step 3000")]
    assert len(waits) == 2 and waits[1].endswith("Current step is 2000.")


def test_traces_of_steps(tmp_path: Path) -> None:
    w = tf.get_variable("w", initializer=np.ones([2, 2], np.float32))
    step = tf.group(counting(), tf.assign(w, tf.matmul(w, w)))
    run([tf.train.ProfilerHook(save_steps=2, output_dir=str(tmp_path))], step, 4)
    assert sorted(os.listdir(tmp_path)) == ["timeline-1.json", "timeline-3.json"]
    trace = json.loads((tmp_path / "timeline-3.json").read_text())
    assert "MatMul" in {event["name"] for event in trace["traceEvents"]}
