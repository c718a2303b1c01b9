"""Largest and mean values of windows, one row of the result after the other."""

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
from workbench.core.codegen.pooling_windows import (
    MOST_TAPS,
    Reach,
    axes,
    mean_divisor,
    over_window,
    reach,
)
from workbench.core.codegen.specs import Argument, Code, Operand, PoolingSpec
from workbench.core.codegen.target import Target

#: Vectors of channels that are worked on together.
_VECTORS = 4


def forward_code(spec: PoolingSpec, target: Target) -> tuple[Code, tuple[Argument, ...]]:
    """The kernel whose units are the rows of the result, image after image."""
    return _Forward(spec, target).code()


class _Forward:
    def __init__(self, spec: PoolingSpec, target: Target) -> None:
        self.spec = spec
        self.writer = KernelWriter(target)
        self.rows, self.columns = axes(spec)
        self.lanes = target.lanes(spec.dtype)
        self.epilogue = Epilogue(spec.steps, spec.stores, spec.operands, spec.dtype, 1)

    def code(self) -> tuple[Code, tuple[Argument, ...]]:
        writer, spec = self.writer, self.spec
        start = writer.operands(self.epilogue.used | {0})
        with writer.counted(BEGIN, END) as unit:
            image, row = writer.divided(unit, spec.result[0])
            window_rows = reach(writer, self.rows, row)
            source = writer.moved({0: start[0]}, spec.operands, (image, 0, 0, 0))[0]
            there = {n: start[n] for n in self.epilogue.used}
            there = writer.moved(there, spec.operands, (image, row, 0, 0))
            with writer.counted(0, spec.result[1]) as column:
                window_columns = reach(writer, self.columns, column)
                here = writer.moved(there, spec.operands, (0, 0, column, 0))

                def channels(channel: Index, masks: Sequence[Register | None]) -> None:
                    values = self._windows(source, window_rows, window_columns, channel, masks)
                    self._store(here, start, channel, values, masks)

                for_channels(writer, spec.channels, self.lanes, _VECTORS, channels)
        return writer.code(f"pool_{spec.kind}"), tuple(writer.arguments)

    def _windows(
        self,
        source: Register,
        rows: Reach,
        columns: Reach,
        channel: Index,
        masks: Sequence[Register | None],
    ) -> list[Register]:
        """The values of one window, a vector of channels each."""
        spec, writer = self.spec, self.writer
        if spec.window[0] * spec.window[1] > MOST_TAPS:
            values = self._looped(source, rows, columns, channel, masks)
        else:
            values = self._written_out(source, rows, columns, channel, masks)
        if spec.kind == "max":
            return values
        divisor = writer.splat(mean_divisor(writer, rows, columns, spec.dtype), self.lanes)
        means = [writer.binary("fdiv", value, divisor) for value in values]
        if spec.dtype in ("float16", "bfloat16"):
            return [
                emit_function(writer, "cast", spec.dtype, [mean], ["float32"], self.lanes)
                for mean in means
            ]
        return means

    def _written_out(
        self,
        source: Register,
        rows: Reach,
        columns: Reach,
        channel: Index,
        masks: Sequence[Register | None],
    ) -> list[Register]:
        writer = self.writer
        row_taps = [rows.tap(writer, tap) for tap in _order(rows)]
        column_taps = [columns.tap(writer, tap) for tap in _order(columns)]
        totals: list[Register] = []
        for column, column_real in column_taps:
            sums: list[Register] = []
            for row, row_real in row_taps:
                values = self._load(source, row, column, channel, masks)
                sums = self._combined(sums, values, row_real)
            totals = self._combined(totals, sums, column_real)
        return totals

    def _looped(
        self,
        source: Register,
        rows: Reach,
        columns: Reach,
        channel: Index,
        masks: Sequence[Register | None],
    ) -> list[Register]:
        if self.spec.kind == "max":
            # A window may begin with one of its values: to meet it twice changes nothing.
            starts = self._load(source, rows.first, columns.first, channel, masks)
        else:
            zero = self.writer.constant(element_type(self.spec.dtype), 0.0, self.lanes)
            starts = [zero] * len(masks)

        def tap(row: Index, column: Index, carried: list[Register]) -> list[Register]:
            values = self._load(source, row, column, channel, masks)
            return self._combined(carried, values, None)

        return over_window(self.writer, rows, columns, starts, tap)

    def _load(
        self,
        source: Register,
        row: Index,
        column: Index,
        channel: Index,
        masks: Sequence[Register | None],
    ) -> list[Register]:
        writer, spec = self.writer, self.spec
        places: tuple[Operand, ...] = spec.operands[:1]
        at = writer.moved({0: source}, places, (0, row, column, channel))[0]
        return [
            writer.load_element(
                writer.element(at, spec.dtype, v * self.lanes), spec.dtype, self.lanes, mask
            )
            for v, mask in enumerate(masks)
        ]

    def _combined(
        self, before: list[Register], values: list[Register], real: Register | None
    ) -> list[Register]:
        """What there is so far with one more value, unless that lies in the padding."""
        if not before:
            return values
        writer, dtype = self.writer, self.spec.dtype
        if self.spec.kind == "max":
            # Taps in the padding stand for an input of the window, which changes no maximum.
            return [
                emit_function(writer, "maximum", dtype, [a, b], [dtype, dtype], self.lanes)
                for a, b in zip(before, values, strict=True)
            ]
        sums = [writer.binary("fadd", a, b) for a, b in zip(before, values, strict=True)]
        if real is None:
            return sums
        return [writer.select(real, new, old) for new, old in zip(sums, before, strict=True)]

    def _store(
        self,
        there: Cursor,
        flags: Cursor,
        channel: Index,
        values: list[Register],
        masks: Sequence[Register | None],
    ) -> None:
        writer, operands = self.writer, self.spec.operands
        for v, (value, mask) in enumerate(zip(values, masks, strict=True)):
            first = writer.add(channel, v * self.lanes)
            here = writer.moved(there, operands, (0, 0, 0, first))
            self.epilogue.emit(writer, here, first, value, self.lanes, mask, flags)


def _order(window: Reach) -> list[int]:
    """The taps as NumPy's kernels take them: first the one that is real in every window."""
    axis = window.axis
    first = min(max(axis.before, 0), axis.taps - 1)
    return [first, *(tap for tap in range(axis.taps) if tap != first)]
