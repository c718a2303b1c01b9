"""Reductions over the rows of a block, in registers or a thread's own memory until it is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.core.codegen.emitter import Register, memory_type
from workbench.core.codegen.loop_access import first_lanes
from workbench.core.codegen.loop_frame import CountedLoop, Frame, integer, minus
from workbench.core.codegen.loop_reductions import Reduction, stripe_vectors
from workbench.core.codegen.specs import LoopSpec, Partial
from workbench.core.codegen.target import ITEM_BYTES

#: So many vectors are gone through without a loop.
_UNROLLED_VECTORS = 4


class PartialReductions:
    """The parts of reductions that a block of rows leaves.

    Parts over everything are the slots of a reduction along lines, those over rows have as many
    elements as a line has, rounded up to whole vectors. `hold` keeps them in registers, for short
    lines: the loop over the rows carries what `held` gives.
    """

    def __init__(self, frame: Frame, spec: LoopSpec, lanes: int) -> None:
        self._emitter = frame.emitter
        self._spec = spec
        self._lanes = lanes
        self._columns = spec.shape[-1]
        self._frame = frame
        self._places: dict[Partial, Register] = {}
        self._registers: dict[tuple[Partial, int], Register] | None = None

    @property
    def vectors(self) -> int:
        """How many vectors all parts take together."""
        return sum(map(self._vectors, self._spec.partials))

    def allocate(self, in_registers: bool) -> None:
        """Decides where the parts are."""
        if in_registers:
            self._registers = {}
            return
        for partial in self._spec.partials:
            item = ITEM_BYTES[self.reduction(partial).dtype]
            size = item * self._lanes * self._vectors(partial)
            self._places[partial] = self._frame.scratch(size)

    def held(self) -> list[Register]:
        """The registers with the parts so far; none if they are in memory."""
        return list((self._registers or {}).values())

    def hold(self, registers: Sequence[Register]) -> None:
        """From here on the parts are in these registers."""
        if self._registers is not None:
            self._registers = dict(zip(self._registers, registers, strict=True))

    def reduction(self, partial: Partial) -> Reduction:
        """What a partial does."""
        return Reduction(partial.function, self._spec.operands[partial.operand].dtype)

    def reset(self) -> None:
        """Starts a block."""
        for partial in self._spec.partials:
            start = self.reduction(partial).start(self._emitter, self._lanes)
            for index in self._vector_loop(partial):
                self._store(partial, index, start)

    def add(self, partial: Partial, slots: Sequence[Register | None]) -> None:
        """Adds the slots of a line to a part over everything."""
        for number, value in enumerate(slots):
            if value is not None:
                self._combine(partial, number * self._lanes, value)

    def add_columns(
        self, partial: Partial, value: Register, dtype: str, index: Register | int
    ) -> None:
        """Adds a vector of a line, which starts at an index, to a part over rows."""
        cast = self.reduction(partial).cast(self._emitter, value, dtype, self._lanes)
        self._combine(partial, index, cast)

    def flush(self, block: Register, pointers: Sequence[Register]) -> None:
        """Stores the parts of a block to where they belong."""
        emitter = self._emitter
        for partial in self._spec.partials:
            dtype = self._spec.operands[partial.operand].dtype
            kind = memory_type(dtype)
            pointer = pointers[partial.operand]
            reduction = self.reduction(partial)
            if partial.over == "all":
                slots = [
                    self._load(partial, number * self._lanes)
                    for number in range(self._vectors(partial))
                ]
                value = reduction.finish(emitter, slots, self._lanes)
                emitter.store_element(value, emitter.offset(pointer, kind, block), dtype, 1)
                continue
            row = emitter.binary("mul", block, integer(self._columns))
            pointer = emitter.offset(pointer, kind, row)
            for index in self._vector_loop(partial):
                value = reduction.rounded(emitter, self._load(partial, index), self._lanes)
                rest = minus(emitter, self._columns, index)
                mask = first_lanes(emitter, rest, self._lanes)
                where = emitter.offset(pointer, kind, index)
                emitter.store_element(value, where, dtype, self._lanes, mask)

    def _vector_loop(self, partial: Partial) -> Iterator[Register | int]:
        """The index of each vector of a part: what is done with it is emitted once for all."""
        count = self._vectors(partial)
        if count <= _UNROLLED_VECTORS or self._registers is not None:
            yield from range(0, count * self._lanes, self._lanes)
            return
        loop = CountedLoop(self._emitter, 0, count * self._lanes, self._lanes)
        with loop.body() as index:
            yield index

    def _combine(self, partial: Partial, index: Register | int, value: Register) -> None:
        before = self._load(partial, index)
        reduction = self.reduction(partial)
        after = reduction.combine(self._emitter, before, value, self._lanes)
        self._store(partial, index, after)

    def _load(self, partial: Partial, index: Register | int) -> Register:
        if self._registers is not None:
            assert isinstance(index, int)
            return self._registers[partial, index]
        dtype = self.reduction(partial).dtype
        return self._emitter.load_element(self._where(partial, index), dtype, self._lanes)

    def _store(self, partial: Partial, index: Register | int, value: Register) -> None:
        if self._registers is not None:
            assert isinstance(index, int)
            self._registers[partial, index] = value
            return
        dtype = self.reduction(partial).dtype
        self._emitter.store_element(value, self._where(partial, index), dtype, self._lanes)

    def _where(self, partial: Partial, index: Register | int) -> Register:
        kind = memory_type(self.reduction(partial).dtype)
        return self._emitter.offset(self._places[partial], kind, index)

    def _vectors(self, partial: Partial) -> int:
        if partial.over == "all":
            return stripe_vectors(self._lanes)
        return -(-self._columns // self._lanes)
