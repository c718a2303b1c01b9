"""Batches of examples of one bucket each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.input.pipeline import all_results, numbers

training = tf.contrib.training


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def repeated(number: Any) -> Any:
    """A vector with a number as often as it says."""
    return tf.fill([number], number)


@pytest.mark.parametrize("threads", [1, 4])
def test_each_batch_is_of_one_bucket(threads: int) -> None:
    number = numbers(24)
    sparse = tf.SparseTensor([[0]], tf.reshape(tf.cast(number, tf.int64), [1]), [2])
    which, batch = training.bucket(
        {"number": number, "row": repeated(number), "sparse": sparse},
        number % 3,
        batch_size=4,
        num_buckets=3,
        num_threads=threads,
        dynamic_pad=True,
    )
    assert batch["number"].shape.as_list() == [4]
    assert batch["row"].shape.as_list() == [4, None]
    assert batch["sparse"].shape.as_list() == [None, None]
    seen: list[int] = []
    for bucket, found in all_results([which, batch]):
        assert (found["number"] % 3 == bucket).all()
        expected = np.zeros((4, found["number"].max()), np.int32)
        for row, each in zip(expected, found["number"], strict=True):
            row[:each] = each
        assert found["row"].tolist() == expected.tolist()
        assert found["sparse"].values.tolist() == found["number"].tolist()
        assert found["sparse"].dense_shape.tolist() == [4, 2]
        seen += found["number"].tolist()
    assert sorted(seen) == list(range(24))


def test_buckets_have_sizes_of_their_own_and_the_last_batches_may_be_smaller() -> None:
    number = numbers(11)
    which, batch = training.bucket(
        [number], number % 2, [2, 4], 2, allow_smaller_final_batch=True, bucket_capacities=[9, 8]
    )
    assert batch.shape.as_list() == [None]
    found = [(int(bucket), values.tolist()) for bucket, values in all_results([which, batch])]
    assert [v for b, v in found if b == 0] == [[0, 2], [4, 6], [8, 10]]
    assert [v for b, v in found if b == 1] == [[1, 3, 5, 7], [9]]


def test_what_fills_no_batch_is_left_out() -> None:
    number = numbers(7)
    _, batch = training.bucket([number], number % 2, tf.constant(2), num_buckets=2)
    assert batch.shape.as_list() == [2]
    assert sorted(v.tolist() for v in all_results(batch)) == [[0, 2], [1, 3], [4, 6]]


def test_some_are_not_kept_and_some_are_of_no_bucket() -> None:
    number = numbers(20)
    which, batch = training.bucket([number], number // 5, 2, 3, keep_input=number % 5 < 4)
    found = all_results([which, batch])
    assert sorted((int(b), v.tolist()) for b, v in found) == [
        (b, [5 * b + i, 5 * b + i + 1]) for b in range(3) for i in (0, 2)
    ]


def test_what_is_not_kept_at_all_still_ends() -> None:
    _, nothing = training.bucket([numbers(5)], 0, 2, 3, keep_input=False)
    assert all_results(nothing) == []


def test_by_length() -> None:
    number = numbers(12)
    lengths, batch = training.bucket_by_sequence_length(
        number,
        {"row": repeated(number)},
        2,
        [3, 6, 8],
        dynamic_pad=True,
        allow_smaller_final_batch=True,
    )
    found = all_results([lengths, batch["row"]])
    # By hand: what is shorter than 3, than 6, than 8, and the rest.
    expected = [[0, 1], [2], [3, 4], [5], [6, 7], [8, 9], [10, 11]]
    assert sorted(each.tolist() for each, _ in found) == expected
    for each, rows in found:
        assert rows.shape == (len(each), max(each))
        assert (rows != 0).sum(1).tolist() == each.tolist()


def test_queue_runners_come_back_with_the_graph(graph: tf.Graph) -> None:
    number = numbers(8)
    _, batch = training.bucket([number], number % 2, 2, 2)
    exported = tf.train.export_meta_graph()
    with tf.Graph().as_default():
        tf.train.import_meta_graph(exported)
        found = all_results(batch.name)
    assert sorted(v.tolist() for v in found) == [[0, 2], [1, 3], [4, 6], [5, 7]]


def test_arguments_are_checked() -> None:
    one = tf.constant(1)
    with pytest.raises(ValueError, match="bucket_capacities.* must have exactly num_buckets"):
        training.bucket([one], 0, 2, 2, bucket_capacities=[1, 2, 3])
    with pytest.raises(ValueError, match="batch_size.* must have exactly num_buckets"):
        training.bucket([one], 0, [2], 2)
    with pytest.raises(ValueError, match="at least one tensor"):
        training.bucket([], 0, 2, 2)
    for boundaries, error, said in [
        (3, TypeError, "must be a list or tuple"),
        ([], ValueError, "must not be empty"),
        ([1, 2.5], TypeError, "must be integers"),
        ([1, 3, 3], ValueError, "but saw: 3 before 3"),
    ]:
        with pytest.raises(error, match=said):
            training.bucket_by_sequence_length(one, [one], 2, boundaries)
