"""Gradients of poolings by their images.

Where the windows lie side by side and cover the images, each window writes its own inputs.
Otherwise some rows of an image at a time are summed up in memory of the thread, the last window
first: so the parts of an input are added in the order of the taps, as NumPy's kernels do it.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_writer import (
    BEGIN,
    END,
    Cursor,
    Index,
    KernelWriter,
    for_channels,
)
from workbench.core.codegen.emitter import Register, element_type
from workbench.core.codegen.functions import emit_function
from workbench.core.codegen.pooling_ring import Ring
from workbench.core.codegen.pooling_shares import WindowShares
from workbench.core.codegen.pooling_windows import (
    MOST_TAPS,
    Reach,
    axes,
    reach,
)
from workbench.core.codegen.specs import Argument, Code, PoolingSpec
from workbench.core.codegen.target import Target

#: Vectors of channels that are worked on together.
_VECTORS = 4


def gradient_code(spec: PoolingSpec, target: Target) -> tuple[Code, tuple[Argument, ...], int]:
    """The kernel, and how many units it has for each image."""
    return _Gradient(spec, target).code()


class _Gradient:
    def __init__(self, spec: PoolingSpec, target: Target) -> None:
        self.spec = spec
        self.writer = KernelWriter(target)
        self.rows, self.columns = axes(spec)
        self.lanes = target.lanes(spec.dtype)
        #: Sums of a half precision dtype are kept in float32.
        self.wide = "float32" if spec.dtype in ("float16", "bfloat16") else spec.dtype
        self.result = 3 if spec.kind == "max_gradient" else 1
        self.epilogue = Epilogue(spec.steps, spec.stores, spec.operands, spec.dtype, self.result)

    def code(self) -> tuple[Code, tuple[Argument, ...], int]:
        covered = all(
            axis.taps == axis.stride
            and axis.before >= 0
            and axis.output * axis.stride - axis.before >= axis.size
            for axis in (self.rows, self.columns)
        )
        few = self.spec.window[0] * self.spec.window[1] <= MOST_TAPS
        return self._direct() if covered and few else self._summed()

    # -- windows side by side ----------------------------------------------------------------

    def _direct(self) -> tuple[Code, tuple[Argument, ...], int]:
        writer, spec = self.writer, self.spec
        start = writer.operands(self.epilogue.used | set(range(self.result)))
        with writer.counted(BEGIN, END) as unit:
            image, row = writer.divided(unit, spec.result[0])
            rows = reach(writer, self.rows, row)
            image_start = writer.moved(start, spec.operands, (image, 0, 0, 0))
            with writer.counted(0, spec.result[1]) as column:
                columns = reach(writer, self.columns, column)

                def channels(channel: Index, masks: Sequence[Register | None]) -> None:
                    def give(at_row: Index, at_column: Index, values: list[Register]) -> None:
                        place = {n: image_start[n] for n in self.epilogue.used}
                        place = writer.moved(place, spec.operands, (0, at_row, at_column, channel))
                        self._finish(place, start, channel, values, masks)

                    here = writer.moved(image_start, spec.operands, (0, 0, 0, channel))
                    self._shares(here, row, column, (rows, columns), masks).emit(give)

                for_channels(writer, spec.channels, self.lanes, _VECTORS, channels)
        return writer.code(f"pool_{spec.kind}"), tuple(writer.arguments), spec.result[0]

    def _finish(
        self,
        place: Cursor,
        flags: Cursor,
        channel: Index,
        values: list[Register],
        masks: Sequence[Register | None],
    ) -> None:
        """The steps after the gradient, and their stores."""
        writer, spec = self.writer, self.spec
        for v, (value, mask) in enumerate(zip(values, masks, strict=True)):
            here = writer.moved(place, spec.operands, (0, 0, 0, v * self.lanes))
            if self.wide != spec.dtype:
                value = emit_function(writer, "cast", spec.dtype, [value], [self.wide], self.lanes)
            first = writer.add(channel, v * self.lanes)
            self.epilogue.emit(writer, here, first, value, self.lanes, mask, flags)

    def _shares(
        self,
        start: Cursor,
        row: Index,
        column: Index,
        reaches: tuple[Reach, Reach],
        masks: Sequence[Register | None],
    ) -> WindowShares:
        """The window of an output; `start` is at the first of its image and channels."""
        numbers = (1, 2) if self.spec.kind == "max_gradient" else (0,)
        results = {number: start[number] for number in numbers}
        there = self.writer.moved(results, self.spec.operands, (0, row, column, 0))
        return WindowShares(
            self.writer,
            self.spec,
            self.wide,
            self.lanes,
            reaches,
            start[0],
            [there[number] for number in numbers],
            masks,
        )

    # -- any windows -------------------------------------------------------------------------

    def _summed(self) -> tuple[Code, tuple[Argument, ...], int]:
        """Units are the blocks of channels of an image."""
        writer, spec = self.writer, self.spec
        width, channels = spec.image[1], spec.channels
        ring = Ring(writer, self.rows.taps, width, channels, self.wide, self.lanes)
        blocks = -(-spec.channels // ring.block)
        start = writer.operands(self.epilogue.used | set(range(self.result)))
        with writer.counted(BEGIN, END) as unit:
            image, number = writer.divided(unit, blocks)
            first = writer.times(number, ring.block)
            here = writer.moved(start, spec.operands, (image, 0, 0, first))
            ring.clear()

            def row_of_windows(i: Register, finished: list[Register]) -> list[Register]:
                row = writer.subtract(spec.result[0] - 1, i)
                self._accumulate(here, ring, row, first)
                # The rows from the end of the next windows on are complete.
                rows = reach(writer, self.rows, row)
                end = writer.add(rows.start, self.rows.taps - self.rows.stride)
                is_last = writer.compare("eq", writer.index(row), writer.index(0))
                end = writer.select(is_last, writer.index(0), writer.index(end))
                end = writer.at_most(writer.at_least(end, 0), finished[0])
                with writer.counted(0, writer.subtract(finished[0], end)) as j:
                    done = writer.subtract(writer.subtract(finished[0], 1), j)
                    self._finish_row(here, start, ring, done, first)
                return [writer.index(end)]

            # What no window reaches gets zeros.
            height = spec.image[0]
            reached = min(height, self.rows.span - self.rows.before)
            if reached < height:
                with writer.counted(reached, height) as row:
                    self._finish_row(here, start, ring, row, first)
            writer.folded(0, spec.result[0], [writer.index(reached)], row_of_windows)
        return writer.code(f"pool_{spec.kind}", ring.bytes), tuple(writer.arguments), blocks

    def _finish_row(
        self, start: Cursor, flags: Cursor, ring: Ring, row: Index, first: Index
    ) -> None:
        """Takes a row of sums, and leaves zeros for the next one in its place."""
        writer, spec = self.writer, self.spec
        zero = writer.constant(element_type(self.wide), 0.0, self.lanes)
        with writer.counted(0, spec.image[1]) as column, writer.counted(0, ring.vectors) as v:
            step = writer.times(v, self.lanes)
            at = writer.element(ring.row(row), self.wide, ring.offset(column, step))
            value = writer.load_element(at, self.wide, self.lanes)
            writer.store_element(zero, at, self.wide, self.lanes)
            place = {n: start[n] for n in self.epilogue.used}
            place = writer.moved(place, spec.operands, (0, row, column, step))
            channel = writer.add(first, step)
            self._finish(place, flags, channel, [value], [self._mask(channel)])

    def _mask(self, channel: Index) -> Register | None:
        """Which lanes from a channel on there are."""
        if self.spec.channels % self.lanes == 0:
            return None
        writer = self.writer
        lanes = writer.constants("i64", range(self.lanes))
        numbers = writer.binary("add", writer.splat(writer.index(channel), self.lanes), lanes)
        return writer.compare(
            "slt", numbers, writer.constant("i64", self.spec.channels, self.lanes)
        )

    def _accumulate(self, start: Cursor, ring: Ring, row: Index, first: Index) -> None:
        """Adds a row of windows to the sums, the last window first."""
        writer, spec = self.writer, self.spec
        rows = reach(writer, self.rows, row)
        with writer.counted(0, spec.result[1]) as j:
            column = writer.subtract(spec.result[1] - 1, j)
            columns = reach(writer, self.columns, column)
            with writer.counted(0, ring.vectors) as v:
                step = writer.times(v, self.lanes)

                def give(at_row: Index, at_column: Index, values: list[Register]) -> None:
                    place = writer.element(
                        ring.row(at_row), self.wide, ring.offset(at_column, step)
                    )
                    before = writer.load_element(place, self.wide, self.lanes)
                    after = writer.binary("fadd", before, values[0])
                    writer.store_element(after, place, self.wide, self.lanes)

                masks = [self._mask(writer.add(first, step))]
                here = writer.moved(start, spec.operands, (0, 0, 0, step))
                self._shares(here, row, column, (rows, columns), masks).emit(give)
