"""What of a conditional or loop is not used is not computed, nor what only that would need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


class Notes:
    """Operations that note that they ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def __call__(self, name: str, value: float = 1.0) -> Any:
        """A scalar; computing it notes `name`."""

        def run() -> Any:
            self.ran.append(name)
            return np.float32(value)

        result = tf.py_func(run, [], tf.float32)
        result.set_shape([])
        return result


@pytest.fixture
def note() -> Notes:
    return Notes()


def ran(note: Notes, fetches: Any, feed: Any = None) -> tuple[str, Any]:
    """What a run noted, in alphabetical order, and what it gave."""
    note.ran.clear()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(fetches, feed)
    return " ".join(sorted(note.ran)), found


@pytest.mark.parametrize("taken", [True, False])
def test_inputs_of_both_branches_are_computed_and_no_others(note: Notes, taken: bool) -> None:
    p = tf.placeholder(tf.bool, [])
    a, b, c = note("a"), note("b"), note("c")
    x, y, z = tf.cond(p, lambda: (a * 2.0, b, c), lambda: (b * 5.0, b, a))
    assert ran(note, x, {p: taken}) == ("a b", 2.0 if taken else 5.0)
    assert ran(note, y, {p: taken}) == ("b", 1.0)
    assert ran(note, z, {p: taken}) == ("a c", 1.0)
    assert ran(note, [x, z], {p: taken})[0] == "a b c"


def test_placeholders_that_only_other_outputs_need_may_be_left_out() -> None:
    p, given = tf.placeholder(tf.bool, []), tf.placeholder(tf.float32, [], name="given")
    x, y = tf.cond(p, lambda: (tf.constant(1.0), given), lambda: (tf.constant(2.0), given * 2.0))
    with tf.Session() as session:
        assert session.run(x, {p: True}) == 1.0
        with pytest.raises(tf.errors.InvalidArgumentError, match="given"):
            session.run(y, {p: True})


def test_loop_variables_that_no_result_depends_on_are_left_out(note: Notes) -> None:
    a, b, start = note("a"), note("b"), note("start")

    def body(i: Any, x: Any, y: Any) -> Any:
        return i + 1, x + a, y + b * x

    i, x, y = tf.while_loop(lambda i, x, y: i < 3, body, [0, start, tf.constant(0.0)])
    assert ran(note, i) == ("", 3)
    assert ran(note, x) == ("a start", 4.0)
    assert ran(note, y) == ("a b start", 6.0)


def test_what_a_condition_looks_at_is_needed_by_every_result(note: Notes) -> None:
    a, b, most = note("a"), note("b"), note("most", 2.5)
    x, y = tf.while_loop(lambda x, y: x < most, lambda x, y: (x + a, y + b), [0.0, 0.0])
    assert ran(note, x) == ("a most", 3.0)
    assert ran(note, y) == ("a b most", 3.0)


def test_it_goes_through_nested_constructs(note: Notes) -> None:
    p = tf.placeholder(tf.bool, [])
    a, b, c = note("a"), note("b"), note("c")

    def inner() -> Any:
        u, v = tf.cond(p, lambda: (a, b), lambda: (a * 2.0, b * 2.0))
        _, total = tf.while_loop(lambda i, t: i < 2, lambda i, t: (i + 1, t + v), [0, 0.0])
        return u, total, c

    zero = tf.constant(0.0)
    x, y, z = tf.cond(tf.logical_not(p), inner, lambda: (zero, zero, c))
    assert ran(note, x, {p: False}) == ("a", 2.0)
    assert ran(note, y, {p: False}) == ("b", 4.0)
    assert ran(note, z, {p: False}) == ("c", 1.0)


def test_it_goes_from_one_construct_to_the_next(note: Notes) -> None:
    p = tf.placeholder(tf.bool, [])
    a, b = note("a"), note("b")
    x, y = tf.cond(p, lambda: (a, b), lambda: (b, a))
    first, second = tf.cond(p, lambda: (tf.constant(3.0), y), lambda: (tf.constant(4.0), -y))
    assert ran(note, first, {p: True}) == ("", 3.0)
    assert ran(note, second, {p: True}) == ("a b", 1.0)


