"""An entry in several threads, its memory and its end."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from tests.core.codegen.entries import F32, Holder, product
from tests.core.codegen.small_kernels import MULTIPLY, call
from workbench.core.codegen import python_layout
from workbench.core.codegen.entry import Entry, FeedSpec, Patch, ResultSpec, Structure
from workbench.core.codegen.table import Table


def test_threads_use_one_entry() -> None:
    entry = product((64,), threads=2, release=True)
    wrong: list[int] = []
    done = []

    def work(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(2000):
            a, b = (random.standard_normal(64).astype(F32) for _ in range(2))
            result = entry.call(a, b)
            if result is not NotImplemented:
                done.append(seed)
                if not np.array_equal(result, a * b):
                    wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and set(done) == {0, 1, 2}


def test_nothing_leaks() -> None:
    """References of all that takes part are as before, after many calls that end in every way."""
    holder, out = Holder(F32(1)), np.zeros(1, F32)
    entry = Entry(
        Table([call(MULTIPLY, 0, 0, out, units=1)]),
        [FeedSpec("float32", (), (Patch(0),)), FeedSpec("float32", (), (Patch(1),))],
        [
            ResultSpec("float32", address=out.ctypes.data, holder=(holder, "value")),
            ResultSpec("float32", (100, 100)),
            ResultSpec("float16", address=out.ctypes.data),
        ],
        Structure("list", (0, 1, -1, 2, 0)),
        locks=[threading.Lock()],
    )
    x, bad = F32(1000.5), np.ones(3)
    shared = [x, bad, np.dtype(F32), np.dtype("f2"), None, NotImplemented, F32, np.ndarray, False]

    def many() -> None:
        for _ in range(1000):
            entry.call(x, x)
            entry.call(x, bad)
            entry.call(bad)
            entry.call(0.5, x)

    many()
    before = [sys.getrefcount(o) for o in shared]
    blocks = sys.getallocatedblocks()
    many()
    after = [sys.getrefcount(o) for o in shared]
    assert all(abs(a - b) < 20 for a, b in zip(after, before, strict=True)), (before, after)
    assert abs(sys.getallocatedblocks() - blocks) < 200


@pytest.mark.parametrize("release", [False, True])
def test_locks_are_held_meanwhile(release: bool) -> None:
    locks = [threading.Lock() for _ in range(3)]
    entry = product((3,), release=release, locks=locks)
    a = np.full(3, 2, F32)
    seen: list[bool] = []
    for refused in (None, *range(3)):
        if refused is not None:
            locks[refused].acquire()
            assert entry.call(a, a) is NotImplemented
            # Nothing else is left locked, and the next call is not in its way.
            assert [lock.locked() for lock in locks] == [k == refused for k in range(3)]
            locks[refused].release()
        assert entry.call(a, a).tolist() == [4] * 3
        # A value that does not fit is found out when they are held.
        assert entry.call(a, a[:2]) is NotImplemented
        entry.call_in_parts([a, a], [0], lambda _: seen.extend(lock.locked() for lock in locks))
        assert not any(lock.locked() for lock in locks)
    assert seen == [True] * 12


def test_an_entry_outlives_its_names() -> None:
    """The C function alone keeps all it needs."""
    function = product((3,)).call
    a = np.full(3, 2, F32)
    assert function(a, a).tolist() == [4] * 3


def test_another_layout_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert python_layout._differences() == []
    for name, offset in python_layout.OBJECT.items():
        monkeypatch.setitem(python_layout.OBJECT, name, offset + 8)
        assert python_layout._differences(), name
        monkeypatch.undo()
