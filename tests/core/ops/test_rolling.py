"""tf.roll: elements that leave at one end come in at the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import assert_gradients, evaluate

X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("shift", "axis"),
    [(1, 0), (-1, 2), (7, 1), ([1, 2], [0, 2]), ([1, 1, -5], [1, 1, -1]), ([], [])],
)
def test_every_element_moves(shift: Any, axis: Any) -> None:
    expected = np.empty_like(X)
    for place in np.ndindex(X.shape):
        target = list(place)
        for step, along in zip(np.atleast_1d(shift), np.atleast_1d(axis), strict=True):
            along = int(along) % X.ndim
            target[along] = (target[along] + int(step)) % X.shape[along]
        expected[tuple(target)] = X[place]
    steps, axes = np.array(shift, np.int32), np.array(axis, np.int64)
    rolled = tf.roll(X, steps, axes)
    assert rolled.shape.as_list() == [2, 3, 4]
    np.testing.assert_array_equal(evaluate(rolled), expected)
    assert_gradients(lambda x: tf.roll(x, steps, axes), X)
    assert tf.manip.roll is tf.roll


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("arguments", "static", "dynamic"),
    [
        ((7.0, 1, 0), "at least rank 1 but is rank 0", "input must be 1-D or higher"),
        ((X, [[1]], 0), "at most rank 1 but is rank 2", "shift must be a scalar or a 1-D vector"),
        ((X, 1, [[0]]), "at most rank 1 but is rank 2", "axis must be a scalar or a 1-D vector"),
        ((X, [1], [0, 1]), "both shapes must be equal", "shift and axis must have the same size"),
        ((X, 1, 3), "", r"axis 3 is out of range for the shape \[2,3,4\]"),
    ],
)
def test_what_cannot_be_rolled(arguments: Any, static: str, dynamic: str, known: bool) -> None:
    values = [np.asarray(a) for a in arguments]
    if known and static:
        with pytest.raises(ValueError, match=static):
            tf.roll(*values)
        return
    inputs = [tf.placeholder(v.dtype) for v in values]
    with pytest.raises(tf.errors.InvalidArgumentError, match=dynamic):
        evaluate(tf.roll(*inputs), dict(zip(inputs, values, strict=True)))
