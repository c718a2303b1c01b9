"""One side of a loop: tables that read the values at one set of places and write to another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.codegen.repeat_text import SIDE, SIDE_WORDS
from workbench.core.codegen.row_text import ACCESS, ACCESS_WORDS
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import CONSTANT, FEED, Value
from workbench.core.runtime.loops.memory import Array, copy_of, room_for
from workbench.core.runtime.loops.parts import Part
from workbench.core.runtime.loops.row_array import RowArray

if TYPE_CHECKING:
    from workbench.core.runtime.loops.frame import Frame


class _Row(NamedTuple):
    """A place that each pass has elsewhere: that of an access."""

    number: int


class _Copy(NamedTuple):
    to: Array | _Row
    source: Array | _Row
    size: int


class Side:
    """One side, bound to memory.

    Args:
      mine: the places of the fed values.
      other: the places of the next states.
    """

    def __init__(
        self, frame: Frame, mine: Sequence[Array | None], other: Sequence[Array | None]
    ) -> None:
        layout = frame.layout
        self._frame = frame
        self._mine = mine
        self._kept: list[Any] = []
        #: On how many threads its tables run.
        self.threads = 1
        self._accesses = [a for rows in layout.lists.values() for a in rows.accesses]
        #: For each access the words that hold the address of its row, and what is added to it.
        self._patches: list[list[tuple[int, int]]] = [[] for _ in self._accesses]
        #: By the number of a fed value or a result: its row.
        self._reads = {a.read: _Row(n) for n, a in enumerate(self._accesses) if a.read is not None}
        self._goes_on = room_for((), np.dtype(np.bool_))
        self._condition = self._tables(layout.condition, [self._goes_on])
        if self._condition is None:
            raise Unsupported("its condition computes nothing")
        # The places first: the addresses of rows depend on them.
        self._indices = self._index_places(layout.indices)
        destinations, late = self._destinations(other)
        self._copies: list[_Copy] = []
        self._body = self._tables(layout.body, destinations, self._copies)
        if self._body is None:
            raise Unsupported("its body computes nothing")
        self._copies += late
        self._listed = self._list_copies()
        self._words = self._describe()

    # -- what a pass does --------------------------------------------------------------------

    def _index_places(self, part: Part | None) -> dict[Value, Array]:
        """Where the numbers are that tell where elements are; they are computed before a pass."""
        found: dict[Value, Array] = {}
        computed: dict[Value, Array] = {}
        plan = self._frame.layout.found.indices
        if part is not None:
            assert plan is not None
            places = [room_for((), np.dtype(np.int32)) for _ in plan.fetches]
            computed = dict(zip(plan.fetches, places, strict=True))
            self._index_table = self._tables(part, places)
        else:
            self._index_table = None
        for access in self._accesses:
            index = access.place.number
            if index is None or index in found:
                continue
            if index in computed:
                found[index] = computed[index]
            elif index.node.type == CONSTANT:
                found[index] = copy_of(np.asarray(index.node.constant, np.int32))
            else:
                place = self._mine[int(index.node.attrs["index"])]
                assert place is not None
                found[index] = place
        return found

    def _destinations(
        self, other: Sequence[Array | None]
    ) -> tuple[list[Array | _Row], list[_Copy]]:
        """Where each result of the body goes, and what is copied after all else."""
        layout = self._frame.layout
        found: dict[int, Array | _Row] = {}
        for state, number in enumerate(layout.found.results):
            if number is not None:
                place = other[state]
                assert place is not None
                found[number] = place
        late: list[_Copy] = []
        for number, access in enumerate(self._accesses):
            if access.written is None:
                continue
            row = _Row(number)
            found[access.written] = row
            if access.read is not None:
                # It is written where it is read: not before everybody has read it.
                rows = layout.lists[access.feed]
                beside = room_for(rows.shape, rows.dtype.numpy_dtype)
                found[access.written] = beside
                late.append(_Copy(row, beside, beside.nbytes))
        return [found[n] for n in range(len(found))], late

    def _tables(
        self,
        part: Part,
        destinations: Sequence[Array | _Row],
        copies: list[_Copy] | None = None,
    ) -> int | None:
        """The address of the table of a part, from the values to these places; what it does not
        compute is to be copied. None where it computes nothing."""
        places: dict[Value, Array | _Row] = {}
        listed = [] if copies is None else copies
        for value, place in zip(part.fetches, destinations, strict=True):
            if value.node.type == FEED:
                source = self._fed(value)
            elif value.node.type == CONSTANT:
                source = copy_of(np.asarray(value.node.constant))
            elif value in places:
                source = places[value]
            else:
                places[value] = place
                continue
            if source is not place:
                listed.append(_Copy(place, source, _bytes_of(value)))
        if part.region is None or (copies is None and listed):
            return None
        region = part.region
        instance = region.take()
        self._kept.append(instance)
        self.threads = max(self.threads, instance.threads)
        words = instance.table.arguments
        for argument, patches in zip(region.program.arguments, instance.patches, strict=True):
            where: Array | _Row
            if argument.kind == "value":
                where = self._fed(argument.value)
            elif argument.kind == "variable":
                state = region.state_of(argument.value.node)
                where = self._frame.variable(state, argument.value)
            else:
                where = places[argument.value]
            for patch in patches:
                if isinstance(where, _Row):
                    word = words.ctypes.data + 8 * patch.position
                    self._patches[where.number].append((word, patch.offset))
                else:
                    words[patch.position] = where.ctypes.data + patch.offset
        return instance.table.address

    def _fed(self, value: Value) -> Array | _Row:
        number = int(value.node.attrs["index"])
        row = self._reads.get(number)
        if row is not None:
            return row
        place = self._mine[number]
        if place is None:
            raise Unsupported("it sees values in ways that are not compiled")
        return place

    # -- for the driver ----------------------------------------------------------------------

    def _list_copies(self) -> Array:
        listed = np.zeros((len(self._copies), 3), np.int64)
        for row, copy in zip(listed, self._copies, strict=True):
            for column, where in enumerate((copy.to, copy.source)):
                if isinstance(where, _Row):
                    self._patches[where.number].append((row.ctypes.data + 8 * column, 0))
                else:
                    row[column] = where.ctypes.data
                    self._kept.append(where)
            row[2] = copy.size
        return listed

    def _describe(self) -> Array:
        """The accesses in words, but for what belongs to one run."""
        words = np.zeros((len(self._accesses), ACCESS_WORDS), np.int64)
        first_of: dict[int, int] = {}
        for number, access in enumerate(self._accesses):
            first = first_of.setdefault(access.feed, number)
            index = access.place.number
            row = words[number]
            row[ACCESS["INDEX"]] = 0 if index is None else self._indices[index].ctypes.data
            row[ACCESS["STEP"]] = access.place.step
            rows = self._frame.layout.lists[access.feed]
            row[ACCESS["RIVALS"]] = number - first if rows.is_written else 0
            patches = np.array(self._patches[number] or [(0, 0)], np.int64)
            self._kept.append(patches)
            row[ACCESS["PATCHES"]] = patches.ctypes.data
            row[ACCESS["PATCHES_OF_IT"]] = len(self._patches[number])
        return words

    def enter(self, loop: Array, number: int) -> None:
        """Writes the side to the words of the loop."""
        words = loop[number * SIDE_WORDS :]
        words[SIDE["CONDITION"]] = self._condition
        words[SIDE["GOES_ON"]] = self._goes_on.ctypes.data
        words[SIDE["PASS"]] = self._body
        words[SIDE["COPIES"]] = self._listed.ctypes.data
        words[SIDE["COPY_COUNT"]] = len(self._listed)
        words[SIDE["INDICES"]] = self._index_table or 0
        words[SIDE["ACCESSES"]] = self._words.ctypes.data
        words[SIDE["ACCESS_COUNT"]] = len(self._words)

    def bind(self, arrays: Mapping[int, RowArray]) -> None:
        """Enters where the lists of a run are."""
        for row, access in zip(self._words, self._accesses, strict=True):
            array = arrays[access.feed]
            place = access.place
            row[ACCESS["START"]] = place.start + (array.length if place.number is None else 0)
            row[ACCESS["COUNT"]] = array.rows
            row[ACCESS["BASE"]] = array.array.ctypes.data
            row[ACCESS["ROW"]] = array.row_bytes
            forbidden, kept, given = array.marks_of(access)
            row[ACCESS["MARKS"]] = 0 if array.marks is None else array.marks.ctypes.data
            row[ACCESS["FORBIDDEN"]] = forbidden
            row[ACCESS["KEEP"]] = kept
            row[ACCESS["SET"]] = given

    def access(self, number: int) -> tuple[int, int]:
        """The list of an access, and the place that it asked for."""
        return self._accesses[number].feed, int(self._words[number][ACCESS["PLACE"]])


def _bytes_of(value: Value) -> int:
    shape = value.entries
    assert shape is not None
    size = value.dtype.base_dtype.size
    for entry in shape:
        assert isinstance(entry, int)
        size *= entry
    return size
