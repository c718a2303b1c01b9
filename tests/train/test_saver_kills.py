"""Trainings that are killed leave whole checkpoints."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import workbench as tf
from workbench.core.checkpoints.reading import read_tensors

pytestmark = pytest.mark.usefixtures("graph")


TRAINING = """
import sys
import numpy as np
import workbench as tf

step = tf.Variable(0, name="step")
values = [tf.Variable(np.zeros(30000, np.float32), name=f"v{i}") for i in range(3)]
count = tf.group(step.assign_add(1), *[v.assign(v + 1.0) for v in values])
saver = tf.train.Saver(max_to_keep=2)
with tf.Session() as session:
    session.run([v.initializer for v in [step, *values]])
    latest = tf.train.latest_checkpoint(sys.argv[1])
    if latest:
        saver.restore(session, latest)
        print("restored", session.run(step), flush=True)
    while True:
        session.run(count)
        path = saver.save(session, sys.argv[1] + "/m", step)
        print("saved", path.rpartition("-")[2], flush=True)
"""


def killed(folder: Path, saves: int, wait: float = 0.0) -> tuple[int, int]:
    """Trains until some saves are done and kills it; the steps it started from and ended at."""
    restored = reached = 0
    with subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while saves:
            word, _, number = process.stdout.readline().partition(" ")
            if word == "restored":
                restored = int(number)
            else:
                assert word == "saved", "the training failed"
                reached, saves = int(number), saves - 1
        if wait:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(wait)
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            reached = int(line.split()[1])
    return restored, reached


def check_kill(folder: Path, reached: int) -> None:
    latest = tf.train.latest_checkpoint(str(folder))
    assert latest is not None
    tensors = read_tensors(latest)
    assert int(tensors["step"]) >= reached
    for index in range(3):
        assert np.all(tensors[f"v{index}"] == tensors["step"])
    assert tf.train.import_meta_graph(latest + ".meta", import_scope="again") is not None


def test_kills_leave_whole_checkpoints(tmp_path: Path) -> None:
    before = 0
    for saves in (3, 5):
        restored, reached = killed(tmp_path, saves)
        assert restored >= before
        check_kill(tmp_path, reached)
        before = reached


@pytest.mark.chaos
def test_a_hundred_kills_leave_whole_checkpoints(tmp_path: Path) -> None:
    before = 0
    waits = np.random.default_rng(0).uniform(0.0, 0.05, 100)
    for wait in waits.tolist():
        restored, reached = killed(tmp_path, 1, wait)
        assert restored >= before
        check_kill(tmp_path, reached)
        before = reached
