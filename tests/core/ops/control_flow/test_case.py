"""tf.case: the first true predicate decides."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


def constant(value: int) -> Callable[[], Any]:
    return lambda: tf.constant(value)


@pytest.mark.parametrize(("value", "wanted"), [(-5, 1), (2, 2), (7, 3), (20, 9)])
def test_the_first_true_predicate_decides(value: int, wanted: int) -> None:
    x = tf.placeholder(tf.int32, [])
    y = tf.case(
        [(x < 0, constant(1)), (x < 5, constant(2)), (x < 10, constant(3))], default=constant(9)
    )
    with tf.Session() as session:
        assert session.run(y, {x: value}) == wanted


def test_dicts_are_taken_in_order_of_names_unless_they_are_ordered() -> None:
    a, b = tf.constant(True, name="a"), tf.constant(True, name="b")
    named = tf.case({b: constant(1), a: constant(2)}, default=constant(3))
    ordered = tf.case(
        collections.OrderedDict([(b, constant(1)), (a, constant(2))]), default=constant(3)
    )
    with tf.Session() as session:
        assert session.run([named, ordered]) == [2, 1]


@pytest.mark.parametrize(
    ("exclusive", "value", "text"),
    [(True, -5, "more than one condition"), (False, 50, "None of conditions evaluated as True")],
)
def test_runs_in_which_the_predicates_do_not_decide_fail(
    exclusive: bool, value: int, text: str
) -> None:
    x = tf.placeholder(tf.int32, [])
    y = tf.case([(x < 0, constant(1)), (x < 5, constant(2))], exclusive=exclusive)
    with tf.Session() as session:
        assert session.run(y, {x: 2}) == 2
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            session.run(y, {x: value})


def test_one_pair_without_default() -> None:
    x = tf.placeholder(tf.bool, [])
    y = tf.case([(x, constant(4))])
    with tf.Session() as session:
        assert session.run(y, {x: True}) == 4
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(y, {x: False})


@pytest.mark.parametrize(
    ("pairs", "error", "text"),
    [
        (3, TypeError, "must be a list, tuple, or dict"),
        ([], ValueError, "at least one pair"),
        ([[1, 2]], TypeError, "must be a tuple"),
        ([(1,)], ValueError, "length 2"),
        ([(True, constant(1))], TypeError, "Python bool"),
        ([(1.0, constant(1))], TypeError, "must be of type bool"),
    ],
)
def test_wrong_pairs_are_told(pairs: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        tf.case(pairs, default=constant(0))


def test_functions_must_be_callable() -> None:
    with pytest.raises(TypeError, match="must be callable"):
        tf.case([(tf.constant(True), 1)], default=constant(0))
    with pytest.raises(TypeError, match="default must be callable"):
        tf.case([(tf.constant(True), constant(1))], default=1)
