"""Tensors that stay in a session: handles fetched, fed, deleted and forgotten."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("value", [7, 1.5, [1.0, 2.0], "text", [["a", "b"]], True])
def test_values_stay_between_runs(session: Any, value: Any) -> None:
    kept = tf.constant(value)
    handle = session.run(tf.get_session_handle(kept))
    fed, again = tf.get_session_tensor(handle.handle, kept.dtype)
    found, direct = session.run([again, kept], {fed: handle.handle})
    np.testing.assert_array_equal(found, direct)
    np.testing.assert_array_equal(handle.eval(), direct)
    assert handle.dtype == kept.dtype


def test_handles_in_structures(session: Any) -> None:
    x = tf.constant(3)
    found = session.run({"handle": tf.get_session_handle(x), "more": [x, tf.get_session_handle(x)]})
    assert found["handle"].eval() == found["more"][1].eval() == found["more"][0] == 3
    assert found["handle"].handle != found["more"][1].handle


def test_handles_are_fed_in_place_of_tensors(session: Any) -> None:
    a, b = tf.constant(10.0), tf.constant(5.0)
    total, product = a + b, a * b
    handle = session.run(tf.get_session_handle(product))
    assert session.run(total, {a: handle}) == 55.0
    assert session.run([product, a], {product: handle}) == [50.0, 10.0]
    words = session.run(tf.get_session_handle(tf.constant(["x"])))
    text = tf.placeholder(tf.string, [1])
    assert session.run(tf.identity(text), {text: words}).tolist() == [b"x"]


def test_a_loop_over_a_handle(session: Any) -> None:
    handle = session.run(tf.get_session_handle(tf.constant(1.0)))
    fed, value = tf.get_session_tensor(handle.handle, tf.float32)
    doubled = tf.get_session_handle(value * 2.0)
    for _ in range(10):
        handle = session.run(doubled, {fed: handle.handle})
    assert handle.eval() == 1024.0


def test_kept_values_do_not_change_with_variables(session: Any) -> None:
    v = tf.Variable([1.0, 2.0])
    session.run(v.initializer)
    handle = session.run(tf.get_session_handle(v.read_value()))
    session.run(tf.assign_add(v, [1.0, 1.0]))
    assert handle.eval().tolist() == [1.0, 2.0]


def test_a_tensor_goes_with_its_handle(session: Any) -> None:
    handle = session.run(tf.get_session_handle(tf.constant(1)))
    text = str(handle)
    fed, value = tf.get_session_tensor(text, tf.int32)
    del handle
    gc.collect()
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not in the session store"):
        session.run(value, {fed: text})


def test_deleting(session: Any) -> None:
    make = tf.get_session_handle(tf.constant(1))
    handle = session.run(make)
    handle.delete()
    with pytest.raises(TypeError, match="may have already been deleted"):
        handle.eval()
    raw = session.run(make).get_raw_handle()
    fed, value = tf.get_session_tensor(raw, tf.int32)
    gone, delete = tf.delete_session_tensor(raw)
    assert session.run(value, {fed: raw}) == 1
    session.run(delete, {gone: raw})
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not in the session store"):
        session.run(delete, {gone: raw})


def test_types(session: Any) -> None:
    with pytest.raises(TypeError, match="must be of type Tensor"):
        tf.get_session_handle(1)
    handle = session.run(tf.get_session_handle(tf.constant(1)))
    fed, value = tf.get_session_tensor(handle.handle, tf.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="is int32, not float32"):
        session.run(value, {fed: handle.handle})


def test_a_closed_session_keeps_nothing() -> None:
    with tf.Graph().as_default():
        session = tf.Session()
        handle = session.run(tf.get_session_handle(tf.constant(1)))
        session.close()
        with pytest.raises(tf.errors.InvalidArgumentError, match="is not in the session store"):
            handle.eval()
