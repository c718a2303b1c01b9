"""Batches of what queues collect: every example comes once, in the form it went in."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.input.pipeline import all_results

pytestmark = pytest.mark.usefixtures("graph")


def numbers(count: int, epochs: int = 1) -> Any:
    return tf.train.range_input_producer(count, epochs, shuffle=False).dequeue()


def test_batches_in_order_without_the_rest() -> None:
    number = numbers(10)
    found = all_results(tf.train.batch([number, number * 2], batch_size=4))
    assert [[a.tolist(), b.tolist()] for a, b in found] == [
        [[0, 1, 2, 3], [0, 2, 4, 6]],
        [[4, 5, 6, 7], [8, 10, 12, 14]],
    ]


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("many", [False, True])
def test_every_example_comes_once(threads: int, shuffled: bool, many: bool) -> None:
    number = numbers(50)
    tensors = {"n": number, "square": number * number}
    if many:
        tensors = {key: tf.stack([value, value]) for key, value in tensors.items()}
    arguments: dict[str, Any] = {"num_threads": threads, "enqueue_many": many, "capacity": 16}
    if shuffled:
        batch = tf.train.shuffle_batch(
            tensors, 7, min_after_dequeue=8, allow_smaller_final_batch=True, **arguments
        )
    else:
        batch = tf.train.batch(tensors, 7, allow_smaller_final_batch=True, **arguments)
    assert batch["n"].shape.as_list() == [None]
    found = all_results(batch)
    values = np.concatenate([each["n"] for each in found])
    assert sorted(values) == sorted(list(range(50)) * (2 if many else 1))
    np.testing.assert_array_equal(np.concatenate([e["square"] for e in found]), values**2)
    assert {len(each["n"]) for each in found[:-1]} == {7}
    if shuffled:
        assert values.tolist() != sorted(values)


def test_one_tensor_in_a_list_comes_alone() -> None:
    batch = tf.train.batch([numbers(4)], 2)
    assert batch.shape.as_list() == [2]
    assert tf.train.batch(numbers(4), 2).shape.as_list() == [2]
    assert list(tf.train.batch({"only": numbers(4)}, 2)) == ["only"]


@pytest.mark.parametrize("shuffled", [False, True])
def test_inputs_are_joined(shuffled: bool) -> None:
    inputs = [[numbers(20), tf.constant(name)] for name in ("a", "b", "c")]
    if shuffled:
        batch = tf.train.shuffle_batch_join(inputs, 6, capacity=20, min_after_dequeue=5, seed=3)
    else:
        batch = tf.train.batch_join(inputs, 6)
    found = all_results(batch)
    pairs = [(int(n), s) for ns, ss in found for n, s in zip(ns, ss, strict=True)]
    assert sorted(pairs) == sorted(itertools.product(range(20), (b"a", b"b", b"c")))


@pytest.mark.parametrize("join", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
def test_what_is_not_to_be_kept_is_left_out(join: bool, shuffled: bool) -> None:
    number = numbers(30)
    tensors: Any = [number, tf.SparseTensor([[0]], tf.reshape(number, [1]), [2])]
    tensors = [tensors] if join else tensors
    keep = tf.equal(number % 3, 0)
    train: Any = tf.train
    if shuffled:
        function = train.maybe_shuffle_batch_join if join else train.maybe_shuffle_batch
        batch = function(tensors, 5, 12, 3, keep)
    else:
        function = train.maybe_batch_join if join else train.maybe_batch
        batch = function(tensors, keep, 5)
    found = all_results(batch)
    values = np.concatenate([n for n, _ in found])
    assert sorted(values) == list(range(0, 30, 3))
    np.testing.assert_array_equal(np.concatenate([s.values for _, s in found]), values)


def test_some_examples_of_many_are_kept() -> None:
    number = numbers(6)
    many = tf.stack([number, number + 100, number + 200])
    rows = tf.SparseTensor([[0, 0], [1, 0], [2, 0]], many, [3, 4])
    batch = tf.train.maybe_batch([many, rows], [True, False, True], 4, enqueue_many=True)
    found = all_results(batch)
    expected = [n + extra for n in range(6) for extra in (0, 200)]
    assert [int(n) for ns, _ in found for n in ns] == expected
    assert [int(n) for _, sparse in found for n in sparse.values] == expected
    assert found[0][1].dense_shape.tolist() == [4, 4]
    assert found[0][1].indices.tolist() == [[0, 0], [1, 0], [2, 0], [3, 0]]


def test_never_keeping_ends_without_a_batch() -> None:
    assert all_results(tf.train.maybe_batch([numbers(5)], False, 2)) == []


@pytest.mark.parametrize("many", [False, True])
def test_sparse_examples_come_back_as_rows(many: bool) -> None:
    number = numbers(4)
    column = tf.cast(tf.stack([[number]]), tf.int64)
    sparse = tf.SparseTensor(column, tf.reshape(number * 10, [1]), [4])
    if many:
        sparse = tf.SparseTensor(
            tf.concat([tf.zeros_like(column), column], 1), sparse.values, [1, 4]
        )
    found = all_results(tf.train.batch([sparse], 2, enqueue_many=many))
    dense = []
    for batch in found:
        assert batch.dense_shape.tolist() == [2, 4]
        rows = np.zeros(batch.dense_shape, int)
        rows[tuple(batch.indices.T)] = batch.values
        dense.append(rows)
    expected = np.diag([0, 10, 20, 30]).reshape(2, 2, 4)
    np.testing.assert_array_equal(dense, expected)


def test_sizes_that_differ_are_filled_up() -> None:
    number = numbers(4)
    found = all_results(tf.train.batch([tf.fill([number], number)], 2, dynamic_pad=True))
    assert [f.tolist() for f in found] == [[[0], [1]], [[2, 2, 0], [3, 3, 3]]]


def test_summaries_say_how_full_the_queues_are() -> None:
    tf.train.batch([tf.constant(1)], 2, capacity=9)
    tf.train.shuffle_batch([tf.constant(1)], 2, capacity=10, min_after_dequeue=4)
    names = [s.op.name for s in tf.get_collection(tf.GraphKeys.SUMMARIES)]
    assert names == ["batch/fraction_of_9_full", "shuffle_batch/fraction_over_4_of_6_full"]


UNKNOWN = tf.float32


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: tf.train.batch([], 2), ValueError, "at least one tensor in batch"),
        (lambda: tf.train.batch_join([], 2), ValueError, "at least one input in batch_join"),
        (
            lambda: tf.train.batch([tf.placeholder(UNKNOWN)], 2),
            ValueError,
            "Cannot infer Tensor's rank",
        ),
        (
            lambda: tf.train.batch([tf.placeholder(UNKNOWN, [None])], 2),
            ValueError,
            "must be fully defined",
        ),
        (
            lambda: tf.train.shuffle_batch([1], 2, capacity=5, min_after_dequeue=5),
            ValueError,
            "capacity 5 must be bigger than min_after_dequeue 5",
        ),
        (
            lambda: tf.train.batch_join([[1], [1.0]], 2),
            TypeError,
            "Expected types to be consistent: int32 vs. float32",
        ),
        (
            lambda: tf.train.batch_join([{"a": 1}, {"b": 1}], 2),
            ValueError,
            r"the same keys .or number of tensors.: got \['a'\] and \['b'\]",
        ),
        (
            lambda: tf.train.maybe_batch([1], [True, False], 2),
            ValueError,
            "cannot be a vector when `enqueue_many=False`",
        ),
        (
            lambda: tf.train.maybe_batch([[1]], [[True]], 2, enqueue_many=True),
            ValueError,
            "must be 0 or 1 dimensions",
        ),
        (
            lambda: tf.train.maybe_batch([1], tf.placeholder(tf.bool), 2),
            ValueError,
            "dimensions must be known",
        ),
        (
            lambda: tf.train.batch_join([[tf.SparseTensor([[0]], [1], [1])], [[1]]], 2),
            ValueError,
            "Inconsistent SparseTensors list",
        ),
    ],
)
def test_what_cannot_be_batched(build: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        build()
