"""Choosing, masks, sequences and distinct values as the user calls them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_where(session: Any) -> None:
    found = tf.where([[True, False], [True, True]])
    assert session.run(found).tolist() == [[0, 0], [1, 0], [1, 1]] and found.dtype is tf.int64
    assert found.shape.as_list() == [None, 2]
    assert session.run(tf.where([0, 1, 2])).tolist() == [[1], [2]]
    x = tf.placeholder(tf.float32, ["batch", 2])
    assert tf.where(tf.placeholder(tf.bool, ["batch"]), x, x).entries == ("batch", 2)
    assert tf.where(x > 0, x, tf.zeros_like(x)).op.type == "Select"
    assert session.run(tf.where(True, "a", "b")) == b"a"
    rows = tf.where([True, False], [[1, 2], [3, 4]], [[5, 6], [7, 8]])
    assert session.run(rows).tolist() == [[1, 2], [7, 8]]
    with pytest.raises(ValueError, match="x and y must both be non-None"):
        tf.where([True], x)
    with pytest.raises(ValueError, match="Dimension 1 in both shapes must be equal"):
        tf.where(True, x, tf.zeros([2, 3]))
    with pytest.raises(ValueError, match="but are 3 and 2"):
        tf.where([True] * 3, tf.zeros([2, 2]), tf.zeros([2, 2]))


def test_where_stops_what_is_not_chosen(session: Any) -> None:
    x = tf.constant([0.0, 4.0])
    safe = tf.where(x > 0, x, tf.ones_like(x))
    y = tf.where(x > 0, tf.sqrt(safe), tf.zeros_like(x))
    assert session.run(tf.gradients(y, x)[0]).tolist() == [0.0, 0.25]


@given(st.lists(st.booleans(), min_size=6, max_size=6), st.booleans())
@settings(max_examples=25, deadline=None)
def test_boolean_mask_is_numpys(bits: list[bool], known: bool) -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    mask = np.array(bits).reshape(2, 3)
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float64, array.shape if known else [None, None, 4])
        m = tf.placeholder(tf.bool, [2, 3] if known else [None, None])
        kept = tf.boolean_mask(x, m)
        one = tf.boolean_mask(x, m[0], axis=1)
        (gradient,) = tf.gradients(kept * kept, x)
        feed = {x: array, m: mask}
        value, along, slope = session.run([kept, one, tf.convert_to_tensor(gradient)], feed)
    np.testing.assert_array_equal(value, array[mask])
    np.testing.assert_array_equal(along, array[:, mask[0]])
    np.testing.assert_array_equal(slope, np.where(mask[..., None], 2 * array, 0))
    assert kept.shape.as_list() == [None, 4]


def test_boolean_mask_errors() -> None:
    x = tf.zeros([2, 3])
    with pytest.raises(ValueError, match="mask cannot be scalar"):
        tf.boolean_mask(x, True)
    with pytest.raises(ValueError, match="Number of mask dimensions must be specified"):
        tf.boolean_mask(x, tf.placeholder(tf.bool))
    with pytest.raises(ValueError, match="incompatible"):
        tf.boolean_mask(x, [True, False, True])


def test_sequence_mask(session: Any) -> None:
    lengths = tf.placeholder(tf.int64, [None])
    mask = tf.sequence_mask(lengths, 3, tf.float32)
    assert mask.dtype is tf.float32 and mask.shape.as_list() == [None, 3]
    wanted = [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    assert session.run(mask, {lengths: [1, 5]}).tolist() == wanted
    assert session.run(tf.sequence_mask([[2], [0]])).tolist() == [[[True, True]], [[False, False]]]
    assert session.run(tf.sequence_mask([-1])).tolist() == [[]]
    with pytest.raises(ValueError, match="scalar"):
        tf.sequence_mask([1], [2])


_BOUNDS = st.integers(-20, 20)


@given(_BOUNDS, _BOUNDS, _BOUNDS.filter(bool), st.sampled_from(["int32", "int64", "float64"]))
@settings(max_examples=60, deadline=None)
def test_range_is_numpys(start: int, limit: int, delta: int, dtype: str) -> None:
    if (limit - start) * delta < 0:
        with pytest.raises(ValueError, match="Requires start"):
            tf.range(start, limit, delta)
        return
    with tf.Graph().as_default(), tf.Session() as session:
        numbers = tf.range(start, limit, delta, dtype)
        value = session.run(numbers)
        fed = tf.placeholder(dtype, [])
        same = session.run(tf.range(fed, limit, delta), {fed: start})
    want = np.arange(start, limit, delta, dtype)
    np.testing.assert_array_equal(value, want)
    np.testing.assert_array_equal(same, want)
    assert value.dtype == dtype and numbers.shape.as_list() == [len(want)]


def test_range_types_and_names(session: Any) -> None:
    assert tf.range(3).dtype is tf.int32 and tf.range(3).op.name == "range_1"
    assert tf.range(0, 1.0, 0.25).dtype is tf.float32
    assert tf.range(tf.constant(2, tf.int64)).dtype is tf.int64
    assert tf.range(3, dtype=tf.float64).dtype is tf.float64
    assert session.run(tf.range(3, delta=2)).tolist() == [0, 2]
    # The hundred-thousandth step of a float32 range is where it belongs.
    assert session.run(tf.range(0.0, 1.0, 1e-5))[-1] == pytest.approx(0.99999, abs=1e-6)
    with pytest.raises(ValueError, match="delta != 0"):
        tf.range(0, 3, 0)
    with pytest.raises(TypeError, match="got bool"):
        tf.range(tf.constant(True))
    count = tf.placeholder(tf.int32, [])
    with pytest.raises(tf.errors.InvalidArgumentError, match="start <= limit"):
        session.run(tf.range(count), {count: -1})


def test_linspace(session: Any) -> None:
    assert tf.lin_space is tf.linspace
    line = tf.linspace(tf.constant(0.0, tf.float64), 3, 4)
    assert line.dtype is tf.float64 and line.shape.as_list() == [4]
    assert session.run(line).tolist() == [0.0, 1.0, 2.0, 3.0]
    with pytest.raises(TypeError, match="int32 not in list"):
        tf.linspace(0, 1, 3)
    with pytest.raises(ValueError, match="num > 0"):
        tf.linspace(0.0, 1.0, 0)


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("sizes", [[3], [2, 3], [2, 3, 4]])
def test_meshgrid_is_numpys(indexing: str, sizes: list[int], session: Any) -> None:
    lines = [np.arange(n) + 10.0 * i for i, n in enumerate(sizes)]
    known = tf.meshgrid(*lines, indexing=indexing)
    fed = [tf.placeholder(tf.float64, [None]) for _ in lines]
    unknown = tf.meshgrid(*fed, indexing=indexing, name="grid")
    values = session.run([known, unknown], dict(zip(fed, lines, strict=True)))
    for found in values:
        for grid, want in zip(found, np.meshgrid(*lines, indexing=indexing), strict=True):
            np.testing.assert_array_equal(grid, want)
    assert all(g.shape.is_fully_defined() for g in known)


def test_meshgrid_errors() -> None:
    with pytest.raises(TypeError, match="'sparse' is an invalid keyword argument"):
        tf.meshgrid([1], sparse=True)
    with pytest.raises(ValueError, match="indexing"):
        tf.meshgrid([1], indexing="yx")


def test_reversals(session: Any) -> None:
    x = tf.placeholder(tf.float32, ["batch", 3])
    assert tf.reverse(x, [1]).entries == tf.reverse_v2(x, [-1]).entries == ("batch", 3)
    assert tf.reverse_sequence(x, [1, 2], seq_axis=1).entries == (2, 3)
    assert tf.reverse_sequence(x, [1, 2, 3], seq_dim=0, batch_dim=1).entries == ("batch", 3)
    lengths = tf.placeholder(tf.int32, [None])
    turned = tf.reverse_sequence([[1, 2, 3]], lengths, 1)
    assert session.run(turned, {lengths: [2]}).tolist() == [[2, 1, 3]]
    for call, message in (
        (lambda: tf.reverse(x, [2]), r"'axis'\[0\] = 2 is out of valid range"),
        (lambda: tf.reverse(x, [1, -1]), "axis 1 specified more than once"),
        (lambda: tf.reverse_sequence(x, [1, 2]), "seq_axis"),
        (lambda: tf.reverse_sequence(x, [1, 2], 1, seq_dim=1), "both"),
        (lambda: tf.reverse_sequence(x, [1, 2], 5), "out of range"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_distinct_values(session: Any) -> None:
    y, idx = tf.unique(["b", "a", "b"], out_idx=tf.int64)
    values = session.run([y, idx])
    assert values[0].tolist() == [b"b", b"a"] and values[1].tolist() == [0, 1, 0]
    assert idx.dtype is tf.int64 and idx.shape.as_list() == [3] and y.shape.as_list() == [None]
    counted = tf.unique_with_counts([5.0, 5.0, 1.0])
    assert counted._fields == ("y", "idx", "count")
    assert session.run(counted.count).tolist() == [2, 1]
    kept = tf.setdiff1d([3, 1, 2], [1], index_dtype=tf.int64)
    assert session.run(kept.out).tolist() == [3, 2] and kept.idx.dtype is tf.int64
    with pytest.raises(ValueError, match="must be rank 1 but is rank 2"):
        tf.unique([[1]])
    with pytest.raises(LookupError, match="Unique"):
        x = tf.constant([1.0])
        tf.gradients(tf.unique(x).y, x)
