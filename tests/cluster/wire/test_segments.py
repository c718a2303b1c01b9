"""Segments of shared memory: pools, what is given back, what a peer may not borrow."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import numpy as np
import pytest

from workbench.cluster.wire import host, segments
from workbench.cluster.wire.segments import SegmentBorrower, SegmentLender

pytestmark = pytest.mark.skipif(not host.FOLDER.is_dir(), reason="needs memory with file names")


@pytest.fixture
def pair():
    lender, borrower = SegmentLender(), SegmentBorrower()
    yield lender, borrower
    lender.close()
    borrower.close()


def test_a_segment_is_lent_again_when_the_last_array_of_it_is_gone(pair):
    lender, borrower = pair
    data = np.arange(40_000, dtype=np.uint8)
    first = lender.lend(data)
    view = borrower.borrow(*first).view(np.int64)[1:].reshape(-1, 1)
    assert not (host.FOLDER / first[0]).exists()
    assert lender.lend(data)[0] != first[0]
    assert view.tobytes() == data.tobytes()[8:]
    del view
    gc.collect()
    assert lender.lend(data)[0] == first[0]


def test_no_more_is_lent_than_there_is_room_for(pair, monkeypatch):
    lender, _ = pair
    monkeypatch.setattr(segments, "MOST_LENT", 1 << 17)
    found = [lender.lend(np.zeros(1 << 16, np.uint8)) for _ in range(3)]
    assert [f is None for f in found] == [False, False, True]


def test_a_full_host_lends_nothing_and_leaves_no_file(pair, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    before = set(os.listdir(host.FOLDER))
    assert pair[0].lend(np.zeros(1 << 16, np.uint8)) is None
    mine = f"-{os.getpid()}-"
    assert not [n for n in set(os.listdir(host.FOLDER)) - before if mine in n]


def test_what_is_idle_is_freed_on_both_sides(pair, monkeypatch):
    lender, borrower = pair
    borrower.borrow(*lender.lend(np.zeros(40_000, np.uint8)))
    gc.collect()
    monkeypatch.setattr(segments, "_IDLE_SECONDS", -1.0)
    lender.trim()
    assert len(borrower._mapped) == 1
    borrower.trim()
    assert not borrower._mapped


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("/etc/passwd", 10),
        ("../../etc/passwd", 10),
        (f"{host.PREFIX}../x", 10),
        (f"{host.PREFIX}nobody", 10),
        (7, 10),
        (None, 10),
        ([], 10),
        ("a\0b", 10),
    ],
)
def test_only_memory_of_ours_can_be_borrowed(pair, name, size):
    with pytest.raises((OSError, ValueError)):
        pair[1].borrow(name, size)


@pytest.mark.parametrize("size", [0, -1, 1 << 40, "9", None, True])
def test_no_more_can_be_borrowed_than_was_lent(pair, size):
    lender, borrower = pair
    name, _ = lender.lend(np.zeros(40_000, np.uint8))
    with pytest.raises(ValueError):
        borrower.borrow(name, size)


def test_what_killed_processes_leave_behind_is_swept():
    program = (
        "import numpy as np, os\n"
        "from workbench.cluster.wire.segments import SegmentLender\n"
        "print(SegmentLender().lend(np.zeros(40_000, np.uint8))[0], flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, timeout=60
    )
    name = found.stdout.strip()
    own = host.FOLDER / host.new_name()
    own.write_bytes(b"")
    try:
        assert host.owner_is_gone(name) and not host.owner_is_gone(own.name)
        host.sweep()
        assert not (host.FOLDER / name).exists() and own.exists()
    finally:
        own.unlink()


def test_names_of_others_are_left_alone():
    for name in ("workbench-wire-", "workbench-wire-a-b-c-d", "psm_1234", "workbench-wire-1-2"):
        assert not host.owner_is_gone(name)
