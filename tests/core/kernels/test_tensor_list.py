"""Lists as values: every version keeps what it had, whatever becomes of the others."""

from __future__ import annotations

import gc
import itertools
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core import errors
from workbench.core.kernels.list_contents import resized, scattered_into
from workbench.core.kernels.list_elements import VARIANT
from workbench.core.kernels.list_sums import added, zeros_like
from workbench.core.kernels.tensor_list import ListKind, TensorList

INTEGERS = ListKind(np.dtype(np.int64), ())

#: What is done, to which of the versions so far (counted from the newest), where.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["set", "push", "pop", "clear", "resize", "scatter"]),
        st.one_of(st.just(0), st.integers(0, 60)),
        st.integers(0, 8),
    ),
    max_size=60,
)


def follow(
    kind: str, version: TensorList, model: list[Any], place: int, number: int
) -> tuple[TensorList, list[Any]]:
    """The next version, and the plain list that it must be like."""
    value = np.int64(number)
    if kind == "push":
        return version.appended(value), [*model, value]
    if kind == "resize":
        return resized(version, place), (model + [None] * place)[:place]
    if not model:
        return version, model
    if kind == "pop":
        shorter, last = version.popped()
        assert last == model[-1]
        return shorter, model[:-1]
    place %= len(model)
    if kind == "scatter":
        places = [place, 0] if place else [0]
        changed = scattered_into(version, [value] * len(places), places)
        return changed, [value if i in places else m for i, m in enumerate(model)]
    new = None if kind == "clear" else value
    return version.replaced(place, new), [*model[:place], new, *model[place + 1 :]]


@given(STEPS, st.integers(0, 6))
@settings(max_examples=120, deadline=None)
def test_versions_are_like_plain_lists(steps: list[Any], length: int) -> None:
    versions = [TensorList(INTEGERS, [None] * length)]
    models: list[list[Any]] = [[None] * length]
    for number, (kind, back, place) in enumerate(steps):
        chosen = max(0, len(versions) - 1 - back)
        version, model = follow(kind, versions[chosen], models[chosen], place, number)
        versions.append(version)
        models.append(model)
        assert [version.get(i) for i in range(version.length)] == model
    for version, model in zip(versions, models, strict=True):
        assert version.length == len(model)
        assert version.items() == model
        assert [version.get(i) for i in range(version.length)] == model


