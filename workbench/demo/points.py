"""Points of the plane in two or three classes, for a classifier whose answers can be seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SHAPES = ("spirals", "circles", "blobs")


class Points(NamedTuple):
    """Places as float32 [count, 2], about between -1 and 1, and classes as int64 [count]."""

    places: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]


def make_points(
    shape: str = "spirals", count: int = 400, noise: float = 0.03, seed: int = 0
) -> Points:
    """`count` points in an order at random: two spirals, two circles, or three blobs.

    Raises ValueError if the shape is not known, or there are fewer points than classes.

    >>> places, classes = make_points("circles", count=100)
    >>> places.shape, sorted(set(classes.tolist()))
    ((100, 2), [0, 1])
    """
    if shape not in SHAPES:
        raise ValueError(f"shape must be one of {', '.join(map(repr, SHAPES))}, but got {shape!r}")
    if count < 3:
        raise ValueError(f"count must be at least 3, but got {count}")
    # RandomState and not default_rng: NumPy promises that its stream never changes.
    random = np.random.RandomState(seed)
    classes = random.permutation(np.arange(count) % (3 if shape == "blobs" else 2))
    along = random.uniform(0, 1, count)
    if shape == "spirals":
        # The square root spaces the points evenly; the middle, where the arms meet, is left out.
        radius = 0.08 + 0.92 * np.sqrt(along)
        angle = 1.75 * 2 * np.pi * radius + np.pi * classes
    elif shape == "circles":
        radius, angle = 0.35 + 0.6 * classes, 2 * np.pi * along
    else:
        radius, angle = np.full(count, 0.65), 2 * np.pi * (classes / 3 + 0.25)
        noise = noise + 0.15
    places = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    places += noise * random.standard_normal((count, 2))
    return Points(places.astype(np.float32), classes.astype(np.int64))
