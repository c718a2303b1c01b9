"""Casts between all types, saturation, bits; comparisons and logic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import workbench as tf
from workbench.core.ops.kernel_binding import bind_kernel

TYPES = (
    "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool "
    "complex64 complex128"
).split()


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("target", TYPES)
def test_casts(target: str, session: Any) -> None:
    numbers = np.array([0, 1, 2, 100])
    made = [
        tf.cast(tf.constant(numbers.astype(tf.as_dtype(t).as_numpy_dtype)), target) for t in TYPES
    ]
    for source, found in zip(TYPES, session.run(made), strict=True):
        assert found.dtype == tf.as_dtype(target).as_numpy_dtype
        expected = numbers != 0 if "bool" in (source, target) else numbers
        np.testing.assert_array_equal(found.astype(np.complex128).real, expected)


def test_cuts_towards_zero(session: Any) -> None:
    x = tf.constant([1.9, -1.9, 0.2, 1e9])
    assert session.run(tf.cast(x, tf.int64)).tolist() == [1, -1, 0, 10**9]
    assert session.run(tf.cast(x, tf.bool)).tolist() == [True] * 4
    assert session.run(tf.cast(tf.constant([1 + 2j]), tf.float32)).tolist() == [1.0]


def test_cast_leaves_what_has_the_type() -> None:
    x = tf.constant([1.0])
    assert tf.cast(x, tf.float32) is x
    assert tf.cast(x, "int32").op.name == "Cast_1"
    assert tf.to_int32(x).op.name == "ToInt32"
    assert [f(x).dtype.name for f in (tf.to_double, tf.to_int64, tf.to_bfloat16)] == [
        "float64", "int64", "bfloat16",
    ]  # fmt: skip
    assert (tf.to_complex64(x).dtype, tf.to_complex128(x).dtype) == (tf.complex64, tf.complex128)
    sparse = tf.cast(tf.SparseTensor([[0]], [1.5], [3]), tf.int32)
    assert isinstance(sparse, tf.SparseTensor) and sparse.dtype == tf.int32
    slices = tf.cast(tf.IndexedSlices(x, tf.constant([2])), tf.float64)
    assert isinstance(slices, tf.IndexedSlices) and slices.dtype == tf.float64
    with pytest.raises(tf.errors.UnimplementedError, match="Cast float32 to string is not supp"):
        tf.cast(x, tf.string)


def test_cast_gradient(session: Any) -> None:
    x = tf.constant([1.5, 2.5])
    wide = tf.cast(x, tf.float64) * [2.0, 3.0]
    gradient = tf.gradients(wide, x)[0]
    assert gradient.dtype == tf.float32
    assert session.run(gradient).tolist() == [2.0, 3.0]
    assert tf.gradients(tf.cast(tf.cast(x, tf.int32), tf.float32), x) == [None]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("float32", "uint8"), ("float32", "int32"), ("float32", "int64"), ("float64", "uint64"),
        ("int64", "int8"), ("int32", "uint16"), ("uint8", "int8"), ("float64", "float16"),
        ("bfloat16", "int16"), ("int64", "float16"),
    ],
)  # fmt: skip
def test_saturation(source: str, target: str, session: Any) -> None:
    kind = tf.as_dtype(source)
    x = np.array([kind.min, kind.max, 0, 1, 100]).astype(kind.as_numpy_dtype)
    found = session.run(tf.saturate_cast(tf.constant(x), target))
    limits = tf.as_dtype(target)
    for given_value, value in zip(x, found, strict=True):
        exact = min(max(_whole(given_value), _whole(limits.min)), _whole(limits.max))
        # The last float below the limit may be some way off it.
        assert abs(_whole(value) - exact) <= abs(exact) * 2**-8
        assert (_whole(value) > 0) == (exact > 0)


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, np.integer) else int(float(value))


def test_bitcast(session: Any) -> None:
    x = tf.constant([[1.0, -2.0]])
    bits = tf.bitcast(x, tf.int32)
    small = tf.bitcast(x, tf.uint8)
    assert small.shape.as_list() == [1, 2, 4]
    back = tf.bitcast(small, tf.float32)
    found = session.run([bits, back])
    assert found[0].tolist() == [[0x3F800000, -0x40000000]]
    assert found[1].tolist() == [[1.0, -2.0]]
    with pytest.raises(ValueError, match="Cannot bitcast due to shape"):
        tf.bitcast(tf.constant([1, 2, 3]), tf.float64)


COMPARISONS = {
    "Equal": "__eq__", "NotEqual": "__ne__", "Less": "__lt__", "LessEqual": "__le__",
    "Greater": "__gt__", "GreaterEqual": "__ge__",
}  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_comparisons_against_python(data: st.DataObject) -> None:
    values = st.one_of(st.floats(width=32), st.sampled_from([0.0, 1.0, -1.0]))
    x, y = (
        data.draw(arrays.arrays(np.float32, (6,), elements=values), label=name) for name in "xy"
    )
    for type_name, method in COMPARISONS.items():
        kernel = bind_kernel(type_name, {}, 2)
        assert kernel is not None
        expected = [getattr(float(a), method)(float(b)) for a, b in zip(x, y, strict=True)]
        assert kernel(x, y).tolist() == expected


def test_comparing(session: Any) -> None:
    x = tf.placeholder(tf.int32, [None, 1])
    assert tf.less(x, [1, 2, 3]).shape.as_list() == [None, 3]
    assert (x <= 2).op.type == "LessEqual"
    found = session.run(
        [
            tf.greater_equal(x, [1, 2, 3]),
            tf.not_equal(["a", "b"], "a"),
            tf.logical_xor(x > 1, True),
        ],
        {x: [[2]]},
    )
    assert [f.tolist() for f in found] == [[[True, True, False]], [False, True], [[False]]]
    assert tf.logical_xor([True], [False]).op.name == "LogicalXor_1"
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 3"):
        tf.equal([1, 2], [1, 2, 3])
    with pytest.raises(TypeError, match="has type float32 that does not match"):
        tf.less(x, tf.constant(1.0))


def test_near_numbers_are_equal(session: Any) -> None:
    from workbench.core.ops.comparison import approximate_equal

    assert session.run(approximate_equal([1.0, 2.0], [1.05, 2.2], 0.1)).tolist() == [True, False]
