"""The transformations of `tf.contrib.data`, against plain Python."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.kernels.examples.messages import example
from workbench.core import records

pytestmark = pytest.mark.usefixtures("graph")


def elements(dataset: Any, errors: tuple[type[Exception], ...] = ()) -> list[Any]:
    """The elements; None for those that fail with one of the errors."""
    following = dataset.make_one_shot_iterator().get_next()
    found: list[Any] = []
    with tf.Session() as session:
        while True:
            try:
                found.append(session.run(following))
            except tf.errors.OutOfRangeError:
                return found
            except errors as error:
                found.append(None)
                assert len(found) < 1000, error


def numbers(dataset: Any) -> list[int]:
    return [int(n) for n in elements(dataset)]


Range = tf.data.Dataset.range


def test_batches_without_the_rest() -> None:
    drop = tf.contrib.data.batch_and_drop_remainder(3)
    assert [b.tolist() for b in elements(Range(8).apply(drop))] == [[0, 1, 2], [3, 4, 5]]
    padded = tf.contrib.data.padded_batch_and_drop_remainder(2, [None])
    lists = Range(5).map(lambda n: tf.fill([n], n))
    assert [b.tolist() for b in elements(lists.apply(padded))] == [
        [[0], [1]],
        [[2, 2, 0], [3, 3, 3]],
    ]


def test_mapped_batches() -> None:
    mapped = tf.contrib.data.map_and_batch(lambda n: (n, n * n), 3, num_parallel_batches=2)
    found = elements(Range(7).apply(mapped))
    assert [[a.tolist(), b.tolist()] for a, b in found] == [
        [[0, 1, 2], [0, 1, 4]],
        [[3, 4, 5], [9, 16, 25]],
        [[6], [36]],
    ]


def test_rows_of_batches() -> None:
    assert numbers(Range(5).batch(2).apply(tf.contrib.data.unbatch())) == [0, 1, 2, 3, 4]


def test_dense_arrays_as_rows_of_sparse_tensors() -> None:
    arrays = Range(4).map(lambda n: tf.fill([n], n))
    found = elements(arrays.apply(tf.contrib.data.dense_to_sparse_batch(3, [5])))
    assert found[0].indices.tolist() == [[1, 0], [2, 0], [2, 1]]
    assert found[0].values.tolist() == [1, 2, 2]
    assert found[0].dense_shape.tolist() == [3, 5]
    assert found[1].dense_shape.tolist() == [1, 5]
    small = arrays.apply(tf.contrib.data.dense_to_sparse_batch(4, [2]))
    with pytest.raises(tf.errors.DataLossError, match=r"shape \[3\], which does not fit"):
        elements(small)
    with pytest.raises(TypeError, match="single dense tensors"):
        Range(3).enumerate().apply(tf.contrib.data.dense_to_sparse_batch(4, [2]))


def test_errors_are_left_out() -> None:
    checked = Range(5).map(lambda n: tf.check_numerics(1.0 / tf.cast(n - 2, tf.float32), "bad"))
    found = elements(checked.apply(tf.contrib.data.ignore_errors()))
    assert found == [-0.5, -1.0, 1.0, 0.5]


def test_numbers_without_end() -> None:
    assert numbers(tf.contrib.data.Counter(5, 3).take(3)) == [5, 8, 11]
    down = tf.contrib.data.Counter(step=-1, dtype=tf.int32)
    assert down.output_types is tf.int32
    assert numbers(down.take(3)) == [0, -1, -2]
    pairs = elements(Range(10, 12).apply(tf.contrib.data.enumerate_dataset(7)))
    assert [(int(a), int(b)) for a, b in pairs] == [(7, 10), (8, 11)]


def test_windows_of_one_key() -> None:
    grouped = Range(10).apply(
        tf.contrib.data.group_by_window(
            lambda n: n % 3, lambda key, window: window.batch(10).map(lambda b: (key, b)), 2
        )
    )
    found = [(int(k), b.tolist()) for k, b in elements(grouped)]
    assert found == [
        (0, [0, 3]),
        (1, [1, 4]),
        (2, [2, 5]),
        (0, [6, 9]),
        (1, [7]),
        (2, [8]),
    ]


def test_windows_of_sizes_of_their_own() -> None:
    grouped = Range(9).apply(
        tf.contrib.data.group_by_window(
            lambda n: n % 2, lambda _, w: w.batch(9), window_size_func=lambda key: key + 1
        )
    )
    assert [b.tolist() for b in elements(grouped)] == [[0], [2], [1, 3], [4], [6], [5, 7], [8]]


def test_windows_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="either window_size or window_size_func"):
        tf.contrib.data.group_by_window(lambda n: n, lambda _, w: w)
    with pytest.raises(TypeError, match="single tf.int64 tensor"):
        Range(3).apply(tf.contrib.data.group_by_window(lambda n: 0.5, lambda _, w: w, 1))
    with pytest.raises(TypeError, match="must return a `Dataset`"):
        Range(3).apply(tf.contrib.data.group_by_window(lambda n: n, lambda key, _: key, 1))
    zero = Range(3).apply(tf.contrib.data.group_by_window(lambda n: n, lambda _, w: w, 0))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be greater than zero"):
        elements(zero)


def test_states_go_from_element_to_element() -> None:
    def step(state: Any, n: Any) -> Any:
        a, b = state
        return (b, a + b), a + n

    start = (tf.constant(0, tf.int64), tf.constant(1, tf.int64))
    assert numbers(Range(6).apply(tf.contrib.data.scan(start, step))) == [0, 2, 3, 5, 7, 10]


def test_states_may_grow() -> None:
    grow = tf.contrib.data.scan(
        tf.zeros([0], tf.int64), lambda s, n: (tf.concat([s, [n]], 0), tf.reduce_sum(s))
    )
    assert numbers(Range(5).apply(grow)) == [0, 0, 1, 3, 6]
    with pytest.raises(TypeError, match="new state must match the initial state"):
        Range(3).apply(tf.contrib.data.scan(0, lambda s, n: (n, s)))
    with pytest.raises(TypeError, match="pair comprising"):
        Range(3).apply(tf.contrib.data.scan(0, lambda s, n: s))


def test_each_repetition_is_shuffled_anew() -> None:
    found = numbers(Range(20).apply(tf.contrib.data.shuffle_and_repeat(20, 3, seed=4)))
    parts = [found[:20], found[20:40], found[40:]]
    assert all(sorted(part) == list(range(20)) for part in parts)
    assert len({tuple(part) for part in parts}) == 3


def interleaved(lists: list[list[int]], cycle: int, block: int) -> list[int]:
    """Elements in turn: what `interleave` is to give."""
    waiting = [list(each) for each in lists]
    places: list[list[int] | None] = [None] * cycle
    found: list[int] = []
    at = 0
    while waiting or any(p is not None for p in places):
        current = places[at]
        if current is None:
            if not waiting:
                at = (at + 1) % cycle
                continue
            current = places[at] = waiting.pop(0)
        found += current[:block]
        if len(current) < block:
            places[at] = None
        else:
            places[at] = current[block:]
        at = (at + 1) % cycle
    return found


@pytest.mark.parametrize(("cycle", "block"), [(1, 1), (2, 1), (3, 2), (5, 3)])
@pytest.mark.parametrize("ahead", [0, 2])
def test_datasets_read_side_by_side_in_order(cycle: int, block: int, ahead: int) -> None:
    dataset = Range(1, 7).apply(
        tf.contrib.data.parallel_interleave(
            lambda n: tf.data.Dataset.from_tensors(n).repeat(n),
            cycle,
            block,
            prefetch_input_elements=ahead,
        )
    )
    assert numbers(dataset) == interleaved([[n] * n for n in range(1, 7)], cycle, block)
    assert not [t for t in threading.enumerate() if t.name == "workbench-prefetch"]


@pytest.mark.parametrize("cycle", [1, 3])
def test_datasets_read_as_they_come(cycle: int) -> None:
    sloppy = tf.contrib.data.sloppy_interleave(
        lambda n: tf.data.Dataset.from_tensors(n).repeat(n), cycle
    )
    assert sorted(numbers(Range(7).apply(sloppy))) == [n for n in range(7) for _ in range(n)]
    assert not [t for t in threading.enumerate() if t.name == "workbench-prefetch"]


@pytest.mark.parametrize("sloppy", [False, True])
def test_errors_do_not_end_what_is_read_side_by_side(sloppy: bool) -> None:
    def checked(n: Any) -> Any:
        return tf.check_numerics(1.0 / tf.cast(n - 2, tf.float32), "bad")

    dataset = Range(5).apply(
        tf.contrib.data.parallel_interleave(
            lambda n: tf.data.Dataset.from_tensors(n).map(checked), 2, sloppy=sloppy
        )
    )
    found = elements(dataset, (tf.errors.InvalidArgumentError,))
    assert len(found) == 5
    assert found.count(None) == 1
    assert sorted(n for n in found if n is not None) == [-1.0, -0.5, 0.5, 1.0]


@pytest.mark.parametrize("known", [False, True])
def test_classes_become_as_frequent_as_wanted(known: bool) -> None:
    classes = np.random.RandomState(1).choice(3, 3000, p=[0.2, 0.3, 0.5])
    resampled = tf.contrib.data.rejection_resample(
        lambda kind: kind, [0.5, 0.5, 0.0], [0.2, 0.3, 0.5] if known else None, seed=5
    )
    found = elements(tf.data.Dataset.from_tensor_slices(classes).apply(resampled))
    assert all(kind == value for kind, value in found)
    counts = np.bincount([int(kind) for kind, _ in found], minlength=3)
    # All of class 0 is kept, and 2/3 of class 1: about 600 each.
    assert counts[2] == 0
    assert abs(counts[0] / counts.sum() - 0.5) < 0.04
    if known:
        assert counts[0] == (classes == 0).sum()


def test_batches_of_features_of_files(tmp_path: Path) -> None:
    for part in range(2):
        values = [records.framed(example({"n": ("int64", [10 * part + i])})) for i in range(3)]
        (tmp_path / f"part{part}").write_bytes(b"".join(values))
    features = {"n": tf.FixedLenFeature([], tf.int64)}
    pattern = str(tmp_path / "part*")

    def read(**arguments: Any) -> list[list[int]]:
        batch = tf.contrib.data.read_batch_features(
            pattern, 4, features, tf.data.TFRecordDataset, **arguments
        )
        found = []
        with tf.Session() as session:
            while True:
                try:
                    found.append(session.run(batch)["n"].tolist())
                except tf.errors.OutOfRangeError:
                    return found

    assert read(randomize_input=False, num_epochs=1) == [[0, 1, 2, 10], [11, 12]]
    shuffled = read(num_epochs=2)
    assert sorted(n for each in shuffled for n in each) == sorted([0, 1, 2, 10, 11, 12] * 2)
    with pytest.raises(ValueError, match="No files match"):
        tf.contrib.data.read_batch_features(
            str(tmp_path / "none*"), 4, features, tf.data.TFRecordDataset
        )
