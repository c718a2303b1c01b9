"""The digits: what arrives, and what a damaged file says."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.demo.data import DIGITS_PATH, load_digits


def write_archive(path: Path, **changes: Any) -> Path:
    with np.load(DIGITS_PATH, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files} | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def test_types_and_shapes() -> None:
    digits = load_digits()
    for images, labels, count in (
        (digits.train_images, digits.train_labels, 1437),
        (digits.test_images, digits.test_labels, 360),
    ):
        assert images.shape == (count, 8, 8, 1)
        assert images.dtype == np.float32
        assert labels.shape == (count,)
        assert labels.dtype == np.int64
        assert images.min() == 0
        assert images.max() == 1
        assert set(labels.tolist()) == set(range(10))


def test_every_class_is_well_represented_on_both_sides() -> None:
    digits = load_digits()
    assert np.bincount(digits.train_labels).min() > 130
    assert np.bincount(digits.test_labels).min() > 25


def test_values_are_those_of_the_original_file() -> None:
    digits = load_digits()
    pixels = np.concatenate([digits.train_images, digits.test_images]) * 16
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    # Sums over the columns of the original text file, and the start of its first row.
    assert pixels.sum(dtype=np.float64) == 561718
    assert labels.sum() == 8070
    first = [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
    assert any(image.ravel()[:16].tolist() == first for image in pixels[labels == 0])


def test_the_split_is_the_same_on_every_machine() -> None:
    digits = load_digits()
    assert digits.test_labels[:12].tolist() == [4, 5, 6, 9, 4, 7, 8, 9, 9, 6, 9, 9]
    assert digits.train_labels[:12].tolist() == [0, 1, 2, 3, 7, 8, 0, 1, 2, 3, 5, 6]


def test_no_image_is_on_both_sides() -> None:
    digits = load_digits()

    def fingerprints(images: np.ndarray) -> set[bytes]:
        return {hashlib.sha256(image.tobytes()).digest() for image in images}

    assert not fingerprints(digits.train_images) & fingerprints(digits.test_images)


def test_each_call_gives_arrays_of_its_own() -> None:
    digits = load_digits()
    digits.train_images[:] = 0
    assert load_digits().train_images.max() == 1


def test_the_source_and_the_licence_are_stated_beside_the_file() -> None:
    text = DIGITS_PATH.with_name("digits.LICENSE.md").read_text(encoding="utf-8")
    assert "Alpaydin" in text
    assert "CC BY 4.0" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros([1797, 64], np.uint8)}, r"images should be uint8 \[1797, 8, 8\]"),
        ({"images": np.zeros([1797, 8, 8], np.float32)}, r"got float32 \[1797, 8, 8\]"),
        ({"images": np.full([1797, 8, 8], 17, np.uint8)}, "images should be at most 16, got 17"),
        ({"labels": np.zeros([3], np.uint8)}, r"labels should be uint8 \[1797\], got uint8 \[3\]"),
        ({"labels": np.full([1797], 10, np.uint8)}, "labels should be at most 9, got 10"),
        ({"labels": None}, "not the digits"),
        ({"labels": np.array([print] * 1797)}, "not the digits"),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_archive(tmp_path / "digits.npz", **changes)
    with pytest.raises(ValueError, match=message):
        load_digits(path)


@pytest.mark.parametrize("length", [0, 1, 100, 20_000, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "digits.npz"
    path.write_bytes(DIGITS_PATH.read_bytes()[:length])
    with pytest.raises(ValueError, match="damaged"):
        load_digits(path)


@pytest.mark.parametrize("position", [300, 10_000, 40_000])
def test_a_flipped_bit_is_refused(tmp_path: Path, position: int) -> None:
    content = bytearray(DIGITS_PATH.read_bytes())
    content[position] ^= 0x10
    path = tmp_path / "digits.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        load_digits(path)


def test_a_lone_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "digits.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match="not the digits"):
        load_digits(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent.npz"):
        load_digits(tmp_path / "absent.npz")
