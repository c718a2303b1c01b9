"""Gradients of poolings by their images.

Where the windows lie side by side and cover the images, each window writes its own inputs.
Otherwise some rows of an image at a time are summed up in memory of the thread, the last window
first: so the parts of an input are added in the order of the taps, as NumPy's kernels do it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_writer import (
    BEGIN,
    END,
    SCRATCH,
    Cursor,
    Index,
    KernelWriter,
    for_channels,
)
from workbench.core.codegen.emitter import Register, element_type
from workbench.core.codegen.functions import emit_function
from workbench.core.codegen.pooling_windows import (
    MOST_TAPS,
    Reach,
    axes,
    mean_divisor,
    over_window,
    reach,
)
from workbench.core.codegen.specs import Argument, Code, PoolingSpec
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Vectors of channels that are worked on together.
_VECTORS = 4

#: Bytes of sums that a thread works on at a time, if that is one vector at least.
_SCRATCH = 1 << 17

#: An input of a window, by its row and column, gets the values.
Give = Callable[[Index, Index, list[Register]], None]


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
        #: The operand with the gradient of the result.
        self.gradient = 2 if spec.kind == "max_gradient" else 0
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

                    _Window(self, image_start, row, column, rows, columns, channel, masks).emit(
                        give
                    )

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

    # -- any windows -------------------------------------------------------------------------

    def _summed(self) -> tuple[Code, tuple[Argument, ...], int]:
        """Units are the blocks of channels of an image."""
        writer, spec = self.writer, self.spec
        ring = _Ring(self)
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
        self, start: Cursor, flags: Cursor, ring: _Ring, row: Index, first: Index
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

    def _accumulate(self, start: Cursor, ring: _Ring, row: Index, first: Index) -> None:
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
                _Window(self, start, row, column, rows, columns, step, masks).emit(give)


class _Ring:
    """Sums of as many rows of an image as a window has, for a block of channels.

    A row's place is its number modulo a power of two.
    """

    def __init__(self, gradient: _Gradient) -> None:
        self.writer = gradient.writer
        self.dtype, self.lanes = gradient.wide, gradient.lanes
        self.places = 1 << (gradient.rows.taps - 1).bit_length()
        width = gradient.spec.image[1]
        vector = self.lanes * ITEM_BYTES[self.dtype]
        most = max(1, _SCRATCH // (self.places * width * vector))
        self.vectors = min(-(-gradient.spec.channels // self.lanes), most)
        self.block = self.vectors * self.lanes
        self.elements = width * self.block
        self.bytes = self.places * width * self.vectors * vector

    def clear(self) -> None:
        """Zeros everywhere."""
        writer = self.writer
        zero = writer.constant(element_type(self.dtype), 0.0, self.lanes)
        with writer.counted(0, self.places * self.elements // self.lanes) as i:
            at = writer.element(SCRATCH, self.dtype, writer.times(i, self.lanes))
            writer.store_element(zero, at, self.dtype, self.lanes)

    def row(self, row: Index) -> Register:
        """Where the sums of a row are."""
        place = self.writer.binary(
            "and", self.writer.index(row), self.writer.index(self.places - 1)
        )
        return self.writer.element(SCRATCH, self.dtype, self.writer.times(place, self.elements))

    def offset(self, column: Index, channel: Index) -> Index:
        """Elements from there to a column and channel."""
        return self.writer.add(self.writer.times(column, self.block), channel)


class _Window:
    """One window, for some vectors of channels: what each of its inputs gets of its gradient."""

    def __init__(
        self,
        gradient: _Gradient,
        start: Cursor,
        row: Index,
        column: Index,
        rows: Reach,
        columns: Reach,
        channel: Index,
        masks: Sequence[Register | None],
    ) -> None:
        self.writer, self.spec = gradient.writer, gradient.spec
        self.wide, self.lanes, self.masks = gradient.wide, gradient.lanes, masks
        self.rows, self.columns = rows, columns
        self.is_max = self.spec.kind == "max_gradient"
        self.images = self.writer.moved({0: start[0]}, self.spec.operands, (0, 0, 0, channel))[0]
        operands = {gradient.gradient} | ({1} if self.is_max else set())
        result = {number: start[number] for number in operands}
        there = self.writer.moved(result, self.spec.operands, (0, row, column, channel))
        self.values = self._load(there[gradient.gradient])
        #: The lanes in which the maximum has not been met.
        self.pending: list[Register] = []
        if self.is_max:
            self.maxima = self._load(there[1])
            self.pending = [self.writer.constant("i1", True, self.lanes) for _ in masks]
        else:
            divisor = mean_divisor(self.writer, rows, columns, self.wide)
            count = self.writer.splat(divisor, self.lanes)
            self.values = [self.writer.binary("fdiv", value, count) for value in self.values]

    def emit(self, give: Give) -> None:
        """Gives the inputs their parts, tap by tap, row by row."""
        axes_of = (self.rows.axis, self.columns.axis)
        if axes_of[0].taps * axes_of[1].taps > MOST_TAPS:
            self._looped(give)
        elif all(axis.inside for axis in axes_of):
            self._written_out(give)
        else:
            whole = self.writer.binary(
                "and", self.rows.is_whole(self.writer), self.columns.is_whole(self.writer)
            )
            with self.writer.conditional(whole):
                self._written_out(give)
            yes = self.writer.constant("i1", True)
            with self.writer.conditional(self.writer.binary("xor", whole, yes)):
                self._looped(give)

    def _written_out(self, give: Give) -> None:
        """All taps, which lie on the image."""
        writer = self.writer
        pending = self.pending
        for row in range(self.rows.axis.taps):
            for column in range(self.columns.axis.taps):
                at_row = writer.add(self.rows.start, row)
                at_column = writer.add(self.columns.start, column)
                values, pending = self._shares(at_row, at_column, pending)
                give(at_row, at_column, values)

    def _looped(self, give: Give) -> None:
        """The taps that lie on the image."""

        def tap(row: Index, column: Index, pending: list[Register]) -> list[Register]:
            values, pending = self._shares(row, column, pending)
            give(row, column, values)
            return pending

        over_window(self.writer, self.rows, self.columns, self.pending, tap)

    def _shares(
        self, row: Index, column: Index, pending: list[Register]
    ) -> tuple[list[Register], list[Register]]:
        """What an input gets, and in which lanes the maximum has not been met yet after it."""
        if not self.is_max:
            return self.values, pending
        writer, dtype = self.writer, self.spec.dtype
        place = writer.moved({0: self.images}, self.spec.operands, (0, row, column, 0))[0]
        zero = writer.constant(element_type(self.wide), 0.0, self.lanes)
        values, waiting = [], []
        inputs = self._load(place)
        for value, maximum, share, left in zip(
            inputs, self.maxima, self.values, pending, strict=True
        ):
            if "int" in dtype:
                first = writer.compare("eq", value, maximum)
            else:
                # The maximum of a window with a NaN is NaN, and the first NaN is its place.
                equal = writer.compare("oeq", value, maximum)
                first = writer.binary("or", equal, writer.compare("uno", value, value))
            first = writer.binary("and", first, left)
            waiting.append(writer.binary("xor", left, first))
            values.append(writer.select(first, share, zero))
        return values, waiting

    def _load(self, place: Register) -> list[Register]:
        writer, dtype = self.writer, self.spec.dtype
        return [
            writer.load_element(
                writer.element(place, dtype, v * self.lanes), dtype, self.lanes, mask
            )
            for v, mask in enumerate(self.masks)
        ]
