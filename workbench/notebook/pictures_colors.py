"""Colours of pictures: numbers to red, green and blue, readable with any kind of colour vision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.float32]

#: What lies between the tiles of a picture; seen on a light page and on a dark one.
GAP = (128, 128, 128)
#: NaN and infinities: a colour that neither scale has.
NOT_FINITE = (255, 0, 255)
#: One for each class of data; they differ in lightness as well as in hue.
CLASSES: Pixels = np.array(
    [
        (0, 114, 178),
        (230, 159, 0),
        (0, 158, 115),
        (213, 94, 0),
        (204, 121, 167),
        (86, 180, 233),
        (179, 161, 0),
        (140, 107, 177),
    ],
    np.uint8,
)

#: Odd, so that there is a middle.
_STEPS = 255


def _table(anchors: Sequence[tuple[int, int, int]]) -> Pixels:
    """The colours between anchors, evenly spaced; the last row stands for what is not finite."""
    places = np.linspace(0, len(anchors) - 1, _STEPS)
    columns = np.array(anchors, np.float64).T
    table = [np.interp(places, np.arange(len(anchors)), column) for column in columns]
    return np.vstack([np.stack(table, axis=1).round(), NOT_FINITE]).astype(np.uint8)


#: From nothing (dark) to much (light), ever lighter.
_AMOUNT = _table([(13, 12, 40), (66, 41, 122), (160, 60, 130), (232, 112, 84), (252, 240, 190)])
#: Negative is blue, nothing is white, positive is red.
_SIGN = _table(
    [(5, 60, 120), (80, 150, 205), (247, 247, 247), (225, 125, 90), (130, 15, 40)],
)
#: From one class of data (0) to the other (1), with white where neither is more likely.
_CHANCE = _table([(96, 166, 204), (238, 240, 242), (245, 196, 92)])


def amount(values: Any) -> Pixels:
    """Colours of numbers from 0 to 1, shape [..., 3]."""
    return _colored(_AMOUNT, np.asarray(values, np.float32))


def sign(values: Any) -> Pixels:
    """Colours of numbers from -1 to 1, shape [..., 3]; 0 is white.

    >>> sign([-1.0, 0.0, np.nan]).tolist()
    [[5, 60, 120], [247, 247, 247], [255, 0, 255]]
    """
    return _colored(_SIGN, np.asarray(values, np.float32) * 0.5 + 0.5)


def chance(values: Any) -> Pixels:
    """Colours of the probability of the second of two classes, shape [..., 3]."""
    return _colored(_CHANCE, np.asarray(values, np.float32))


def _colored(table: Pixels, values: Numbers) -> Pixels:
    finite = np.isfinite(values)
    usual = bool(finite.all())
    if not usual:
        values = np.where(finite, values, 0)
    places = (np.clip(values, 0, 1) * np.float32(_STEPS - 1) + np.float32(0.5)).astype(np.intp)
    if not usual:
        places[~finite] = _STEPS
    return table.take(places, axis=0)


def scaled_by_largest(values: Numbers, axes: tuple[int, ...]) -> Numbers:
    """Values divided by the largest magnitude along `axes`; what is not finite does not count.

    >>> scaled_by_largest(np.array([[1.0, -4.0], [0.0, 0.0]], np.float32), axes=(1,)).tolist()
    [[0.25, -1.0], [0.0, 0.0]]
    """
    sizes = np.abs(np.where(np.isfinite(values), values, 0))
    largest = sizes.max(axis=axes, keepdims=True, initial=0)
    return (values / np.where(largest > 0, largest, 1)).astype(np.float32)
