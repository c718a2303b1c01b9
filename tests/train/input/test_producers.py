"""Producers: which elements come, how often and in what order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as tf
from tests.train.input.pipeline import all_results, running

pytestmark = pytest.mark.usefixtures("graph")


def test_rows_come_in_order_epoch_after_epoch() -> None:
    rows = np.arange(6).reshape(3, 2)
    queue = tf.train.input_producer(rows, num_epochs=3, shuffle=False)
    found = all_results(queue.dequeue())
    np.testing.assert_array_equal(found, np.concatenate([rows] * 3))


def test_each_epoch_has_an_order_of_its_own() -> None:
    queue = tf.train.range_input_producer(20, num_epochs=4, shuffle=True, seed=5)
    found = [int(n) for n in all_results(queue.dequeue())]
    epochs = [found[i : i + 20] for i in range(0, 80, 20)]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_slices_of_several_tensors_belong_together() -> None:
    letters = [b"a", b"b", b"c"]
    number, letter = tf.train.slice_input_producer([[0, 1, 2], letters], num_epochs=2, seed=1)
    found = all_results([number, letter])
    assert sorted(int(n) for n, _ in found) == [0, 0, 1, 1, 2, 2]
    assert all(letters[n] == own for n, own in found)


def test_strings_and_a_summary_of_how_full_the_queue_is() -> None:
    queue = tf.train.string_input_producer(["x", "y"], num_epochs=1, shuffle=False, capacity=7)
    assert [s.op.name for s in tf.get_collection(tf.GraphKeys.SUMMARIES)] == [
        "input_producer/fraction_of_7_full"
    ]
    assert len(tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)) == 1
    assert all_results(queue.dequeue()) == [b"x", b"y"]


def test_no_strings_are_an_error_when_it_is_known() -> None:
    with pytest.raises(ValueError, match="requires a non-null input tensor"):
        tf.train.string_input_producer([])
    strings = tf.placeholder_with_default(np.zeros(0, object), [None])
    value = tf.train.string_input_producer(strings).dequeue()
    with tf.Session() as session:
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(value)
        with pytest.raises(tf.errors.InvalidArgumentError, match="requires a non-null"):
            coordinator.join(threads)


def test_shapes_that_are_not_known() -> None:
    rows = tf.placeholder(tf.float32, [None, None])
    with pytest.raises(ValueError, match="`element_shape` must be specified"):
        tf.train.input_producer(rows)
    assert tf.train.input_producer(rows, element_shape=[4]).shapes == [[4]]


def test_epochs_are_counted_in_a_local_variable() -> None:
    limited = tf.train.limit_epochs(tf.constant(3), num_epochs=2)
    assert [v.op.name for v in tf.local_variables()] == ["limit_epochs/epochs"]
    assert all_results(limited) == [3, 3]
    with pytest.raises(ValueError, match="num_epochs must be > 0 not 0"):
        tf.train.limit_epochs(tf.constant(3), num_epochs=0)


def test_file_names_are_looked_for_once(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.dat"):
        (tmp_path / name).touch()
    names = tf.train.match_filenames_once(str(tmp_path / "*.txt"))
    with running() as session:
        (tmp_path / "d.txt").touch()
        found = [Path(name.decode()).name for name in session.run(names)]
    assert found == ["a.txt", "b.txt"]


def test_queues_of_one_shared_name_are_one() -> None:
    queues = [
        tf.train.range_input_producer(4, num_epochs=1, shuffle=False, shared_name="same")
        for _ in range(2)
    ]
    # Only one of them is filled: who is done first closes the queue for both.
    del tf.get_collection_ref(tf.GraphKeys.QUEUE_RUNNERS)[1:]
    found = all_results([queue.dequeue() for queue in queues])
    assert sorted(int(n) for pair in found for n in pair) == [0, 1, 2, 3]
