"""Groups for tests: members in threads of this process, or in processes that can be killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from workbench.cluster.collectives.exchange import Exchange
from workbench.cluster.collectives.forming import Group, form

ROOT = Path(__file__).resolve().parents[3]


def together(size: int, do: Callable[[Group], Any], shared: bool, timeout: float = 20) -> list[Any]:
    """What `do` returns, or raises, in each of `size` members, which are threads."""
    exchanges = [Exchange() for _ in range(size)]
    members = [exchange.address for exchange in exchanges]
    results: list[Any] = [None] * size
    groups: list[Group] = []

    def member(rank: int) -> None:
        try:
            group = form(exchanges[rank], "test", 0, members, rank, timeout, shared)
            groups.append(group)
            results[rank] = do(group)
        except BaseException as error:
            results[rank] = error

    threads = [threading.Thread(target=member, args=(rank,)) for rank in range(size)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
    finally:
        for group in groups:
            group.close()
        for exchange in exchanges:
            exchange.close()
    return results


@contextlib.contextmanager
def process(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a program; it is killed at the end."""
    started = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait(10)
        assert started.stdin is not None and started.stdout is not None
        started.stdin.close()
        started.stdout.close()
