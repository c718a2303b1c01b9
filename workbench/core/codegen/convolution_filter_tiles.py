"""The function of a tile of a filter: sums over the pixels of some rows of an image."""

from __future__ import annotations

from workbench.core.codegen.convolution_writer import KernelWriter
from workbench.core.codegen.emitter import Register
from workbench.core.codegen.micro_kernel import (
    LeftRow,
    Loop,
    Operands,
    Tile,
    emit_sums,
    load_sums,
    store_sums,
)
from workbench.core.codegen.target import Target

#: What a tile is called with: the images at its first row and the first pixel, the gradient at
#: that pixel, its sums, and how many rows and columns of pixels there are, one at least.
_LEFT, _RIGHT, _SUMS = (Register(f"%{name}", "ptr") for name in ("left", "right", "sums"))
_ROWS, _COLUMNS = Register("%rows", "i64"), Register("%columns", "i64")


class FilterTiles:
    """Writes tiles, each once.

    `images` and `gradient` have the steps from pixel to pixel, down and across; `width` is from
    row to row of the sums.
    """

    def __init__(
        self,
        target: Target,
        dtype: str,
        images: tuple[int, int],
        gradient: tuple[int, int],
        width: int,
        lanewise: bool,
    ) -> None:
        self.target, self.dtype, self.lanewise = target, dtype, lanewise
        self.lanes = target.lanes(dtype)
        self.width = width
        self.loops = [
            Loop(_ROWS, images[0], gradient[0]),
            Loop(_COLUMNS, images[1], gradient[1]),
        ]
        self.texts: list[str] = []
        self.declarations: set[str] = set()
        self._names: dict[tuple[tuple[int, ...], int, int], str] = {}

    def name(self, offsets: tuple[int, ...], vectors: int, tail: int) -> str:
        """The function of a tile whose rows are at these elements of the images.

        With a tail, the last vector has so many lanes only.
        """
        key = (offsets, vectors, tail)
        if key in self._names:
            return self._names[key]
        self._names[key] = f"tile{len(self._names)}"
        writer = KernelWriter(self.target)
        masks: list[Register] = []
        if tail:
            masks = [writer.constant("i1", True, self.lanes)] * (vectors - 1)
            masks.append(writer.constants("i1", [lane < tail for lane in range(self.lanes)]))
        operands = Operands(
            [LeftRow(_LEFT, offset) for offset in offsets],
            _RIGHT,
            self.dtype,
            self.dtype,
            self.dtype,
            masks,
            self.lanewise,
        )
        tile = Tile(len(offsets), vectors, self.lanes)
        before = load_sums(writer, tile, self.dtype, _SUMS, self.width)
        after = emit_sums(writer, tile, operands, self.loops, before)
        store_sums(writer, tile, after, _SUMS, self.width)
        parameters = [_LEFT, _RIGHT, _SUMS, _ROWS, _COLUMNS]
        self.texts.append(writer.internal(self._names[key], parameters))
        self.declarations |= writer.declarations
        return self._names[key]
