"""Types of elements: what they are equal to."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as tf


@pytest.mark.parametrize(
    "other", [tf.int32, "int32", np.int32, np.dtype(np.int32), 3], ids=lambda other: repr(other)
)
def test_equal(other: object) -> None:
    assert (tf.int32 == other) is True
    assert (tf.int32 != other) is False


@pytest.mark.parametrize(
    "other",
    # An `int` is made an int32 where nothing else is asked for, but not every one fits.
    [int, tf.int64, np.int64, tf.as_dtype(103), None, 2.5, "nonsense", object()],
    ids=lambda other: repr(other)[:20],
)
def test_different(other: object) -> None:
    assert (tf.int32 != other) is True
    assert (tf.int32 == other) is False
