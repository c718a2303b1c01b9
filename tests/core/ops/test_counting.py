"""Counting, histograms, the confusion matrix, norms and cross products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.ops.confusion import remove_squeezable_dimensions
from workbench.core.ops.counting import bucketize

rng = np.random.default_rng(41)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_count_nonzero(session: Any) -> None:
    x = tf.constant([[0, 2, 0], [1, -1, 0]])
    found = session.run(
        [
            tf.count_nonzero(x),
            tf.count_nonzero(x, axis=1, keep_dims=True),
            tf.count_nonzero(x, reduction_indices=[0], dtype=tf.int32),
            tf.count_nonzero([True, False]),
            tf.count_nonzero(["", "a", "b"]),
        ]
    )
    assert [np.asarray(f).tolist() for f in found] == [3, [[1], [2]], [1, 2, 0], 1, 2]
    assert [f.dtype.name for f in found[:3]] == ["int64", "int64", "int32"]


@settings(max_examples=20, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 12), max_size=30),
    minimum=st.none() | st.integers(0, 20),
    maximum=st.none() | st.integers(0, 20),
)
def test_bincount(numbers: list[int], minimum: Any, maximum: Any) -> None:
    expected = np.bincount(np.array(numbers, int), minlength=minimum or 0)[:maximum]
    with tf.Graph().as_default(), tf.Session() as session:
        found = session.run(tf.bincount(numbers, minlength=minimum, maxlength=maximum))
    assert found.tolist() == expected.tolist() and found.dtype == np.int32


def test_bincount_of_weights(session: Any) -> None:
    found = session.run(tf.bincount([[1, 1], [3, 0]], [[0.5, 0.25], [2.0, 1.0]]))
    assert found.tolist() == [1, 0.75, 0, 2] and found.dtype == np.float32
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be non-negative"):
        session.run(tf.bincount([1, -1]))


def test_histogram(session: Any) -> None:
    values = rng.normal(size=(20, 5))
    found = session.run(tf.histogram_fixed_width(values, [-1.0, 1.0], nbins=8, dtype=tf.int64))
    expected = np.histogram(np.clip(values, -1, 1), 8, (-1, 1))[0]
    assert found.tolist() == expected.tolist() and found.dtype == np.int64
    assert tf.histogram_fixed_width(values, [0.0, 1.0]).shape.as_list() == [100]
    bins = session.run(tf.histogram_fixed_width_bins(values, [-1.0, 1.0], nbins=8, dtype=tf.int64))
    assert bins.shape == np.shape(values)
    np.testing.assert_array_equal(np.bincount(bins.reshape(-1), minlength=8), found)


def test_bucketize(session: Any) -> None:
    found = session.run(bucketize(tf.constant([[-5.0, 0.0], [3.0, 99.0]]), [0, 3, 8]))
    assert found.tolist() == [[0, 1], [2, 3]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected sorted boundaries"):
        session.run(bucketize(tf.constant([1]), [3, 1]))
    with pytest.raises(TypeError, match="Expected list"):
        bucketize(tf.constant([1]), 3)


def test_confusion_matrix(session: Any) -> None:
    labels, predictions = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    weights = rng.integers(0, 5, 50).astype(np.float32)
    expected = np.zeros((5, 5))
    weighted = np.zeros((5, 5))
    for label, prediction, weight in zip(labels, predictions, weights, strict=True):
        expected[label, prediction] += 1
        weighted[label, prediction] += weight
    found = session.run(
        [
            tf.confusion_matrix(labels, predictions),
            tf.confusion_matrix(labels, predictions, num_classes=5, dtype=tf.int64),
            tf.confusion_matrix(labels[:, None], predictions, 5, tf.float32, weights=weights),
        ]
    )
    np.testing.assert_array_equal(found[0], expected[:4, :4])
    np.testing.assert_array_equal(found[1], expected)
    np.testing.assert_array_equal(found[2], weighted)
    assert [f.dtype.name for f in found] == ["int32", "int64", "float32"]


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([0, -1], [0, 0], "`labels` contains negative values"),
        ([0, 0], [0, -1], "`predictions` contains negative values"),
        ([0, 3], [0, 0], "`labels` out of bound.*x < y"),
        ([0, 0], [3, 0], "`predictions` out of bound.*x < y"),
    ],
)
def test_confusion_errors(labels: Any, predictions: Any, message: str, session: Any) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(tf.confusion_matrix(labels, predictions, num_classes=3))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("labels", "predictions", "difference", "want"),
    [
        ((2, 3), (2, 3), 0, ((2, 3), (2, 3))),
        ((2, 3, 1), (2, 3), 0, ((2, 3), (2, 3))),
        ((2, 3), (2, 3, 1), 0, ((2, 3), (2, 3))),
        ((2, 3), (2, 3, 1), 1, ((2, 3), (2, 3, 1))),
        ((2, 3, 1), (2, 3, 5), 1, ((2, 3), (2, 3, 5))),
        ((2,), (2, 3, 1), 1, ((2,), (2, 3))),
    ],
)
def test_squeezing(
    labels: Any, predictions: Any, difference: int, want: Any, known: bool, session: Any
) -> None:
    x = tf.placeholder(tf.float32, labels if known else None)
    y = tf.placeholder(tf.float32, predictions if known else None)
    found = session.run(
        remove_squeezable_dimensions(x, y, difference),
        {x: np.zeros(labels), y: np.zeros(predictions)},
    )
    assert tuple(f.shape for f in found) == want


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("order", ["euclidean", 1, 2, np.inf, 3.5])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_vector_norms(order: Any, axis: Any, keep: bool, session: Any) -> None:
    x = rng.normal(size=(3, 4))
    found = session.run(tf.norm(x, order, axis, keep_dims=keep))
    number = 2 if order == "euclidean" else order
    if axis is None:
        expected = np.linalg.norm(x.reshape(-1), number)
        expected = expected.reshape(1, 1) if keep else expected
    else:
        expected = np.linalg.norm(x, number, axis, keepdims=keep)
    np.testing.assert_allclose(found, expected)
    assert np.shape(found) == np.shape(expected)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("order", ["euclidean", "fro", 1, 2, np.inf])
@pytest.mark.parametrize("axis", [(0, 1), [2, 0], (-2, -1)])
def test_matrix_norms(order: Any, axis: Any, keep: bool, known: bool, session: Any) -> None:
    values = rng.normal(size=(2, 3, 4)) + 1j * rng.normal(size=(2, 3, 4))
    x = tf.placeholder_with_default(values, values.shape if known else None)
    found = session.run(tf.norm(x, order, axis, keepdims=keep))
    number = "fro" if order == "euclidean" else order
    expected = np.linalg.norm(values, number, tuple(axis), keepdims=keep)
    np.testing.assert_allclose(found, expected)
    assert found.shape == expected.shape


def test_norm_errors() -> None:
    x = tf.zeros([2, 2])
    for order in ("fro", "foo", -1, 0):
        with pytest.raises(ValueError, match="'ord' must be a supported vector norm"):
            tf.norm(x, order)
    for order in (3, 1.5, "foo"):
        with pytest.raises(ValueError, match="'ord' must be a supported matrix norm"):
            tf.norm(x, order, axis=(0, 1))
    for axis in ([], [1, 2, 3], [1, 1], [[1], [2]], 1.5):
        with pytest.raises(ValueError, match="'axis' must be None, an integer, or a tuple of 2"):
            tf.norm(x, axis=axis)


def test_cross(session: Any) -> None:
    a, b = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    np.testing.assert_allclose(session.run(tf.cross(a, b)), np.cross(a, b))
    with pytest.raises(ValueError, match="only defined for 3-element vectors"):
        tf.cross([1.0, 2.0], [3.0, 4.0])
