"""What variables begin with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.state.making import evaluated
from workbench.core.errors import FailedPreconditionError

pytestmark = pytest.mark.usefixtures("graph")


def test_value_as_initializer_is_a_constant_beside_the_variable() -> None:
    tf.get_variable("w", initializer=[1.0, 2.0])
    made = [op.name for op in tf.get_default_graph().get_operations()]
    assert made == ["w/initial_value", "w", "w/Assign", "w/read"]


def test_variables_ignore_control_dependencies() -> None:
    first = tf.get_variable("first", [], initializer=tf.zeros_initializer())
    with tf.control_dependencies([first.read_value()]):
        second = tf.get_variable("second", [], initializer=tf.ones_initializer())
    with tf.Session() as session:
        session.run(second.initializer)
        assert session.run(second) == 1.0
        with pytest.raises(FailedPreconditionError, match="first"):
            session.run(first)


@pytest.mark.parametrize(
    ("initializer", "expected"),
    [
        (2, np.int32(2)),
        (2.5, np.float32(2.5)),
        ([1, 2], np.array([1, 2], np.int32)),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (lambda: tf.constant([3.0]), np.array([3.0], np.float32)),
        (lambda: [3], np.array([3.0], np.float32)),
        (lambda length=2: tf.ones([length]), np.array([1.0, 1.0], np.float32)),
    ],
)
def test_values_and_functions_without_arguments(initializer: Any, expected: Any) -> None:
    value = evaluated(tf.get_variable("v", initializer=initializer))
    np.testing.assert_array_equal(value, expected)
    assert np.asarray(value).dtype == expected.dtype


def test_python_values_take_the_dtype_asked_for() -> None:
    v = tf.get_variable("v", initializer=[1, 2], dtype=tf.float64)
    assert v.dtype.base_dtype == tf.float64


@pytest.mark.parametrize(
    "initializer",
    [
        lambda shape, dtype, partition_info: tf.ones(shape, dtype),
        lambda shape, dtype: tf.ones(shape, dtype),
        lambda shape, kind: tf.ones(shape, kind),
        lambda shape, dtype=tf.float32: np.ones(shape),
        lambda shape: np.ones(shape),
        lambda *arguments, **keywords: tf.ones(*arguments, keywords["dtype"]),
    ],
)
def test_functions_of_many_kinds_initialise(initializer: Any) -> None:
    v = tf.get_variable("v", [2], dtype=tf.float64, initializer=initializer)
    assert v.dtype.base_dtype == tf.float64
    assert evaluated(v).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("dtype", "expected"), [(tf.int64, 0), (tf.bool, False), (tf.uint8, 0), (tf.string, b"")]
)
def test_default_of_other_dtypes_is_zero(dtype: Any, expected: Any) -> None:
    assert evaluated(tf.get_variable("v", [1], dtype=dtype)).tolist() == [expected]


def test_dtype_may_carry_the_reference_mark() -> None:
    v = tf.get_variable("v", [2], dtype=tf.float64)
    assert tf.get_variable("w", [2], dtype=v.dtype).dtype == v.dtype


def test_a_variable_is_there_whatever_its_value() -> None:
    assert bool(tf.Variable(0.0)) and bool(tf.get_variable("zeros", [3]))
    with pytest.raises(TypeError, match="Cannot use as a Python bool"):
        bool(tf.Variable(0.0) + 1.0)
