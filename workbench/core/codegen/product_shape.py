"""How a product is done: which way round, with what tile, and how its work is cut.

All of it follows from the sizes, never from the number of threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from workbench.core.codegen.micro_kernel import Tile
from workbench.core.codegen.packing import Way, way_to_pack
from workbench.core.codegen.product_tile import accumulator_dtype, choose_tile
from workbench.core.codegen.specs import ProductSpec
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Bytes of a panel that is packed at a time: it stays in the nearest cache.
BLOCK_BYTES = 32768

#: Cutting ends where a piece has fewer operations, or where there are as many pieces.
_LEAST_OPERATIONS = 500_000
_MANY_UNITS = 16

#: The fewest rows of a unit, which share a packed panel, and the most: their part of the left
#: operand and of the result stays in the cache while one panel follows the other.
_LEAST_ROWS = 128
_MOST_ROWS = 256

#: Operations that it takes to store an element.
_STORE_OPERATIONS = 32


@dataclass(frozen=True)
class Shape:
    """How a product is done."""

    #: As it is done, perhaps the transposed one: the operands keep their numbers.
    spec: ProductSpec
    left: Literal[0, 1]
    tile: Tile
    #: How panels of the right operand are packed; None to read it in place.
    way: Way | None
    #: Panels side by side, of which the last may not be full.
    panels: int
    #: Steps of k for which a panel is packed at a time, and how many times.
    block: int
    blocks: int
    #: Tiles one below the other, and how many of them make a unit of work.
    tiles: int
    group: int

    @property
    def right(self) -> Literal[0, 1]:
        """The number of the right operand."""
        return 0 if self.left else 1

    @property
    def groups(self) -> int:
        """Units one below the other."""
        return -(-self.tiles // self.group)

    @property
    def dtype(self) -> str:
        """What sums are in."""
        return accumulator_dtype(self.spec.dtype)

    @property
    def panel_bytes(self) -> int:
        """Memory for a block of a panel."""
        return BLOCK_BYTES if self.way else 0

    @property
    def tile_bytes(self) -> int:
        """Memory for the sums of a tile."""
        return self.tile.rows * self.tile.columns * ITEM_BYTES[self.dtype]

    @property
    def scratch_bytes(self) -> int:
        """Memory of a thread: a block of a panel, and the sums that wait for the next one.

        It does not follow m, as the code does not.
        """
        tiles = -(-_MOST_ROWS // self.tile.rows) if self.blocks > 1 else 1
        return self.panel_bytes + self.tile_bytes * tiles

    @property
    def has_part(self) -> bool:
        """True if the last panel is not full."""
        return self.spec.n % self.tile.columns != 0


def shape_product(spec: ProductSpec, target: Target) -> Shape:
    """Decides for a product none of whose sizes is 0, but for k."""
    left: Literal[0, 1] = 0
    if _should_turn(spec, target):
        left, spec = 1, turned(spec)
    spec = _folded(spec, 1 - left)
    tile = choose_tile(target, spec.dtype, spec.m, spec.n, any_rows=bool(left))
    panels = -(-spec.n // tile.columns)
    tiles = -(-spec.m // tile.rows)
    blocks = max(1, -(-spec.k // block_rows(tile, spec.dtype)))
    block = -(-spec.k // blocks)
    shortest = spec.k - block * (blocks - 1)
    way: Way | None = way_to_pack(spec.operands[1 - left], shortest)
    has_part = spec.n % tile.columns != 0
    # Packing costs what two tiles cost; part vectors need it where there are no masks for loads.
    pays = tiles > 2 and (panels > 1 or tile.vectors > 1)
    if way == "rows" and not pays and (target.has_masks or not has_part):
        way, blocks, block = None, 1, spec.k
    group = _group(spec, tile, panels, tiles)
    return Shape(spec, left, tile, way, panels, block, blocks, tiles, group)


def block_rows(tile: Tile, dtype: str) -> int:
    """The most rows of a block of a panel.

    >>> block_rows(Tile(6, 4, 16), "float32")
    128
    """
    return BLOCK_BYTES // (tile.columns * ITEM_BYTES[accumulator_dtype(dtype)])


def _should_turn(spec: ProductSpec, target: Target) -> bool:
    """True if vectors along the rows are better: results lie so, or columns fill no vector."""
    if spec.m == 1 or any(step.function == "column" for step in spec.steps):
        return False
    lanes = target.lanes(accumulator_dtype(spec.dtype))
    if 4 * spec.n <= 3 * lanes and spec.operands[0].strides[-2] == 1:
        return spec.n == 1 or spec.m >= lanes
    results = [spec.operands[store.operand].strides for store in spec.stores]
    return spec.n > 1 and all(strides[-2] == 1 and strides[-1] != 1 for strides in results)


def turned(spec: ProductSpec) -> ProductSpec:
    """The transposed product: the operands keep their numbers."""
    operands = tuple(
        replace(operand, strides=(*operand.strides[:-2], *operand.strides[:-3:-1]))
        for operand in spec.operands
    )
    return replace(spec, m=spec.n, n=spec.m, operands=operands)


def _folded(spec: ProductSpec, right: int) -> ProductSpec:
    """With fewer dimensions of the batch: one becomes more rows, or two become one."""
    place = len(spec.batch) - 1
    while place >= 0:
        size = spec.batch[place]
        strides = [operand.strides for operand in spec.operands]
        shared = strides.pop(right)[place] == 0 and place == len(spec.batch) - 1
        if size == 1:
            spec = _without(spec, place)
        elif shared and all(s[place] == spec.m * s[-2] for s in strides):
            spec = _without(replace(spec, m=spec.m * size), place)
        elif place + 1 < len(spec.batch) and all(
            o.strides[place] == spec.batch[place + 1] * o.strides[place + 1] for o in spec.operands
        ):
            sizes = list(spec.batch)
            sizes[place + 1] *= size
            spec = _without(replace(spec, batch=tuple(sizes)), place)
        place -= 1
    return spec


def _without(spec: ProductSpec, place: int) -> ProductSpec:
    operands = tuple(
        replace(o, strides=o.strides[:place] + o.strides[place + 1 :]) for o in spec.operands
    )
    return replace(spec, batch=spec.batch[:place] + spec.batch[place + 1 :], operands=operands)


def _group(spec: ProductSpec, tile: Tile, panels: int, tiles: int) -> int:
    """Tiles of a unit: many if there are many panels, else as few as keep packing worth while."""
    pieces = max(1, math.prod(spec.batch) * panels)
    operations = 2 * spec.m * tile.columns * spec.k
    enough = _LEAST_ROWS if 4 * pieces >= _MANY_UNITS else _LEAST_ROWS // 2
    least = max(enough, -(-spec.m * _LEAST_OPERATIONS // max(operations, 1)))
    rows = max(least, -(-spec.m * pieces // _MANY_UNITS))
    group = -(-tiles // max(1, round(spec.m / rows)))
    most = _MOST_ROWS // tile.rows
    return group if group <= most else -(-tiles // -(-tiles // most))


def units_together(shape: Shape) -> int:
    """How many units a thread takes at a time."""
    elements = shape.group * shape.tile.rows * shape.tile.columns
    return max(1, _LEAST_OPERATIONS // (elements * (2 * shape.spec.k + _STORE_OPERATIONS)))
