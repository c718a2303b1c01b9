"""Placeholders, identities, shapes, reshapes and fills as the user calls them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.graph.constants import constant_value


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_placeholders(session: Any) -> None:
    x = tf.placeholder(tf.float32, ["batch", 3], name="x")
    assert x.op.name == "x" and x.entries == ("batch", 3)
    assert tf.placeholder("int32").shape.ndims is None
    with pytest.raises(ValueError, match="not compatible"):
        tf.placeholder_with_default([1.0, 2.0], [3])
    rate = tf.placeholder_with_default([1.0, 2.0], [None])
    assert rate.shape.as_list() == [None]
    assert session.run(rate * 2).tolist() == [2.0, 4.0]
    assert session.run(rate * 2, {rate: [5.0]}).tolist() == [10.0]


def test_identities(session: Any) -> None:
    x = tf.constant([1.0, 2.0])
    a, b = tf.identity_n([x, tf.constant(["s"])])
    assert session.run([a, b])[1].tolist() == [b"s"]
    slices = tf.identity(tf.IndexedSlices(x, tf.constant([0, 1]), tf.constant([5])))
    assert isinstance(slices, tf.IndexedSlices) and slices.values is not x
    sparse = tf.identity(tf.SparseTensor([[0]], [1.0], [2]))
    assert isinstance(sparse, tf.SparseTensor) and sparse.get_shape().as_list() == [2]
    assert tf.gradients(tf.stop_gradient(x) * x, x)[0].op.type == "Mul"
    assert tf.gradients(tf.stop_gradient(x), x) == [None]
    from workbench.core.ops.identity import prevent_gradient

    with pytest.raises(LookupError, match="explicitly disabled.*too soon"):
        tf.gradients(prevent_gradient(x, message="too soon"), x)


def test_known_shapes_become_constants() -> None:
    known, unknown = tf.zeros([2, 3]), tf.placeholder(tf.float32, [None, 3])
    assert tf.shape(known).op.type == tf.size(known).op.type == tf.rank(unknown).op.type == "Const"
    assert tf.shape(unknown).op.type == "Shape" and tf.size(unknown).op.type == "Size"
    assert tf.shape(known, optimize=False).op.type == "Shape"
    assert tf.shape(known, out_type=tf.int64).dtype is tf.int64
    assert tf.shape(known, name="sizes").op.name == "sizes"
    sparse = tf.SparseTensor([[0, 1]], [1.0], [4, 5])
    assert constant_value(tf.rank(sparse)) == 2 and constant_value(tf.size(sparse)) == 20
    assert [t.shape.as_list() for t in tf.shape_n([known, unknown])] == [[2], [2]]


@pytest.mark.parametrize(
    ("source", "target", "result"),
    [
        (["batch", 28, 28], [-1, 784], ("batch", 784)),
        ([None, 4], [2, -1], (2, None)),
        ([2, 6], [3, -1], (3, 4)),
        (None, [2, -1], (2, None)),
        (["batch", 4], [-1, 2, 2], ("batch", 2, 2)),
        (["batch", 4], [-1, 2], (None, 2)),
        ([0, 3], [-1, 3], (0, 3)),
    ],
)
def test_reshape_shapes(source: Any, target: Any, result: Any) -> None:
    assert tf.reshape(tf.placeholder(tf.float32, source), target).entries == result


def test_reshape_follows_a_partly_known_target() -> None:
    x = tf.placeholder(tf.float32, ["batch", 6])
    assert tf.reshape(x, [tf.shape(x)[0], 2, 3]).entries == ("batch", 2, 3)
    assert tf.reshape(x, tf.shape(x)).entries == ("batch", 6)
    (gradient,) = tf.gradients(tf.reshape(x, [-1]), x)
    assert gradient.entries == ("batch", 6)
    # A size of -1 is enough to go back: no Shape is computed in a run.
    assert constant_value(gradient.op.inputs[1]).tolist() == [-1, 6]


def test_reshape_errors(session: Any) -> None:
    with pytest.raises(ValueError, match=r"Cannot reshape a tensor with 6 elements to shape \[4\]"):
        tf.reshape(tf.zeros([2, 3]), [4])
    with pytest.raises(ValueError, match="must be evenly divisible by 4 but is 6"):
        tf.reshape(tf.zeros([2, 3]), [4, -1])
    with pytest.raises(ValueError, match="Only one"):
        tf.reshape(tf.zeros([2, 3]), [-1, -1])
    sizes = tf.placeholder(tf.int32, [1])
    for wanted, message in (([5], "has 5"), ([-2], "Only one")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.run(tf.reshape(tf.zeros([2, 3]), sizes), {sizes: wanted})


def test_squeeze_and_expand(session: Any) -> None:
    x = tf.placeholder(tf.float32, ["batch", 1, 3, 1])
    assert tf.squeeze(x, [1, -1]).entries == ("batch", 3)
    assert tf.squeeze(x, 1).entries == ("batch", 3, 1)
    assert tf.squeeze(x, squeeze_dims=[1]).entries == ("batch", 3, 1)
    # Unknown sizes may be 1 too.
    assert tf.squeeze(x).shape.ndims is None
    assert tf.expand_dims(x, -1).entries == ("batch", 1, 3, 1, 1)
    assert tf.expand_dims(x, dim=0).entries == (1, "batch", 1, 3, 1)
    with pytest.raises(ValueError, match=r"Can not squeeze dim\[2\], expected a dimension of 1"):
        tf.squeeze(x, [2])
    with pytest.raises(ValueError, match=r"dim 5 not in the interval \[-5, 4\]"):
        tf.expand_dims(x, 5)
    for call in (
        lambda: tf.expand_dims(x, 0, dim=0),
        lambda: tf.expand_dims(x),
        lambda: tf.squeeze(x, 1, squeeze_dims=1),
    ):
        with pytest.raises(ValueError, match="axis"):
            call()
    unknown = tf.placeholder(tf.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="squeeze"):
        session.run(tf.squeeze(unknown, [0]), {unknown: [1.0, 2.0]})


@given(st.permutations(range(4)))
@settings(max_examples=24, deadline=None)
def test_transpose_and_its_gradient(perm: list[int]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        array = np.arange(120.0).reshape(2, 3, 4, 5)
        x = tf.placeholder(tf.float64, [None, 3, None, 5])
        y = tf.transpose(x, perm)
        weights = np.random.default_rng(0).normal(size=array.transpose(perm).shape)
        (gradient,) = tf.gradients(y, x, weights)
        value, slope = session.run([y, gradient], {x: array})
        np.testing.assert_array_equal(value, array.transpose(perm))
        np.testing.assert_array_equal(slope, weights.transpose(np.argsort(perm)))
        assert y.shape.is_compatible_with(value.shape)


def test_transpose_variants(session: Any) -> None:
    x = tf.placeholder(tf.complex64, [2, None])
    assert tf.transpose(x).shape.as_list() == [None, 2]
    assert tf.matrix_transpose(tf.zeros([4, 2, 3])).shape.as_list() == [4, 3, 2]
    value = np.array([[1 + 2j, 3j]], np.complex64)
    unknown = tf.placeholder(tf.complex64)
    turned = session.run(
        [
            tf.transpose(unknown),
            tf.transpose(unknown, conjugate=True),
            tf.matrix_transpose(unknown),
        ],
        {unknown: value},
    )
    np.testing.assert_array_equal(turned[0], value.T)
    np.testing.assert_array_equal(turned[1], value.conj().T)
    np.testing.assert_array_equal(turned[2], value.T)
    with pytest.raises(ValueError, match="rank >= 2"):
        tf.matrix_transpose(tf.zeros([3]))
    with pytest.raises(ValueError, match="Dimension must be 2 but is 3"):
        tf.transpose(x, [0, 1, 2])
    with pytest.raises(ValueError, match="perm dim 2 is out of range of input rank 2"):
        tf.transpose(x, [0, 2])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"1 is missing from \[0, 0\]"):
        session.run(tf.transpose([[1, 2]], [0, 0]))


def test_fills(session: Any) -> None:
    assert tf.zeros([2]).op.type == "Const" and tf.zeros([40, 40]).op.type == "Fill"
    assert session.run(tf.zeros([40, 40], tf.int8)).dtype == np.int8
    assert session.run(tf.zeros([2], tf.string)).tolist() == [b"", b""]
    assert session.run(tf.ones([], tf.bool)) is np.True_
    size = tf.placeholder(tf.int32, [])
    assert session.run(tf.ones([size, 2]), {size: 1}).tolist() == [[1.0, 1.0]]
    assert tf.ones([size, 2]).shape.as_list() == [None, 2]
    with pytest.raises(TypeError, match="string"):
        tf.ones([1], tf.string)
    with pytest.raises(ValueError, match="must be rank 0 but is rank 1"):
        tf.fill([2], [1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="negative"):
        session.run(tf.fill([size], 1.0), {size: -1})
    x = tf.placeholder(tf.float32, [None])
    assert tf.zeros_like(x).op.type == "ZerosLike" and tf.ones_like(x).op.type == "OnesLike"
    other = tf.zeros_like(x, dtype=tf.int64), tf.ones_like(x, dtype=tf.bool)
    assert [v.tolist() for v in session.run(other, {x: [3.0]})] == [[0], [True]]
    assert tf.zeros_like(tf.constant(["a"])).dtype is tf.string


def test_shapes_beyond_32_bits() -> None:
    with tf.Graph().as_default():
        for made in (
            tf.zeros([2**33, 1]),
            tf.fill([2**33, 1], 0.0),
            tf.fill([tf.constant(2**33, tf.int64), 1], 0.0),
            tf.truncated_normal(tf.TensorShape([2**33, 1])),
        ):
            assert made.shape.as_list() == [2**33, 1]


def test_fill_takes_longs_among_its_sizes() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        long = tf.placeholder(tf.int64, [])
        assert session.run(tf.fill([long, 2], 7), {long: 1}).tolist() == [[7, 7]]
        assert session.run(tf.fill([tf.constant(1), 2], 7)).tolist() == [[7, 7]]
        assert session.run(tf.fill([], 7)) == 7


@pytest.mark.parametrize("value", [1.0, [1.0], [1.0, 2.0], []])
def test_constants_without_elements(value: Any) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        made = tf.constant(value, tf.float32, shape=[2, 0])
        assert made.shape.as_list() == [2, 0]
        assert session.run(made).shape == (2, 0)
