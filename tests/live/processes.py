"""Runs in other processes, and what those leave to later ones."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE, assert_same, closing, make_model, variables
from tests.live.worker import SEED


def put_away(run: Any, steps: int = 0) -> Any:
    """Ends a run, after so many more steps, as a process that ends does: its folder is as a later
    process finds it."""
    if steps:
        run.step(steps)
    run.close()
    return run


def new_graph(function: Any, *arguments: Any, **options: Any) -> Any:
    """What a process that never saw the graph does."""
    with wb.Graph().as_default():
        return function(*arguments, **options)


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.live.worker", str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(worker: subprocess.Popen[str], word: str) -> None:
    assert worker.stdout is not None
    line = worker.stdout.readline().strip()
    if line != word:
        worker.kill()
        _, errors = worker.communicate(timeout=PATIENCE)
        pytest.fail(f"the worker said {line!r} instead of {word!r}:\n{errors}")


def kill(worker: subprocess.Popen[str]) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.communicate(timeout=PATIENCE)


def check_undisturbed(run: Any) -> None:
    """A worker's run, which another one went on with, has the numbers of one that went through."""
    undisturbed = new_graph(make_model).run(run.step_number, seed=SEED, paused=True)
    with closing(undisturbed):
        undisturbed.step(10)
        undisturbed.set(lr=0.05)
        undisturbed.step(10)
        undisturbed.set(lr=0.01)
        undisturbed.resume()
        undisturbed.wait(PATIENCE)
        assert np.array_equal(undisturbed.history["loss"], run.history["loss"])
        assert_same(variables(undisturbed), variables(run))
