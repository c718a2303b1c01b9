"""How a result is cut into tiles whose sums fit into the registers."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.codegen.convolution_geometry import Correlation
from workbench.core.codegen.micro_kernel import most_rows
from workbench.core.codegen.target import ITEM_BYTES, Target
from workbench.core.kernels.windows import Axis, tap_slices

#: A window with more columns has no tiles of its own at the borders.
_MOST_COLUMNS = 7

#: With fewer channels the loops over single columns of a window are too short.
_LEAST_DEPTH = 8

#: The least share of products with padding that tiles of their own are worth their code for.
_WORTH = 0.05

#: Shorter rows go into tiles of several.
_SHORT_ROW = 5

#: A larger filter does not stay in the cache: it goes block by block.
BANK_BYTES = 1 << 20

#: Pixels of a tile in a depthwise convolution.
_LANEWISE_PIXELS = 7


def even_parts(length: int, most: int) -> list[tuple[int, int]]:
    """Begin and length of the fewest parts that are no longer than `most`, longer ones first.

    >>> even_parts(32, 14)
    [(0, 11), (11, 11), (22, 10)]
    """
    count = -(-length // most)
    size, longer = divmod(length, count)
    parts, begin = [], 0
    for number in range(count):
        part = size + (number < longer)
        parts.append((begin, part))
        begin += part
    return parts


def vectors_of_block(target: Target, dtype: str, filters: int) -> int:
    """How many vectors of filters a tile has: what few, even blocks of at most 3 need.

    >>> from workbench.core.codegen.target import AVX512
    >>> [vectors_of_block(AVX512, "float32", n) for n in (10, 32, 48, 64, 80)]
    [1, 2, 3, 2, 3]
    """
    vectors = -(-filters // target.lanes(dtype))
    if vectors <= 3:
        return vectors
    # Three vectors at a time where two would leave one alone.
    return 3 if vectors % 2 and vectors % 3 != 1 and target.registers >= 32 else 2


@dataclass(frozen=True)
class Segment:
    """Columns of a window that the same pixels of a tile see: a run of taps, some of the pixels."""

    tap: int
    taps: int
    pixels: tuple[int, ...]


@dataclass(frozen=True)
class PixelTile:
    """Pixels of the result: `rows` rows of `width` columns, with the taps that are inside."""

    rows: int
    width: int
    segments: tuple[Segment, ...]


def segments_at(columns: Axis, begin: int, width: int) -> tuple[Segment, ...]:
    """The taps of a row of a window, for some columns of the result; none reads the padding.

    >>> segments_at(Axis(28, 3, 1, 1, 1, 28), 0, 3)
    (Segment(tap=0, taps=1, pixels=(1, 2)), Segment(tap=1, taps=2, pixels=(0, 1, 2)))
    """
    found: list[Segment] = []
    for tap in range(columns.taps):
        offset = tap * columns.dilation - columns.before
        pixels = tuple(
            pixel
            for pixel in range(width)
            if 0 <= (begin + pixel) * columns.stride + offset < columns.size
        )
        if not pixels:
            continue
        last = found[-1] if found else None
        if last and last.pixels == pixels and last.tap + last.taps == tap:
            found[-1] = Segment(last.tap, last.taps + 1, pixels)
        else:
            found.append(Segment(tap, 1, pixels))
    return tuple(found)


def meets_input(axis: Axis) -> bool:
    """Whether every window has a tap that is not in the padding.

    >>> meets_input(Axis(5, 3, 1, 1, 1, 5)), meets_input(Axis(5, 3, 1, 1, 3, 9))
    (True, False)
    """
    met: set[int] = set()
    for tap in range(axis.taps):
        outputs, _ = tap_slices(axis, tap)
        met.update(range(outputs.start, outputs.stop))
    return len(met) == axis.output


def share_of_padding(columns: Axis) -> float:
    """How many of the products along an axis are with the padding.

    >>> round(share_of_padding(Axis(14, 5, 1, 1, 2, 14)), 3)
    0.086
    """
    real = sum(
        segment.taps * len(segment.pixels) for segment in segments_at(columns, 0, columns.output)
    )
    return 1 - real / (columns.taps * columns.output)


@dataclass(frozen=True)
class Run:
    """`count` tiles side by side, from column `begin` on, that share their code."""

    begin: int
    count: int
    tile: PixelTile


def runs(columns: Axis, most: int, rows: int, bordered: bool) -> list[Run]:
    """The tiles of a row of the result, or of some rows of it, of at most so many pixels wide.

    Unless they are `bordered`, every pixel sees all taps.

    >>> [(run.begin, run.count) for run in runs(Axis(56, 3, 1, 1, 1, 56), 14, 1, True)]
    [(0, 1), (14, 2), (42, 1)]
    """
    found: list[Run] = []
    for begin, width in even_parts(columns.output, most):
        segments = segments_at(columns, begin, width)
        if not bordered:
            segments = (Segment(0, columns.taps, tuple(range(width))),) if columns.taps else ()
        tile = PixelTile(rows, width, segments)
        last = found[-1] if found else None
        if last and last.tile == tile:
            found[-1] = Run(last.begin, last.count + 1, tile)
        else:
            found.append(Run(begin, 1, tile))
    return found


def most_pixels(target: Target, vectors: int) -> int:
    """The rows of a tile: enough chains of sums to keep the multipliers busy, no more than fit.

    One vector wide tiles need no more than two thirds of the registers.
    """
    fit = most_rows(target, vectors)
    return fit if vectors > 1 else max(1, fit - fit // 3)


@dataclass(frozen=True)
class Tiling:
    """How the result of a correlation is cut.

    Where windows reach into the padding, the tiles at the borders of a row leave out the taps that
    would meet it. Where that is not worth its code (windows with many columns, few channels, very
    short rows), the images are first copied with zeros around them: `padded`.
    """

    vectors: int
    padded: bool
    runs: tuple[Run, ...]
    #: Rows of a tile.
    high: int
    #: Every row of a window is on the image, or in the copy.
    all_rows: bool


def tiling(correlation: Correlation, target: Target) -> Tiling:
    """The tiles for a correlation."""
    rows, columns = correlation.rows, correlation.columns
    vectors = vectors_of_block(target, correlation.dtype, correlation.filters)
    most = most_pixels(target, vectors)
    empty = not (rows.taps and columns.taps)
    inside = empty or (rows.inside and columns.inside)
    bordered = (
        not inside
        and columns.taps <= _MOST_COLUMNS
        and (correlation.depth >= _LEAST_DEPTH or correlation.lanewise)
    )
    if bordered and _SHORT_ROW <= columns.output <= most // 2:
        # More vectors for fewer pixels: a tile of several rows would meet the padding.
        lanes = target.lanes(correlation.dtype)
        fits = [v for v in range(1, 5) if most_rows(target, v) >= columns.output]
        vectors = max(vectors, min(fits[-1], -(-correlation.filters // lanes)))
        most = most_pixels(target, vectors)
    if correlation.lanewise:
        # Each sum has a load of its own: wider tiles are only more code.
        most = min(most, _LANEWISE_PIXELS)
    bordered = (
        bordered
        and columns.output * 2 > most
        and (columns.inside or correlation.lanewise or share_of_padding(columns) >= _WORTH)
    )
    copied = correlation.source.only_copied and not empty
    padded = copied or not (inside or bordered)
    high = 1 if bordered and not padded else max(1, min(most // columns.output, rows.output))
    cut = runs(columns, most, high, bordered and not padded)
    all_rows = inside or rows.inside or high > 1
    return Tiling(vectors, padded, tuple(cut), high, all_rows)


def block_width(correlation: Correlation, target: Target) -> int:
    """Filters of a tile, a last vector filled up."""
    return tiling(correlation, target).vectors * target.lanes(correlation.dtype)


def bank_bytes(correlation: Correlation) -> int:
    """Bytes of the filter."""
    taps = correlation.rows.taps * correlation.columns.taps
    return taps * correlation.depth * correlation.filters * ITEM_BYTES[correlation.dtype]