class Copies:
    """Counts the elements that are copied."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        items = TensorList.items

        def counted(values: TensorList) -> list[Any]:
            self.count += values.length
            return items(values)

        monkeypatch.setattr(TensorList, "items", counted)


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Has threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("operation", ["set", "push", "pop"])
def test_a_change_copies_few_elements_on_average(
    monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    count = 5_000
    first = values = TensorList(INTEGERS, [None] * (0 if operation == "push" else count))
    copies = Copies(monkeypatch)
    for i in range(count):
        place = -1 if operation != "set" else i
        values, _ = follow(
            operation, values, [None] if operation == "pop" else [0] * count, place, 7
        )
    assert copies.count <= 3 * count
    assert first.length in (0, count)


def test_a_list_that_is_kept_does_not_keep_all_that_was_written_since() -> None:
    class Element(np.ndarray[Any, Any]):
        """An array that can be watched."""

    def element() -> Any:
        return np.zeros(3).view(Element)

    first = values = TensorList(ListKind(np.dtype(np.float64), (3,)), [element()])
    watched = []
    for _ in range(200):
        item = element()
        watched.append(weakref.ref(item))
        values = values.replaced(0, item)
    del item
    gc.collect()
    assert first.get(0) is not values.get(0)
    assert sum(ref() is not None for ref in watched) < 40


def test_old_versions_far_behind_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = values = TensorList(INTEGERS, [np.int64(0)] * 2_000)
    for i in range(1_999):
        values = values.replaced(i, np.int64(1))
    copies = Copies(monkeypatch)
    assert all(first.get(i) == 0 for i in range(2_000))
    assert copies.count <= 2 * 2_000


@pytest.mark.usefixtures("frequent_switches")
def test_threads_that_write_to_one_version_see_their_own_writes() -> None:
    length, rounds, count = 32, 200, 4
    base = TensorList(INTEGERS, [np.int64(-1)] * length)
    barrier = threading.Barrier(count, timeout=20)
    failures: list[str] = []

    def write(number: int) -> None:
        random = np.random.default_rng(number)
        barrier.wait()
        for _ in range(rounds):
            values, model = base, [-1] * length
            for place in random.integers(0, length, 20).tolist():
                values = values.replaced(place, np.int64(number))
                model[place] = number
                if values.get(place) != number or base.get(place) != -1:
                    failures.append(f"thread {number} read another's element {place}")
            if values.items() != model:
                failures.append(f"thread {number} has another's elements")

    threads = [threading.Thread(target=write, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(t.is_alive() for t in threads)
    assert failures == []


@pytest.mark.usefixtures("frequent_switches")
def test_threads_that_read_what_another_one_pops() -> None:
    length, rounds = 6, 3_000
    current: list[TensorList] = []
    failures: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for values in current[-1:]:
                found = [values.get(i) for i in range(values.length)]
                if found != list(range(length)) or values.items() != found:
                    failures.append(f"read {found}")

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(rounds):
            values = TensorList(INTEGERS, [np.int64(i) for i in range(length)])
            current[:] = [values]
            for _ in range(length):
                values, _ = values.popped()
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    assert not any(t.is_alive() for t in threads)
    assert failures == []


def test_lists_add_up_as_numpy_adds() -> None:
    kind = ListKind(np.dtype(np.float32), None)
    a = TensorList(kind, [np.float32(1), None, None, np.ones(2, np.float32)])
    b = TensorList(kind, [np.float32(2), np.float32(3), None, np.ones(2, np.float32)])
    add: Any = np.add
    total = add(a, b)
    assert total.items()[:3] == [np.float32(3), np.float32(3), None]
    assert total.items()[3].tolist() == [2.0, 2.0]
    positive: Any = np.positive
    assert positive(a) is a
    # Elements that an array gained have no gradients.
    assert added(a, TensorList(kind, [None] * 6)).length == 6
    with pytest.raises(errors.InvalidArgumentError, match=r"different lengths. One is 4 .* is 5"):
        added(a, TensorList(kind, [np.float32(1)] * 5))
    with pytest.raises(errors.InvalidArgumentError, match=r"shapes \[2\] and \[3\]"):
        added(a, TensorList(kind, [None, None, None, np.ones(3, np.float32)]))
    multiply: Any = np.multiply
    with pytest.raises(TypeError):
        multiply(a, b)


def test_zeros_like_has_the_shapes_of_what_was_written() -> None:
    ragged = TensorList(
        ListKind(np.dtype(np.float64), None), [np.ones(2), None, np.ones((1, 3)), np.float64(4)]
    )
    zeros = zeros_like(ragged).items()
    assert [None if z is None else np.shape(z) for z in zeros] == [(2,), None, (1, 3), ()]
    assert all(z is None or not np.any(z) for z in zeros)
    nested = TensorList(ListKind(VARIANT, ()), [ragged])
    (inner,) = zeros_like(nested).items()
    assert inner.length == 4
    known = zeros_like(TensorList(ListKind(np.dtype(np.float64), (2,)), [np.ones(2), None]))
    assert known.items() == [None, None]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (np.float32(1), "op elements float but list elements int64"),
        (b"text", "op elements string but list elements int64"),
        (np.ones(2, np.int64), r"Item element shape: \[2\] list shape: \[\]"),
    ],
)
def test_elements_that_do_not_fit(item: Any, message: str) -> None:
    values = TensorList(INTEGERS, [None])
    with pytest.raises(errors.InvalidArgumentError, match=message):
        values.with_item(0, item)


@pytest.mark.parametrize("index", [-1, 3, 100])
def test_indices_out_of_range(index: int) -> None:
    values = TensorList(INTEGERS, [None] * 3)
    with pytest.raises(errors.InvalidArgumentError, match=rf"element {index} in a list with 3"):
        values.with_item(index, np.int64(0))
    with pytest.raises(errors.InvalidArgumentError, match=rf"element {index} in a list with 3"):
        values.checked_index(np.int32(index))


def test_partly_known_shapes_and_limits() -> None:
    values = TensorList(ListKind(np.dtype(np.float32), (None, 2)), [None])
    for rows in itertools.islice(itertools.count(), 3):
        values = values.with_item(0, np.zeros((rows, 2), np.float32))
    with pytest.raises(errors.InvalidArgumentError, match=r"list shape: \[\?,2\]"):
        values.with_item(0, np.zeros((1, 3), np.float32))
    with pytest.raises(errors.InvalidArgumentError, match="pop from an empty list"):
        TensorList(INTEGERS, []).popped()
