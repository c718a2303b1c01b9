"""The life of helpers: idle, many, in forked processes, at the end of the interpreter."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from tests.core.codegen.small_kernels import COUNT, call
from workbench.core.codegen import driver
from workbench.core.codegen.layout import POOL
from workbench.core.codegen.table import Table
from workbench.core.codegen.thread_pool import ThreadPool

_LINUX = sys.platform == "linux"

_PROGRAM = """
import os, sys, threading
import numpy as np
from tests.core.codegen.small_kernels import COUNT, call
from workbench.core.codegen import driver
from workbench.core.codegen.table import Table
from workbench.core.codegen.thread_pool import ThreadPool

counts = np.zeros(1000, np.int32)
table = Table([call(COUNT, counts, units=1000, chunk=10) for _ in range(5)], threads=3)

def run(times):
    for _ in range(times):
        assert driver.run(table, pool=ThreadPool.shared())
"""


def _program(text: str, deadline: float = 60) -> str:
    """What a program prints; it ends by itself, without an error."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM + text],
        capture_output=True,
        text=True,
        timeout=deadline,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _helpers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("workbench-step-")]


def test_closing_sends_the_helpers_home() -> None:
    before = len(_helpers())
    pool = ThreadPool(4)
    counts = np.zeros(100, np.int32)
    table = Table([call(COUNT, counts, units=100)], threads=4)
    assert driver.run(table, pool=pool)
    assert len(_helpers()) == before + pool.threads - 1
    pool.close()
    assert len(_helpers()) == before
    assert driver.run(table, pool=pool), "it goes on with one thread"
    pool.close()
    assert (counts == 2).all()


@pytest.mark.skipif(not _LINUX, reason="reads /proc, and there are helpers on Linux only")
def test_idle_helpers_sleep() -> None:
    """In the kernel, waiting for the pool's word: so they cost nothing."""
    pool = ThreadPool(3)
    helpers = pool._helpers

    def asleep(thread: threading.Thread) -> bool:
        status = Path(f"/proc/self/task/{thread.native_id}/stat").read_text()
        return status.rpartition(")")[2].split()[0] == "S"

    try:
        for _ in range(3):
            driver.run(Table([], threads=3), pool=pool)
            deadline = time.monotonic() + 30
            while pool._memory[POOL["SLEEPERS"]] != 2 or not all(map(asleep, helpers)):
                assert time.monotonic() < deadline
                time.sleep(0.001)
    finally:
        pool.close()


@pytest.mark.skipif(not _LINUX, reason="there are helpers on Linux only")
def test_helpers_get_no_signals() -> None:
    pool = ThreadPool(2)
    try:
        [helper] = pool._helpers
        status = Path(f"/proc/self/task/{helper.native_id}/status").read_text()
        [blocked] = [line for line in status.splitlines() if line.startswith("SigBlk:")]
        assert int(blocked.split()[1], 16) & (1 << (signal.SIGINT - 1))
    finally:
        pool.close()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_tables_come_and_go() -> None:
    """Helpers that wake up late may still look at a table whose run is over."""
    pool = ThreadPool(4)
    counts = np.zeros(64, np.int32)
    try:
        for _ in range(3000):
            table = Table([call(COUNT, counts, units=64, chunk=16)], threads=4)
            driver.run(table, pool=pool)
            gone = weakref.ref(table)
            del table
        gc.collect()
        assert gone() is None
        assert not pool.looks_at(1)
    finally:
        pool.close()
    assert (counts == 3000).all()


def test_the_interpreter_ends() -> None:
    assert _program("run(50); print(counts[0])") == "250\n"


def test_the_interpreter_ends_while_a_daemon_runs_steps() -> None:
    text = """
threading.Thread(target=run, args=(10**9,), daemon=True).start()
while counts[0] < 100:
    pass
print("end")
"""
    assert _program(text) == "end\n"


def test_an_error_at_the_top_ends_the_interpreter_as_usual() -> None:
    assert _program("run(3)\nsys.stdout.flush()\nsys.exit(0)") == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_helpers_of_its_own() -> None:
    text = """
import warnings; warnings.simplefilter("ignore", DeprecationWarning)
run(20)
child = os.fork()
run(20)
if child == 0:
    assert ThreadPool.shared().threads == 1 or ThreadPool.shared()._helpers[0].is_alive()
    print("child", counts[0], flush=True)
    grandchild = os.fork()
    run(1)
    if grandchild:
        assert os.waitpid(grandchild, 0)[1] == 0
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
run(20)
print("parent", counts[0])
"""
    assert _program(text) == "child 200\nparent 300\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_an_entry_goes_on_in_a_forked_process() -> None:
    """The helpers that it was made for are not there."""
    text = """
import warnings; warnings.simplefilter("ignore", DeprecationWarning)
from workbench.core.codegen.entry import Entry, Structure
entry = Entry(table, [], [], Structure("single", (-1,)), threads=3, release=True)
for _ in range(20):
    entry.call()
child = os.fork()
for _ in range(20):
    assert entry.call() is None
if child == 0:
    os._exit(counts[0])
print(counts[0], os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert _program(text) == "200 200\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forks_while_another_thread_runs_steps() -> None:
    text = """
import warnings; warnings.simplefilter("ignore", DeprecationWarning)
other = np.zeros(1000, np.int32)
busy = Table([call(COUNT, other, units=1000, chunk=10) for _ in range(5)], threads=3)
stop = threading.Event()

def work():
    while not stop.is_set():
        driver.run(busy, pool=ThreadPool.shared())

thread = threading.Thread(target=work)
thread.start()
children = []
for _ in range(15):
    run(3)
    child = os.fork()
    if child == 0:
        run(3)
        assert driver.run(busy, pool=ThreadPool.shared()), "nobody runs it here"
        os._exit(7)
    children.append(child)
stop.set()
thread.join()
print([os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children] == [7] * 15)
"""
    assert _program(text) == "True\n"
