"""Feeds whose shapes do not fit: whose words the error has, and what the run leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _ones(*shape: int) -> np.ndarray[Any, Any]:
    return np.ones(shape, np.float32)


def test_the_kernel_speaks_first(session: Any) -> None:
    x = tf.placeholder(tf.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected axis in the range") as error:
        session.run(tf.gather(x, [0], axis=2), {x: _ones(2, 3)})
    assert error.value.op.type == "GatherV2"


def test_the_shape_rule_speaks_for_numpy(session: Any) -> None:
    x, y = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    total = x + y
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be equal, but are 3 and 2"):
        session.run(total, {x: _ones(1, 3), y: _ones(1, 2)})
    assert session.run(total, {x: _ones(1, 2), y: _ones(2, 1)}).tolist() == [[2.0, 2.0]] * 2


def test_what_numpy_would_stretch_is_refused_before_it_has_effects(session: Any) -> None:
    x, y = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
    v = tf.Variable(1.0)
    session.run(v.initializer)
    update = tf.assign_add(v, tf.reduce_sum(tf.where(x > 0, x, y)))
    for _ in range(2):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Dimension 0 in both shapes"):
            session.run(update, {x: _ones(2, 3), y: _ones(1, 3)})
    assert session.run(v) == 1.0
    assert session.run(update, {x: _ones(1, 2), y: _ones(1, 2)}) == 3.0
