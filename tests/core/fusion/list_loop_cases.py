"""Loops over lists on both tiers: results, gradients, errors, and whether it is machine code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import workbench as tf
from tests.core.fusion.two_tiers import Pair

#: More rows than loops are unrolled for.
ROWS = 900
_AS_ARRAYS = "its lists as arrays"


def _normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32) * 0.5


class Case(NamedTuple):
    """What is computed of the rows of x and their number."""

    build: Callable[[Any, Any], Any]
    #: Gradients to which order are checked.
    order: int = 1
    #: Whether all loops are machine code; errors come from Python's passes.
    is_native: bool = True
    error: type[Exception] | None = None


def _array(size: Any, **options: Any) -> Any:
    return tf.TensorArray(tf.float32, size=size, element_shape=[4], **options)


def _counted(count: Any, body: Callable[..., Any], *states: Any) -> list[Any]:
    """`body` of (number, states), which gives the next states, so many times."""
    result: Any = tf.while_loop(
        lambda i, *_: i < count, lambda i, *s: (i + 1, *body(i, *s)), [0, *states]
    )
    return list(result[1:])


def _recurrence(a: Any, row: Any) -> Any:
    return tf.tanh(a * 0.5 + row)


def _written(x: Any, n: Any) -> Any:
    (array,) = _counted(n, lambda i, a: [a.write(i, tf.gather(x, i) * 2.0)], _array(n))
    return array.stack()


def _neighbours(x: Any, n: Any) -> Any:
    """Each element is read in two passes: gradients are added up."""
    given = _array(n, clear_after_read=False).unstack(x)

    def body(i: Any, array: Any) -> Any:
        return [array.write(i, tf.tanh(given.read(i) * 2.0 + given.read(i + 1)))]

    return _counted(n - 1, body, _array(n))[0].stack()


def _own_elements(x: Any, n: Any) -> Any:
    """Elements that were written in earlier passes are read."""
    array = _array(n + 2, clear_after_read=False).write(0, x[0]).write(1, x[1])

    def body(i: Any, array: Any) -> Any:
        before, last = array.read(i), array.read(i + 1)
        return [array.write(i + 2, tf.sin(last + before * 0.3))]

    return _counted(n, body, array)[0].stack()


def _first_element(x: Any, n: Any) -> Any:
    """One element is read in every pass, once together with itself."""
    given = _array(n, clear_after_read=False).unstack(x)
    return _counted(n, lambda i, v: [v * 0.5 + given.read(0) + given.read(i)], tf.zeros([4]))[0]


def _until(x: Any, n: Any) -> Any:
    """How many passes there are follows from what they compute; the array grows."""
    result = tf.while_loop(
        lambda i, v, a: tf.logical_and(i < n, tf.reduce_max(v) < 5.0),
        lambda i, v, a: (i + 1, tf.tanh(v * 1.1 + 0.1), a.write(i, v)),
        [0, x[0], _array(0, dynamic_size=True)],
    )
    return result[2].stack()


def _product(x: Any, n: Any) -> Any:
    w = tf.get_variable("w", initializer=_normal(4, 4, seed=1))

    def body(i: Any, v: Any, array: Any) -> Any:
        v = tf.tanh(tf.matmul(v, w))
        return [v, array.write(i, tf.reshape(v, [4]))]

    return _counted(n, body, tf.expand_dims(x[0], 0), _array(n))[1].stack()


def _gaps(x: Any, n: Any) -> Any:
    """What is never written reads as zeros."""
    (array,) = _counted(
        n, lambda i, a: [a.write(i * 2, tf.cast(i, tf.float32) * x[0])], _array(n * 2)
    )
    return array.stack()


def _recurrent(cell: Any, x: Any, lengths: Any = None) -> Any:
    inputs = tf.stack([x, x * 2.0, x * 3.0])
    outputs, _ = tf.nn.dynamic_rnn(cell, inputs, lengths, dtype=tf.float32)
    return tf.reduce_sum(outputs, 2)


def _unknown_sizes(x: Any, n: Any) -> Any:
    """Neither the number of steps nor the batch is known before the run."""
    inputs = tf.reshape(tf.concat([x, x * 2.0], 0), tf.stack([tf.minimum(n, 2), -1, 4]))
    outputs, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(3), inputs, dtype=tf.float32)
    return tf.reduce_sum(outputs, 1) + state.h


def _twice(i: Any) -> Any:
    return i // 2


CASES: dict[str, Case] = {
    "scan": Case(lambda x, n: tf.scan(_recurrence, x), order=2),
    "scan from the end": Case(
        lambda x, n: tf.scan(_recurrence, x, initializer=tf.zeros([4]), reverse=True)
    ),
    "scan of scalars": Case(lambda x, n: tf.scan(lambda a, r: a * 0.9 + r, tf.reshape(x, [-1]))),
    "map_fn": Case(lambda x, n: tf.map_fn(lambda r: tf.tanh(r) * tf.reduce_sum(r), x), order=2),
    "foldl": Case(lambda x, n: tf.foldl(_recurrence, x)),
    "foldr": Case(lambda x, n: tf.foldr(_recurrence, x)),
    "written": Case(_written),
    "neighbours": Case(_neighbours),
    "own elements": Case(_own_elements),
    "the first element": Case(_first_element, is_native=False),
    "until": Case(_until),
    "product": Case(_product),
    "gaps": Case(_gaps, order=0),
    "gru": Case(lambda x, n: _recurrent(tf.nn.rnn_cell.GRUCell(4), x)),
    "lstm of some lengths": Case(
        lambda x, n: _recurrent(
            tf.nn.rnn_cell.LSTMCell(3, use_peepholes=True), x, tf.stack([n, 2, n // 2])
        )
    ),
    "lstm of unknown sizes": Case(_unknown_sizes),
    "behind the end": Case(
        lambda x, n: _counted(n + 1, lambda i, a: [a.write(i, x[0])], _array(n))[0].stack(),
        order=0,
        error=tf.errors.InvalidArgumentError,
    ),
    "written twice": Case(
        lambda x, n: _counted(n, lambda i, a: [a.write(_twice(i), x[0])], _array(n))[0].stack(),
        order=0,
        error=tf.errors.InvalidArgumentError,
    ),
}


def _fetches(case: Case, x: Any, n: Any) -> list[Any]:
    fetches = [case.build(x, n)]
    sources = [x, *tf.trainable_variables()]
    for _ in range(case.order):
        found = tf.gradients(tf.reduce_sum(tf.square(fetches[-1])), sources)
        fetches.append(found[0])
        fetches[1:1] = [g for g in found[1:] if g is not None]
    return [tf.convert_to_tensor(f) for f in fetches]


def _check(case: Case) -> None:
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        x = tf.placeholder(tf.float32, [None, 4])
        n = tf.placeholder(tf.int32, [])
        fetches = _fetches(case, x, n)
        with Pair(graph) as pair:
            pair.initialise()
            # Arrays of a run are used again by the next one, for more and for fewer rows.
            for rows in (ROWS, 7, ROWS + 3):
                feeds = {x: _normal(rows, 4), n: np.int32(rows)}
                times = 2 if rows < ROWS else 1
                outcome = pair.check(fetches, feeds, tolerance=3e-4, times=times)
                assert isinstance(outcome.error, case.error or type(None)), outcome.error
            if case.error is None:
                told = str(pair.sessions["compiled"].explain(fetches, feeds))
                assert _AS_ARRAYS in told, told
                assert ("Python goes from pass to pass" not in told) or not case.is_native, told


def _check_reads_once() -> None:
    """What a loop read of an array counts as read."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 4])
        n = tf.placeholder(tf.int32, [])
        given = _array(n).unstack(x)
        (total,) = _counted(n, lambda i, v: [v + given.read(i)], tf.zeros([4]))
        with tf.control_dependencies([total]):
            again = given.read(3)
        with Pair(graph) as pair:
            feeds = {x: _normal(ROWS, 4), n: np.int32(ROWS)}
            pair.check(total, feeds)
            outcome = pair.check([total, again], feeds)
            assert "because it was cleared" in str(outcome.error)


