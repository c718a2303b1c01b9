"""The memory of a loop of tables: a place for each value, and what the driver goes round with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.codegen.driver import DONE, FAILED, SHORT, Driver
from workbench.core.codegen.repeat_text import LOOP, LOOP_WORDS
from workbench.core.codegen.thread_pool import ThreadPool
from workbench.core.fusion.list_loops import ListBody
from workbench.core.fusion.row_accesses import RowList
from workbench.core.plan.memory import static_shape
from workbench.core.plan.node import Value
from workbench.core.runtime.loops.array_pool import ArrayPool
from workbench.core.runtime.loops.memory import Array, room_for
from workbench.core.runtime.loops.parts import Part
from workbench.core.runtime.loops.row_array import Misfit, RowArray
from workbench.core.runtime.loops.side import Side

#: Passes that are made before a list grows, at least.
_FEWEST_PASSES = 64


class CheckFailed(Exception):
    """A check failed in a pass, or a list has no such element: the interpreter tells which."""


class FrameLayout(NamedTuple):
    """What all frames of a loop have in common."""

    condition: Part
    body: Part
    indices: Part | None
    found: ListBody
    states: int
    #: The lists of which an element is added to once at most.
    fresh: frozenset[int]

    @property
    def lists(self) -> dict[int, RowList]:
        """The lists, by the numbers of the fed values."""
        return self.found.lists


class Frame:
    """Memory for one run at a time."""

    def __init__(self, layout: FrameLayout) -> None:
        self.layout = layout
        found = layout.found
        feeds = [feed.output() for feed in found.plan.feeds]
        given = len(feeds) - sum(
            a.read is not None for rows in found.lists.values() for a in rows.accesses
        )
        #: The places of what is fed; None for lists, elements and what has no place.
        self._here = [
            None if n >= given or n in found.lists else _room_of(value)
            for n, value in enumerate(feeds)
        ]
        self._there: list[Array | None] = list(self._here)
        for n in range(layout.states):
            number = found.results[n]
            if number is None or layout.body.fetches[number] == feeds[n]:
                # A list, or a state that a pass hands on as it is.
                continue
            self._there[n] = _room_of(feeds[n])
        #: What the frame reads of variables: (state, its place).
        self._variables: list[tuple[Any, Array]] = []
        self._words = np.zeros(LOOP_WORDS, np.int64)
        self._sides = [
            Side(self, mine, other)
            for mine, other in ((self._here, self._there), (self._there, self._here))
        ]
        for number, side in enumerate(self._sides):
            side.enter(self._words, number)
        threads = max(side.threads for side in self._sides)
        if threads > 1:
            self._words[LOOP["LOOP_POOL"]] = ThreadPool.shared().address
            threads = min(threads, ThreadPool.shared().threads)
        self._words[LOOP["LOOP_THREADS"]] = threads
        self._side = 0
        self._done = 0
        self._arrays: dict[int, RowArray] = {}
        self._growing = [n for n, rows in found.lists.items() if rows.growth > 0]

    def variable(self, state: Any, value: Value) -> Array:
        """The place of a variable's value."""
        for known, place in self._variables:
            if known is state:
                return place
        room = _room_of(value)
        assert room is not None
        self._variables.append((state, room))
        return room

    def enter(self, values: Sequence[Any], passes: int, pool: ArrayPool) -> None:
        """Takes in what a run is given; lists are to have room for so many passes.

        Raises:
          Misfit: the interpreter must have it.
        """
        layout = self.layout
        for place, value in zip(self._here, values, strict=False):
            if place is not None:
                place[...] = value
        for state, place in self._variables:
            value = state.value
            if value is None or np.shape(value) != place.shape or value.dtype != place.dtype:
                raise Misfit
            place[...] = value
        self._side = self._done = 0
        for n, rows in layout.lists.items():
            self._arrays[n] = RowArray(rows, values[n], n in layout.fresh, passes, pool)
        rules = [a.rules for a in self._arrays.values() if a.rules is not None]
        if len(set(map(id, rules))) != len(rules):
            # An array that is used in two ways.
            raise Misfit
        for side in self._sides:
            side.bind(self._arrays)

    def call(self, most: int) -> tuple[int, bool]:
        """Makes up to so many passes; how many there were, and whether the loop is over."""
        driver = Driver.shared()
        before = self._done
        while True:
            left = most - (self._done - before)
            self._words[LOOP["PASSES_BEFORE"]] = self._done
            status = driver.repeat(self._words.ctypes.data, self._side, self._with_room(left))
            if status == FAILED:
                raise CheckFailed
            passes = int(self._words[LOOP["PASSES"]])
            self._side ^= passes & 1
            self._done += passes
            if status == SHORT:
                self._lengthen(int(self._words[LOOP["SHORT"]]))
            elif status == DONE or self._done - before >= most or not self._growing:
                return self._done - before, status == DONE

    def states(self, wanted: Collection[int]) -> dict[int, Any]:
        """Those of the states as they are now."""
        places = self._there if self._side else self._here
        found: dict[int, Any] = {}
        for n in wanted:
            place = places[n]
            if place is not None:
                found[n] = place.copy()[()]
            else:
                found[n] = self._arrays[n].result(self._done)
        for array in self._arrays.values():
            array.finish()
        return found

    def leave(self) -> None:
        """Lets go of the lists of a run."""
        self._arrays.clear()

    # -- lists that grow ---------------------------------------------------------------------

    def _with_room(self, most: int) -> int:
        """So many passes, or as many as lists that are pushed to have memory for."""
        room = most
        for n in self._growing:
            array, growth = self._arrays[n], self.layout.lists[n].growth
            filled = array.length + self._done * growth
            if array.capacity - filled < growth:
                array.grow(filled + max(_FEWEST_PASSES, self._done) * growth)
                self._bind_again()
            room = min(room, (array.capacity - filled) // growth)
        return room

    def _lengthen(self, number: int) -> None:
        """Makes room for the access that found no row."""
        side = self._sides[self._side]
        n, place = side.access(number)
        array = self._arrays[n]
        if place < array.rows or not array.grow(place + 1):
            raise CheckFailed
        self._bind_again()

    def _bind_again(self) -> None:
        for side in self._sides:
            side.bind(self._arrays)


def _room_of(value: Value) -> Array | None:
    """An array on cache lines of its own for a value; None where its size is not known."""
    shape = static_shape(value)
    dtype = value.dtype.base_dtype.numpy_dtype
    if shape is None or dtype.hasobject:
        return None
    return room_for(shape, dtype)
