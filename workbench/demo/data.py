"""The handwritten digits that the demonstration trains on."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

DIGITS_PATH = Path(__file__).with_name("digits.npz")

#: The rows keep the order of the original file. A cut near its end is the harder question, for a
#: random split puts a near twin of most held-out digits into training: about two points easier.
TRAIN_COUNT = 1437

_COUNT = 1797
_BRIGHTEST = 16


class Digits(NamedTuple):
    """Images as float32 [count, 8, 8, 1] from 0 (paper) to 1 (ink), labels as int64 [count]."""

    train_images: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.float32]
    test_labels: npt.NDArray[np.int64]


def load_digits(path: str | Path = DIGITS_PATH) -> Digits:
    """The 1,437 images to train on and the 360 held out, always the same.

    Raises ValueError if the file is damaged or is not the digits.

    >>> digits = load_digits()
    >>> digits.train_images.shape, digits.test_images.shape
    ((1437, 8, 8, 1), (360, 8, 8, 1))
    >>> digits.train_labels[:10]
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
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
    return Digits(
        train_images=scaled[:TRAIN_COUNT],
        train_labels=classes[:TRAIN_COUNT],
        test_images=scaled[TRAIN_COUNT:],
        test_labels=classes[TRAIN_COUNT:],
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
