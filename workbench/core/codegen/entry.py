"""Enters a step straight from the interpreter: a C function from objects to objects."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from workbench.core.codegen import python_layout
from workbench.core.codegen.compiler import KernelLibrary, Source
from workbench.core.codegen.driver import DONE, Driver
from workbench.core.codegen.entry_layout import (
    CONTEXT,
    CONTEXT_WORDS,
    FEED,
    FEED_WORDS,
    MOST_VALUES,
    RESULT,
    RESULT_WORDS,
    RUNTIME,
    RUNTIME_WORDS,
)
from workbench.core.codegen.llvm import exclusive
from workbench.core.codegen.table import Table
from workbench.core.codegen.thread_pool import ThreadPool
from workbench.core.codegen.unsupported import Unsupported

T = TypeVar("T")

#: A call that takes the values as an array of objects, METH_FASTCALL.
_FAST_CALL = 0x80

#: Type numbers from here on are not NumPy's own, and up to here describe elements completely.
_PLAIN_TYPES = range(24)

_STRUCTURES = {"single": 0, "list": 1, "tuple": 2}


class Patch(NamedTuple):
    """A word of a table's arguments that holds an address: so many bytes behind an array's first
    element."""

    position: int
    offset: int = 0


class FeedSpec(NamedTuple):
    """An array that a step reads, or writes in place.

    It comes with the call, or is found each time in the slot of `holder`, an object and the name of
    one of its `__slots__`. An array has exactly this dtype and shape and is C-contiguous; for the
    shape () a NumPy scalar does as well, unless it is written, and for float32 and float64 a
    Python float.
    """

    dtype: str
    shape: tuple[int, ...]
    patches: tuple[Patch, ...]
    written: bool = False
    holder: tuple[Any, str] | None = None


class ResultSpec(NamedTuple):
    """An object that a step gives: an array of its own, or a NumPy scalar.

    The array's address goes into the arguments (`patches`) before the run; the scalar is read from
    `address` after it. With a `holder` it replaces what that slot holds, once the step succeeded.
    With `memory`, an array like it, that is the result of every run, which writes over it.
    """

    dtype: str
    shape: tuple[int, ...] = ()
    patches: tuple[Patch, ...] = ()
    address: int | None = None
    holder: tuple[Any, str] | None = None
    memory: np.ndarray[Any, Any] | None = None


class Structure(NamedTuple):
    """What a call returns: one object, or a list or tuple, of results by number; -1 is None."""

    kind: Literal["single", "list", "tuple"]
    items: tuple[int, ...]


class _Context(np.ndarray[Any, Any]):
    """The words that a C function has as its `self`, with what they point to."""

    kept: Any


class _Definition(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("documentation", ctypes.c_char_p),
    ]


class Entry:
    """A step as C functions.

    `call(*values)` takes one value for each feed without a holder, in their order. It returns the
    results in `structure`; NotImplemented when a value is not exactly what the feed describes, or
    the table is being run, or one of the `locks` is held by others: nothing has happened then;
    Ellipsis when a check failed: `table.failed_checks()` has which.

    With `release`, other Python threads go on meanwhile; it costs some 50 ns. A lock costs as much.
    """

    def __init__(
        self,
        table: Table,
        feeds: Sequence[FeedSpec],
        results: Sequence[ResultSpec],
        structure: Structure,
        threads: int = 1,
        release: bool = False,
        locks: Sequence[Lock] = (),
    ) -> None:
        python_layout.verify()
        if not all(-1 <= item < len(results) for item in structure.items):
            raise ValueError(f"There are {len(results)} results for the items {structure.items}.")
        self.table = table
        self.values = sum(feed.holder is None for feed in feeds)
        self._kept: list[Any] = [table, _runtime()]
        context = np.zeros(CONTEXT_WORDS, np.int64).view(_Context)
        pool = ThreadPool.shared() if threads > 1 else None
        words = {
            "RUNTIME_AT": _runtime().ctypes.data,
            "TABLE": table.address,
            "POOL": pool.address if pool else 0,
            "RECORD_COUNT": len(table),
            "THREAD_COUNT": min(threads, table.threads, pool.threads) if pool else 1,
            "RELEASE": int(release),
            "VALUE_COUNT": self.values,
            "FEED_COUNT": len(feeds),
            "FEED_LIST": self._address(self._feeds(feeds)),
            "RESULT_COUNT": len(results),
            "RESULT_LIST": self._address(self._results(results)),
            "STRUCTURE": _STRUCTURES[structure.kind],
            "ITEM_COUNT": len(structure.items),
            "ITEM_LIST": self._address(structure.items),
            "LOCK_COUNT": len(locks),
            "LOCK_LIST": self._address(self._methods(locks)),
        }
        for name, value in words.items():
            context[CONTEXT[name]] = value
        self._kept.append(pool)
        context.kept = self._kept
        self._context = context
        #: The C function.
        self.call: Any = _function("workbench_entry", context)
        self._begin = _function("workbench_begin", context)
        self._finish = _function("workbench_finish", context)

    def front(self, fetches: Any, keys: Sequence[Any]) -> Front:
        """A function of (fetches, feed dictionary) that knows this step by them."""
        return Front(self, fetches, keys)

    def call_in_parts(
        self, values: Sequence[Any], stops: Iterable[int], look: Callable[[int], None]
    ) -> Any:
        """The same as `call`, except that it stops before the records numbered `stops`.

        `look` is called with the record's number, when those before it are complete and nothing
        else runs. What it raises ends the step there, with the effects it had so far.
        """
        refusal = self._begin(*values)
        if refusal is not None:
            return refusal
        done = False
        try:
            done = self._run_parts(stops, look)
        finally:
            outcome = self._finish() if done else self._finish(None)
        return outcome

    def _run_parts(self, stops: Iterable[int], look: Callable[[int], None]) -> bool:
        execute, count = Driver.shared().execute_records, len(self.table)
        pool, threads = (int(self._context[CONTEXT[w]]) for w in ("POOL", "THREAD_COUNT"))
        first = 0
        for stop in [*stops, count]:
            if execute(self.table.address, pool, first, stop, threads) != DONE:
                return False
            if stop < count:
                look(stop)
            first = stop
        return True

    def _feeds(self, feeds: Sequence[FeedSpec]) -> np.ndarray[Any, Any]:
        rows = np.zeros((len(feeds), FEED_WORDS), np.int64)
        number = 0
        for row, feed in zip(rows, feeds, strict=True):
            kind = np.dtype(feed.dtype)
            scalar = feed.shape == () and not feed.written
            offset = python_layout.scalar_offset(kind.name) if scalar else None
            flags = python_layout.CONTIGUOUS | python_layout.ALIGNED
            words = {
                "SCALAR_TYPE": 0 if offset is None else id(kind.type),
                "SCALAR_OFFSET": offset or 0,
                "FLOAT_BYTES": kind.itemsize if scalar and kind.char in "fd" else 0,
                "STORAGE": self._address(np.zeros(2, np.int64)),
                "DESCRIPTION": id(kind),
                "TYPE_NUMBER": kind.num if kind.num in _PLAIN_TYPES else -1,
                "DIMENSION_COUNT": len(feed.shape),
                "DIMENSION_LIST": self._address(feed.shape),
                "REQUIRED_FLAGS": flags | (python_layout.WRITEABLE if feed.written else 0),
                "ALIGNMENT_MASK": kind.alignment - 1,
                "PATCH_COUNT": len(feed.patches),
                "PATCH_LIST": self._address(self._patches(feed.patches)),
            }
            if feed.holder is None:
                words["VALUE_NUMBER"] = number
                number += 1
            else:
                words["VALUE_NUMBER"] = -1
                words["HOLDER"] = python_layout.slot_address(*feed.holder)
            self._kept += [kind, feed.holder]
            for name, value in words.items():
                row[FEED[name]] = value
        return rows

    def _results(self, results: Sequence[ResultSpec]) -> np.ndarray[Any, Any]:
        rows = np.zeros((len(results), RESULT_WORDS), np.int64)
        for row, result in zip(rows, results, strict=True):
            kind = np.dtype(result.dtype)
            words = {
                "RESULT_KIND": int(result.address is None),
                "RESULT_DESCRIPTION": id(kind),
                "RESULT_ADDRESS": result.address or 0,
                "RESULT_DIMENSION_COUNT": len(result.shape),
                "RESULT_DIMENSION_LIST": self._address(result.shape),
                "RESULT_PATCH_COUNT": len(result.patches),
                "RESULT_PATCH_LIST": self._address(self._patches(result.patches)),
            }
            offset = python_layout.scalar_offset(kind.name)
            if offset is not None and kind.itemsize in (4, 8):
                words["RESULT_TYPE"] = id(kind.type)
                words["RESULT_BYTES"] = kind.itemsize
                words["RESULT_OFFSET"] = offset
                words["ALLOCATE"] = python_layout.allocator(kind.name)
            if result.holder is not None:
                words["DESTINATION"] = python_layout.slot_address(*result.holder)
            if result.memory is not None:
                words["STANDING"] = id(result.memory)
            self._kept += [kind, result.holder, result.memory]
            for name, value in words.items():
                row[RESULT[name]] = value
        return rows

    def _methods(self, locks: Sequence[Lock]) -> list[int]:
        """The methods of locks, by their addresses."""
        methods = [m for lock in locks for m in (lock.acquire, lock.release)]
        self._kept.append(methods)
        return [id(method) for method in methods]

    def _patches(self, patches: Sequence[Patch]) -> list[int]:
        arguments = self.table.arguments
        if not all(0 <= patch.position < arguments.size for patch in patches):
            raise ValueError(f"The table has {arguments.size} arguments; patches: {patches}")
        base = arguments.ctypes.data
        return [w for patch in patches for w in (base + 8 * patch.position, patch.offset)]

    def _address(self, words: Sequence[int] | np.ndarray[Any, Any]) -> int:
        """Where words stand that live as long as the entry."""
        array = np.array(words, np.int64).reshape(-1)
        self._kept.append(array)
        return int(array.ctypes.data)


class Front:
    """Knows one call of `Session.run` again: `call(fetches, feed_dict)`.

    The fetches are the same object, or a list or tuple of the same objects; the dictionary has the
    same keys in the same order. It returns what the entry does, and NotImplemented for any other
    call; `follow` names a front to ask first in that case.
    """

    def __init__(self, entry: Entry, fetches: Any, keys: Sequence[Any]) -> None:
        if entry.values != len(keys):
            raise ValueError(f"The step takes {entry.values} values, not {len(keys)}.")
        if len(keys) > MOST_VALUES:
            raise Unsupported(f"a front takes at most {MOST_VALUES} feeds")
        self.entry = entry
        kind = 1 if type(fetches) is list else 2 if type(fetches) is tuple else 0
        objects = tuple(fetches) if kind else (fetches,)
        known = np.array([id(o) for o in objects] or [0], np.int64)
        key_list = np.array([id(key) for key in keys] or [0], np.int64)
        context = entry._context.copy().view(_Context)
        context[CONTEXT["FETCH_KIND"]] = kind
        context[CONTEXT["FETCH_COUNT"]] = len(objects)
        context[CONTEXT["FETCH_LIST"]] = known.ctypes.data
        context[CONTEXT["KEY_LIST"]] = key_list.ctypes.data
        context.kept = [entry, objects, tuple(keys), known, key_list, None]
        self._context = context
        #: The C function.
        self.call: Any = _function("workbench_front", context)

    def follow(self, other: Front | None) -> None:
        """Asks another one for the calls that this one does not know."""
        self._context.kept[-1] = other
        address = other._context.ctypes.data if other is not None else 0
        self._context[CONTEXT["FOLLOWING"]] = address


def _made_once(make: Callable[..., T]) -> Callable[..., T]:
    """Makes something once for each argument, whichever threads ask for it at the same time.

    A cache alone may make it twice and drop one of them, to which machine code points by then.
    """
    made = functools.cache(make)

    @functools.wraps(make)
    def locked(*arguments: Any) -> T:
        with exclusive:
            return made(*arguments)

    return locked


@_made_once
def _runtime() -> np.ndarray[Any, Any]:
    """What all entries share."""
    empty, scalar = python_layout.numpy_functions()
    values = {
        "NOT_IMPLEMENTED": id(NotImplemented),
        "ELLIPSIS": id(Ellipsis),
        "NONE": id(None),
        "ARRAY_TYPE": id(np.ndarray),
        "FLOAT_TYPE": id(float),
        "LIST_TYPE": id(list),
        "TUPLE_TYPE": id(tuple),
        "DICT_TYPE": id(dict),
        "EMPTY": empty,
        "SCALAR": scalar,
        "EXECUTE": Driver.shared().execute,
        "FALSE": id(False),
        "TRUE": id(True),
    }
    words = np.zeros(RUNTIME_WORDS, np.int64)
    for name, value in values.items():
        words[RUNTIME[name]] = value
    return words


_NAMES = ("workbench_entry", "workbench_begin", "workbench_finish", "workbench_front")


def entry_source() -> Source:
    """The module of the entry."""
    from workbench.core.codegen.entry_text import entry_text

    return Source(entry_text(), _NAMES)


@_made_once
def _definition(name: str) -> _Definition:
    """What the interpreter wants to know of a C function; it keeps a pointer to it for good."""
    library = KernelLibrary.shared()
    # They may have come from the disk without a text.
    source = Source("", _NAMES) if library.has(_NAMES) else entry_source()
    addresses = library.load([source])
    return _Definition(name.encode(), addresses[name], _FAST_CALL, None)


def _function(name: str, context: _Context) -> Any:
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.POINTER(_Definition), ctypes.py_object, ctypes.c_void_p]
    return new(ctypes.byref(_definition(name)), context, None)
