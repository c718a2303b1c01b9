"""Gradients of poolings by their images.

Where the windows lie side by side and cover the images, each window writes its own inputs.
Otherwise each image is summed up in memory of the thread, the last window first: so the parts of an
input are added in the order of the taps, as NumPy's kernels do it.
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
from workbench.core.codegen.specs import Argument, Code, Operand, PoolingSpec
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Vectors of channels that are worked on together.
_VECTORS = 4

#: Bytes of the sums of an image that a thread works on at a time, if that is one vector at least.
_SCRATCH = 1 << 18

#: An input of a window gets the value; `real` is false where it lies in the padding.
Give = Callable[[Index, Index, Register | None, list[Register]], None]


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
                    def give(
                        at_row: Index,
                        at_column: Index,
                        real: Register | None,
                        values: list[Register],
                    ) -> None:
                        place = {n: image_start[n] for n in self.epilogue.used}
                        place = writer.moved(place, spec.operands, (0, at_row, at_column, channel))
                        here = [m if real is None else self._both(m, real) for m in masks]
                        self._finish(place, start, channel, values, here)

                    window = _Window(self, image_start, row, column, rows, columns, channel, masks)
                    window.written_out(give)

                for_channels(writer, spec.channels, self.lanes, _VECTORS, channels)
        return writer.code(f"pool_{spec.kind}"), tuple(writer.arguments), spec.result[0]

    def _both(self, mask: Register | None, real: Register) -> Register:
        everywhere = self.writer.splat(real, self.lanes)
        return everywhere if mask is None else self.writer.binary("and", everywhere, mask)

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
        height, width = spec.image
        vector = self.lanes * ITEM_BYTES[self.wide]
        vectors = min(
            -(-spec.channels // self.lanes), max(1, _SCRATCH // (height * width * vector))
        )
        block = vectors * self.lanes
        blocks = -(-spec.channels // block)
        start = writer.operands(self.epilogue.used | set(range(self.result)))
        sums = Operand(self.wide, (0, width * block, block, 1))
        with writer.counted(BEGIN, END) as unit:
            image, number = writer.divided(unit, blocks)
            first = writer.times(number, block)
            here = writer.moved(start, spec.operands, (image, 0, 0, first))
            self._clear(height * width * vectors)
            with writer.counted(0, vectors) as v:
                channel = writer.add(first, writer.times(v, self.lanes))
                mask = self._mask(channel)
                at = writer.moved(here, spec.operands, (0, 0, 0, writer.times(v, self.lanes)))
                total = writer.element(SCRATCH, self.wide, writer.times(v, self.lanes))
                self._accumulate(at, total, sums, channel, mask)
                with writer.counted(0, height) as row, writer.counted(0, width) as column:
                    value = writer.load_element(
                        writer.moved({0: total}, [sums], (0, row, column, 0))[0],
                        self.wide,
                        self.lanes,
                    )
                    place = {n: at[n] for n in self.epilogue.used}
                    place = writer.moved(place, spec.operands, (0, row, column, 0))
                    self._finish(place, start, channel, [value], [mask])
        scratch = height * width * vectors * vector
        return writer.code(f"pool_{spec.kind}", scratch), tuple(writer.arguments), blocks

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

    def _clear(self, vectors: int) -> None:
        writer = self.writer
        zero = writer.constant(element_type(self.wide), 0.0, self.lanes)
        with writer.counted(0, vectors) as i:
            at = writer.element(SCRATCH, self.wide, writer.times(i, self.lanes))
            writer.store_element(zero, at, self.wide, self.lanes)

    def _accumulate(
        self, at: Cursor, total: Register, sums: Operand, channel: Index, mask: Register | None
    ) -> None:
        """Adds the windows to the sums of one vector of channels."""
        writer, spec = self.writer, self.spec

        def give(row: Index, column: Index, real: Register | None, values: list[Register]) -> None:
            place = writer.moved({0: total}, [sums], (0, row, column, 0))[0]
            before = writer.load_element(place, self.wide, self.lanes)
            after = writer.binary("fadd", before, values[0])
            if real is not None:
                after = writer.select(real, after, before)
            writer.store_element(after, place, self.wide, self.lanes)

        with writer.counted(0, spec.result[0]) as i:
            row = writer.binary("sub", writer.index(spec.result[0] - 1), i)
            rows = reach(writer, self.rows, row)
            with writer.counted(0, spec.result[1]) as j:
                column = writer.binary("sub", writer.index(spec.result[1] - 1), j)
                columns = reach(writer, self.columns, column)
                window = _Window(self, at, row, column, rows, columns, 0, [mask])
                if spec.window[0] * spec.window[1] <= MOST_TAPS:
                    window.written_out(give)
                else:
                    window.looped(give)


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
        if self.is_max:
            self.maxima = self._load(there[1])
            self.pending = [self.writer.constant("i1", True, self.lanes) for _ in masks]
        else:
            divisor = mean_divisor(self.writer, rows, columns, self.wide)
            count = self.writer.splat(divisor, self.lanes)
            self.values = [self.writer.binary("fdiv", value, count) for value in self.values]

    def written_out(self, give: Give) -> None:
        """Tap by tap, row by row."""
        writer = self.writer
        row_taps = [self.rows.tap(writer, tap) for tap in range(self.rows.axis.taps)]
        column_taps = [self.columns.tap(writer, tap) for tap in range(self.columns.axis.taps)]
        pending = self.pending if self.is_max else []
        for row, row_real in row_taps:
            for column, column_real in column_taps:
                real = row_real or column_real
                if row_real is not None and column_real is not None:
                    real = writer.binary("and", row_real, column_real)
                values, pending = self._shares(row, column, real, pending)
                give(row, column, real, values)

    def looped(self, give: Give) -> None:
        """The same in loops, over the real inputs."""

        def tap(row: Index, column: Index, pending: list[Register]) -> list[Register]:
            values, pending = self._shares(row, column, None, pending)
            give(row, column, None, values)
            return pending

        pending = self.pending if self.is_max else []
        over_window(self.writer, self.rows, self.columns, pending, tap)

    def _shares(
        self, row: Index, column: Index, real: Register | None, pending: list[Register]
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
            if real is not None:
                first = writer.binary("and", first, writer.splat(real, self.lanes))
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
