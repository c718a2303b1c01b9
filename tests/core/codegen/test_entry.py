"""The entry: it takes exactly what it describes, and leaves everything as it was otherwise."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest

from tests.core.codegen.small_kernels import CHECK, COPY, COUNT, HOLD, MULTIPLY, call
from workbench.core.codegen import python_layout
from workbench.core.codegen.entry import Entry, FeedSpec, Patch, ResultSpec, Structure
from workbench.core.codegen.table import Table
from workbench.core.codegen.unsupported import Unsupported

F32 = np.float32


def _product(shape: tuple[int, ...], **options: Any) -> Entry:
    """Two arrays in, their product out."""
    size = int(np.prod(shape))
    table = Table([call(MULTIPLY, 0, 0, 0, units=size, chunk=max(1, size))], threads=2)
    return Entry(
        table,
        [FeedSpec("float32", shape, (Patch(k),)) for k in (0, 1)],
        [ResultSpec("float32", shape, (Patch(2),))],
        Structure("single", (0,)),
        **options,
    )


class Holder:
    """What keeps a variable."""

    __slots__ = ("name", "value")

    def __init__(self, value: Any) -> None:
        self.name = "variable"
        self.value = value


@pytest.mark.parametrize("release", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (3, 1, 4), (0,), (2, 0)])
def test_arrays(shape: tuple[int, ...], threads: int, release: bool) -> None:
    entry = _product(shape, threads=threads, release=release)
    random = np.random.default_rng(1)
    results = []
    for _ in range(20):
        a, b = (random.standard_normal(shape).astype(F32) for _ in range(2))
        result = entry.call(a, b)
        assert type(result) is np.ndarray
        assert result.dtype == F32 and result.shape == shape and result.flags.owndata
        np.testing.assert_array_equal(result, a * b)
        results.append((result, a * b))
    for result, expected in results:
        np.testing.assert_array_equal(result, expected)


def _read_only(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    a.flags.writeable = False
    return a


class _Subclass(np.ndarray[Any, Any]):
    pass


_UNFIT: dict[str, Any] = {
    "another dtype": np.ones((2, 3)),
    "another dtype of as many bytes": np.ones((2, 3), np.int32),
    "another byte order": np.ones((2, 3), np.dtype(F32).newbyteorder()),
    "another rank": np.ones(6, F32),
    "another shape": np.ones((3, 2), F32),
    "a larger array": np.ones((2, 4), F32),
    "columns first": np.asfortranarray(np.ones((2, 3), F32)),
    "every other column": np.ones((2, 6), F32)[:, ::2],
    "backwards": np.ones((2, 3), F32)[::-1],
    "broadcast": np.broadcast_to(np.ones(3, F32), (2, 3)),
    "not aligned": np.frombuffer(bytearray(25), F32, 6, 1).reshape(2, 3),
    "a subclass": np.ones((2, 3), F32).view(_Subclass),
    "fields": np.ones((2, 3), [("x", F32)]),
    "objects": np.ones((2, 3), object),
    "strings": np.ones((2, 3), "S4"),
    "a list": [[1.0, 2.0, 3.0]] * 2,
    "a NumPy scalar": F32(1),
    "a float": 1.0,
    "a string": "ones",
    "None": None,
    "a type": np.ndarray,
}


@pytest.mark.parametrize("what", _UNFIT)
def test_what_does_not_fit_is_refused(what: str) -> None:
    entry, good = _product((2, 3)), np.full((2, 3), 2, F32)
    value = _UNFIT[what]
    counted = [x for x in (value, good, NotImplemented) if x is not None]
    counts = [sys.getrefcount(x) for x in counted]
    assert entry.call(value, good) is NotImplemented
    assert entry.call(good, value) is NotImplemented
    assert [sys.getrefcount(x) for x in counted] == counts
    assert entry.call(good, good).tolist() == [[4] * 3] * 2


def test_what_fits_although_it_looks_different() -> None:
    entry, good = _product((2, 3)), np.full((2, 3), 2, F32)
    described_anew = np.full((2, 3), 3, np.dtype(F32, metadata={"unit": "m"}))
    assert described_anew.dtype is not good.dtype
    locked, rows = _read_only(np.full((2, 3), 3, F32)), np.full((4, 3), 3, F32)[1:3]
    for value in (described_anew, locked, rows):
        assert entry.call(value, good).tolist() == [[6] * 3] * 2


def test_the_number_of_values() -> None:
    entry, good = _product((1,)), np.ones(1, F32)
    for values in ([], [good], [good] * 3):
        assert entry.call(*values) is NotImplemented
    with pytest.raises(TypeError):
        entry.call(good, b=good)


@pytest.mark.parametrize(
    "dtype",
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split(),
)
def test_scalars_of_every_dtype(dtype: str) -> None:
    """In and out again, through a kernel that copies bytes."""
    kind = np.dtype(dtype)
    out = np.zeros(1, kind)
    entry = Entry(
        Table([_copying(kind.itemsize, out)]),
        [FeedSpec(dtype, (), (Patch(0),))],
        [ResultSpec(dtype, address=out.ctypes.data)],
        Structure("single", (0,)),
    )
    for number in (0, 1, 100):
        for value in (kind.type(number), np.array(number, kind)):
            result = entry.call(value)
            assert type(result) is kind.type and result == kind.type(number)
    if dtype == "bool":
        assert entry.call(np.True_) is np.True_
    for value in (1, 1 + 0j, None, np.ones(1, kind), np.datetime64(1, "s"), np.longdouble(1)):
        assert entry.call(value) is NotImplemented


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [0.1, -0.0, 1e300, 1e-46, float("inf"), float("nan")])
def test_python_floats(dtype: str, value: float) -> None:
    kind = np.dtype(dtype)
    out = np.zeros(1, kind)
    entry = Entry(
        Table([_copying(kind.itemsize, out)]),
        [FeedSpec(dtype, (), (Patch(0),))],
        [ResultSpec(dtype, address=out.ctypes.data)],
        Structure("single", (0,)),
    )
    with np.errstate(over="ignore"):
        assert entry.call(value).tobytes() == kind.type(value).tobytes()


def _copying(size: int, out: np.ndarray[Any, Any]) -> Any:
    return call(COPY, 0, out, units=size, chunk=size)


def test_structures() -> None:
    one, two = np.array([1.5], F32), np.array([7], np.int64)
    results = [
        ResultSpec("float32", address=one.ctypes.data),
        ResultSpec("int64", address=two.ctypes.data),
    ]
    cases: list[tuple[Any, tuple[int, ...], Any]] = [
        ("list", (0, -1, 1, 0), [1.5, None, 7, 1.5]),
        ("list", (), []),
        ("tuple", (1, 0), (7, 1.5)),
        ("tuple", (), ()),
        ("single", (1,), 7),
        ("single", (-1,), None),
    ]
    for kind, items, expected in cases:
        entry = Entry(Table([]), [], results, Structure(kind, items))
        got = entry.call()
        assert got == expected and type(got) in (type(expected), np.int64)
    with pytest.raises(ValueError, match="There are 2 results for the items"):
        Entry(Table([]), [], results, Structure("list", (2,)))


def test_patches_reach_every_place() -> None:
    """An array goes into several arguments, at several offsets."""
    table = Table([call(MULTIPLY, 0, 0, 0, units=2, chunk=2) for _ in range(2)])
    starts = table.starts
    entry = Entry(
        table,
        [
            FeedSpec("float32", (6,), (Patch(0), Patch(1, 8), Patch(starts[1] + 1, 16))),
            FeedSpec("float32", (2,), (Patch(starts[1]),)),
        ],
        [
            ResultSpec("float32", (2,), (Patch(2),)),
            ResultSpec("float32", (2,), (Patch(starts[1] + 2),)),
        ],
        Structure("tuple", (0, 1)),
    )
    for start in range(3):
        a, b = np.arange(start, start + 6, dtype=F32), np.array([10, 100], F32)
        first, second = entry.call(a, b)
        assert first.tolist() == (a[0:2] * a[2:4]).tolist()
        assert second.tolist() == (b * a[4:6]).tolist()
    with pytest.raises(ValueError, match="The table has 6 arguments"):
        Entry(table, [FeedSpec("float32", (1,), (Patch(6),))], [], Structure("list", ()))


def test_a_written_feed_must_be_writeable() -> None:
    table = Table([call(COUNT, 0, units=4)])
    entry = Entry(
        table, [FeedSpec("int32", (4,), (Patch(0),), written=True)], [], Structure("list", ())
    )
    counts = np.zeros(4, np.int32)
    assert entry.call(counts) == [] and entry.call(counts) == []
    assert counts.tolist() == [2] * 4
    assert entry.call(_read_only(counts)) is NotImplemented
    assert counts.tolist() == [2] * 4


def test_a_written_scalar_is_an_array() -> None:
    table = Table([call(COUNT, 0, units=1)])
    entry = Entry(
        table, [FeedSpec("int32", (), (Patch(0),), written=True)], [], Structure("list", ())
    )
    constant, array = np.int32(5), np.array(5, np.int32)
    assert entry.call(constant) is NotImplemented and constant == 5
    assert entry.call(array) == [] and array == 6


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


def test_threads_use_one_entry() -> None:
    entry = _product((64,), threads=2, release=True)
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
    entry = _product((3,), release=release, locks=locks)
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
    function = _product((3,)).call
    a = np.full(3, 2, F32)
    assert function(a, a).tolist() == [4] * 3


def test_another_layout_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert python_layout._differences() == []
    for name, offset in python_layout.OBJECT.items():
        monkeypatch.setitem(python_layout.OBJECT, name, offset + 8)
        assert python_layout._differences(), name
        monkeypatch.undo()
