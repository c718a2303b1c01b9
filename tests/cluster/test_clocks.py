"""Clocks that jump: only those that cannot are asked how long something takes."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import workbench as tf
from tests.cluster.servers import near

ROOT = Path(tf.__file__).parent
#: Where the time of day is asked, and what for.
OF_DAY = {
    "cluster/collectives/segments.py": "the age of files",
    "cluster/execution/step.py": "when values were sent, in traces",
    "live/event_log.py": "when values were recorded, for TensorBoard",
    "live/run.py": "when a run was made, for users",
    "pool/connecting.py": "since when there is a pool, for users",
    "pool/keeping.py": "since when there is a pool, for users",
    "pool/keys.py": "until when keys are valid",
    "pool/losses.py": "since when a pool is gone, for users",
    "pool/records.py": "the age of files",
    "pool/table.py": "for how long there is a pool, for users",
    "pool/worker_service.py": "what time it is there, for users",
}
DAY = 86_400.0


def test_waits_ask_no_clock_that_jumps():
    found = {
        str(path.relative_to(ROOT))
        for folder in ("cluster", "core/sync", "live", "pool")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\btime\.time\(|datetime\.now\(|Condition\(time", path.read_text("utf-8"))
    }
    assert found == set(OF_DAY)


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forward", "back"])
def test_a_training_goes_on_when_the_clock_jumps(tmp_path, monkeypatch, jump):
    with near(ps=1, worker=1) as servers, tf.Graph().as_default():
        with tf.device("/job:ps/task:0"):
            step = tf.train.get_or_create_global_step()
        with tf.device("/job:worker/task:0"):
            one = tf.placeholder(tf.int64, []) * 1
        with tf.device("/job:ps/task:0"):
            train = tf.assign_add(step, one)
        feed = {one.op.inputs[0]: 1}
        with tf.train.MonitoredTrainingSession(
            servers["worker:0"].target,
            checkpoint_dir=str(tmp_path),
            save_checkpoint_secs=1e-3,
            log_step_count_steps=None,
        ) as session:
            session.run(train, feed)
            known = list(servers["worker:0"].sessions.led)
            real = time.time
            monkeypatch.setattr(time, "time", lambda: real() + jump)
            for server in servers.values():
                server._tend(time.monotonic())
            time.sleep(2e-3)
            assert session.run(train, feed) == 2
            # A checkpoint was due, whatever the time of day.
            assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-2")
            assert list(servers["worker:0"].sessions.led) == known
