"""Who is in a pool, as data."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.pool.membership import Membership


def _joined(membership: Membership, control: str, name: str, incarnation: int) -> int:
    index = membership.enter(control, name)
    assert membership.serve(control, f"{control}/runtime", incarnation, {"pid": 1}) is not None
    return index


def test_one_that_is_started_again_keeps_its_number() -> None:
    pool = Membership()
    assert _joined(pool, "c1", "a", 1) == 0
    assert _joined(pool, "c2", "b", 2) == 1
    assert pool.leave("c1") is not None
    assert _joined(pool, "c3", "c", 3) == 0
    assert pool.leave("c3") is not None
    assert _joined(pool, "c4", "a", 4) == 0
    assert [m.incarnation for m in pool.in_order()] == [4, 2]


def test_one_that_comes_back_early_gets_a_number_of_its_own() -> None:
    # The old process may not be known to be gone when the new one comes.
    pool = Membership()
    assert _joined(pool, "c1", "a", 1) == 0
    assert _joined(pool, "c2", "a", 2) == 1
    left = pool.leave("c1")
    assert left is not None and left.member.incarnation == 1
    assert [m.index for m in pool.in_order()] == [1]


def test_who_left_before_it_served_never_joins() -> None:
    pool = Membership()
    pool.enter("c1", "a")
    assert pool.leave("c1") is None
    assert pool.serve("c1", "address", 1, {}) is None
    assert pool.epoch == 0 and pool.in_order() == []


def test_what_is_told_twice_changes_nothing() -> None:
    pool = Membership()
    assert pool.enter("c1", "a") == pool.enter("c1", "a") == 0
    assert pool.serve("c1", "address", 1, {}) is not None
    assert pool.serve("c1", "address", 1, {}) is None
    assert pool.leave("c1") is not None and pool.leave("c1") is None
    assert pool.epoch == 2


_EVENTS = st.lists(
    st.tuples(st.sampled_from(["enter", "serve", "leave"]), st.integers(0, 4), st.integers(0, 2)),
    max_size=40,
)


@given(_EVENTS)
def test_changes_add_up_to_the_members(events: list[tuple[str, int, int]]) -> None:
    pool = Membership()
    told: dict[str, int] = {}
    epoch = 0
    for number, (kind, control, name) in enumerate(events):
        change = None
        if kind == "enter":
            pool.enter(f"c{control}", f"n{name}")
        elif kind == "serve":
            change = pool.serve(f"c{control}", "address", number, {})
        else:
            change = pool.leave(f"c{control}")
        if change is not None:
            epoch += 1
            assert change.epoch == pool.epoch == epoch
            if change.kind == "joined":
                told[change.member.control] = change.member.incarnation
            else:
                assert told.pop(change.member.control) == change.member.incarnation
        numbers = [member.index for member in pool.in_order()]
        assert len(set(numbers)) == len(numbers)
    assert told == {m.control: m.incarnation for m in pool.in_order()}
