"""How a result is cut into tiles whose sums fit into the registers."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.codegen.micro_kernel import most_rows
from workbench.core.codegen.target import Target
from workbench.core.kernels.windows import Axis


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


def runs(columns: Axis, most: int, padded: bool) -> list[Run]:
    """The tiles of a row of the result, several rows high where rows are short.

    >>> [(run.begin, run.count) for run in runs(Axis(56, 3, 1, 1, 1, 56), 14, False)]
    [(0, 1), (14, 2), (42, 1)]
    """
    found: list[Run] = []
    rows = max(1, most // columns.output) if padded else 1
    for begin, width in even_parts(columns.output, most):
        segments = segments_at(columns, begin, width)
        if padded:
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

    One vector wide tiles need no more than half of the registers.
    """
    fit = most_rows(target, vectors)
    return fit if vectors > 1 else max(1, fit - fit // 3)
