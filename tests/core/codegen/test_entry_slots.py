"""Slots: variables that an entry reads and writes, and checks that keep it from it."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest

from tests.core.codegen.entries import F32, Holder
from tests.core.codegen.small_kernels import CHECK, COUNT, HOLD, MULTIPLY, call
from workbench.core.codegen.entry import Entry, FeedSpec, Patch, ResultSpec, Structure
from workbench.core.codegen.table import Table
from workbench.core.codegen.unsupported import Unsupported


def test_arrays_in_slots_are_written_in_place() -> None:
    holder = Holder(np.zeros(3, np.int32))
    entry = Entry(
        Table([call(COUNT, 0, units=3)]),
        [FeedSpec("int32", (3,), (Patch(0),), written=True, holder=(holder, "value"))],
        [],
        Structure("single", (-1,)),
    )
    first = holder.value
    assert entry.call() is None and first.tolist() == [1] * 3
    holder.value = np.full(3, 10, np.int32)
    assert entry.call() is None and entry.call() is None
    assert holder.value.tolist() == [12] * 3 and first.tolist() == [1] * 3
    for unfit in (None, np.zeros(4, np.int32), 3):
        holder.value = unfit
        assert entry.call() is NotImplemented
    del holder.value
    assert entry.call() is NotImplemented


def test_scalars_in_slots_are_replaced() -> None:
    holder, out = Holder(F32(1.5)), np.zeros(1, F32)
    entry = Entry(
        Table([call(MULTIPLY, 0, 0, out, units=1)]),
        [
            FeedSpec("float32", (), (Patch(0),), holder=(holder, "value")),
            FeedSpec("float32", (), (Patch(1),)),
        ],
        [ResultSpec("float32", address=out.ctypes.data, holder=(holder, "value"))],
        Structure("single", (0,)),
    )
    before = holder.value
    counts = sys.getrefcount(before)
    result = entry.call(2.0)
    assert holder.value is result and result == 3 and type(result) is F32
    assert before == 1.5 and sys.getrefcount(before) == counts - 1
    for _ in range(5):
        entry.call(F32(2))
    assert holder.value == 96
    holder.value = None
    assert entry.call(2.0) is NotImplemented and holder.value is None


def test_only_slots_hold_values() -> None:
    class Plain:
        value = 1.0

    feed = FeedSpec("float32", (), (), holder=(Plain(), "value"))
    with pytest.raises(Unsupported, match=r"Plain\.value is no slot"):
        Entry(Table([]), [feed], [], Structure("list", ()))


def test_a_failed_check() -> None:
    """Nothing is delivered, and the next step is a new one."""
    holder, out, state = Holder(F32(1)), np.zeros(1, F32), np.zeros(1, np.int32)
    table = Table(
        [
            call(CHECK, 0, 0, units=2, chunk=2),
            call(COUNT, state, units=1, effect=True),
        ]
    )
    table.arguments[1] = table.flag_address(0)
    entry = Entry(
        table,
        [FeedSpec("float32", (2,), (Patch(0),))],
        [
            ResultSpec("float32", address=out.ctypes.data, holder=(holder, "value")),
            ResultSpec("float32", (1000,)),
        ],
        Structure("list", (0, 1)),
    )
    good, bad = np.array([1, 2], F32), np.array([1, -2], F32)
    counts = sys.getrefcount(bad)
    for run in range(50):
        assert entry.call(bad) is Ellipsis
        assert table.failed_checks() == [0]
        assert state[0] == run and holder.value == int(run == 0)
        assert len(entry.call(good)) == 2
        assert state[0] == run + 1 and holder.value == 0
    assert sys.getrefcount(bad) == counts


def test_the_interpreter_goes_on_where_asked() -> None:
    """The step ends only because another Python thread sets the word it waits for."""
    word, saw = np.zeros(1, np.int64), np.zeros(1, np.int64)
    entry = Entry(
        Table([call(HOLD, 0, saw, 1, units=1)]),
        [FeedSpec("int64", (1,), (Patch(0),), written=True)],
        [],
        Structure("single", (-1,)),
        release=True,
    )
    refusals = []

    def release() -> None:
        # The table is being run.
        refusals.append(entry.call(word))
        word[0] = 1

    timer = threading.Timer(0.05, release)
    timer.start()
    assert entry.call(word) is None
    timer.join()
    assert saw[0] == 1 and refusals == [NotImplemented]


def test_what_a_step_reads_lives_as_long() -> None:
    """A slot may get another value while the step runs without the interpreter."""
    word, saw = np.zeros(1, np.int64), np.zeros(1, np.int64)
    out = np.zeros(1, F32)
    holder = Holder(np.full(1, 21, F32))
    table = Table(
        [call(HOLD, word, saw, 1, units=1), call(MULTIPLY, 0, 0, out, units=1)], threads=1
    )
    start = table.starts[1]
    entry = Entry(
        table,
        [FeedSpec("float32", (1,), (Patch(start), Patch(start + 1)), holder=(holder, "value"))],
        [ResultSpec("float32", address=out.ctypes.data)],
        Structure("single", (0,)),
        release=True,
    )

    def replace() -> None:
        holder.value = np.full(1, 5, F32)
        word[0] = 1

    timer = threading.Timer(0.05, replace)
    timer.start()
    assert entry.call() == 441
    timer.join()


def test_a_step_in_parts() -> None:
    holder, out = Holder(F32(1)), np.zeros(3, F32)
    table = Table(
        [
            call(MULTIPLY, 0, 0, out, units=1),
            call(MULTIPLY, out, 0, out[1:], units=1),
            call(CHECK, out[1:], 0, units=1),
            call(MULTIPLY, out[1:], 0, out[2:], units=1, effect=True),
        ],
        threads=2,
    )
    value = [table.starts[k] + 1 for k in (0, 1, 3)]
    table.arguments[table.starts[2] + 1] = table.flag_address(0)
    entry = Entry(
        table,
        [FeedSpec("float32", (), tuple(map(Patch, (0, *value))))],
        [ResultSpec("float32", address=out.ctypes.data + 8, holder=(holder, "value"))],
        Structure("list", (0,)),
        threads=2,
    )
    seen: list[Any] = []

    def look(number: int) -> None:
        seen.append((number, *out.tolist()))
        assert entry.call(2.0) is NotImplemented, "it is being run"

    assert entry.call_in_parts([3.0], [0, 1, 2], look) == [81]
    assert seen == [(0, 0, 0, 0), (1, 9, 0, 0), (2, 9, 27, 0)] and holder.value == 81
    # A failed check, an error in between, a value that does not fit: and the next step is well.
    assert entry.call_in_parts([-3.0], [1], look) is Ellipsis
    assert table.failed_checks() == [0] and holder.value == 81

    def fail(number: int) -> None:
        raise KeyError(number)

    with pytest.raises(KeyError, match="2"):
        entry.call_in_parts([1.0], [2], fail)
    assert holder.value == 81
    assert entry.call_in_parts([None], [1], look) is NotImplemented
    assert entry.call_in_parts([], [1], look) is NotImplemented
    assert entry.call(2.0) == [16] and holder.value == 16


def test_a_result_that_goes_to_the_same_memory_each_time() -> None:
    memory = np.zeros(3, np.int32)
    entry = Entry(
        Table([call(COUNT, 0, units=3)]),
        [],
        [ResultSpec("int32", (3,), (Patch(0),), memory=memory)],
        Structure("list", (0,)),
    )
    counts = sys.getrefcount(memory)
    for runs in range(1, 4):
        (result,) = entry.call()
        assert result is memory and memory.tolist() == [runs] * 3
        del result
    assert sys.getrefcount(memory) == counts
