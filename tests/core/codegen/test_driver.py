"""The driver: every chunk once, in the right order, on any number of threads."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import llvmlite.binding as llvm
import numpy as np
import pytest

from tests.core.codegen.small_kernels import (
    ADD,
    BOUNDS,
    CHECK,
    COUNT,
    GATHER,
    HOLD,
    SCRATCH,
    call,
)
from workbench.core.codegen import driver
from workbench.core.codegen.driver_text import driver_text
from workbench.core.codegen.layout import TABLE
from workbench.core.codegen.learning_text import FIRST_ALONE, RUNS_TOGETHER
from workbench.core.codegen.table import Record, Table
from workbench.core.codegen.thread_pool import ThreadPool

THREADS = (1, 2, 5)


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPool]:
    made = ThreadPool(max(THREADS))
    yield made
    made.close()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(
    ("units", "chunk"), [(0, 1), (1, 1), (1, 9), (7, 2), (8, 2), (64, 64), (1001, 10)]
)
def test_every_unit_runs_once(pool: ThreadPool, units: int, chunk: int, threads: int) -> None:
    counts = np.zeros((3, units + 1), np.int32)
    records = [call(COUNT, row, units=units, chunk=chunk, waits=0) for row in counts]
    table = Table(records, threads=threads)
    for _ in range(300):
        assert driver.run(table, pool=pool)
    assert (counts[:, :units] == 300).all()
    assert (counts[:, units] == 0).all()


@pytest.mark.parametrize("threads", THREADS)
def test_chunks_do_not_depend_on_threads(pool: ThreadPool, threads: int) -> None:
    ends = np.zeros(23, np.int64)
    table = Table([call(BOUNDS, ends, units=23, chunk=5)], threads=threads)
    driver.run(table, pool=pool)
    assert {i: int(e) for i, e in enumerate(ends) if e} == {0: 5, 5: 10, 10: 15, 15: 20, 20: 23}


@pytest.mark.parametrize("threads", THREADS)
def test_a_record_sees_all_it_waits_for(pool: ThreadPool, threads: int) -> None:
    """Each pass reads, from all over the array, what the pass before wrote."""
    size, passes = 512, 12
    arrays = [np.zeros(size, np.int64) for _ in range(passes + 1)]
    records = [
        call(GATHER, a, b, size, units=size, chunk=16) for a, b in itertools.pairwise(arrays)
    ]
    table = Table(records, threads=threads)
    for start in range(400):
        arrays[0][:] = start
        driver.run(table, pool=pool)
        assert (arrays[-1] == start + passes).all()


def test_a_thread_that_is_held_up_delays_its_own_chunk_only(pool: ThreadPool) -> None:
    """One chunk ends only when all others of its record, and the next record, are done."""
    word, saw = np.zeros(1, np.int64), np.zeros(1, np.int64)
    after = np.zeros(9, np.int32)
    records = [
        call(HOLD, word, saw, 40 + 20, units=41),
        call(ADD, word, units=20, waits=0),
        call(COUNT, after, units=9, waits=2),
    ]
    table = Table(records, threads=2)
    for run in range(200):
        word[0] = saw[0] = 0
        assert driver.run(table, pool=pool)
        assert saw[0] == 1
        assert (after == run + 1).all()


@pytest.mark.parametrize("threads", THREADS)
def test_a_failed_check_stops_what_has_an_effect(pool: ThreadPool, threads: int) -> None:
    values = np.ones(256, np.float32)
    before, state, after = (np.zeros(64, np.int32) for _ in range(3))
    flags = np.zeros(2, np.int32)
    table = Table(
        [
            call(COUNT, before, units=64, effect=True),
            call(CHECK, values, flags, units=256, chunk=16, waits=0),
            call(COUNT, state, units=64, chunk=3, effect=True),
            call(COUNT, after, units=64, waits=0),
        ],
        threads=threads,
        checks=2,
    )
    table.arguments[table.starts[1] + 1] = table.flag_address(1)
    random = np.random.default_rng(5)
    good = 0
    for run in range(600):
        bad = random.random() < 0.5
        values[:] = 1
        if bad:
            values[random.integers(256)] = -1
        assert driver.run(table, pool=pool) is not bad
        good += not bad
        assert table.failed_checks() == ([1] if bad else [])
        assert (before == run + 1).all()
        assert (state == good).all()


@pytest.mark.parametrize("threads", THREADS)
def test_a_check_may_be_the_last_record(pool: ThreadPool, threads: int) -> None:
    values = np.full(3, -1, np.float32)
    table = Table([call(CHECK, values, 0, units=3)], threads=threads)
    table.arguments[1] = table.flag_address(0)
    assert not driver.run(table, pool=pool)
    values[:] = 0
    assert driver.run(table, pool=pool)


@pytest.mark.parametrize("threads", THREADS)
def test_a_run_in_parts(pool: ThreadPool, threads: int) -> None:
    counts = np.zeros((4, 10), np.int32)
    table = Table([call(COUNT, row, units=10, chunk=3) for row in counts], threads=threads)
    for _ in range(200):
        driver.run(table, 0, 2, pool=pool)
        driver.run(table, 2, 3, pool=pool)
        driver.run(table, 3, 3, pool=pool)
        driver.run(table, 2, pool=pool)
    assert counts[:, 0].tolist() == [200, 200, 400, 200]
    assert (counts == counts[:, :1]).all()
    with pytest.raises(ValueError, match=r"There are 4 records, so none in \[3, 5\)"):
        driver.run(table, 3, 5, pool=pool)


@pytest.mark.parametrize("threads", THREADS)
def test_threads_have_memory_of_their_own(pool: ThreadPool, threads: int) -> None:
    right = np.zeros(2000, np.uint8)
    table = Table([call(SCRATCH, right, units=2000, chunk=2)], threads=threads)
    for _ in range(50):
        right[:] = 0
        driver.run(table, pool=pool)
        assert right.all()


@pytest.mark.parametrize("threads", THREADS)
def test_durations(pool: ThreadPool, threads: int) -> None:
    size = 4000
    arrays = [np.zeros(size, np.int64) for _ in range(3)]
    records = [
        call(GATHER, arrays[0], arrays[1], size, units=size, chunk=100),
        call(GATHER, arrays[1], arrays[2], size, units=0),
        call(GATHER, arrays[1], arrays[2], size, units=size, chunk=100),
    ]
    table = Table(records, threads=threads)
    with pytest.raises(ValueError, match="No run was measured"):
        table.durations()
    driver.run(table, pool=pool)
    table.measure(True)
    driver.run(table, pool=pool)
    whole = table.durations()
    assert whole.shape == (3,) and (whole[[0, 2]] > 0).all() and whole[1] >= 0
    driver.run(table, 2, 3, pool=pool)
    assert 0 < table.durations(2, 3)[0] < 10
    table.measure(False)
    known = table.durations(2, 3)
    driver.run(table, pool=pool)
    assert (table.durations(2, 3) == known).all()


def test_tables_of_several_threads_at_the_same_time(pool: ThreadPool) -> None:
    """One has the pool's helpers, the others go on alone."""
    failures: list[str] = []

    def work(seed: int) -> None:
        size = 300 + seed
        arrays = [np.zeros(size, np.int64) for _ in range(6)]
        records = [
            call(GATHER, a, b, size, units=size, chunk=13) for a, b in itertools.pairwise(arrays)
        ]
        table = Table(records, threads=5)
        for start in range(300):
            arrays[0][:] = start
            driver.run(table, pool=pool)
            if not (arrays[-1] == start + 5).all():
                failures.append(f"thread {seed}, run {start}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert failures == []


def test_a_table_is_run_once_at_a_time(pool: ThreadPool) -> None:
    word, saw = np.zeros(1, np.int64), np.zeros(1, np.int64)
    table = Table([call(HOLD, word, saw, 1, units=1)], threads=2)
    thread = threading.Thread(target=driver.run, args=(table,), kwargs={"pool": pool})
    thread.start()
    try:
        while not table._head[TABLE["BUSY"]]:
            assert thread.is_alive()
        with pytest.raises(RuntimeError, match="being run by another thread"):
            driver.run(table, pool=pool)
    finally:
        word[0] = 1
        thread.join(60)
    assert saw[0] == 1
    assert driver.run(table, pool=pool)


def test_the_interpreter_goes_on_during_a_run() -> None:
    """The run ends only because another Python thread sets the word it waits for."""
    word, saw = np.zeros(1, np.int64), np.zeros(1, np.int64)
    table = Table([call(HOLD, word, saw, 1, units=1)])

    def release() -> None:
        word[0] = 1

    timer = threading.Timer(0.02, release)
    timer.start()
    driver.run(table)
    timer.join()
    assert saw[0] == 1


@pytest.mark.parametrize(
    "triple",
    [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "arm64-apple-darwin",
        "riscv64-linux",
    ],
)
def test_the_text_for_any_system_is_good(triple: str) -> None:
    """Compiled as far as a processor is known; it runs on this one only."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine()
    module = llvm.parse_assembly(driver_text(triple))
    module.triple = triple
    module.verify()
    assert machine.emit_object(module)
    names = {f.name for f in module.functions if not f.is_declaration}
    assert ("workbench_helper" in names) == triple.endswith("-unknown-linux-gnu")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Record(0, (), units=1, chunk=0), "Record 0 has 1 units in chunks of 0"),
        (Record(0, (), units=-1, chunk=1), "Record 0 has -1 units in chunks of 1"),
        (Record(0, (), units=1, chunk=1, waits=1), "Record 0 cannot wait for the first 1 records"),
    ],
)
def test_records_that_make_no_sense(record: Record, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Table([record])


def _alone(table: Table, pool: ThreadPool) -> bool:
    """Whether a run is on one thread: then threads take part in none."""
    before = table._head[TABLE["RUN"]]
    driver.run(table, pool=pool)
    return bool(table._head[TABLE["RUN"]] == before)


def test_a_table_learns_that_it_is_faster_alone(pool: ThreadPool) -> None:
    """As when another program has the helper's processor: runs with it take longer, it seems."""
    counts = np.zeros(4, np.int32)
    table = Table([call(COUNT, counts, units=4)], threads=2, learns=True)
    assert [_alone(table, pool) for _ in range(FIRST_ALONE)] == [True] * FIRST_ALONE
    gaps = []
    for _ in range(9):
        table._head[TABLE["ALONE_TIME"]] = 1
        assert not _alone(table, pool)
        gaps.append(0)
        while table._head[TABLE["ALONE_DUE"]]:
            assert _alone(table, pool)
            gaps[-1] += 1
    assert gaps == [4, 8, 16, 32, 64, 128, 256, 256, 256]
    assert counts[0] == FIRST_ALONE + 9 + sum(gaps)


def test_a_table_learns_that_it_is_faster_with_helpers(pool: ThreadPool) -> None:
    counts = np.zeros(4, np.int32)
    table = Table([call(COUNT, counts, units=4)], threads=2, learns=True)
    for _ in range(FIRST_ALONE):
        assert _alone(table, pool)
    alone = 0
    for _ in range(2 * RUNS_TOGETHER + 2):
        table._head[TABLE["ALONE_TIME"]] = 10**15
        alone += _alone(table, pool)
    assert alone == 2
    # A part of it is not compared with the whole.
    table._head[TABLE["ALONE_DUE"]] = 5
    driver.run(table, 0, 0, pool=pool)
    assert table._head[TABLE["ALONE_DUE"]] == 5
