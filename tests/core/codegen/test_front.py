"""The front: it knows exactly the calls it was made for."""

from __future__ import annotations

import gc
import sys
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

from tests.core.codegen.small_kernels import MULTIPLY, call
from workbench.core.codegen.entry import Entry, FeedSpec, Front, Patch, ResultSpec, Structure
from workbench.core.codegen.entry_layout import MOST_VALUES
from workbench.core.codegen.table import Table
from workbench.core.codegen.unsupported import Unsupported


class Node:
    """What is fetched and fed; comparing and hashing it is none of the front's business."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")


X, Y, LOSS, TRAIN, OTHER = (Node() for _ in range(5))
A, B = np.array([2, 3], np.float32), np.array([5, 7], np.float32)


def _entry(size: int = 2, kind: Any = "list", items: tuple[int, ...] = (0, -1)) -> Entry:
    return Entry(
        Table([call(MULTIPLY, 0, 0, 0, units=size)]),
        [FeedSpec("float32", (size,), (Patch(k),)) for k in (0, 1)],
        [ResultSpec("float32", (size,), (Patch(2),))],
        Structure(kind, items),
    )


def test_a_list_of_fetches() -> None:
    front = _entry().front([LOSS, TRAIN], [X, Y]).call
    for _ in range(3):
        loss, nothing = front([LOSS, TRAIN], {X: A, Y: B})
        assert loss.tolist() == [10, 21] and nothing is None


def test_a_tuple_and_a_single_fetch() -> None:
    front = _entry(kind="tuple").front((LOSS, TRAIN), [X, Y]).call
    result = front((LOSS, TRAIN), {X: A, Y: B})
    assert type(result) is tuple and result[0].tolist() == [10, 21]
    assert front([LOSS, TRAIN], {X: A, Y: B}) is NotImplemented
    single = _entry(kind="single", items=(0,)).front(LOSS, [X, Y]).call
    assert single(LOSS, {X: A, Y: B}).tolist() == [10, 21]
    assert single([LOSS], {X: A, Y: B}) is NotImplemented


class _List(list[Any]):
    pass


class _Dict(dict[Any, Any]):
    pass


@pytest.mark.parametrize(
    ("fetches", "feeds"),
    [
        ([LOSS], {X: A, Y: B}),
        ([LOSS, TRAIN, TRAIN], {X: A, Y: B}),
        ([TRAIN, LOSS], {X: A, Y: B}),
        ([LOSS, OTHER], {X: A, Y: B}),
        ([], {X: A, Y: B}),
        ((LOSS, TRAIN), {X: A, Y: B}),
        (_List([LOSS, TRAIN]), {X: A, Y: B}),
        (LOSS, {X: A, Y: B}),
        (None, {X: A, Y: B}),
        ([LOSS, TRAIN], {Y: A, X: B}),
        ([LOSS, TRAIN], {X: A}),
        ([LOSS, TRAIN], {X: A, Y: B, OTHER: A}),
        ([LOSS, TRAIN], {X: A, OTHER: B}),
        ([LOSS, TRAIN], {}),
        ([LOSS, TRAIN], None),
        ([LOSS, TRAIN], _Dict({X: A, Y: B})),
        ([LOSS, TRAIN], OrderedDict({X: A, Y: B})),
        ([LOSS, TRAIN], [X, Y]),
        ([LOSS, TRAIN], {X: A, Y: B[:1]}),
        ([LOSS, TRAIN], {X: None, Y: B}),
    ],
)
def test_other_calls(fetches: Any, feeds: Any) -> None:
    front = _entry().front([LOSS, TRAIN], [X, Y]).call
    counted = [o for o in (X, Y, A, B, LOSS, fetches, feeds) if o is not None]
    counts = [sys.getrefcount(o) for o in counted]
    assert front(fetches, feeds) is NotImplemented
    assert [sys.getrefcount(o) for o in counted] == counts
    assert front([LOSS, TRAIN], {X: A, Y: B})[0].tolist() == [10, 21]


def test_the_number_of_arguments() -> None:
    front = _entry().front([LOSS, TRAIN], [X, Y]).call
    for arguments in ((), ([LOSS, TRAIN],), ([LOSS, TRAIN], {X: A, Y: B}, None)):
        assert front(*arguments) is NotImplemented


def test_a_list_that_changed_is_another_one() -> None:
    fetches = [LOSS, TRAIN]
    front = _entry().front(fetches, [X, Y]).call
    fetches[1] = OTHER
    assert front(fetches, {X: A, Y: B}) is NotImplemented
    assert front([LOSS, TRAIN], {X: A, Y: B}) is not NotImplemented


def test_without_feeds() -> None:
    entry = Entry(Table([]), [], [], Structure("list", (-1,)))
    front = entry.front([TRAIN], []).call
    assert front([TRAIN], None) == [None] == front([TRAIN], {})
    assert front([TRAIN], {X: A}) is NotImplemented


def test_one_front_asks_the_next() -> None:
    """For another size of the last batch, and for other fetches."""
    first = _entry(2).front([LOSS, TRAIN], [X, Y])
    second = _entry(1).front([LOSS, TRAIN], [X, Y])
    third = _entry(2, "list", (0,)).front([LOSS], [Y, X])
    first.follow(second)
    second.follow(third)
    for _ in range(2):
        assert first.call([LOSS, TRAIN], {X: A, Y: B})[0].tolist() == [10, 21]
        assert first.call([LOSS, TRAIN], {X: A[1:], Y: B[1:]})[0].tolist() == [21]
        assert first.call([LOSS], {Y: A, X: B})[0].tolist() == [10, 21]
        assert first.call([LOSS], {X: A, Y: B}) is NotImplemented
    second.follow(None)
    assert first.call([LOSS], {Y: A, X: B}) is NotImplemented


def test_many_feeds() -> None:
    size = MOST_VALUES
    keys = [Node() for _ in range(size)]
    arrays = [np.full(1, k, np.float32) for k in range(size)]
    feeds = [FeedSpec("float32", (1,), ()) for _ in range(size - 1)]
    last = FeedSpec("float32", (1,), (Patch(0), Patch(1)))
    table = Table([call(MULTIPLY, 0, 0, 0, units=1)])
    result = ResultSpec("float32", (1,), (Patch(2),))
    entry = Entry(table, [*feeds, last], [result], Structure("single", (0,)))
    front = entry.front(LOSS, keys).call
    assert front(LOSS, dict(zip(keys, arrays, strict=True))) == (size - 1) ** 2
    more = Entry(table, [*feeds, last, last], [], Structure("list", ()))
    with pytest.raises(Unsupported, match=f"at most {size} feeds"):
        more.front(LOSS, [*keys, X])


def test_keys_for_every_value() -> None:
    with pytest.raises(ValueError, match="The step takes 2 values, not 1"):
        _entry().front(LOSS, [X])


def test_a_front_keeps_its_objects_and_is_freed() -> None:
    """Its keys are compared by address, so they must not be freed before it is."""
    key, fetch = Node(), Node()
    entry = _entry(kind="single", items=(0,))
    front = Front(entry, fetch, [key, Y])
    function = front.call
    alive, table = weakref.ref(key), weakref.ref(entry.table)
    del key, fetch, front, entry
    gc.collect()
    assert alive() is not None and table() is not None
    del function
    gc.collect()
    assert alive() is None and table() is None
