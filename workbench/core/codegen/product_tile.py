"""Which tile a product is done with: the one that takes the fewest cycles, as far as they count.

A step of a tile takes at least as long as its fused multiply-adds on two units, or as the chains of
them wait for each other; loads are hidden behind them, but not quite. Rows and columns of a tile
that the result does not have cost as much as others.
"""

from __future__ import annotations

from workbench.core.codegen.micro_kernel import Tile, most_rows
from workbench.core.codegen.target import Target

#: What a load costs beside a fused multiply-add.
_LOAD_WEIGHT = 0.5

#: Chains of fused multiply-adds that keep the units busy: twice the cycles that one of them takes.
_CHAINS = 8

#: Rows that the width of a tile is chosen for, where they may be any number: many, and a multiple
#: of the rows of most tiles.
_MANY_ROWS = 840


def accumulator_dtype(dtype: str) -> str:
    """What a sum of products is computed in.

    >>> accumulator_dtype("bfloat16")
    'float32'
    """
    return "float64" if dtype == "float64" else "float32"


def choose_tile(target: Target, dtype: str, m: int, n: int, any_rows: bool = False) -> Tile:
    """The tile for m rows and n columns.

    The vectors follow from n, but for very few rows, and the rows are one of a few numbers, so that
    products that differ in m alone share their code; with `any_rows` they are what fits m best.

    >>> from workbench.core.codegen.target import AVX2, AVX512
    >>> choose_tile(AVX512, "float32", 128, 512), choose_tile(AVX2, "float64", 128, 512)
    (Tile(rows=6, vectors=4, lanes=16), Tile(rows=4, vectors=3, lanes=4))
    """
    lanes = target.lanes(accumulator_dtype(dtype))
    needed = -(-n // lanes)
    in_mind = m if m < 4 or any_rows else _MANY_ROWS

    def rows_for(vectors: int) -> list[int]:
        most = min(most_rows(target, vectors), 2 * _CHAINS)
        fewer = range(most - 1, 0, -1) if any_rows else (8, 4, 2, 1)
        return [rows for rows in (most, *fewer) if rows <= min(m, most)]

    def cycles(rows: int, vectors: int, of: int) -> float:
        adds = max(rows * vectors, _CHAINS)
        return -(-of // rows) * (adds + _LOAD_WEIGHT * (rows + vectors))

    def cost(vectors: int) -> float:
        panels = -(-needed // vectors)
        return panels * min(cycles(rows, vectors, in_mind) for rows in rows_for(vectors))

    # With a row of more vectors there is no register left for its element of the left operand.
    widths = range(1, min(needed, (target.registers - 1) // 2) + 1)
    vectors = min(widths, key=lambda width: (cost(width), -width))
    rows = min(rows_for(vectors), key=lambda rows: (cycles(rows, vectors, m), -rows))
    return Tile(rows, vectors, lanes)
