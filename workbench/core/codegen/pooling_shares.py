"""One window of a gradient of a pooling: what each of its inputs gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.core.codegen.convolution_writer import Index, KernelWriter
from workbench.core.codegen.emitter import Register, element_type
from workbench.core.codegen.pooling_windows import MOST_TAPS, Reach, mean_divisor, over_window
from workbench.core.codegen.specs import PoolingSpec

#: An input of a window, by its row and column, gets the values.
Give = Callable[[Index, Index, list[Register]], None]


class WindowShares:
    """The shares of the gradient of a window, for some vectors of channels.

    `images` are at the first of these channels, `results` (the maxima, if it is of a maximum, then
    the gradient) at the place of the window too. Sums are in the dtype `wide`.
    """

    def __init__(
        self,
        writer: KernelWriter,
        spec: PoolingSpec,
        wide: str,
        lanes: int,
        reaches: tuple[Reach, Reach],
        images: Register,
        results: Sequence[Register],
        masks: Sequence[Register | None],
    ) -> None:
        self.writer, self.spec = writer, spec
        self.wide, self.lanes, self.masks = wide, lanes, masks
        self.rows, self.columns = reaches
        self.is_max = spec.kind == "max_gradient"
        self.images = images
        self.values = self._load(results[-1])
        #: The lanes in which the maximum has not been met.
        self.pending: list[Register] = []
        if self.is_max:
            self.maxima = self._load(results[0])
            self.pending = [writer.constant("i1", True, lanes) for _ in masks]
        else:
            divisor = mean_divisor(writer, self.rows, self.columns, wide)
            count = writer.splat(divisor, lanes)
            self.values = [writer.binary("fdiv", value, count) for value in self.values]

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
        writer = self.writer
        place = writer.moved({0: self.images}, self.spec.operands, (0, row, column, 0))[0]
        zero = writer.constant(element_type(self.wide), 0.0, self.lanes)
        values, waiting = [], []
        inputs = self._load(place)
        for value, maximum, share, left in zip(
            inputs, self.maxima, self.values, pending, strict=True
        ):
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
