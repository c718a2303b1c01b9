"""Work on pixels in machine code, against NumPy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.core.codegen.pixels import Pixels, Places
from workbench.core.codegen.pixels_text import MIRRORED_SIZES

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    return Pixels()


@pytest.mark.parametrize("width", [*range(1, 12), 100])
def test_pixels_without_their_fourth_byte(pixels: Pixels, width: int) -> None:
    wide = RANDOM.integers(0, 256, (3, width, 4), np.uint8)
    np.testing.assert_array_equal(pixels.packed(wide.ctypes.data, 3, width), wide[..., :3])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("parts", [1, 2, 3, 4, 5, 8])
def test_mirrored_rows(pixels: Pixels, dtype: Any, parts: int) -> None:
    whole = RANDOM.integers(0, 100, (7, 41, parts)).astype(dtype)
    for rows in (whole, whole[1:5, 2:9], *(whole[:, :width] for width in range(1, 20))):
        found = pixels.mirrored(rows)
        if rows.itemsize * parts not in MIRRORED_SIZES:
            assert found is None
        else:
            assert found is not None
            np.testing.assert_array_equal(found, rows[:, ::-1])


def test_rows_that_lie_in_another_way_are_not_mirrored(pixels: Pixels) -> None:
    whole = np.zeros((4, 6, 3), np.uint8)
    for rows in (whole[:, ::2], whole[..., ::2], whole[:0], whole.transpose(1, 0, 2)):
        assert pixels.mirrored(rows) is None


class Axis(NamedTuple):
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    distance: NDArray[np.float32]


def axis(places: list[float], last: int) -> Axis:
    lower = np.floor(places).astype(np.int64)
    distance = (np.array(places) - lower).astype(np.float32)
    return Axis(lower, np.minimum(lower + 1, last), distance)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_resized_images(pixels: Pixels, channels: int) -> None:
    images = RANDOM.standard_normal((2, 6, 9, channels)).astype(np.float32)
    # Forwards, backwards, repeated and far apart: all ways in which rows are kept.
    rows = axis([0.5, 0.75, 1.25, 4.5, 3.5, 5.0, 0.0, 2.0], 5)
    columns = axis([0.25, 8.0, 3.5, 3.5, 1.0, 7.75] * 7, 8)
    found = pixels.resized(images, Places(rows, 1), Places(columns, channels))
    assert found is not None
    wide = images[:, :, columns.lower]
    wide = wide + (images[:, :, columns.upper] - wide) * columns.distance[:, None]
    expected = wide[:, rows.lower]
    expected = expected + (wide[:, rows.upper] - expected) * rows.distance[:, None, None]
    np.testing.assert_array_equal(found, expected)


def test_images_that_there_is_no_function_for(pixels: Pixels) -> None:
    some = Places(axis([0.5], 1), 1)
    assert pixels.resized(np.zeros((1, 2, 2, 5), np.float32), some, some) is None
    assert pixels.resized(np.zeros((1, 2, 4, 3), np.float32)[:, :, ::2], some, some) is None
