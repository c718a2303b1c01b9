"""Staging areas as state machines, with keys and without."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import InvalidArgumentError, ResourceExhaustedError
from workbench.core.sync.attempts import Attempt, Done, Machine
from workbench.core.sync.map_stages import GetParts, MapStageMachine, PutParts
from workbench.core.sync.stages import Get, Peek, Put, Room, StageMachine


def entered(machine: Machine, request: Any) -> Attempt:
    attempt = Attempt(request)
    machine.enter(attempt)
    return attempt


def result(attempt: Attempt) -> Any:
    return None if attempt.outcome is None else attempt.outcome.result()


def put(machine: MapStageMachine, key: int, **parts: Any) -> Attempt:
    """Puts components in, called p0, p1, ..., of an element of two, each of one byte."""
    numbered = {int(name[1:]): (value, 1) for name, value in parts.items()}
    return entered(machine, PutParts(key, numbered, 2))


def get(machine: MapStageMachine, key: int | None, *indices: int, removes: bool = True) -> Attempt:
    return entered(machine, GetParts(key, indices or (0, 1), removes))


# -- without keys --------------------------------------------------------------------------------


@pytest.mark.parametrize(("room", "sizes"), [(Room(2, 0), [1, 1, 1]), (Room(0, 10), [4, 6, 1])])
def test_put_waits_for_room(room: Room, sizes: list[int]) -> None:
    machine = StageMachine(room, "area")
    first, second, third = (entered(machine, Put(size, size)) for size in sizes)
    assert first.outcome == second.outcome == Done()
    assert third.outcome is None
    assert result(entered(machine, Get())) == sizes[0]
    assert third.outcome == Done()


def test_what_never_fits_is_refused() -> None:
    machine = StageMachine(Room(0, 10), "area")
    with pytest.raises(ResourceExhaustedError, match="'11' bytes into Staging Area"):
        result(entered(machine, Put("big", 11)))
    assert machine.size == 0


def test_peek_waits_for_its_element_and_leaves_it() -> None:
    machine = StageMachine(Room(0, 0), "area")
    far, near = entered(machine, Peek(1)), entered(machine, Peek(0))
    entered(machine, Put("a", 1))
    assert (result(far), result(near)) == (None, "a")
    entered(machine, Put("b", 1))
    assert result(far) == "b"
    assert machine.size == 2


def test_clearing_makes_room() -> None:
    machine = StageMachine(Room(1, 0), "area")
    entered(machine, Put("a", 1))
    second = entered(machine, Put("b", 1))
    assert machine.clear() == [second]
    assert result(entered(machine, Get())) == "b"


def test_element_of_one_who_gives_up_is_the_first_again() -> None:
    machine = StageMachine(Room(0, 0), "area")
    entered(machine, Put("a", 1))
    taker = entered(machine, Get())
    entered(machine, Put("b", 2))
    machine.withdraw(taker)
    assert machine.saved() == {"elements": [("a", 1), ("b", 2)]}


@given(st.lists(st.one_of(st.integers(1, 5), st.none()), max_size=30))
def test_no_more_bytes_are_held_than_there_is_room_for(events: list[int | None]) -> None:
    machine = StageMachine(Room(3, 8), "area")
    given_out: list[int] = []
    count = 0
    for event in events:
        if event is None:
            value = entered(machine, Get())
            given_out += [] if value.outcome is None else [result(value)]
        else:
            entered(machine, Put(count, event))
            count += 1
        held = machine.saved()["elements"]
        assert len(held) <= 3
        assert sum(size for _, size in held) <= 8
    assert given_out == sorted(given_out)


# -- with keys -----------------------------------------------------------------------------------


def test_element_is_there_when_all_its_components_are() -> None:
    machine = MapStageMachine(False, Room(0, 0), "area")
    taker = get(machine, 7)
    put(machine, 7, p1="b")
    assert (machine.size, machine.incomplete_size, taker.outcome) == (0, 1, None)
    put(machine, 7, p0="a")
    assert result(taker) == (7, ["a", "b"])
    assert (machine.size, machine.incomplete_size) == (0, 0)


def test_one_key_does_not_hold_up_another() -> None:
    machine = MapStageMachine(False, Room(0, 0), "area")
    first, second = get(machine, 1), get(machine, 2)
    put(machine, 2, p0="x", p1="y")
    assert first.outcome is None
    assert result(second) == (2, ["x", "y"])


@pytest.mark.parametrize(("ordered", "keys"), [(True, [1, 2, 3]), (False, [3, 1, 2])])
def test_elements_without_a_key_come_in_order(ordered: bool, keys: list[int]) -> None:
    machine = MapStageMachine(ordered, Room(0, 0), "area")
    for key in (3, 1, 2):
        put(machine, key, p0=key, p1=key)
    assert [result(get(machine, None))[0] for _ in range(3)] == keys


def test_components_go_one_by_one_and_the_last_frees_the_key() -> None:
    machine = MapStageMachine(False, Room(0, 0), "area")
    put(machine, 1, p0="a", p1="b")
    assert result(get(machine, 1, 1)) == (1, ["b"])
    with pytest.raises(InvalidArgumentError, match="has already been removed"):
        result(get(machine, 1, 1))
    assert result(get(machine, 1, 0, removes=False)) == (1, ["a"])
    assert machine.size == 1
    assert result(get(machine, 1, 0)) == (1, ["a"])
    assert machine.size == 0


def test_incomplete_elements_take_memory_but_no_place() -> None:
    machine = MapStageMachine(False, Room(1, 4), "area")
    put(machine, 1, p0="a", p1="b")
    assert put(machine, 2, p0="c").outcome == Done()
    completing = put(machine, 2, p1="d")
    assert completing.outcome is None
    assert put(machine, 3, p0="e").outcome == Done()
    too_much = put(machine, 4, p0="f")
    assert too_much.outcome is None
    get(machine, 1)
    assert completing.outcome == too_much.outcome == Done()
    assert (machine.size, machine.incomplete_size) == (1, 2)


@pytest.mark.parametrize(
    ("parts", "message"),
    [({"p0": 9}, "was already initialized '2'"), ({"p2": 9}, "was out of bounds '2'")],
)
def test_components_that_do_not_fit_are_refused(parts: dict[str, int], message: str) -> None:
    machine = MapStageMachine(False, Room(0, 0), "area")
    put(machine, 1, p0="a")
    before = machine.saved()
    with pytest.raises(InvalidArgumentError, match=message):
        result(put(machine, 1, **parts))
    assert machine.saved() == before


def test_saved_state_goes_on_in_another_area() -> None:
    machine = MapStageMachine(True, Room(0, 0), "area")
    put(machine, 2, p0="a", p1="b")
    put(machine, 1, p0="c")
    other = MapStageMachine(True, Room(0, 0), "other")
    other.restore(machine.saved())
    put(other, 1, p1="d")
    assert [result(get(other, None)) for _ in range(2)] == [(1, ["c", "d"]), (2, ["a", "b"])]
    assert (machine.size, machine.incomplete_size) == (1, 1)
