"""Feeds that no tier takes, and such that both must take: both tiers alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.training_step import Step
from tests.core.fusion.two_tiers import Pair


def bad_label(label: int) -> None:
    """A label that is no class, among good ones."""
    with Step() as step:
        step.agrees(step.feeds)
        labels = step.feeds[step.y].copy()
        labels[3] = label
        told = step.fails({**step.feeds, step.y: labels})
        assert str(label) in told


def wrong_feed(make: Callable[[Step], dict[Any, Any]]) -> None:
    """Feeds that no tier takes."""
    with Step() as step:
        step.agrees(step.feeds)
        step.fails({**step.feeds, **make(step)})


def unusual_feed(make: Callable[[Any], Any]) -> None:
    """The same numbers in another form."""
    with Step() as step:
        step.agrees(step.feeds)
        rows = make(step.feeds[step.x])
        step.agrees({**step.feeds, step.x: rows})
        labels = step.feeds[step.y].astype(np.int64)
        step.agrees({step.x: rows, step.y: labels.tolist()})


def misaligned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array one byte further on."""
    raw = np.zeros(array.nbytes + 1, np.uint8)
    moved = raw[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    assert not moved.flags.aligned
    return moved


UNUSUAL: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda a: np.asfortranarray(a),
    "every other": lambda a: np.repeat(a, 2, 0)[::2],
    "backward": lambda a: a[::-1],
    "misaligned": misaligned,
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "read only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "float64": lambda a: a.astype(np.float64),
    "lists": lambda a: a.tolist(),
    "a matrix": lambda a: np.asarray(a).view(np.recarray),
    "one row for all": lambda a: np.broadcast_to(a[:1], a.shape),
}


WRONG: dict[str, Callable[[Step], dict[Any, Any]]] = {
    "columns": lambda s: {s.x: np.zeros((6, 18), np.float32)},
    "axes": lambda s: {s.x: np.zeros((6, 19, 1), np.float32)},
    "rows that do not fit": lambda s: {s.x: np.zeros((5, 19), np.float32)},
    "strings": lambda s: {s.x: "text"},
    "none": lambda s: {s.x: None},
}


def scalars() -> None:
    """Numbers are fed as Python's, NumPy's and arrays without axes."""
    with tf.Graph().as_default() as graph:
        x, n = tf.placeholder(tf.float32, []), tf.placeholder(tf.int32, [])
        flag = tf.placeholder(tf.bool, [])
        row = tf.Variable(np.arange(40, dtype=np.float32))
        chosen = tf.where(flag, x, -x)
        fetches = [row * x + tf.cast(n, tf.float32), chosen, tf.assign_add(row, row * x)]
        with Pair(graph) as pair:
            pair.initialise()
            for a, b, c in (
                (0.25, 3, True), (np.float32(0.1), np.int32(-3), np.bool_(False)), (2, 1, 0),
                (np.array(0.5), np.array(7), np.array(True)), (np.float64(1e-3), 10**6, False),
            ):  # fmt: skip
                pair.check(fetches, {x: a, n: b, flag: c}, exact=True)


def fed_two_ways() -> None:
    """Values that a C function takes as they are, in turn with others that are converted first:
    where one way left an address, the other must not find it after the array is gone."""
    with tf.Graph().as_default() as graph:
        new = tf.placeholder(tf.float32, [1000])
        variable = tf.Variable(np.zeros(1000, np.float32))
        update = tf.assign(variable, new * 1.0)
        with Pair(graph) as pair:
            pair.initialise()
            for number in range(40):
                values = np.full(1000, number, np.float64)
                given = values if number % 3 else values.astype(np.float32)
                pair.check([update.op, update], {new: given}, exact=True, times=1)
                pair.check(variable, exact=True, times=1)


def another_shape() -> None:
    """A variable whose shape may change changes it."""
    with tf.Graph().as_default() as graph:
        variable = tf.Variable(np.ones((3, 4), np.float32), validate_shape=False)
        new = tf.placeholder(tf.float32)
        double = variable * 2.0 + 1.0
        assign = tf.assign(variable, new, validate_shape=False)
        plain = tf.Variable(np.ones((3, 4), np.float32))
        forced = tf.assign(plain, new, validate_shape=False)
        tripled = tf.assign_add(plain, tf.tanh(plain.value()))
        with Pair(graph) as pair:
            pair.initialise()
            for shape in ((3, 4), (2, 2), (7,), (3, 4)):
                values = np.random.RandomState(2).rand(*shape).astype(np.float32)
                pair.check(double)
                pair.check(assign, {new: values}, times=1)
                pair.check(double)
                pair.check(forced.op, {new: values}, times=1)
                pair.check([tripled.op, plain.value()])


def bad_rows(index: int) -> None:
    """Rows that are not there are asked for, while a variable would be updated."""
    with tf.Graph().as_default() as graph:
        table = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))
        numbers = tf.placeholder(tf.int32, [2])
        count = tf.Variable(0.0)
        rows = tf.gather(table, numbers) * 2.0
        update = tf.assign_add(count, tf.reduce_sum(rows))
        with Pair(graph) as pair:
            pair.initialise()
            for chosen in ([0, 3], [1, index], [2, 2]):
                pair.check([update.op, rows], {numbers: chosen})