def _check_refused() -> None:
    """What is done to whole lists stays with Python, and `explain` says so."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 4])
        n = tf.placeholder(tf.int32, [])
        given = _array(n, clear_after_read=False).unstack(x)
        (total,) = _counted(
            n, lambda i, v: [v * 0.5 + tf.reduce_sum(given.gather([i, 0]), 0)], tf.zeros([4])
        )
        with Pair(graph) as pair:
            feeds = {x: _normal(ROWS, 4), n: np.int32(ROWS)}
            pair.check(total, feeds, tolerance=3e-4)
            told = str(pair.sessions["compiled"].explain(total, feeds))
            assert "TensorListGather is not about single elements of a list" in told, told


def _check_views_of_numbers() -> None:
    """Rows of ones, in a loop that became its passes."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 4])
        (found,) = tf.gradients(tf.scan(_recurrence, x), x)
        with Pair(graph) as pair:
            outcome = pair.check(found, {x: _normal(5, 4)})
            assert np.abs(outcome.results).min() > 0.1


def cases() -> dict[str, Callable[[], None]]:
    found: dict[str, Callable[[], None]] = {
        name: partial(_check, case) for name, case in CASES.items()
    }
    return {
        **found,
        "arrays read once": _check_reads_once,
        "whole lists": _check_refused,
        "views of numbers": _check_views_of_numbers,
    }
