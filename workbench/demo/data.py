"""The handwritten digits that the demonstration trains on."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

DIGITS_PATH = Path(__file__).with_name("digits.npz")

#: A fifth is held out, chosen at random once and for all. Both parts hold the same writers' digits:
#: the accuracy says how well a network reads hands that it knows. Holding out the end of the file
#: instead, where the hands are new, costs a small convolutional network three to four points.
HELD_OUT = 360
_SPLIT_SEED = 0

_COUNT = 1797
_BRIGHTEST = 16


class Digits(NamedTuple):
    """Images as float32 [count, 8, 8, 1] from 0 (paper) to 1 (ink), labels as int64 [count]."""

    train_images: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.float32]
    test_labels: npt.NDArray[np.int64]


def load_digits(path: str | Path = DIGITS_PATH) -> Digits:
    """The 1,437 images to train on and the 360 held out, always the same, each in the file's order.

    Raises ValueError if the file is damaged or is not the digits.

    >>> digits = load_digits()
    >>> digits.train_images.shape, digits.test_images.shape
    ((1437, 8, 8, 1), (360, 8, 8, 1))
    """
    images, labels = _read_arrays(Path(path))
    for name, array, shape, highest in (
        ("images", images, (_COUNT, 8, 8), _BRIGHTEST),
        ("labels", labels, (_COUNT,), 9),
    ):
        if array.shape != shape or array.dtype != np.uint8:
            raise ValueError(
                f"{path}: {name} should be uint8 {list(shape)}, "
                f"got {array.dtype} {list(array.shape)}"
            )
        if array.max() > highest:
            raise ValueError(f"{path}: {name} should be at most {highest}, got {array.max()}")
    scaled = images[..., np.newaxis].astype(np.float32) / np.float32(_BRIGHTEST)
    classes = labels.astype(np.int64)
    # RandomState and not default_rng: NumPy promises that its stream never changes.
    chosen = np.random.RandomState(_SPLIT_SEED).permutation(_COUNT)[:HELD_OUT]
    held_out = np.isin(np.arange(_COUNT), chosen)
    return Digits(
        train_images=scaled[~held_out],
        train_labels=classes[~held_out],
        test_images=scaled[held_out],
        test_labels=classes[held_out],
    )


def _read_arrays(path: Path) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    with path.open("rb") as file:  # np.load leaves a path it cannot read open
        try:
            with np.load(file, allow_pickle=False) as archive:
                return archive["images"], archive["labels"]
        # What NumPy and zipfile raise depends on where the damage lies; a lone array is no archive
        # and ends in a TypeError.
        except (
            OSError,
            ValueError,
            TypeError,
            LookupError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise ValueError(f"{path} is damaged or is not the digits: {error}") from error
