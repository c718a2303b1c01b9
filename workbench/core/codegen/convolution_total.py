"""The second kernel of a gradient by a filter: adds up groups of images, then come the steps."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_writer import BEGIN, END, Index, KernelWriter, for_vectors
from workbench.core.codegen.emitter import Register
from workbench.core.codegen.specs import Argument, Call
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Elements that a chunk of work adds up at least.
_CHUNK = 1 << 14


@dataclass(frozen=True)
class GroupSums:
    """The sums of groups of images, in the work space: [group][block of filters][row][filter].

    A row is a tap of the window and a channel.
    """

    #: Columns of the window, and channels.
    columns: int
    depth: int
    rows: int
    filters: int
    #: Filters of a block, whole vectors.
    width: int
    dtype: str

    @property
    def blocks(self) -> int:
        """How many blocks of filters there are."""
        return -(-self.filters // self.width)

    @property
    def elements(self) -> int:
        """Of a group."""
        return self.blocks * self.rows * self.width

    def bytes(self, groups: int) -> int:
        """Of so many groups."""
        return groups * self.elements * ITEM_BYTES[self.dtype]


def total_call(sums: GroupSums, epilogue: Epilogue, target: Target, groups: int) -> Call:
    """The call; its units are the rows of the filter."""
    return _Total(sums, epilogue, target).call(groups)


class _Total:
    def __init__(self, sums: GroupSums, epilogue: Epilogue, target: Target) -> None:
        self.sums, self.epilogue = sums, epilogue
        self.lanes = target.lanes(sums.dtype)
        self.writer = KernelWriter(target)

    def call(self, groups: int) -> Call:
        writer, sums = self.writer, self.sums
        source = writer.address(Argument("workspace", 0))
        results = writer.operands(self.epilogue.used)
        count = writer.integer(groups)
        with writer.counted(BEGIN, END) as row:
            tap, channel = writer.divided(row, sums.depth)
            row_tap, column_tap = writer.divided(tap, sums.columns)
            place = (row_tap, column_tap, channel, 0)
            here = writer.moved(results, self.epilogue.operands, place)
            full, rest = divmod(sums.filters, sums.width)

            def block(number: Index, filters: int) -> None:
                start = writer.times(number, sums.rows * sums.width)
                start = writer.add(start, writer.times(row, sums.width))
                first = writer.times(number, sums.width)

                def vector(at: Index, mask: Register | None) -> None:
                    part = writer.element(source, sums.dtype, writer.add(start, at))
                    channels = writer.add(first, at)
                    there = writer.moved(here, self.epilogue.operands, (0, 0, 0, channels))
                    value = self._sum(part, count)
                    self.epilogue.emit(writer, there, channels, value, self.lanes, mask, results)

                for_vectors(writer, filters, self.lanes, vector)

            if full:
                with writer.counted(0, full) as number:
                    block(number, sums.width)
            if rest:
                block(full, rest)
        chunk = max(1, _CHUNK // sums.filters)
        return Call(writer.code("filter_total"), tuple(writer.arguments), sums.rows, chunk)

    def _sum(self, part: Register, count: Register) -> Register:
        """The parts of all groups, the first one first."""
        writer, sums = self.writer, self.sums
        start = writer.load_element(part, sums.dtype, self.lanes)

        def add(group: Register, carried: list[Register]) -> list[Register]:
            at = writer.element(part, sums.dtype, writer.times(group, sums.elements))
            value = writer.load_element(at, sums.dtype, self.lanes)
            return [writer.binary("fadd", carried[0], value)]

        return writer.folded(1, count, [start], add)[0]
