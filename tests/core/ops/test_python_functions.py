"""Python functions as operations."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf


@pytest.fixture(autouse=True)
def session() -> Iterator[tf.Session]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("stateful", [True, False])
def test_results(stateful: bool, session: tf.Session) -> None:
    x = tf.placeholder(tf.float32, [None])
    one = tf.py_func(np.sinh, [x], tf.float32, stateful=stateful)
    two = tf.py_func(lambda a, n: (a * 2, n + 1), [x, np.int64(3)], [tf.float32, tf.int64])
    assert one.shape.ndims is None
    assert session.run(one, {x: [0.0, 1.0]}) == pytest.approx(np.sinh([0.0, 1.0]))
    doubled, number = session.run(two, {x: [1.0]})
    assert doubled.tolist() == [2.0]
    assert number == 4


def test_strings_and_no_results(session: tf.Session) -> None:
    seen: list[Any] = []
    joined = tf.py_func(lambda a: a + b"!", ["ab"], tf.string)
    texts = tf.py_func(lambda: np.array(["x", "y"], object), [], tf.string)
    call = tf.py_func(lambda a: seen.append(int(a)), [7], [])
    assert session.run(joined) == b"ab!"
    assert session.run(texts).tolist() == [b"x", b"y"]
    session.run([call, call])
    session.run(call)
    assert seen == [7, 7]


def test_a_stateless_function_without_results(session: tf.Session) -> None:
    assert session.run(tf.py_func(lambda x: None, [3], [], stateful=False)) == []


def test_functions_that_wait_for_each_other(session: tf.Session) -> None:
    box: queue.Queue[int] = queue.Queue(1)

    def put() -> int:
        box.put(42, timeout=20)
        assert taken.wait(20)
        return 1

    def take() -> int:
        value = box.get(timeout=20)
        taken.set()
        return value

    taken = threading.Event()
    fetches = [tf.py_func(f, [], tf.int64) for f in (put, take)]
    assert session.run(fetches) == [1, 42]


def test_inside_a_dataset(session: tf.Session) -> None:
    dataset = tf.data.Dataset.range(3).map(lambda n: tf.py_func(lambda v: v * v, [n], tf.int64))
    following = dataset.make_one_shot_iterator().get_next()
    assert [session.run(following) for _ in range(3)] == [0, 1, 4]


def test_a_gradient_of_the_users_own(session: tf.Session) -> None:
    tf.RegisterGradient("PyFuncTripled")(lambda op, dy: 3.0 * dy)
    x = tf.constant([1.0, 2.0])
    with tf.get_default_graph().gradient_override_map({"PyFunc": "PyFuncTripled"}):
        y = tf.py_func(lambda a: a * np.float32(3), [x], tf.float32)
    assert session.run(tf.gradients(y, x)[0]).tolist() == [3.0, 3.0]


def _raise(error: Exception) -> Any:
    raise error


def test_errors(session: tf.Session) -> None:
    wrong_type = tf.py_func(lambda: np.float64(1), [], tf.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="is float64, but expects float32"):
        session.run(wrong_type)
    too_many = tf.py_func(lambda: (1, 2, 3), [], [tf.int64, tf.int64])
    with pytest.raises(tf.errors.InvalidArgumentError, match="returns 3 values, but expects"):
        session.run(too_many)
    for raised, kind in (
        (ValueError("bad"), tf.errors.InvalidArgumentError),
        (KeyError("lost"), tf.errors.UnknownError),
        (NotImplementedError("later"), tf.errors.UnimplementedError),
    ):
        failing = tf.py_func(lambda raised=raised: _raise(raised), [], tf.float32)
        with pytest.raises(kind, match=raised.args[0]):
            session.run(failing)
    with pytest.raises(ValueError, match="func to be callable"):
        tf.py_func(3, [], tf.float32)
