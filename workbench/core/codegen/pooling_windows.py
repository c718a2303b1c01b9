"""The windows of a pooling where they stand: their rows and columns, and what of them is real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.core.codegen.convolution_writer import Body, Index, KernelWriter
from workbench.core.codegen.emitter import Register, element_type
from workbench.core.codegen.specs import PoolingSpec
from workbench.core.kernels.windows import Axis

#: Windows of at most so many taps are written out; larger ones are loops.
MOST_TAPS = 16


def axes(spec: PoolingSpec) -> tuple[Axis, Axis]:
    """The windows along the rows and along the columns.

    >>> axes(
    ...     PoolingSpec(
    ...         "max", 1, (5, 5), 1, (3, 3), (2, 2), ((1, 1), (1, 1)), (3, 3), "float32", ()
    ...     )
    ... )[0].inside
    False
    """
    along = zip(spec.image, spec.window, spec.strides, spec.padding, spec.result, strict=True)
    return tuple(  # type: ignore[return-value]
        Axis(size, taps, stride, 1, before, output)
        for size, taps, stride, (before, _), output in along
    )


@dataclass(frozen=True)
class Reach:
    """A window along one axis: its first and last real input, and where its taps begin."""

    axis: Axis
    #: Where tap 0 is, possibly in the padding.
    start: Index
    #: The first real input, and the one after the last.
    first: Index
    stop: Index

    def tap(self, writer: KernelWriter, tap: int) -> tuple[Index, Register | None]:
        """The input of a tap, and whether it is real (None if it always is).

        A tap in the padding gives the nearest real input of the window instead.
        """
        at = writer.add(self.start, tap)
        if self.axis.inside:
            return at, None
        last = writer.add(self.stop, -1)
        real = writer.at_least(writer.at_most(at, last), self.first)
        return real, writer.compare("eq", writer.index(real), writer.index(at))

    def is_whole(self, writer: KernelWriter) -> Register:
        """Whether all of its inputs are real."""
        starts = writer.compare("eq", writer.index(self.start), writer.index(self.first))
        length = writer.index(writer.subtract(self.stop, self.first))
        ends = writer.compare("eq", length, writer.index(self.axis.taps))
        return writer.binary("and", starts, ends)

    def count(self, writer: KernelWriter) -> Index:
        """How many of its inputs are real."""
        if self.axis.inside:
            return self.axis.taps
        return writer.subtract(self.stop, self.first)


def reach(writer: KernelWriter, axis: Axis, output: Index) -> Reach:
    """The window of one output."""
    start = writer.add(writer.times(output, axis.stride), -axis.before)
    stop = writer.add(start, axis.taps)
    if axis.inside:
        return Reach(axis, start, start, stop)
    return Reach(axis, start, writer.at_least(start, 0), writer.at_most(stop, axis.size))


def mean_divisor(writer: KernelWriter, rows: Reach, columns: Reach, dtype: str) -> Register:
    """The count of the real inputs of a window, as a number of that dtype."""
    height, width = rows.count(writer), columns.count(writer)
    element = element_type(dtype)
    if isinstance(height, int) and isinstance(width, int):
        return writer.constant(element, height * width)
    product = writer.binary("mul", writer.index(height), writer.index(width))
    return writer.convert("sitofp", product, element)


def over_window(
    writer: KernelWriter,
    rows: Reach,
    columns: Reach,
    starts: list[Register],
    body: Callable[[Index, Index, list[Register]], list[Register]],
) -> list[Register]:
    """Loops over the real inputs of a window, in order, and carries values along."""

    def in_row(row: Register, carried: list[Register]) -> list[Register]:
        def at(column: Register, inner: list[Register]) -> list[Register]:
            return body(row, column, inner)

        step: Body = at
        return writer.folded(columns.first, columns.stop, carried, step)

    return writer.folded(rows.first, rows.stop, starts, in_row)
