"""Waiting in a terminal: the bar, and what an interrupt does."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.support import PATIENCE
from workbench.live.progress import progress_line
from workbench.live.status import RunStatus

PROGRAM = """
import sys, time
from tests.live.support import end_with_parent, make_model
end_with_parent()
model = make_model()
run = model.run(None if sys.argv[1] == "for ever" else 300, name="digits", paused=True)
run.step(1)
run.set(lr=0.01)
run.resume()
try:
    run.wait()
except KeyboardInterrupt:
    step, until = run.step_number, time.monotonic() + 30
    while run.step_number == step and time.monotonic() < until:
        time.sleep(0.01)
    print("went on:", run.state == "running" and run.step_number > step)
print("state:", run.state)
run.close()
"""


def in_terminal(argument: str, interrupt: bool) -> str:
    """What a terminal shows of the program."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, argument], stdout=follower, stderr=follower, stdin=follower
    )
    os.close(follower)
    shown = b""
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            assert time.monotonic() < deadline
            try:
                part = os.read(leader, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
            if interrupt and b"steps/s" in shown:
                interrupt = False
                process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0, shown.decode()
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(leader)
    return shown.decode()


def test_a_terminal_shows_a_bar() -> None:
    shown = in_terminal("300", interrupt=False)
    assert "\rdigits |" in shown and "300/300" in shown and "loss" in shown
    assert shown.splitlines()[-1] == "state: finished"


def test_an_interrupt_ends_the_waiting_alone() -> None:
    shown = in_terminal("for ever", interrupt=True)
    assert "'digits' goes on at step" in shown and "went on: True" in shown
    assert shown.splitlines()[-1] == "state: running"


def test_no_bar_where_there_is_no_terminal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "300"], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.stdout, done.stderr) == ("state: finished\n", "")


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (RunStatus("1", "a", "created", 0, None), "a step 0, created"),
        (
            RunStatus("1", "a", "paused", 10, 20, rate=2.345, values={"loss": float("nan")}),
            "a |##########          | 10/20, paused, 2.35 steps/s, loss nan",
        ),
        (
            RunStatus("1", "a", "running", 20, 20, rate=1e4, eta=7205.0),
            "a |####################| 20/20, 10000 steps/s, 2:00:05 to go",
        ),
    ],
)
def test_lines(status: RunStatus, line: str) -> None:
    assert progress_line(status) == line
