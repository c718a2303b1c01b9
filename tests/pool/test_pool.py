"""A pool of processes of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import workbench as wb
from workbench import cli
from workbench.core.errors import InvalidArgumentError, NotFoundError
from workbench.pool.errors import PoolError
from workbench.pool.launch import start
from workbench.pool.processes import group_members, wait_for
from workbench.pool.records import records

DEADLINE = 60.0


def test_says_what_it_is(pool: Any) -> None:
    begun = time.monotonic()
    status = pool.status()
    assert time.monotonic() - begun < DEADLINE / 2
    assert (status["name"], status["kind"], status["state"]) == ("shared", "local", "alive")
    assert status["address"].startswith("tls://127.0.0.1:")
    assert [worker["index"] for worker in status["workers"]] == [0, 1]
    assert json.loads(json.dumps(status))["workers"] == [
        {**worker, "devices": list(worker["devices"])} for worker in status["workers"]
    ]
    text, page = repr(pool), pool._repr_html_()
    for worker in pool.workers:
        assert str(worker.pid) in text and f"<td>{worker.address}</td>" in page
        assert Path(worker.folder).is_dir()
        assert worker.memory > 10_000_000
        assert worker.devices == [f"/job:worker/task:{worker.index}/device:CPU:0"]


def test_each_worker_has_one_runtime(pool: Any) -> None:
    for worker in pool.workers:
        told = worker.call("worker", "about", seconds=DEADLINE).fields
        assert told["pid"] == worker.pid != os.getpid()
        assert told["incarnation"] == worker.incarnation
        assert told["parent"] in group_members(pool.status()["pid"])


def test_a_worker_runs_steps_of_sessions(pool: Any) -> None:
    with wb.Graph().as_default():
        total = wb.reduce_sum(wb.constant([1.0, 2.0, 3.5]))
        with wb.Session(pool.workers[1].address) as session:
            assert session.run(total) == 6.5


def test_workers_find_files_from_where_the_pool_was_started(pool: Any) -> None:
    name = os.path.relpath(__file__)
    with wb.Graph().as_default():
        content = wb.read_file(name)
        for worker in pool.workers:
            with wb.Session(worker.address) as session:
                assert session.run(content) == Path(__file__).read_bytes()


@pytest.mark.parametrize(
    "service, command, error, message",
    [
        ("nothing", "about", NotFoundError, "no service 'nothing'"),
        ("worker", "nothing", InvalidArgumentError, "has no command 'nothing'"),
        ("os", "system", NotFoundError, "no service 'os'"),
        ("worker", "__class__", InvalidArgumentError, "has no command '__class__'"),
    ],
)
def test_nothing_else_can_be_called(
    pool: Any, service: str, command: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        pool.workers[0].call(service, command, seconds=DEADLINE)


_OTHER = """
import json
import workbench as wb
[pool] = wb.pools()
print(json.dumps([pool.name, [worker.pid for worker in wb.pool.attach("shared").workers]]))
"""


def test_other_processes_find_it(pool: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _OTHER],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert json.loads(done.stdout) == ["shared", [worker.pid for worker in pool.workers]]
    assert done.stderr == ""
    assert wb.pools() == [pool] and wb.pool.attach("shared") is pool
    assert pool.is_alive


def test_only_this_machine_reaches_it(pool: Any) -> None:
    listening = [
        connection.laddr.ip
        for pid in group_members(pool.status()["pid"])
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    # The scheduler, and for each worker a nanny, a worker and its runtime.
    assert len(listening) >= 7 and set(listening) == {"127.0.0.1"}


def test_a_second_of_its_name_is_refused(pool: Any) -> None:
    with pytest.raises(PoolError, match="is a pool 'shared' already"):
        wb.pool.local(1, name="shared")


def test_a_killed_worker_comes_back_as_another(pool: Any) -> None:
    before = pool.status()
    victim = pool.workers[0]
    told: list[Any] = []
    with pool.watch() as watch, pool.watch(told.append):
        os.kill(victim.pid, signal.SIGKILL)
        left = watch.next(DEADLINE)
        joined = watch.next(DEADLINE)
    assert left is not None and (left.kind, left.member.index) == ("left", victim.index)
    assert left.member.incarnation == victim.incarnation
    assert joined is not None and (joined.kind, joined.member.index) == ("joined", victim.index)
    assert joined.member.name == victim.name
    assert joined.member.incarnation != victim.incarnation
    assert (left.epoch, joined.epoch) == (before["epoch"] + 1, before["epoch"] + 2)
    assert wait_for(lambda: len(told) == 2, DEADLINE) and told == [left, joined]
    assert pool.workers[0].pid != victim.pid
    assert pool.workers[0].call("worker", "about").fields["folder"] == victim.folder


def test_scales_up_and_down(pool: Any) -> None:
    with pool.watch() as watch:
        pool.scale(3)
        assert [worker.index for worker in pool.workers] == [0, 1, 2]
        joined = watch.next(DEADLINE)
        assert joined is not None and (joined.kind, joined.member.index) == ("joined", 2)
        pool.scale(2)
        assert len(pool.workers) == 2
        assert [change.kind for change in watch.until(2.0)][:1] == ["left"]
    with pytest.raises(ValueError, match="workers must be 0 to 10000, but got -1"):
        pool.scale(-1)


def test_an_ended_watch_tells_nothing(pool: Any) -> None:
    watch = pool.watch()
    begun = time.monotonic()
    assert watch.next(0.1) is None
    watch.close()
    assert watch.next(DEADLINE) is None and watch.next(DEADLINE) is None
    assert time.monotonic() - begun < DEADLINE / 2


def test_keys_let_in_and_keep_out(pool: Any) -> None:
    address = pool.address
    with pytest.raises(PoolError, match="needs keys"):
        wb.pool.connect(address)
    with pytest.raises(PoolError, match="cannot be reached"):
        wb.pool.connect(address, keys=wb.pool.Keys.make(), seconds=2.0)
    [record] = records()
    connected = wb.pool.connect(address, keys=wb.pool.Keys(**record.keys))
    try:
        assert connected.kind == "connected"
        # Those that are there already are not started over.
        assert [(w.pid, w.incarnation) for w in connected.workers] == [
            (w.pid, w.incarnation) for w in pool.workers
        ]
    finally:
        connected.close()
    assert len(pool.workers) == 2
    with pytest.raises(PoolError, match="was left"):
        connected.scale(1)


def test_the_command_line_sees_and_scales_it(pool: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        status = cli.main(["pool", *words])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    assert run("list")[1].splitlines()[1].split()[:3] == ["shared", "local", "alive"]
    status, out, _ = run("status", "--json")
    assert status == 0 and json.loads(out)["workers"][0]["pid"] == pool.workers[0].pid
    assert run("scale", "1")[0] == 0 and len(pool.workers) == 1
    status, out, _ = run("scale", "2", "shared")
    assert status == 0 and "2 workers" in out
    assert run("status", "other")[::2] == (
        1,
        "workbench pool: There is no pool 'other'; known: shared\n",
    )
    assert run("start", "shared")[0] == run("scale", "1", "other")[0] == 1
    with pytest.raises(SystemExit) as exit:
        cli.main(["pool", "scale"])
    assert exit.value.code == 2


def test_what_does_not_start_leaves_nothing(home: Path, pool: Any) -> None:
    with pytest.raises(PoolError, match="'broken' did not start: KeyError: 'no such kind'"):
        start("no such kind", 1, 1, "broken", 1, {}, DEADLINE)
    assert [folder.name for folder in (home / "pools").iterdir()] == ["shared"]


def test_its_end_leaves_nothing(home: Path, pool: Any) -> None:
    # The last of this module: it ends the pool that the others share.
    keeper = pool.status()["pid"]
    assert len(group_members(keeper)) >= 3
    pool.close()
    pool.close()
    assert group_members(keeper) == []
    assert list((home / "pools").iterdir()) == [] and wb.pools() == []
    assert not pool.is_alive and pool.status()["state"] == "dead"
    assert repr(pool) == "<Pool 'shared', detached>"
    with pytest.raises(PoolError, match="There is no pool 'shared'|There are no pools"):
        wb.pool.attach("shared")
