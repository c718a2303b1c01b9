"""`workbench demo` as a user runs it: the run's folder, the restored checkpoint, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import workbench as tf
from workbench.core.protos.reading import read_graph_def
from workbench.demo.progress import ProgressBar
from workbench.demo.training import BATCH, batches

COMMAND = [sys.executable, "-m", "workbench.cli"]


def _run(*arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )


@pytest.mark.timeout(300)
def test_demo_trains_writes_its_folder_and_restores(tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    done = _run("demo", "--folder", str(folder), "--epochs", "3")
    assert done.returncode == 0, done.stderr
    assert "held-out accuracy" in done.stdout
    assert "all 360 predictions are the same" in done.stdout
    record = json.loads((folder / "run.json").read_text())
    assert record["state"] == "done"
    assert record["held_out_accuracy"] > 0.9
    assert record["step"] == 3 * (1437 // BATCH)
    nodes = {node.name for node in read_graph_def(str(folder / "graph.pb")).node}
    assert {"images", "convolution_1/Conv2D", "Adam"} <= nodes
    events = [
        e for f in folder.glob("events.out.tfevents.*") for e in tf.train.summary_iterator(str(f))
    ]
    assert {v.tag for e in events for v in e.summary.value} == {"loss", "accuracy", "learning_rate"}
    assert tf.train.latest_checkpoint(str(folder / "checkpoints")).endswith(f"-{record['step']}")
    again = _run("demo-predict", str(folder))
    assert again.returncode == 0
    assert f"held-out accuracy {record['held_out_accuracy']:.4f}" in again.stdout


@pytest.mark.timeout(300)
@pytest.mark.parametrize("delay", [0.0, 0.5, 1.5])
def test_ctrl_c_leaves_a_checkpoint_that_loads_and_goes_on(tmp_path: Path, delay: float) -> None:
    folder = tmp_path / "digits"
    worker = subprocess.Popen(
        [*COMMAND, "demo", "--folder", str(folder), "--epochs", "500"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (folder / "run.json").exists():
        assert worker.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(delay)
    worker.send_signal(signal.SIGINT)
    output, errors = worker.communicate(timeout=60)
    assert worker.returncode == 130, errors
    assert "stopped at step" in output and "--resume" in output
    assert "Traceback" not in errors
    stopped = json.loads((folder / "run.json").read_text())
    assert stopped["state"] == "stopped"
    newest = tf.train.latest_checkpoint(str(folder / "checkpoints"))
    assert int(newest.rsplit("-", 1)[1]) == stopped["step"]
    assert _run("demo-predict", str(folder)).returncode == 0


def test_wrong_arguments() -> None:
    assert _run("demo", "--epochs", "0").returncode == 2
    missing = _run("demo-predict", os.devnull)
    assert missing.returncode == 1 and "no checkpoint" in missing.stderr
    assert _run("nonsense").returncode == 2
    assert _run("--version").stdout.startswith("workbench ")


def test_batches_go_on_where_they_stopped() -> None:
    whole = [rows.tolist() for rows in batches(300, 2, seed=3, start=0)]
    assert [rows.tolist() for rows in batches(300, 2, seed=3, start=5)] == whole[5:]
    first_epoch = [row for rows in whole[:4] for row in rows]
    assert len(set(first_epoch)) == len(first_epoch)


def test_progress_bar_without_a_terminal_prints_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = ProgressBar(100)
    for step in range(1, 101):
        bar.show(step, loss=1.0 / step)
    bar.close()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert lines[-1].startswith("  100/100 steps")
    assert "loss 0.0100" in lines[-1]
