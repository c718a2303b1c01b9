"""Groups over the wire and over shared memory: results, deadlines, members that die."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cluster.collectives.members import process, together
from workbench.cluster.collectives import segments
from workbench.cluster.collectives.errors import LostMembersError
from workbench.cluster.collectives.exchange import Exchange
from workbench.cluster.collectives.forming import Group, form
from workbench.cluster.collectives.shared_group import PIECE_BYTES, SharedGroup
from workbench.cluster.collectives.words import STRIDE, Words
from workbench.core.errors import (
    AbortedError,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
)

TRANSPORTS = pytest.mark.parametrize("shared", [False, True], ids=["wire", "shared"])
needs_memory = pytest.mark.skipif(not segments.IS_SUPPORTED, reason="no shared memory here")

MEMBER = """
import json, sys
import numpy as np
from workbench.cluster.collectives.exchange import Exchange
from workbench.cluster.collectives.forming import form
exchange = Exchange()
print(exchange.address, flush=True)
members = json.loads(sys.stdin.readline())
group = form(exchange, "test", 0, members, int(sys.argv[1]), 20, sys.argv[2] == "True")
print(type(group).__name__, flush=True)
for line in sys.stdin:
    array = np.full(int(line), 1.0, np.float32)
    print(group.all_reduce(array, timeout=20)[0], flush=True)
