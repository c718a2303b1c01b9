"""Grids of small images: the filters of a convolution, what a layer makes of an input, a matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.notebook import pictures_colors as colors
from workbench.notebook.pictures_colors import Numbers, Pixels

#: A picture shows no more tiles than this, the first ones.
MOST_TILES = 64
#: About how wide a picture is, in pixels; a small one is magnified, a huge one thinned.
WIDTH = 256
_LARGEST_SCALE = 24
_GAP = 2


class TileDrawing:
    """Draws the values of a tensor as a grid of tiles, each scaled by its own largest value.

    Args:
      kind: "filters" ([height, width, in, out]: a tile for each pair of channels), "images"
        ([count, height, width] or [count, height, width, channels]) or "heat map" (a matrix, or a
        vector as one row).
      name: what the description begins with.
    """

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        # A tensor that was negative once keeps its colours: else 0 would be white now, dark then.
        self._signed = False

    def draw(self, values: NDArray[Any]) -> Pixels:
        """The picture, [height, width, 3]."""
        tiles, columns, _ = self._arranged(values)
        if tiles.ndim == 4:
            return _grid(_magnified(_rgb(tiles), columns), columns)
        numbers = tiles.astype(np.float32)
        self._signed = self._signed or bool((numbers < 0).any())
        scaled = colors.scaled_by_largest(numbers, axes=(1, 2))
        painted = colors.sign(scaled) if self._signed else colors.amount(scaled)
        return _grid(_magnified(painted, columns), columns)

    def describe(self, values: NDArray[Any]) -> str:
        """What the picture shows, in words."""
        tiles, _, count = self._arranged(values)
        height, width = tiles.shape[1:3]
        if self.kind == "heat map":
            return f"{self.name}: {height} x {width}, {spread(values)}"
        what = ("filter" if self.kind == "filters" else "image") + ("s" if count > 1 else "")
        shown = f"the first {len(tiles)} of {count}" if count > len(tiles) else str(count)
        return f"{self.name}: {shown} {what} of {height} x {width}, {spread(values)}"

    def _arranged(self, values: NDArray[Any]) -> tuple[NDArray[Any], int, int]:
        """The tiles to show ([count, height, width], colour images with 3 channels), how many of
        them stand in a row, and how many there are."""
        if self.kind == "heat map":
            matrix = values.reshape(1, -1) if values.ndim == 1 else values
            return matrix[np.newaxis], 1, 1
        if self.kind == "filters":
            height, width, ins, outs = values.shape
            tiles = values.transpose(2, 3, 0, 1).reshape(ins * outs, height, width)
            return self._limited(tiles, ins, outs)
        if values.ndim == 3:
            return self._limited(values, 1, len(values))
        count, height, width, channels = values.shape
        if channels == 3:
            return self._limited(values, 1, count)
        tiles = values.transpose(0, 3, 1, 2).reshape(count * channels, height, width)
        return self._limited(tiles, count, channels)

    def _limited(
        self, tiles: NDArray[Any], rows: int, columns: int
    ) -> tuple[NDArray[Any], int, int]:
        if min(rows, columns) == 1 or columns > MOST_TILES:
            shown = tiles[:MOST_TILES]
            return shown, max(1, math.ceil(math.sqrt(len(shown)))), len(tiles)
        return tiles[: max(1, MOST_TILES // columns) * columns], columns, len(tiles)


def spread(values: NDArray[Any]) -> str:
    """The range of values, in words.

    >>> spread(np.array([-1.0, 0.5, np.nan]))
    'from -1 to 0.5, 1 not finite'
    """
    numbers = np.asarray(values, np.float64)
    finite = numbers[np.isfinite(numbers)]
    missing = numbers.size - finite.size
    parts = [f"from {finite.min():.3g} to {finite.max():.3g}"] if finite.size else []
    parts += [f"{missing} not finite"] * bool(missing)
    return ", ".join(parts) or "empty"


def _rgb(images: NDArray[Any]) -> Pixels:
    """Colour images: bytes as they are, numbers between 0 and 1, others scaled to their range."""
    if images.dtype == np.uint8:
        return images
    numbers: Numbers = np.where(np.isfinite(images), images, 0).astype(np.float32)
    low = min(float(numbers.min(initial=0)), 0.0)
    high = max(float(numbers.max(initial=1)), 1.0)
    return ((numbers - low) * np.float32(255 / (high - low)) + 0.5).astype(np.uint8)


def _magnified(tiles: Pixels, columns: int) -> Pixels:
    """Tiles so large, or so thinned, that a row of them is about as wide as a picture."""
    longest = max(tiles.shape[2] * columns, tiles.shape[1] * math.ceil(len(tiles) / columns), 1)
    if longest > 2 * WIDTH:
        every = math.ceil(longest / (2 * WIDTH))
        return tiles[:, ::every, ::every]
    scale = min(max(WIDTH // longest, 1), _LARGEST_SCALE)
    return tiles.repeat(scale, axis=1).repeat(scale, axis=2)


def _grid(tiles: Pixels, columns: int) -> Pixels:
    """Tiles beside and below each other, with gaps between."""
    count, height, width, _ = tiles.shape
    rows = math.ceil(count / columns)
    cells = np.empty((rows * columns, height + _GAP, width + _GAP, 3), np.uint8)
    cells[...] = colors.GAP
    cells[:count, :height, :width] = tiles
    shape = (rows, columns, height + _GAP, width + _GAP, 3)
    whole = cells.reshape(shape).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(
        whole.reshape(rows * (height + _GAP), columns * (width + _GAP), 3)[:-_GAP, :-_GAP]
    )
