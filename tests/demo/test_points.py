"""Points for a classifier: what shape they have, and that they are always the same."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.demo.points import SHAPES, make_points


@pytest.mark.parametrize("shape", SHAPES)
def test_points_are_balanced_bounded_and_always_the_same(shape: str) -> None:
    points, again, other = (make_points(shape, 300, seed=s) for s in (1, 1, 2))
    assert points.places.dtype == np.float32 and points.places.shape == (300, 2)
    assert np.abs(points.places).max() < 1.4
    counts = np.bincount(points.classes)
    assert counts.tolist() == [300 // len(counts)] * len(counts)
    assert (points.places == again.places).all() and (points.classes == again.classes).all()
    assert (points.places != other.places).any()


@pytest.mark.parametrize("shape", ["spirals", "circles"])
def test_no_straight_line_separates_the_classes(shape: str) -> None:
    places, classes = make_points(shape, 400)
    design = np.column_stack([places, np.ones(len(places))])
    weights = np.linalg.lstsq(design, 2.0 * classes - 1, rcond=None)[0]
    assert ((design @ weights > 0) == classes).mean() < 0.75


@pytest.mark.parametrize("shape", SHAPES)
def test_neighbours_are_of_one_class(shape: str) -> None:
    places, classes = make_points(shape, 400)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (classes[distances.argmin(axis=1)] == classes).mean() > 0.95


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="one of 'spirals', 'circles', 'blobs', but got 'moons'"):
        make_points("moons")
    with pytest.raises(ValueError, match="at least 3"):
        make_points(count=2)