"""


def numbers(rank: int, length: int, dtype: str) -> Any:
    values = np.random.RandomState(rank).uniform(-9, 9, length)
    return values.astype(dtype)


@TRANSPORTS
@pytest.mark.parametrize("size", [1, 2, 3])
def test_reductions(shared: bool, size: int) -> None:
    lengths = [0, 1, 1000, 70_001, PIECE_BYTES // 4 * 3 + 5]
    cases = [(n, d, op) for n in lengths for d, op in (("float32", "mean"), ("int64", "sum"))]
    cases += [(1000, "float64", "min"), (70_001, "float16", "max")]

    def do(group: Group) -> Any:
        found = []
        for length, dtype, op in cases:
            array = numbers(group.rank, length, dtype)
            kept = array.copy()
            result = group.all_reduce(array, op)
            assert array.tobytes() == kept.tobytes()
            group.all_reduce(array, op, out=array)
            assert array.tobytes() == result.tobytes()
            found.append(result)
        return found

    results = together(size, do, shared)
    for (length, dtype, op), *found in zip(cases, *results, strict=True):
        rows = np.stack([numbers(rank, length, dtype) for rank in range(size)]).astype("float64")
        how = {"mean": np.mean, "sum": np.sum, "min": np.min, "max": np.max}[op]
        for each in found:
            assert each.dtype == dtype
            assert each.tobytes() == found[0].tobytes()
            np.testing.assert_allclose(each, how(rows, axis=0), rtol=1e-5, atol=1e-5)


@TRANSPORTS
def test_gather_broadcast_and_barrier(shared: bool) -> None:
    def do(group: Group) -> Any:
        gathered = group.all_gather([np.arange(group.rank), np.array(group.rank)])
        given = [np.eye(2)] if group.rank == 1 else None
        (sent,) = group.broadcast(given, root=1)
        group.barrier()
        return [[a.tolist() for a in each] for each in gathered], sent.tolist()

    for gathered, sent in together(3, do, shared):
        assert gathered == [[[], 0], [[0], 1], [[0, 1], 2]]
        assert sent == [[1.0, 0.0], [0.0, 1.0]]


@TRANSPORTS
def test_large_arrays_and_strings_of_different_sizes(shared: bool) -> None:
    lengths = [3, PIECE_BYTES // 8 * 2 + 5, 0]

    def do(group: Group) -> Any:
        own = [np.arange(lengths[group.rank], dtype=np.float64), np.array([b"a" * group.rank])]
        found = []
        for _ in range(2):
            found.append(group.all_gather(own))
            found.append([group.broadcast(own if group.rank == r else None, r) for r in range(3)])
        return found

    for each in together(3, do, shared):
        for gathered in each:
            for rank, (values, text) in enumerate(gathered):
                np.testing.assert_array_equal(values, np.arange(lengths[rank], dtype=np.float64))
                assert text.tolist() == [b"a" * rank]


@TRANSPORTS
def test_a_deadline_says_who_is_awaited(shared: bool) -> None:
    def do(group: Group) -> Any:
        if group.rank == 1:
            time.sleep(0.6)
            return None
        return group.all_reduce(np.ones(3, np.float32), timeout=0.2)

    error = together(2, do, shared)[0]
    assert isinstance(error, DeadlineExceededError)
    assert "rank 1 (tcp://127.0.0.1:" in str(error)
    assert "all-reduce of 12 bytes of group 'test', epoch 0" in str(error)


@TRANSPORTS
def test_a_group_can_be_aborted(shared: bool) -> None:
    def do(group: Group) -> Any:
        if group.rank == 1:
            return time.sleep(0.3)
        import threading

        timer = threading.Timer(0.1, group.abort, ["of a new epoch"])
        timer.start()
        try:
            group.barrier()
        finally:
            timer.join()
        return None

    error = together(2, do, shared)[0]
    assert isinstance(error, AbortedError)
    assert "of a new epoch" in str(error)


@TRANSPORTS
def test_ranks_that_do_different_things(shared: bool) -> None:
    def do(group: Group) -> Any:
        if group.rank:
            return group.all_reduce(np.ones(1), "median")
        with pytest.raises(InvalidArgumentError, match="There is no reduction 'avg'"):
            group.all_reduce(np.ones(1), "avg")
        with pytest.raises(InvalidArgumentError, match="numbers are needed"):
            group.all_reduce(np.array(["a"]))
        with pytest.raises(InvalidArgumentError, match="ask for the sum"):
            group.all_reduce(np.ones(1, np.int32), "mean")
        with pytest.raises(InvalidArgumentError, match="must be a contiguous array like it"):
            group.all_reduce(np.ones(4), out=np.ones(8)[::2])
        return None

    found = together(2, do, shared)
    assert found[0] is None
    assert isinstance(found[1], InvalidArgumentError)


def test_an_array_of_another_shape_is_told() -> None:
    def do(group: Group) -> Any:
        return group.all_reduce(np.ones(3 + group.rank), timeout=2)

    found = together(2, do, shared=False)
    assert any("takes part with something else" in str(error) for error in found)


@TRANSPORTS
def test_a_killed_member(shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if shared and not segments.IS_SUPPORTED:
        pytest.skip("no shared memory here")
    create, made = segments.Segment.create, list[Path]()

    def create_noted(size: int, rank: int = 0) -> segments.Segment:
        segment = create(size, rank)
        made.append(segment.path)
        return segment

    monkeypatch.setattr(segments.Segment, "create", create_noted)
    exchange = Exchange()
    try:
        with process(MEMBER, "1", str(shared)) as other:
            assert other.stdin is not None and other.stdout is not None
            members = [exchange.address, other.stdout.readline().strip()]
            other.stdin.write(json.dumps(members) + "\n")
            other.stdin.flush()
            group = form(exchange, "test", 0, members, 0, 20, shared)
            assert other.stdout.readline().strip() == type(group).__name__
            assert isinstance(group, SharedGroup) == shared
            for length in (5, 500_000):
                other.stdin.write(f"{length}\n")
                other.stdin.flush()
                result = group.all_reduce(np.full(length, 2.0, np.float32), timeout=20)
                assert (result == 3).all()
                assert other.stdout.readline().strip() == "3.0"
            assert len(made) == shared and not [path for path in made if path.exists()]
            other.kill()
            other.wait(10)
            with pytest.raises(LostMembersError, match=r"rank 1 .* and gone") as caught:
                group.barrier(timeout=20)
            assert caught.value.ranks == (1,)
            with pytest.raises(AbortedError, match="is broken"):
                group.barrier()
            group.close()
    finally:
        exchange.close()


@pytest.mark.slow
def test_a_silent_member_is_lost_before_the_deadline() -> None:
    exchange = Exchange()
    try:
        with process(MEMBER, "1", "False") as other:
            assert other.stdin is not None and other.stdout is not None
            members = [exchange.address, other.stdout.readline().strip()]
            other.stdin.write(json.dumps(members) + "\n")
            other.stdin.flush()
            group = form(exchange, "test", 0, members, 0, 20, False)
            other.kill()
            # Another process may listen at its address by now.
            with pytest.raises(LostMembersError, match="gives no sign of life|and gone"):
                group.barrier(timeout=60)
    finally:
        exchange.close()


def test_epochs() -> None:
    exchange = Exchange()
    try:
        first = form(exchange, "g", 3, [exchange.address], 0)
        with pytest.raises(FailedPreconditionError, match="is at epoch 3, 3 is not later"):
            form(exchange, "g", 3, [exchange.address], 0)
        form(exchange, "g", 4, [exchange.address], 0).barrier()
        with pytest.raises(AbortedError, match="epoch 4 has begun"):
            first.barrier()
    finally:
        exchange.close()


@needs_memory
def test_files_of_the_dead_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    # No other process finds these, and removes them, or leaves such files here.
    monkeypatch.setattr(segments, "prefix", lambda: f"test-of-workbench-{os.getpid()}-")
    held = segments.Segment.create(4096)
    abandoned = segments.folder() / f"{segments.prefix()}abandoned"
    recent = segments.folder() / f"{segments.prefix()}recent"
    try:
        abandoned.write_bytes(b"\0" * 4096)
        recent.write_bytes(b"\0" * 4096)
        for path in (abandoned, held.path):
            os.utime(path, (1, 1))
        assert segments.remove_abandoned() == [abandoned]
        assert held.path.exists() and recent.exists()
    finally:
        held.forget_name()
        held.close([])
        abandoned.unlink(missing_ok=True)
        recent.unlink(missing_ok=True)


def test_counters_begin_again() -> None:
    memory = memoryview(bytearray(2 * STRIDE))
    words, others = Words(memory, 2, 0), Words(memory, 2, 1)
    others.publish(0xFFFFFFFF)
    assert words.has_reached(1, 0xFFFFFFFF) and not words.has_reached(1, 0)
    assert not words.sleep(1, 0, 0.01)
    others.publish(0)
    assert words.look(1, 0xFFFFFFFF) and words.sleep(1, 0, 0)
    words.close()
    others.close()


def test_whoever_sleeps_is_woken() -> None:
    memory = memoryview(bytearray(2 * STRIDE))
    ranks = [Words(memory, 2, rank) for rank in range(2)]
    slept = [0, 0]

    def take_turns(rank: int) -> None:
        # Without a look before: each sleeps for as long as the other one needs.
        for count in range(1, 301):
            ranks[rank].publish(count)
            if not ranks[rank].sleep(1 - rank, count, 60):
                return
            slept[rank] = count

    threads = [threading.Thread(target=take_turns, args=(rank,), daemon=True) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert slept == [300, 300]
    assert not memory[4] and not memory[STRIDE + 4]
    for words in ranks:
        words.close()
