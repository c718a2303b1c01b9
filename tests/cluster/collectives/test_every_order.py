"""Collective operations in every order of messages, where a rank may die at any point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.cluster.interleavings import Channels, explore
from workbench.cluster.collectives.instructions import Collective, Done, Send
from workbench.cluster.collectives.letters import Letter, Letters
from workbench.cluster.collectives.reductions import Reduction
from workbench.cluster.collectives.ring import RingGather, RingReduce
from workbench.cluster.collectives.tree import TreeBroadcast, TreeReduce

Event = tuple[Any, ...]


def numbers(rank: int, length: int) -> Any:
    return np.random.RandomState(rank).standard_normal(length).astype(np.float32)


def make(kind: str, rank: int, size: int) -> Collective:
    array = numbers(rank, size)
    if kind == "gather":
        return RingGather(rank, size, [array])
    if kind == "broadcast":
        return TreeBroadcast(rank, size, 1, [array] if rank == 1 else None)
    reduction = Reduction("sum", size)
    if kind == "tree":
        return TreeReduce(rank, size, array, np.empty_like(array), reduction)
    return RingReduce(rank, size, array, np.empty_like(array), reduction, 1)


class Ranks:
    """The ranks of an operation, what is on its way between them, and at most one death."""

    def __init__(self, kind: str, size: int, may_die: bool) -> None:
        self.kind, self.size, self.may_die = kind, size, may_die
        self.machines = [make(kind, rank, size) for rank in range(size)]
        self.begun = [False] * size
        self.results: list[Any] = [None] * size
        self.channels = Channels()
        self.dead: int | None = None

    def events(self) -> list[Event]:
        found: list[Event] = [("begin", rank) for rank in self.alive() if not self.begun[rank]]
        for source, target in self.channels.ready():
            if self.begun[target]:
                found.append(("arrive", source, target))
            if source == self.dead:
                found.append(("lose", source, target))
        if self.may_die and self.dead is None:
            found += [("die", rank) for rank in range(self.size)]
        return found

    def alive(self) -> list[int]:
        return [rank for rank in range(self.size) if rank != self.dead]

    def do(self, event: Event) -> None:
        match event:
            case ("begin", rank):
                self.begun[rank] = True
                self.perform(rank, self.machines[rank].begin())
            case ("arrive", source, target):
                tag, arrays = self.channels.take((source, target))
                self.perform(target, self.machines[target].arrived(source, tag, arrays))
            case ("lose", source, target):
                self.channels.lose((source, target))
            case ("die", rank):
                self.dead = rank
                self.channels.lose_to(rank)

    def perform(self, rank: int, instructions: list[Any]) -> None:
        for each in instructions:
            if isinstance(each, Send):
                arrays = tuple(np.array(a) for a in each.arrays)
                if each.to != self.dead:
                    self.channels.send(rank, each.to, (each.tag, arrays))
            else:
                assert isinstance(each, Done) and self.results[rank] is None, "it ends twice"
                self.results[rank] = self.plain(each.value)

    @staticmethod
    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.tobytes()
        return [Ranks.plain(v) for v in value]

    def check(self) -> None:
        found = [r for r in self.results if r is not None]
        assert all(r == found[0] for r in found), "ranks have different bits"
        if found and self.kind in ("tree", "ring"):
            total = np.sum([numbers(r, self.size) for r in range(self.size)], axis=0)
            given = np.frombuffer(found[0], np.float32)
            np.testing.assert_allclose(given, total, rtol=1e-5)
        elif found:
            assert found[0] == (
                [[numbers(r, self.size).tobytes()] for r in range(self.size)]
                if self.kind == "gather"
                else [numbers(1, self.size).tobytes()]
            )

    def check_end(self) -> None:
        for rank in self.alive():
            awaited = self.machines[rank].awaited()
            if self.results[rank] is not None:
                assert not awaited
                continue
            assert self.dead is not None and awaited, f"rank {rank} waits for nobody, for ever"
            seen: set[int] = set()
            while awaited:
                seen.update(awaited)
                awaited = [n for r in awaited if r != self.dead for n in self.machines[r].awaited()]
                awaited = [n for n in awaited if n not in seen]
            assert self.dead in seen, f"rank {rank} waits, but not for the one that died"


@pytest.mark.parametrize("kind", ["tree", "ring", "gather", "broadcast"])
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("may_die", [False, True])
def test_every_order(kind: str, size: int, may_die: bool) -> None:
    explored = explore(Ranks(kind, size, may_die))
    assert explored.states > size and explored.ends >= 1


class Numbered:
    """Two ranks that do two operations, one after the other: what belongs to which of them?"""

    def __init__(self) -> None:
        self.letters = [Letters(), Letters()]
        self.at = [-1, -1]
        self.got: list[list[tuple[int, int]]] = [[], []]
        self.channels = Channels()

    def events(self) -> list[Event]:
        found: list[Event] = [("arrive", *pair) for pair in self.channels.ready()]
        for rank in range(2):
            has_other = (self.at[rank], 1 - rank) in self.got[rank]
            if self.at[rank] < 1 and (self.at[rank] < 0 or has_other):
                found.append(("begin", rank))
        return found

    def do(self, event: Event) -> None:
        if event[0] == "begin":
            rank = event[1]
            self.at[rank] += 1
            number = self.at[rank]
            for letter in self.letters[rank].begin(number):
                self.got[rank].append((letter.number, letter.sender))
            # Twice: what comes again counts once, and late.
            for _ in range(2):
                self.channels.send(rank, 1 - rank, Letter(rank, number, (), ()))
        else:
            _, source, target = event
            letter = self.letters[target].deliver(self.channels.take((source, target)))
            if letter is not None:
                assert letter.number == self.at[target], "it is of another operation"
                self.got[target].append((letter.number, letter.sender))

    def check(self) -> None:
        for rank in range(2):
            assert all(number <= self.at[rank] for number, _ in self.got[rank])

    def check_end(self) -> None:
        assert self.at == [1, 1]
        for rank in range(2):
            assert {number for number, _ in self.got[rank]} == {0, 1}


def test_letters_of_two_operations_in_every_order() -> None:
    assert explore(Numbered()).ends >= 1
