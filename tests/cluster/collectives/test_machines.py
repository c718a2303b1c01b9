"""Collective operations as data: every order in which messages can arrive, for small cases."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from workbench.cluster.collectives.instructions import Collective, Done, Send
from workbench.cluster.collectives.letters import MOST_AHEAD, Letter, Letters
from workbench.cluster.collectives.reductions import Reduction
from workbench.cluster.collectives.ring import RingGather, RingReduce
from workbench.cluster.collectives.tree import TreeBroadcast, TreeReduce

Make = Callable[[int], Collective]


def play(make: Make, size: int, choose: Callable[[int], int]) -> list[Any]:
    """What all ranks have at the end, when `choose` says which of so many things happens next."""
    machines = [make(rank) for rank in range(size)]
    results: list[Any] = [None] * size
    done = [False] * size
    pending: list[tuple[Any, ...]] = [("begin", rank) for rank in range(size)]
    begun = [False] * size
    while True:
        # Messages of one rank to another keep their order, and a rank begins before it is told.
        heads: dict[Any, int] = {}
        for place, event in enumerate(pending):
            heads.setdefault(event if event[0] == "begin" else event[:3], place)
        ready = [p for p in heads.values() if pending[p][0] == "begin" or begun[pending[p][2]]]
        if not ready:
            break
        event = pending.pop(ready[choose(len(ready))])
        if event[0] == "begin":
            rank = event[1]
            begun[rank] = True
            instructions = machines[rank].begin()
        else:
            rank = event[2]
            instructions = machines[rank].arrived(event[1], event[3], event[4])
        for instruction in instructions:
            if isinstance(instruction, Send):
                sent = tuple(np.array(a) for a in instruction.arrays)
                pending.append(("letter", rank, instruction.to, instruction.tag, sent))
            else:
                assert isinstance(instruction, Done)
                assert not done[rank]
                done[rank] = True
                results[rank] = instruction.value
    assert all(done), "somebody waits for ever"
    assert all(not machine.awaited() for machine in machines)
    return results


def every_choice(most: int) -> Iterator[Callable[[int], int]]:
    """Functions that choose, one for each way to choose, up to `most` of them."""
    stack: list[list[int]] = [[]]
    count = 0
    while stack and count < most:
        prefix = stack.pop()
        counts: list[int] = []

        def choose(n: int, prefix: list[int] = prefix, counts: list[int] = counts) -> int:
            counts.append(n)
            place = len(counts) - 1
            return prefix[place] if place < len(prefix) else 0

        yield choose
        count += 1
        taken = prefix + [0] * (len(counts) - len(prefix))
        for place in range(len(prefix), len(counts)):
            stack.extend([*taken[:place], other] for other in range(1, counts[place]))


def numbers(rank: int, length: int) -> Any:
    return np.random.RandomState(rank).standard_normal(length).astype(np.float32)


def reducing(kind: str, op: str, size: int, length: int, in_place: bool = False) -> Make:
    def make(rank: int) -> Collective:
        array = numbers(rank, length)
        out = array if in_place else np.empty_like(array)
        if kind == "tree":
            return TreeReduce(rank, size, array, out, Reduction(op, size))
        return RingReduce(rank, size, array, out, Reduction(op, size), 2)

    return make


def expected(op: str, size: int, length: int) -> list[float]:
    rows = [[float(x) for x in numbers(rank, length)] for rank in range(size)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    how = {"sum": sum, "mean": lambda c: sum(c) / size, "min": min, "max": max}[op]
    return [how(column) for column in columns]


CASES = [("ring", 1, 3), ("ring", 2, 3), ("ring", 3, 4), ("tree", 1, 2), ("tree", 3, 2)]


@pytest.mark.parametrize("op", ["sum", "mean", "min", "max"])
@pytest.mark.parametrize(("kind", "size", "length"), CASES)
def test_all_orders_give_the_same_bits(op: str, kind: str, size: int, length: int) -> None:
    wanted = expected(op, size, length)
    first = None
    for choose in every_choice(300):
        found = play(reducing(kind, op, size, length), size, choose)
        first = found[0] if first is None else first
        for each in found:
            assert each.tobytes() == first.tobytes()
    np.testing.assert_allclose(first, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["ring", "tree"])
@pytest.mark.parametrize("size", [2, 4, 5, 8])
@pytest.mark.parametrize("in_place", [False, True])
def test_larger_groups_in_random_orders(kind: str, size: int, in_place: bool) -> None:
    wanted = expected("sum", size, 23)
    for seed in range(5):
        chance = random.Random(seed)
        found = play(reducing(kind, "sum", size, 23, in_place), size, chance.randrange)
        for each in found:
            np.testing.assert_allclose(each, wanted, rtol=1e-4, atol=1e-5)
            assert each.tobytes() == found[0].tobytes()


@pytest.mark.parametrize("size", [1, 2, 3])
def test_gathering_in_all_orders(size: int) -> None:
    def make(rank: int) -> Collective:
        return RingGather(rank, size, [np.arange(rank), np.array(rank)])

    for choose in every_choice(2000):
        for found in play(make, size, choose):
            assert [[a.tolist() for a in each] for each in found] == [
                [list(range(rank)), rank] for rank in range(size)
            ]


@pytest.mark.parametrize("root", [0, 1, 2])
def test_broadcasting_in_all_orders(root: int) -> None:
    def make(rank: int) -> Collective:
        return TreeBroadcast(rank, 3, root, [np.array(41 + rank)] if rank == root else None)

    for choose in every_choice(2000):
        for found in play(make, 3, choose):
            assert [a.tolist() for a in found] == [41 + root]


def test_what_comes_twice_counts_once() -> None:
    ring = reducing("ring", "sum", 2, 2)(0)
    ring.begin()
    piece = np.array([100.0], np.float32)
    first = ring.arrived(1, (1, 1), [piece])
    assert [type(i) for i in first] == [Send]
    assert ring.arrived(1, (1, 1), [piece]) == []
    assert ring.awaited() == [1]


@pytest.mark.parametrize("tag", [(7, 1), (0, 1)])
def test_pieces_that_do_not_fit_are_refused(tag: tuple[int, int]) -> None:
    ring = reducing("ring", "sum", 2, 2)(1)
    ring.begin()
    with pytest.raises((ValueError, IndexError)):
        ring.arrived(0, tag, [np.zeros(9, np.float32)])


def test_letters_wait_for_their_operation() -> None:
    letters = Letters()

    def letter(number: int) -> Letter:
        return Letter(0, number, (number,), [])

    assert letters.deliver(letter(0)) is None
    assert [each.number for each in letters.begin(0)] == [0]
    assert letters.deliver(letter(0)) == letter(0)
    assert letters.deliver(letter(2)) is None
    assert letters.begin(1) == []
    assert letters.deliver(letter(0)) is None, "stale"
    assert letters.deliver(letter(2 + MOST_AHEAD)) is None, "lost"
    assert [each.number for each in letters.begin(2)] == [2]
    assert letters.begin(2 + MOST_AHEAD) == []
