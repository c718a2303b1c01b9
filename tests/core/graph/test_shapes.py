from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import workbench as tf


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 2], None, None),
        ([1, 2], [1, 2], [1, 2]),
        ([1, 2], [1, 3], [1, None]),
        ([None, 2], [None, 2], [None, 2]),
        ([None, 2], [5, 2], [None, 2]),
        ([1, 2], [1, 2, 3], None),
        ([], [], []),
    ],
)
def test_most_specific_compatible_shape(one: Any, other: Any, expected: Any) -> None:
    for a, b in ((one, other), (other, one)):
        shape = tf.TensorShape(a).most_specific_compatible_shape(b)
        assert (None if shape.ndims is None else shape.as_list()) == expected


def test_texts_are_numbers_or_symbols() -> None:
    assert (tf.Dimension(12) == "12") is True
    assert (tf.Dimension(12) != "_") is True
    assert (tf.Dimension("batch") == "batch") is True
    assert tf.TensorShape(["3", "batch"]).dims[0].value == 3


def test_dimensions_divide_without_remainder_only() -> None:
    assert (tf.Dimension(7) // 2).value == 3
    with pytest.raises(TypeError, match="unsupported operand"):
        tf.Dimension(7) / 2


def test_a_dtype_is_no_size() -> None:
    for make in (tf.Dimension, tf.TensorShape, lambda x: tf.TensorShape([x])):
        with pytest.raises(TypeError, match="Cannot convert tf.float32 to a Dimension"):
            make(tf.float32)


@pytest.mark.parametrize("size", [5, None, "batch"])
def test_dimensions_are_pickled(size: Any) -> None:
    dimension = pickle.loads(pickle.dumps(tf.Dimension(size)))
    assert repr(dimension) == repr(tf.Dimension(size))


def test_lists_of_dimensions_are_constants() -> None:
    x = tf.placeholder(tf.float32, [None, 4, 3])
    assert tf.reshape(x, [-1, x.shape[1] * x.shape[2]]).shape.as_list() == [None, 12]
    proto = tf.make_tensor_proto([10, tf.Dimension(20)], tf.int32)
    assert tf.make_ndarray(proto).tolist() == [10, 20]


def test_large_shapes_are_constants_of_64_bits() -> None:
    shape = tf.TensorShape([2**31, 3])
    assert tf.convert_to_tensor(shape).dtype is tf.int64
    assert tf.convert_to_tensor(shape, tf.int64).eval().tolist() == [2**31, 3]
    with pytest.raises(ValueError, match=r"a dimension is too large \(2147483648\)"):
        tf.convert_to_tensor(shape, tf.int32)


class Column:
    """What has an array but is none, as a data frame's column."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return np.array([1, 2], dtype)


def test_what_has_an_array_keeps_its_type() -> None:
    assert tf.constant(Column()).dtype is tf.int64
    assert tf.convert_to_tensor(Column(), tf.float32).dtype is tf.float32


@pytest.mark.parametrize(
    ("graph_seed", "seed", "expected"),
    [
        (0, 0, (0, 2**31 - 1)),
        (2**31 - 1, 0, (0, 2**31 - 1)),
        (2**31, 1, (1, 1)),
        (1, -1, (1, 2**31 - 2)),
    ],
)
def test_seeds_fit_their_attributes(graph_seed: int, seed: int, expected: tuple[int, int]) -> None:
    tf.set_random_seed(graph_seed)
    assert tf.get_seed(seed) == expected
