"""In which order stores give out what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.sync.stores import FifoStore, PriorityStore, ShuffleStore, Store


def filled(store: Store, elements: list[tuple[int, ...]]) -> Store:
    for element in elements:
        store.put(element)
    return store


def drained(store: Store) -> list[tuple[int, ...]]:
    return [store.take() for _ in range(len(store))]


def test_fifo_gives_elements_in_the_order_they_came() -> None:
    store = filled(FifoStore(), [(i,) for i in range(5)])
    taken = [store.take(), store.take()]
    store.put((9,))
    store.put_back(taken)
    assert drained(store) == [(0,), (1,), (2,), (3,), (4,), (9,)]


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers())))
def test_priority_is_a_stable_sort(elements: list[tuple[int, int]]) -> None:
    assert drained(filled(PriorityStore(), elements)) == sorted(elements, key=lambda e: e[0])


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers())), st.data())
def test_elements_put_back_are_taken_as_if_never_taken(
    elements: list[tuple[int, int]], data: st.DataObject
) -> None:
    store = filled(PriorityStore(), elements)
    taken = [store.take() for _ in range(data.draw(st.integers(0, len(elements))))]
    store.put_back(taken)
    assert drained(store) == sorted(elements, key=lambda e: e[0])


def test_shuffle_keeps_a_minimum_until_it_is_closed() -> None:
    store = filled(ShuffleStore(3, seed=1), [(i,) for i in range(5)])
    assert store.available(closed=False) == 2
    assert store.available(closed=True) == 5
    assert filled(ShuffleStore(3, seed=1), [(0,)]).available(closed=False) == 0


def test_shuffle_order_depends_on_the_seed_alone() -> None:
    def order(seed: int) -> list[tuple[int, ...]]:
        return drained(filled(ShuffleStore(0, seed), [(i,) for i in range(50)]))

    assert order(7) == order(7)
    assert order(7) != order(8)
    assert sorted(order(7)) == [(i,) for i in range(50)]


def test_shuffle_goes_on_from_its_contents_and_choices() -> None:
    store = ShuffleStore(0, seed=3)
    filled(store, [(i,) for i in range(20)])
    for _ in range(5):
        store.take()
    contents, choices = store.contents(), store.choices
    rest = drained(store)
    again = ShuffleStore(0, seed=3)
    again.fill(contents)
    again.choices = choices
    assert drained(again) == rest


def test_every_element_is_as_likely_as_any_other() -> None:
    firsts = Counter(
        filled(ShuffleStore(0, seed), [(i,) for i in range(4)]).take()[0] for seed in range(4000)
    )
    # Five standard deviations of 4000 draws with a chance of 1/4 are 137.
    assert all(abs(firsts[i] - 1000) < 137 for i in range(4)), firsts


@pytest.mark.parametrize("make", [FifoStore, PriorityStore, lambda: ShuffleStore(0, 5)])
def test_contents_fill_another_store(make: Callable[[], Store]) -> None:
    elements = [(3, 0), (1, 1), (3, 2), (2, 3)]
    store = filled(make(), elements)
    other = filled(make(), [(9, 9)])
    other.fill(store.contents())
    assert drained(other) == drained(store)