@pytest.mark.parametrize("construct", ["cond", "while_loop"])
def test_what_unused_results_would_wait_for_does_not_run(note: Notes, construct: str) -> None:
    p = tf.placeholder_with_default(True, [])
    a, b, effect = note("a"), note("b"), note("effect")

    def waiting(x: Any) -> Any:
        with tf.control_dependencies([effect]):
            return x + b

    if construct == "cond":
        x, y = tf.cond(p, lambda: (a, waiting(a)), lambda: (a, a))
    else:
        _, x, y = tf.while_loop(
            lambda i, x, y: i < 1, lambda i, x, y: (i + 1, x + a, waiting(y)), [0, 0.0, a]
        )
    assert ran(note, x) == ("a", 1.0)
    assert ran(note, y) == ("a b effect", 2.0)


def test_what_stands_around_a_construct_always_runs(note: Notes) -> None:
    p = tf.placeholder(tf.bool, [])
    a, b = note("a"), note("b")
    with tf.control_dependencies([note("around")]):
        x, _ = tf.cond(p, lambda: (a, b), lambda: (a, b))
    assert ran(note, x, {p: True}) == ("a around", 1.0)


def test_an_assignment_before_an_unused_result_does_not_run() -> None:
    p = tf.placeholder(tf.bool, [])
    v = tf.Variable(1.0)
    more = v.assign_add(1.0)
    x, y = tf.cond(p, lambda: (tf.constant(5.0), more * 2.0), lambda: (tf.constant(6.0), more))
    with tf.Session() as session:
        session.run(v.initializer)
        assert session.run([x, v], {p: True}) == [5.0, 1.0]
        assert session.run([y], {p: True}) == [4.0]
        assert session.run(v) == 2.0


def test_variables_of_a_loop_that_is_not_unrolled_are_left_out_too(note: Notes) -> None:
    n = tf.placeholder(tf.int32, [])
    a, b = note("a"), note("b")
    v = tf.Variable(0.0)

    def body(i: Any, x: Any, y: Any) -> Any:
        return i + 1, x + a, v.assign_add(b) + y * 0.0

    _, x, y = tf.while_loop(lambda i, x, y: i < n, body, [0, 0.0, 0.0])
    assert ran(note, [x, v], {n: 4}) == ("a", [4.0, 0.0])
    assert ran(note, y, {n: 4}) == ("b", 4.0)


def test_gradients_need_what_they_need_and_no_more(note: Notes) -> None:
    p = tf.placeholder(tf.bool, [])
    a, b, w = note("a", 3.0), note("b"), tf.placeholder(tf.float32, [])
    x, y = tf.cond(p, lambda: (w * a, w * b), lambda: (w, w))
    (slope,) = tf.gradients(x, w)
    assert ran(note, slope, {p: True, w: 2.0}) == ("a", 3.0)
    assert ran(note, [slope, y], {p: True, w: 2.0}) == ("a b", [3.0, 2.0])


def test_runs_as_a_dataflow_leave_out_the_same(note: Notes) -> None:
    p = tf.placeholder(tf.bool, [])
    a, b = note("a"), note("b")
    x, y = tf.cond(p, lambda: (a, b), lambda: (a * 2.0, b * 2.0))
    queues = [tf.FIFOQueue(1, tf.float32, []) for _ in range(2)]
    taken = queues[0].dequeue() + queues[1].dequeue()
    with tf.Session() as session:
        for wanted, names in ((x, ["a"]), (y, ["b"])):
            session.run([queue.enqueue(1.0) for queue in queues])
            note.ran.clear()
            assert session.run([wanted, taken], {p: True}) == [1.0, 2.0]
            assert note.ran == names
