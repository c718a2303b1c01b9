"""Iterators: one-shot, initializable, reinitializable, feedable; their threads and errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import workbench as tf

Dataset = tf.data.Dataset


@pytest.fixture(autouse=True)
def session() -> Iterator[tf.Session]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_one_shot(session: tf.Session) -> None:
    following = Dataset.range(2).make_one_shot_iterator().get_next()
    doubled = following * 2
    assert session.run([following, doubled]) == [0, 0]
    assert session.run(doubled) == 2
    for _ in range(2):
        with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
            session.run(doubled)
    with tf.Session() as other:
        assert other.run(following) == 0


def test_one_shot_may_not_need_a_placeholder() -> None:
    place = tf.placeholder(tf.int64, [], name="count")
    with pytest.raises(ValueError, match="Cannot capture a placeholder .name:count"):
        Dataset.range(place).make_one_shot_iterator()


def test_one_shot_has_no_initializer() -> None:
    iterator = Dataset.range(2).make_one_shot_iterator()
    with pytest.raises(ValueError, match="does not have an initializer"):
        _ = iterator.initializer


def test_initializable(session: tf.Session) -> None:
    count = tf.placeholder(tf.int64, [])
    iterator = Dataset.range(count).make_initializable_iterator()
    following = iterator.get_next()
    with pytest.raises(tf.errors.FailedPreconditionError, match="has not been initialized"):
        session.run(following)
    for n in (1, 3):
        session.run(iterator.initializer, {count: n})
        assert [session.run(following) for _ in range(n)] == list(range(n))
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(following)


def test_reinitializable(session: tf.Session) -> None:
    training = Dataset.range(2).map(lambda n: (n, tf.ones([3])))
    testing = Dataset.range(10, 11).map(lambda n: (n, tf.zeros([3])))
    iterator = tf.data.Iterator.from_structure(training.output_types, training.output_shapes)
    number, _ = iterator.get_next()
    to_training = iterator.make_initializer(training)
    to_testing = iterator.make_initializer(testing, name="testing")
    assert to_testing.name == "testing"
    found = []
    for start, count in ((to_training, 2), (to_testing, 1), (to_training, 1)):
        session.run(start)
        found += [int(session.run(number)) for _ in range(count)]
    assert found == [0, 1, 10, 0]


def test_a_structure_is_kept_to() -> None:
    iterator = tf.data.Iterator.from_structure(tf.int64, tf.TensorShape([]))
    with pytest.raises(TypeError, match="Expected output types"):
        iterator.make_initializer(Dataset.from_tensors("x"))
    with pytest.raises(TypeError, match="Expected output shapes compatible"):
        iterator.make_initializer(Dataset.range(4).batch(2))
    with pytest.raises(ValueError, match="does not have an initializer"):
        _ = iterator.initializer


def test_feedable(session: tf.Session) -> None:
    training = Dataset.range(5).repeat().make_one_shot_iterator()
    testing = Dataset.range(100, 103).make_initializable_iterator()
    handle = tf.placeholder(tf.string, [])
    iterator = tf.data.Iterator.from_string_handle(handle, tf.int64, [])
    following = iterator.get_next()
    train_handle, test_handle = session.run([training.string_handle(), testing.string_handle()])
    session.run(testing.initializer)
    assert [session.run(following, {handle: train_handle}) for _ in range(2)] == [0, 1]
    assert session.run(following, {handle: test_handle}) == 100
    assert session.run(following, {handle: train_handle}) == 2
    with pytest.raises(tf.errors.NotFoundError, match="no iterator with the handle"):
        session.run(following, {handle: b"nonsense"})


def _threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("workbench-")]


def test_no_thread_outlives_the_session() -> None:
    before = len(_threads())
    endless = (
        Dataset.range(3).map(lambda n: n + 1, num_parallel_calls=2).repeat().prefetch(2).prefetch(1)
    )
    following = endless.make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert [session.run(following) for _ in range(7)] == [1, 2, 3, 1, 2, 3, 1]
        assert len(_threads()) > before
    for _ in range(100):
        if len(_threads()) == before:
            break
        time.sleep(0.02)
    assert len(_threads()) == before


def test_starting_over_ends_the_threads_of_the_pass_before(session: tf.Session) -> None:
    iterator = Dataset.range(100).prefetch(1).make_initializable_iterator()
    following = iterator.get_next()
    counts = []
    for _ in range(4):
        session.run(iterator.initializer)
        assert session.run(following) == 0
        counts.append(len(_threads()))
    assert counts[-1] == counts[0]


def test_handles_of_iterators_of_another_structure() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        handle = tf.placeholder(tf.string, [])
        given = tf.data.Dataset.from_tensors([1, 2]).make_one_shot_iterator().string_handle()
        for types, shapes, message in (
            (tf.float32, [2], r"types \['float32'\], got one of \['int32'\]"),
            (tf.int32, [3], r"shape \(3,\), got one of \(2,\)"),
        ):
            following = tf.data.Iterator.from_string_handle(handle, types, shapes).get_next()
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                session.run(following, {handle: session.run(given)})
        with pytest.raises(TypeError, match="another structure"):
            tf.data.Iterator.from_structure((tf.int32, tf.int32), [None])


@pytest.mark.parametrize(
    ("dataset", "error", "message"),
    [
        (lambda d: d.prefetch(-1), "InvalidArgumentError", "buffer_size must be >= 0, got -1"),
        (lambda d: d.take(0).repeat(), "OutOfRangeError", "repeat an empty dataset infinitely"),
        (lambda _: tf.data.Dataset.range(0, 5, 0), "InvalidArgumentError", "non-zero integer"),
    ],
)
def test_numbers_that_make_no_sense(dataset: Any, error: str, message: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        iterator = dataset(tf.data.Dataset.range(3)).make_initializable_iterator()
        with pytest.raises(getattr(tf.errors, error), match=message):
            session.run(iterator.initializer)
            session.run(iterator.get_next())


def test_numbers_that_are_only_known_in_a_run() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        calls = tf.placeholder(tf.int32, [])
        seed = tf.placeholder(tf.int64, [])
        shape = tf.placeholder(tf.int64, [1])
        dataset = tf.data.Dataset.range(6).map(lambda n: n * n, num_parallel_calls=calls)
        dataset = dataset.shuffle(6, seed=seed).map(lambda n: tf.fill([n % 3], n))
        iterator = dataset.padded_batch(6, shape).make_initializable_iterator()
        following = iterator.get_next()
        assert following.shape.as_list() == [None, None]
        orders = []
        for number in (1, 1, 2):
            feeds: dict[Any, Any] = {calls: 2, seed: number, shape: [4]}
            session.run(iterator.initializer, feeds)
            found = session.run(following)
            assert found.shape == (6, 4)
            orders.append(found.tolist())
        assert orders[0] == orders[1] != orders[2]


def test_datasets_of_another_form() -> None:
    with tf.Graph().as_default():
        iterator = tf.data.Iterator.from_structure((tf.int32, tf.int32))
        nested = tf.data.Dataset.from_tensors((1, (2, 3)))
        with pytest.raises(ValueError, match="Expected elements of the structure"):
            iterator.make_initializer(nested)
