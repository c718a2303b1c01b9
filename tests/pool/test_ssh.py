"""Pools by SSH, on a server that is this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("asyncssh")

import workbench as wb
from tests.pool import leftovers
from workbench.pool.errors import PoolError
from workbench.pool.processes import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc"),
]
DEADLINE = 100.0


class Machine:
    """This machine, reached by SSH."""

    def __init__(self, folder: Path, port: int, mark: str) -> None:
        self.folder = folder
        self.options = {
            "connect_options": {
                "port": port,
                "known_hosts": None,
                "client_keys": [str(folder / "id")],
                "username": "somebody",
            },
            "remote_python": sys.executable,
            "seconds": DEADLINE,
        }
        self.mark = mark

    def processes(self, words: str = "workbench.pool.remote") -> list[int]:
        """What runs there for pools."""
        return [pid for pid in leftovers.marked(self.mark) if words in leftovers.command(pid)]

    def is_quiet(self) -> bool:
        """Whether nothing but the server runs."""
        return len(leftovers.marked(self.mark)) == 1


@pytest.fixture(scope="module")
def machine(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    mark = f"ssh-{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(leftovers.VARIABLE, mark)
        command = [sys.executable, "-m", "tests.pool.ssh_server", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                yield Machine(folder, int(server.stdout.readline()), mark)
            finally:
                server.kill()
                leftovers.kill_marked(mark)


@pytest.fixture(scope="module")
def pool(machine: Machine) -> Iterator[Any]:
    pool = wb.pool.ssh(["127.0.0.1"] * 3, name="far", **machine.options)
    try:
        yield pool
    finally:
        pool.close()


def test_has_a_worker_for_each_machine_that_is_named(pool: Any) -> None:
    assert pool.address.startswith("tls://127.0.0.1:") and pool.kind == "ssh"
    assert [worker.index for worker in pool.workers] == [0, 1]
    for worker in pool.workers:
        assert worker.call("worker", "about", seconds=DEADLINE).fields["pid"] == worker.pid
    # Beyond this machine the wire has keys too.
    assert pool.wire_keys is not None


def test_keys_are_in_no_file_and_on_no_command_line(pool: Any, machine: Machine) -> None:
    assert sorted(path.name for path in machine.folder.iterdir()) == ["id", "id.pub"]
    for pid in leftovers.marked(machine.mark):
        shown = leftovers.command(pid) + str(Path(f"/proc/{pid}/environ").read_bytes())
        assert "PRIVATE KEY" not in shown and pool.wire_keys.secret not in shown


def test_scales_over_its_machines(pool: Any) -> None:
    pool.scale(3)
    assert [worker.index for worker in pool.workers] == [0, 1, 2]
    pool.scale(2)
    assert [worker.index for worker in pool.workers] == [0, 1]


def test_a_killed_worker_and_a_killed_nanny_are_replaced(pool: Any, machine: Machine) -> None:
    victim = pool.workers[0]
    with pool.watch() as watch:
        os.kill(victim.pid, signal.SIGKILL)
        told = [watch.next(DEADLINE) for _ in range(2)]
        again = [(c.kind, c.member.index) for c in told if c]
        assert again == [("left", victim.index), ("joined", victim.index)]
        # The process that watches over a worker takes it along; the keeper starts another.
        nannies = [pid for pid in machine.processes() if _has_child(pid)]
        os.kill(nannies[-1], signal.SIGKILL)
        told = [watch.next(DEADLINE) for _ in range(2)]
        assert [c.kind for c in told if c] == ["left", "joined"]
    assert len(pool.workers) == 2


def _has_child(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    return bool(tasks.read_text().split()) if tasks.exists() else False


def test_a_killed_scheduler_is_started_again_with_its_workers(pool: Any, machine: Machine) -> None:
    before, keeper = pool.address, pool.pid
    [scheduler] = [pid for pid in machine.processes() if _listens_at(pid, before)]
    os.kill(scheduler, signal.SIGKILL)
    seen = set()

    def is_back() -> bool:
        status = pool.status()
        seen.add(status["state"])
        return len(status["workers"]) == 2 and status["address"] != before

    assert wait_for(is_back, DEADLINE), pool.status()
    # Never "dead": the same process keeps it, and everybody finds its new address.
    assert seen <= {"alive", "silent", "restarting"} and pool.pid == keeper
    worker = pool.workers[1]
    assert worker.call("worker", "about", seconds=DEADLINE).fields["pid"] == worker.pid
    with wb.Graph().as_default():
        run = wb.run(wb.no_op(), steps=3, pool=pool)
        run.wait(DEADLINE)
        assert run.step_number == 3


def _listens_at(pid: int, address: str) -> bool:
    import psutil

    port = int(address.rpartition(":")[2])
    found = psutil.Process(pid).net_connections("tcp")
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in found)


def test_its_end_leaves_nothing(pool: Any, machine: Machine) -> None:
    pool.close()
    assert wait_for(machine.is_quiet, DEADLINE), machine.processes("")
    assert list((machine.folder).glob(".workbench*")) == []


def test_a_killed_keeper_leaves_nothing_there(machine: Machine) -> None:
    pool = wb.pool.ssh(["127.0.0.1"] * 2, name="orphan", **machine.options)
    try:
        assert len(machine.processes()) >= 2
        os.kill(pool.status()["pid"], signal.SIGKILL)
        assert wait_for(lambda: not pool.is_alive, DEADLINE)
        assert wait_for(machine.is_quiet, DEADLINE), machine.processes("")
    finally:
        pool.close()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"remote_python": "/no/such/python"}, "127.0.0.1 does not start a scheduler: it said"),
        ({"scheduler_options": {"nonsense": 1}}, "scheduler: TypeError: .*'nonsense'"),
        ({"worker_options": {"nonsense": 1}}, "(?s)start a worker: .*TypeError: .*'nonsense'"),
        ({"nonsense": 1}, "no option 'nonsense'"),
        ({"remote_python": ["a"]}, "remote_python has 1 entries for 3 machines"),
    ],
)
def test_a_start_that_fails_says_why_and_leaves_nothing(
    machine: Machine, home: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(PoolError, match=message):
        wb.pool.ssh(["127.0.0.1"] * 3, name="broken", **{**machine.options, **options})
    assert wait_for(machine.is_quiet, DEADLINE), machine.processes("")
    assert list((home / "pools").iterdir()) == []


def test_one_machine_that_is_away_fails_the_start(machine: Machine, home: Path) -> None:
    options = dict(machine.options)
    here = options.pop("connect_options")
    with contextlib.closing(_closed_port()) as closed:
        away = {**here, "port": closed.getsockname()[1]}
        with pytest.raises(PoolError, match="127.0.0.1 does not start a worker"):
            wb.pool.ssh(
                ["127.0.0.1"] * 3, name="half", connect_options=[here, here, away], **options
            )
    assert wait_for(machine.is_quiet, DEADLINE), machine.processes("")
    assert list((home / "pools").iterdir()) == []


def _closed_port() -> Any:
    import socket

    # Bound and not listened at: nobody else gets it, and who connects is refused.
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound
