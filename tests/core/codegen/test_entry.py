"""The entry: it takes exactly what it describes, and leaves everything as it was otherwise."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from tests.core.codegen.entries import F32, product, read_only
from tests.core.codegen.small_kernels import COPY, COUNT, MULTIPLY, call
from workbench.core.codegen.entry import Entry, FeedSpec, Patch, ResultSpec, Structure
from workbench.core.codegen.table import Table


@pytest.mark.parametrize("release", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (3, 1, 4), (0,), (2, 0)])
def test_arrays(shape: tuple[int, ...], threads: int, release: bool) -> None:
    entry = product(shape, threads=threads, release=release)
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
    entry, good = product((2, 3)), np.full((2, 3), 2, F32)
    value = _UNFIT[what]
    counted = [x for x in (value, good, NotImplemented) if x is not None]
    counts = [sys.getrefcount(x) for x in counted]
    assert entry.call(value, good) is NotImplemented
    assert entry.call(good, value) is NotImplemented
    assert [sys.getrefcount(x) for x in counted] == counts
    assert entry.call(good, good).tolist() == [[4] * 3] * 2


def test_what_fits_although_it_looks_different() -> None:
    entry, good = product((2, 3)), np.full((2, 3), 2, F32)
    described_anew = np.full((2, 3), 3, np.dtype(F32, metadata={"unit": "m"}))
    assert described_anew.dtype is not good.dtype
    locked, rows = read_only(np.full((2, 3), 3, F32)), np.full((4, 3), 3, F32)[1:3]
    for value in (described_anew, locked, rows):
        assert entry.call(value, good).tolist() == [[6] * 3] * 2


def test_the_number_of_values() -> None:
    entry, good = product((1,)), np.ones(1, F32)
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
    assert entry.call(read_only(counts)) is NotImplemented
    assert counts.tolist() == [2] * 4


def test_a_written_scalar_is_an_array() -> None:
    table = Table([call(COUNT, 0, units=1)])
    entry = Entry(
        table, [FeedSpec("int32", (), (Patch(0),), written=True)], [], Structure("list", ())
    )
    constant, array = np.int32(5), np.array(5, np.int32)
    assert entry.call(constant) is NotImplemented and constant == 5
    assert entry.call(array) == [] and array == 6
