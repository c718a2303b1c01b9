"""Updates of rows, against a loop that does one row after the other."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf

COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "update": lambda old, new: new,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "min": np.minimum,
    "max": np.maximum,
}
START = np.array([[3.0, -1.0], [2.0, 8.0], [-4.0, 0.5]], np.float32)
ROWS = [2, 0, 2]
VALUES = np.array([[1.0, 2.0], [5.0, -3.0], [4.0, 0.25]], np.float32)


def scattered(kind: str, updates: Any) -> Any:
    variable = tf.Variable(START)
    result = getattr(tf, f"scatter_{kind}")(variable, ROWS, updates)
    assert result.shape.as_list() == [3, 2]
    with tf.Session() as session:
        session.run(variable.initializer)
        session.run(result)
        return session.run(variable)


@pytest.mark.parametrize("kind", COMBINE)
@pytest.mark.parametrize("updates", [VALUES, np.float32(2.0)], ids=["rows", "scalar"])
def test_rows_are_updated_in_turn(kind: str, updates: Any) -> None:
    wanted = START.copy()
    for row, values in zip(ROWS, np.broadcast_to(updates, VALUES.shape), strict=True):
        wanted[row] = COMBINE[kind](wanted[row], values)
    np.testing.assert_allclose(scattered(kind, updates), wanted, rtol=1e-6)


@pytest.mark.parametrize("kind", COMBINE)
def test_rows_that_are_not_there_are_named(kind: str) -> None:
    variable = tf.Variable(START)
    update = getattr(tf, f"scatter_{kind}")(variable, [0, 3], START[:2])
    with tf.Session() as session:
        session.run(variable.initializer)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[1\] = 3 is not in"):
            session.run(update)
        np.testing.assert_array_equal(session.run(variable), START)


def test_updates_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"updates have \(2,\)"):
        tf.scatter_add(tf.Variable(START), [0, 1], [1.0, 2.0])
