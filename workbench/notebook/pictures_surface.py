"""Decision surfaces: what a classifier says of every point of the plane, and the data points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.notebook import pictures_colors as colors
from workbench.notebook.pictures_colors import Pixels

#: The classifier is asked at so many places along each side; what lies between is interpolated.
SIDE = 40
_SCALE = 7
_PIXELS = SIDE * _SCALE
#: How far beyond the outermost points the picture reaches, as a share of their range.
_MARGIN = 0.08
_MOST_POINTS = 600
_LINE = (70, 70, 70)

#: The marks of the classes: disc, diamond, square, cross. The shape tells what the colour does.
_RADIUS = 4


def _marks() -> list[NDArray[np.bool_]]:
    row, column = np.mgrid[-_RADIUS : _RADIUS + 1, -_RADIUS : _RADIUS + 1]
    across, down = np.abs(row), np.abs(column)
    return [
        row**2 + column**2 <= 10,
        across + down <= 3,
        np.maximum(across, down) <= 2,
        (np.minimum(across, down) <= 1) & (np.maximum(across, down) <= 3),
    ]


class SurfaceDrawing:
    """Draws the probabilities of classes over the plane around labelled points.

    Args:
      points: float [count, 2].
      labels: integers or bools [count] from 0 on, None for points of no class.
      name: what the description begins with.

    The values to draw are those at `grid`: [SIDE ** 2] or [SIDE ** 2, 1] for the probability of
    class 1, else [SIDE ** 2, classes].
    """

    def __init__(self, points: NDArray[Any], labels: NDArray[Any] | None, name: str) -> None:
        self.name = name
        self.labels = labels
        low, high = points.min(axis=0), points.max(axis=0)
        # One scale for both axes: a circle is to look like one.
        half = max(float((high - low).max()) / 2, 1e-6) * (1 + _MARGIN)
        self._low = (low + high) / 2 - half
        self._width = 2 * half
        steps = (np.arange(SIDE) + 0.5) / SIDE * self._width
        across, up = np.meshgrid(self._low[0] + steps, (self._low[1] + steps)[::-1])
        #: The places where the classifier is asked, row by row from the top left.
        self.grid = np.stack([across.ravel(), up.ravel()], axis=1).astype(np.float32)
        self._between = _interpolation()
        self._places, self._colors = self._painted_points(points)

    def draw(self, values: NDArray[Any]) -> Pixels:
        """The picture, [height, width, 3]."""
        answers = values.astype(np.float32).reshape(SIDE, SIDE, -1)
        if answers.shape[2] <= 2:
            fine = self._finely(answers[..., -1])
            pixels = colors.chance(fine)
            side: NDArray[Any] = fine > 0.5
        else:
            several = np.stack([self._finely(answers[..., k]) for k in range(answers.shape[2])])
            pixels = _mixed(several)
            side = several.argmax(axis=0)
        _outline(pixels, side)
        pixels.reshape(-1, 3)[self._places] = self._colors
        return pixels

    def _finely(self, answers: NDArray[Any]) -> NDArray[Any]:
        """The values between those of the grid."""
        return np.asarray(self._between @ answers @ self._between.T)

    def describe(self, values: NDArray[Any]) -> str:
        """What the picture shows, in words."""
        answers = values.reshape(len(self.grid), -1)
        parts = answers > 0.5 if answers.shape[1] == 1 else answers.argmax(axis=1)
        classes = max(answers.shape[1], 2)
        shares = np.bincount(parts.astype(np.int64).ravel(), minlength=classes) / parts.size
        text = ", ".join(f"class {k} on {share:.0%}" for k, share in enumerate(shares))
        return f"{self.name}: {text} of the plane".replace("%", " %")

    def _painted_points(self, points: NDArray[Any]) -> tuple[NDArray[np.intp], Pixels]:
        """The pixels that the data points take, and their colours."""
        image = np.zeros((_PIXELS, _PIXELS, 3), np.uint8)
        taken = np.zeros((_PIXELS, _PIXELS), bool)
        every = -(-len(points) // _MOST_POINTS)
        places = ((points - self._low) / self._width * _PIXELS).astype(np.intp)[::every]
        classes = np.zeros(len(points), np.int64) if self.labels is None else self.labels
        marks = _marks()
        for (column, down), label in zip(places, classes[::every].astype(np.int64), strict=True):
            row = _PIXELS - 1 - down
            inside = (
                slice(row - _RADIUS, row + _RADIUS + 1),
                slice(column - _RADIUS, column + _RADIUS + 1),
            )
            mark = marks[label % len(marks)]
            around = _grown(mark)
            image[inside][around] = 255
            image[inside][mark] = colors.CLASSES[label % len(colors.CLASSES)]
            taken[inside] |= around
        found = np.flatnonzero(taken)
        return found, image.reshape(-1, 3)[found]


def _grown(mark: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mark with a rim of one pixel."""
    grown = mark.copy()
    grown[1:] |= mark[:-1]
    grown[:-1] |= mark[1:]
    grown[:, 1:] |= mark[:, :-1]
    grown[:, :-1] |= mark[:, 1:]
    return grown


def _interpolation() -> NDArray[np.float32]:
    """The matrix that turns SIDE values along a line into _PIXELS of them, straight in between."""
    place = np.clip((np.arange(_PIXELS) + 0.5) / _SCALE - 0.5, 0, SIDE - 1)
    near = np.minimum(place.astype(np.intp), SIDE - 2)
    matrix = np.zeros((_PIXELS, SIDE), np.float32)
    rows = np.arange(_PIXELS)
    matrix[rows, near] = 1 - (place - near)
    matrix[rows, near + 1] = place - near
    return matrix


def _mixed(chances: NDArray[Any]) -> Pixels:
    """The colours of the classes, mixed by their probabilities [classes, ...] and lightened."""
    classes = len(chances)
    palette = colors.CLASSES[np.arange(classes) % len(colors.CLASSES)].astype(np.float32)
    finite = np.isfinite(chances).all(axis=0)
    known = np.clip(np.where(finite, chances, 0), 0, 1)
    mixed = np.tensordot(known, palette, axes=(0, 0)) * np.float32(0.6) + np.float32(255 * 0.4)
    pixels: Pixels = np.minimum(mixed, 255).astype(np.uint8)
    pixels[~finite] = colors.NOT_FINITE
    return pixels


def _outline(pixels: Pixels, side: NDArray[Any]) -> None:
    """Draws the line where the answer changes."""
    changes = np.zeros(side.shape, bool)
    changes[:, 1:] |= side[:, 1:] != side[:, :-1]
    changes[1:] |= side[1:] != side[:-1]
    pixels[changes] = _LINE
