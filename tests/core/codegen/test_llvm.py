"""LLVM is used in blocks, which the end of a process waits for."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.codegen.small_kernels import kernel
from workbench.core.codegen import host, llvm
from workbench.core.codegen.code_cache import CodeCache
from workbench.core.codegen.compiler import KernelLibrary, Library
from workbench.core.codegen.module import module_text

pytestmark = pytest.mark.skipif(host.obstacle() is not None, reason="nothing is compiled here")

ROOT = Path(__file__).parents[3]


def _end(how: str, seed: int) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tests.core.codegen.ending_program", how, str(seed)]
    return subprocess.run(
        program, cwd=ROOT, env={**os.environ, "WORKBENCH_CACHE": ""},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("how", "code"), [("return", 0), ("signals", 3)])
def test_a_process_ends_while_llvm_works(how: str, code: int) -> None:
    done = _end(how, 1)
    assert done.returncode == code, done.stderr[-2000:]


@pytest.fixture
def burners() -> Iterator[None]:
    """Processes that want the processors, too."""
    program = [sys.executable, "-c", "while True: pass"]
    several = [subprocess.Popen(program) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for process in several:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["return", "exit", "signals", "steps"])
def test_many_processes_end_while_llvm_works(how: str, burners: None) -> None:
    for seed in range(12):
        done = _end(how, seed)
        assert done.returncode == (0 if how == "return" else 3), (seed, done.stderr[-2000:])


# -- blocks ---------------------------------------------------------------------------------------


def test_nothing_uses_llvm_outside_of_a_block(tmp_path: Path) -> None:
    """What llvmlite's objects do when they are collected is a use, too."""
    from llvmlite.binding import ffi, get_default_triple

    outside: list[str] = []

    def look() -> None:
        if not llvm.exclusive._is_owned():  # type: ignore[attr-defined]
            outside.append(threading.current_thread().name)

    def nothing() -> None:
        pass

    code = kernel("counts", "")
    ffi.register_lock_callback(look, nothing)
    try:
        with tf.Graph().as_default() as graph, tf.Session(tier="compiled") as session:
            x = tf.placeholder(tf.float32, [None, 6, 6, 1])
            y = tf.reduce_sum(tf.layers.conv2d(x, 3, 3, activation=tf.sin))
            train = tf.train.AdamOptimizer().minimize(y)
            session.run(tf.global_variables_initializer())
            session.run(train, {x: np.ones([2, 6, 6, 1])})
            assert session.explain() and graph.finalized is False
        kernels = KernelLibrary(CodeCache(tmp_path / "code"))
        assert kernels.compile([code])
        library = Library(module_text([code]))
        assert library.address(code.name)
        del library
        host.processor.cache_clear()
        with llvm.use():
            host.target_machine().close()
        gc.collect()
        assert outside == [] and kernels.statistics.compiled == 1
        # The look itself works.
        assert get_default_triple() and outside
    finally:
        ffi.unregister_lock_callback(look, nothing)


# -- the end --------------------------------------------------------------------------------------


class _Interrupted:
    """A lock whose first wait is interrupted."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def __enter__(self) -> None:
        if not self.events:
            self.events.append("interrupted")
            raise KeyboardInterrupt
        self.events.append("acquired")

    def __exit__(self, *details: Any) -> None:
        self.events.append("released")


def test_the_wait_for_llvm_is_finished_though_it_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock = _Interrupted()
    monkeypatch.setattr(llvm, "exclusive", lock)
    monkeypatch.setattr(llvm, "_ending", None)
    with pytest.raises(KeyboardInterrupt):
        llvm.leave()
    assert lock.events == ["interrupted", "acquired", "released"]


def test_at_the_end_only_the_thread_that_ends_the_process_uses_llvm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(llvm, "_ending", None)
    used: list[str] = []
    ended: list[str] = []

    def try_to_use() -> None:
        name = threading.current_thread().name
        try:
            with llvm.use():
                used.append(name)
        except SystemExit:
            ended.append(name)

    def in_a_thread(name: str) -> None:
        thread = threading.Thread(target=try_to_use, name=name)
        thread.start()
        thread.join(60)
        assert not thread.is_alive()

    in_a_thread("before")
    llvm.leave()
    in_a_thread("after")
    try_to_use()
    assert used == ["before", threading.current_thread().name] and ended == ["after"]
