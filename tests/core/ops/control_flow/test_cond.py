"""tf.cond: what it gives, what it checks, what runs."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.control_flow.running import run

pytestmark = pytest.mark.usefixtures("graph")


Point = collections.namedtuple("Point", ["x", "y"])


@pytest.mark.parametrize(("value", "wanted"), [(4.0, 2.0), (-4.0, 4.0)])
def test_one_branch_is_taken(value: float, wanted: float) -> None:
    x = tf.placeholder(tf.float32, [])
    y = tf.cond(x > 0.0, lambda: tf.sqrt(x), lambda: -x)
    assert run(y, {x: value}) == wanted


@pytest.mark.parametrize(
    ("structure", "wanted"),
    [
        (lambda a: [a, a + 1.0], [3.0, 4.0]),
        (lambda a: (a, [a + 1.0, (a,)]), (3.0, [4.0, (3.0,)])),
        (lambda a: {"b": a, "a": a + 1.0}, {"b": 3.0, "a": 4.0}),
        (lambda a: Point(a, a * 2.0), Point(3.0, 6.0)),
    ],
)
def test_structures_come_back(structure: Callable[[Any], Any], wanted: Any) -> None:
    p = tf.placeholder(tf.bool, [])
    a = tf.constant(3.0)
    given = tf.cond(p, lambda: structure(a), lambda: structure(a * 0.0))
    assert type(given) is type(wanted)
    assert run(given, {p: True}) == wanted


def test_a_list_of_one_is_given_alone_unless_strict() -> None:
    p = tf.placeholder(tf.bool, [])
    assert isinstance(tf.cond(p, lambda: [tf.constant(1)], lambda: [tf.constant(2)]), tf.Tensor)
    strict = tf.cond(p, lambda: [tf.constant(1)], lambda: [tf.constant(2)], strict=True)
    assert isinstance(strict, list)
    assert run(strict, {p: False}) == [2]


def test_sparse_values_come_back() -> None:
    p = tf.placeholder(tf.bool, [])
    sparse = tf.SparseTensor([[0, 1]], [5.0], [2, 2])
    slices = tf.IndexedSlices(tf.ones([2, 3]), tf.constant([0, 4]), tf.constant([6, 3]))
    a = tf.cond(p, lambda: sparse, lambda: sparse * tf.constant(2.0))
    b = tf.cond(p, lambda: slices, lambda: -slices)
    found, rows = run([a, b], {p: False})
    assert found.values.tolist() == [10.0]
    assert rows.values.tolist() == [[-1.0] * 3] * 2 and rows.indices.tolist() == [0, 4]


def test_slices_whose_indices_differ_get_wide_ones() -> None:
    p = tf.placeholder(tf.bool, [])

    def slices(dtype: Any) -> Any:
        return tf.IndexedSlices(tf.ones([1]), tf.constant([3], dtype))

    made = tf.cond(p, lambda: slices(tf.int32), lambda: slices(tf.int64))
    assert made.indices.dtype is tf.int64
    assert run(made.indices, {p: True}).tolist() == [3]


def test_operations_have_run_where_their_branch_is_taken() -> None:
    p = tf.placeholder(tf.bool, [])
    v = tf.Variable(1.0)
    done = tf.cond(p, lambda: v.assign(5.0).op, tf.no_op)
    assert done.dtype is tf.bool
    with tf.Session() as session:
        session.run(v.initializer)
        assert session.run([done, v], {p: False}) == [False, 1.0]
        session.run(done, {p: True})
        assert session.run(v) == 5.0


def test_what_stands_outside_runs_in_any_case_and_what_is_inside_only_when_taken() -> None:
    p = tf.placeholder(tf.bool, [])
    calls: list[str] = []

    def note(name: str) -> Any:
        return tf.py_func(lambda: (calls.append(name), np.float32(1.0))[1], [], tf.float32)

    outside = note("outside")
    y = tf.cond(p, lambda: outside + note("true"), lambda: outside + note("false"))
    run(y, {p: True})
    assert sorted(calls) == ["outside", "true"]


def test_an_effect_that_nothing_needs_does_not_run() -> None:
    p = tf.placeholder(tf.bool, [])
    v = tf.Variable(0.0)

    def branch() -> Any:
        v.assign_add(1.0)
        return tf.constant(1.0)

    y = tf.cond(p, branch, lambda: tf.constant(2.0))
    with tf.Session() as session:
        session.run(v.initializer)
        session.run(y, {p: True})
        assert session.run(v) == 0.0


def test_only_the_used_outputs_run() -> None:
    p = tf.placeholder(tf.bool, [])
    v = tf.Variable(0.0)
    a, _ = tf.cond(
        p,
        lambda: (tf.constant(1.0), v.assign_add(1.0)),
        lambda: (tf.constant(2.0), v.assign_sub(1.0)),
    )
    with tf.Session() as session:
        session.run(v.initializer)
        assert session.run(a, {p: True}) == 1.0
        assert session.run(v) == 0.0


def test_conditionals_are_nested_and_capture_through_all_levels() -> None:
    a, b = tf.placeholder(tf.bool, []), tf.placeholder(tf.bool, [])
    x = tf.constant(2.0)
    y = tf.cond(
        a,
        lambda: tf.cond(b, lambda: x + 1.0, lambda: x + 2.0),
        lambda: tf.cond(b, lambda: x, lambda: -x),
    )
    found = [run(y, {a: p, b: q}) for p in (True, False) for q in (True, False)]
    assert found == [3.0, 4.0, 2.0, -2.0]


def test_a_fed_constant_decides() -> None:
    c = tf.constant(0)
    y = tf.cond(c > 1, lambda: tf.constant(1), lambda: tf.constant(2))
    assert run(y) == 2
    assert run(y, {c: 5}) == 1


def test_captured_constants_can_be_fed() -> None:
    p = tf.placeholder(tf.bool, [])
    c = tf.constant(3.0)
    y = tf.cond(p, lambda: c * 2.0, lambda: c)
    assert run(y, {p: True, c: 5.0}) == 10.0


def test_a_control_input_outside_comes_first() -> None:
    p = tf.placeholder(tf.bool, [])
    v = tf.Variable(0.0)
    step = v.assign_add(1.0)

    def branch() -> Any:
        with tf.control_dependencies([step]):
            return v.read_value()

    y = tf.cond(p, branch, lambda: tf.constant(-1.0))
    with tf.Session() as session:
        session.run(v.initializer)
        assert session.run(y, {p: True}) == 1.0


def test_shapes_are_what_branches_have_in_common() -> None:
    p = tf.placeholder(tf.bool, [])
    y = tf.cond(p, lambda: tf.zeros([2, 3]), lambda: tf.zeros([4, 3]))
    assert y.shape.as_list() == [None, 3]
    z = tf.cond(p, lambda: tf.zeros([2]), lambda: tf.zeros([2, 2]))
    assert z.shape.ndims is None


def test_names_and_devices_continue_those_outside() -> None:
    p = tf.placeholder(tf.bool, [])
    names: list[str] = []

    def branch() -> Any:
        made = tf.constant(1.0, name="inner")
        names.append(made.name)
        assert made.device == "/device:CPU:0"
        return made

    with tf.name_scope("outer"), tf.device("/cpu:0"):
        tf.cond(p, branch, branch)
    assert names == ["outer/cond/inner:0", "outer/cond/inner_1:0"]


ERRORS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda p: tf.cond(True, lambda: 1, lambda: 2), TypeError, "pred must not be a Python bool"),
    (lambda p: tf.cond(p, None, lambda: 2), TypeError, "true_fn argument required"),
    (lambda p: tf.cond(p, lambda: 2), TypeError, "false_fn argument required"),
    (lambda p: tf.cond(p, 1, lambda: 2), TypeError, "true_fn must be callable"),
    (
        lambda p: tf.cond(p, lambda: 1, lambda: 2, fn1=lambda: 1),
        TypeError,
        "true_fn and fn1 may not be set simultaneously",
    ),
    (lambda p: tf.cond(p, lambda: None, lambda: 2), ValueError, "true_fn must have a return value"),
    (lambda p: tf.cond(p, lambda: 1, lambda: 2.0), ValueError, "must have the same type"),
    (lambda p: tf.cond(p, lambda: [1, 2], lambda: [1, 2, 3]), ValueError, "same number"),
    (lambda p: tf.cond(p, lambda: [1, 2], lambda: (1, 2)), TypeError, "same sequence type"),
    (lambda p: tf.cond(tf.constant([True]), lambda: 1, lambda: 2), ValueError, "must be rank 0"),
    (lambda p: tf.cond(tf.constant(1), lambda: 1, lambda: 2), TypeError, "pred must be a bool"),
]


@pytest.mark.parametrize(("make", "error", "text"), ERRORS)
def test_wrong_arguments_are_told(
    make: Callable[[Any], Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        make(tf.placeholder(tf.bool, []))


def test_a_predicate_that_turns_out_to_be_no_scalar_is_an_error() -> None:
    p = tf.placeholder(tf.bool)
    y = tf.cond(p, lambda: tf.constant(1), lambda: tf.constant(2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="predicate must be a scalar"):
        run(y, {p: [True, False]})


def test_a_tensor_of_a_branch_cannot_be_used_outside() -> None:
    p = tf.placeholder(tf.bool, [])
    kept: list[Any] = []

    def branch() -> Any:
        kept.append(tf.constant(1.0, name="kept"))
        return kept[0]

    tf.cond(p, branch, lambda: tf.constant(2.0))
    for use in (
        lambda: kept[0] + 1.0,
        lambda: tf.add(1.0, kept[0]),
        lambda: run(kept[0]),
        lambda: run(kept[0].op),
        lambda: tf.group(kept[0].op),
        lambda: tf.cond(p, lambda: kept[0], lambda: tf.constant(2.0)),
    ):
        with pytest.raises(ValueError, match=r"inside the cond at .*test_cond.py.*Return it"):
            use()


def test_an_error_in_a_branch_names_the_operation_and_the_line() -> None:
    p = tf.placeholder(tf.bool, [])
    i = tf.placeholder(tf.int32, [])
    x = tf.constant([1.0, 2.0])
    y = tf.cond(p, lambda: tf.gather(x, i, name="look"), lambda: tf.constant(0.0))
    with pytest.raises(tf.errors.InvalidArgumentError) as found:
        run(y, {p: True, i: 7})
    text = str(found.value)
    assert found.value.op.type == "Gather"
    assert "tf.gather(x, i, name=" in text and "'cond/look'" in text
    assert run(y, {p: False, i: 7}) == 0.0


def test_tables_and_queues_outside_serve_inside() -> None:
    p = tf.placeholder(tf.bool, [])
    queue = tf.FIFOQueue(5, tf.float32, [])
    filled = queue.enqueue_many([[1.0, 2.0, 3.0]])
    y = tf.cond(p, queue.dequeue, lambda: tf.constant(-1.0))
    with tf.Session() as session:
        session.run(filled)
        assert [session.run(y, {p: q}) for q in (True, False, True)] == [1.0, -1.0, 2.0]
        assert session.run(queue.size()) == 1


def test_a_branch_may_not_fit_the_shapes_of_a_run_in_which_it_is_not_taken() -> None:
    x = tf.placeholder(tf.float32, [None])
    y = tf.cond(
        tf.shape(x)[0] > 2, lambda: tf.slice(x, [0], [3]), lambda: tf.pad(x, [[0, 2]]) * 2.0
    )
    found = [run(y, {x: given}).tolist() for given in ([1.0, 2.0, 3.0, 4.0], [1.0])]
    assert found == [[1.0, 2.0, 3.0], [2.0, 0.0, 0.0]]


def test_an_output_that_is_run_does_not_mean_the_others() -> None:
    first, second = tf.Variable(0.0), tf.Variable(0.0)
    p = tf.placeholder(tf.bool, [])
    a, b = tf.cond(
        p,
        lambda: (tf.assign_add(first, 1.0), tf.assign_add(second, 1.0)),
        lambda: (tf.identity(first), tf.identity(second)),
    )
    with tf.control_dependencies([a]):
        after = tf.constant(1.0)
    with tf.Session() as session:
        session.run([first.initializer, second.initializer])
        session.run(a.op, {p: True})
        session.run(after, {p: True})
        assert session.run([first, second]) == [2.0, 0.0]
        session.run(b.op, {p: True})
        session.run([a.op, b.op], {p: False})
        assert session.run([first, second]) == [2.0, 1.0]
        session.run([a, b.op], {p: True})
        assert session.run([first, second]) == [3.0, 2.0]
