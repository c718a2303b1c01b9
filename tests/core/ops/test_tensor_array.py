"""TensorArray: what it gives, what it refuses, in loops and conditionals, and its gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import assert_gradients

ROWS = np.random.default_rng(4).normal(size=(3, 2)) / 2


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def hidden(value: Any, dtype: Any = None) -> Any:
    """A tensor of which nothing is known before the run."""
    return tf.placeholder_with_default(np.asarray(value, dtype), None)


def array(size: Any = 3, dtype: Any = tf.float32, **options: Any) -> Any:
    """A new array that may be read any number of times."""
    return tf.TensorArray(dtype, size, clear_after_read=False, **options)


# -- elements ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64, tf.int32, tf.int64, tf.complex64])
def test_write_and_read(session: Any, dtype: Any) -> None:
    filled = array(dtype=dtype).write(0, [1, 2]).write(2, [5, 6])
    found = session.run([filled.read(0), filled.read(1), filled.stack(), filled.gather([2, 0])])
    assert [f.dtype for f in found] == [dtype.as_numpy_dtype] * 4
    assert [f.tolist() for f in found] == [
        [1, 2],
        [0, 0],
        [[1, 2], [0, 0], [5, 6]],
        [[5, 6], [1, 2]],
    ]


def test_strings_and_bools(session: Any) -> None:
    words = array(2, tf.string).write(1, "a")
    assert session.run(words.stack()).tolist() == [b"", b"a"]
    assert session.run(array(2, tf.bool).write(0, True).stack()).tolist() == [True, False]


def test_unstack_scatter_split_and_concat(session: Any) -> None:
    rows = np.arange(6.0, dtype=np.float32).reshape(3, 2)
    unstacked = array().unstack(rows)
    scattered = array().scatter([2, 0, 1], rows)
    parts = array(infer_shape=False).split(rows, [2, 0, 1])
    found = session.run(
        [
            unstacked.stack(),
            scattered.stack(),
            scattered.read(2),
            parts.read(0),
            parts.concat(),
            unstacked.concat(),
            parts.size(),
        ]
    )
    for value, want in zip(
        found, [rows, rows[[1, 2, 0]], rows[0], rows[:2], rows, rows.ravel(), 3], strict=True
    ):
        np.testing.assert_array_equal(value, want)
    assert unstacked.pack().eval().tolist() == rows.tolist()
    assert array().unpack(rows).stack().eval().tolist() == rows.tolist()


def test_dynamic_size(session: Any) -> None:
    growing = array(0, dynamic_size=True, element_shape=[])
    assert session.run(growing.stack()).tolist() == []
    grown = growing.write(2, 5.0).write(0, 1.0)
    assert session.run([grown.size(), growing.size()]) == [3, 0]
    assert session.run(grown.stack()).tolist() == [1.0, 0.0, 5.0]
    assert session.run(growing.unstack(np.ones(4, np.float32)).size()) == 4
    pieces = array(0, dynamic_size=True, infer_shape=False).split(np.ones(3, np.float32), [1, 2])
    assert session.run(pieces.size()) == 2


def test_static_shapes() -> None:
    def shape(tensor: Any) -> Any:
        return None if tensor.shape.ndims is None else tensor.shape.as_list()

    unknown = array()
    assert shape(unknown.read(0)) is None
    written = unknown.write(0, tf.placeholder(tf.float32, [None, 3]))
    assert [shape(written.read(0)), shape(written.stack()), shape(written.gather([0, 1]))] == [
        [None, 3],
        [3, None, 3],
        [2, None, 3],
    ]
    assert shape(written.concat()) == [None, 3]
    # All that stand for the array learn it.
    assert shape(unknown.read(1)) == [None, 3]
    assert shape(array(element_shape=[4, None]).read(0)) == [4, None]
    assert shape(array(infer_shape=False).write(0, [1.0]).read(0)) is None
    assert shape(array().split(np.ones((4, 2), np.float32), [2, 2]).read(0)) == [2, 2]
    assert shape(array().split(np.ones((4, 2), np.float32), [1, 3]).read(0)) is None
    assert shape(array().size()) == []
    size = tf.placeholder(tf.int32, [])
    assert shape(array(size, element_shape=[4]).stack()) == [None, 4]
    assert shape(array(2, element_shape=[4], dynamic_size=True).stack()) == [None, 4]
    partly = array(infer_shape=False, element_shape=[None, 3]).write(0, tf.zeros([2, 3]))
    assert shape(partly.write(1, tf.zeros([5, 3])).read(0)) == [None, 3]


def test_attributes() -> None:
    made = tf.TensorArray(tf.float32, size=2, tensor_array_name="foo", name="bar")
    assert made.dtype is tf.float32
    assert made.flow.op.name == "bar"
    assert made.flow.dtype is tf.variant
    assert made.handle is made.flow
    assert made.element_shape.ndims is None
    written = made.write(0, 1.0, name="put")
    assert written.flow.op.name == "put"
    again = tf.TensorArray(tf.float32, handle=written.handle, flow=written.flow)
    assert again.stack().eval().tolist() == [1.0, 0.0]
    assert written.identity().read(0).eval() == 1.0
    assert "bar" in repr(made)
    made.close().run()


def test_two_equal_arrays_are_two(session: Any) -> None:
    first, second = (tf.TensorArray(tf.float32, 2).unstack([1.0, 2.0]) for _ in range(2))
    assert session.run([first.read(0), second.read(0)]) == [1.0, 1.0]


def test_array_of_gradients_adds_up(session: Any) -> None:
    values = array(2, infer_shape=False).write(0, 1.0)
    sums = values.grad("gradients").write(1, 3.0).write(1, 4.0).write(0, [1.0])
    assert session.run([sums.read(1), sums.size()]) == [7.0, 2]
    assert session.run(sums.read(0)).tolist() == [1.0]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"existing shape is \[\] but the new .* is \[1\]"
    ):
        session.run(sums.write(1, [1.0]).flow)


def test_an_array_of_gradients_is_the_same_for_all_who_ask(session: Any) -> None:
    values = array(3).write(0, 1.0)
    first, second = values.grad("a"), values.write(1, 2.0).grad("a")
    other = values.grad("b")
    first.write(0, 4.0)
    second.write(0, 0.5)
    assert session.run([a.read(0) for a in (first, second)]) == [4.5, 4.5]
    assert session.run(other.size()) == 3

    def double(i: Any, flow: Any) -> Any:
        return i + 1, values.grad("a").write(i, 10.0)

    # The branches see what was written before, and not what the other one writes.
    flag = tf.placeholder(tf.bool, [])
    chosen = tf.cond(flag, lambda: first.write(1, 1.0).stack(), lambda: first.write(1, 2.0).stack())
    assert session.run(chosen, {flag: True}).tolist() == [4.5, 1.0, 0.0]
    assert session.run(chosen, {flag: False}).tolist() == [4.5, 2.0, 0.0]
    _, sums = tf.while_loop(lambda i, _: i < 3, double, [0, first])
    assert session.run(sums.stack()).tolist() == [14.5, 10.0, 10.0]
    assert session.run(second.stack()).tolist() == [14.5, 10.0, 10.0]


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "Size must be provided"),
        ({"handle": 3, "flow": 3}, TypeError, "Handle must be a Tensor"),
        ({"handle": "flow"}, ValueError, "flow must not be None"),
        ({"handle": "flow", "size": 1}, ValueError, "both a handle and size"),
        ({"handle": "flow", "element_shape": []}, ValueError, "both a handle and element_shape"),
        ({"handle": "flow", "dynamic_size": True}, ValueError, "both a handle and dynamic_size"),
        (
            {"handle": "flow", "clear_after_read": True},
            ValueError,
            "both a handle and clear_after_read",
        ),
        (
            {"handle": "flow", "tensor_array_name": "x"},
            ValueError,
            "both handle and tensor_array_name",
        ),
        ({"handle": "float", "flow": "float"}, TypeError, "flow must be the flow of a TensorArray"),
    ],
)
def test_arguments(options: dict[str, Any], error: type[Exception], message: str) -> None:
    known = {"flow": array().flow, "float": tf.constant(0.0)}
    filled = {
        k: known.get(v, v) if isinstance(v, str) and k in ("handle", "flow") else v
        for k, v in options.items()
    }
    with pytest.raises(error, match=message):
        tf.TensorArray(tf.float32, **filled)


def test_shapes_that_differ_are_refused_when_the_graph_is_built() -> None:
    written = array().write(0, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"saw \(3,\) but expected \(2,\) .and infer_shape=True"):
        written.write(1, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="Inconsistent shapes"):
        array(element_shape=[2]).unstack(np.zeros((3, 1), np.float32))
    array(infer_shape=False).write(0, [1.0]).write(1, 2.0)
    with pytest.raises(ValueError, match=r"saw \(3,\) but expected \(2,\)$"):
        array(infer_shape=False, element_shape=[2]).write(0, [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda a: a.write(3, 1.0).flow,
            "write to index 3 but array is not resizeable and size is: 3",
        ),
        (lambda a: a.write(-1, 1.0).flow, "write to index -1 but array is not resizeable"),
        (
            lambda a: a.read(3),
            "TensorArray foo_.*: Tried to read from index 3 but array size is: 3",
        ),
        (lambda a: a.read(-1), "Tried to read from index -1 but array size is: 3"),
        (
            lambda a: a.write(2, 1.0).write(2, 1.0).flow,
            "TensorArray foo_.*: Could not write to TensorArray index 2 because it has already "
            "been written to",
        ),
        (
            lambda a: a.write(0, "text").flow,
            "TensorArray dtype is float but Op is trying to write dtype string",
        ),
        (
            lambda a: a.write(0, hidden(1.0, "f")).write(1, hidden([1.0], "f")).flow,
            r"value shape is \[1\] which is incompatible .* shape: \[\]",
        ),
        (lambda a: a.read(0), "index 0, which was never written.  Furthermore, the element shape"),
        (lambda a: a.scatter([3], [1.0]).flow, r"Max scatter index must be .* \(3 vs. 3\)"),
        (
            lambda a: a.scatter([1, 1], [1.0, 2.0]).flow,
            "index 1 because it has already been written",
        ),
        (lambda a: a.write(1, 1.0).unstack([1.0, 2.0]).flow, "already been written"),
        (lambda a: a.split([1.0, 2.0], [1, 1]).flow, r"size of lengths \(3 vs. 2\)"),
        (lambda a: a.split([1.0], hidden(1)).flow, r"lengths to be a vector, received shape: \[\]"),
        (lambda a: a.split(1.0, [1]).flow, r"at least a vector, but received shape: \[\]"),
        (
            lambda a: tf.TensorArray(tf.float32, 0).stack(),
            "size zero, but element shape <unknown> is not fully defined",
        ),
    ],
)
def test_errors_of_a_run(session: Any, build: Callable[[Any], Any], message: str) -> None:
    made = tf.TensorArray(tf.float32, 3, tensor_array_name="foo")
    with pytest.raises(tf.errors.InvalidArgumentError, match=message) as caught:
        session.run(build(made))
    assert "test_tensor_array.py" in str(caught.value).splitlines()[0]


def test_an_element_is_read_once(session: Any) -> None:
    index = tf.placeholder(tf.int32, [2])
    once = tf.TensorArray(tf.float32, 3).unstack(hidden([1.0, 2.0, 3.0], "f"))
    total = once.read(index[0]) + once.read(index[1])
    assert session.run(total, {index: [0, 2]}) == 4.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not read index 1 twice"):
        session.run(total, {index: [1, 1]})
    # Each run has a new array.
    assert session.run(total, {index: [0, 2]}) == 4.0


# -- in loops and conditionals -------------------------------------------------------------------


def powers(x: Any, count: Any, **options: Any) -> Any:
    """The powers of x, made by a loop, along a new first axis."""

    def body(i: Any, power: Any, filled: Any) -> Any:
        return i + 1, power * x, filled.write(i, power)

    empty = tf.TensorArray(x.dtype, size=0 if options else count, **options)
    _, _, filled = tf.while_loop(lambda i, *_: i < count, body, (0, tf.ones_like(x), empty))
    return filled.stack()


def test_loop_that_writes(session: Any) -> None:
    count = tf.placeholder(tf.int32, [])
    made = powers(tf.constant([2.0, 3.0]), count)
    assert made.shape.as_list() == [None, 2]
    want = [[1.0, 1.0], [2.0, 3.0], [4.0, 9.0], [8.0, 27.0]]
    assert session.run(made, {count: 4}).tolist() == want
    assert session.run(made, {count: 1}).tolist() == want[:1]


@pytest.mark.parametrize("fed", [False, True])
@pytest.mark.parametrize("options", [{}, {"dynamic_size": True}])
def test_gradients_through_a_loop_that_writes(fed: bool, options: dict[str, Any]) -> None:
    count = hidden(4, np.int32) if fed else 4
    assert_gradients(lambda x: powers(x, count, **options), np.array([0.7, -1.2]))


def running_products(x: Any) -> Any:
    """Reads rows, writes products, reads what it wrote before: all in one loop."""
    rows = tf.TensorArray(x.dtype, 3, clear_after_read=False).unstack(x)

    def body(i: Any, made: Any) -> Any:
        before = made.read(i - 1)
        return i + 1, made.write(i, before * rows.read(i) + rows.read(0))

    made = tf.TensorArray(x.dtype, 3, clear_after_read=False).write(0, rows.read(0))
    _, made = tf.while_loop(lambda i, _: i < 3, body, (1, made))
    return tf.concat([made.stack(), [made.read(2)], [rows.read(1)]], 0)


def nested_loops(x: Any) -> Any:
    """An array for each row, stacked as an element of an outer array."""

    def outer(i: Any, made: Any) -> Any:
        def inner(j: Any, row: Any) -> Any:
            return j + 1, row.write(j, x[i, j] * x[j, i % 2])

        _, row = tf.while_loop(
            lambda j, _: j < 2, inner, (0, tf.TensorArray(x.dtype, 2, element_shape=[]))
        )
        return i + 1, made.write(i, row.stack())

    _, made = tf.while_loop(lambda i, _: i < 3, outer, (0, tf.TensorArray(x.dtype, 3)))
    return made.stack()


def chosen(x: Any) -> Any:
    """A conditional that gives out one of two arrays, one of them written inside."""
    filled = tf.TensorArray(x.dtype, 3, clear_after_read=False).scatter([0, 2], x[:2] ** 2)
    results = []
    for number in (0.0, 9.0):
        given = tf.cond(
            tf.reduce_sum(x) > number,
            lambda: filled.write(1, x[2] * x[0]),
            lambda: filled.identity(),
        )
        results.append(given.stack() * given.read(2))
    return tf.concat(results, 0)


def parts(x: Any) -> Any:
    """Parts of different lengths, each changed by a loop."""
    held = tf.TensorArray(x.dtype, 2, infer_shape=False).split(x, [1, 2])

    def body(i: Any, made: Any) -> Any:
        return i + 1, made.write(i, held.read(i) ** 2 * x[0, 0])

    _, made = tf.while_loop(
        lambda i, _: i < 2, body, (0, tf.TensorArray(x.dtype, 2, infer_shape=False))
    )
    return made.concat()


@pytest.mark.parametrize("function", [running_products, nested_loops, chosen, parts])
def test_gradients_to_second_order(function: Callable[[Any], Any]) -> None:
    assert_gradients(function, ROWS)


def test_arrays_of_two_sizes_from_a_conditional(session: Any) -> None:
    is_long = tf.placeholder(tf.bool, [])
    given = tf.cond(is_long, lambda: array(3).unstack([1.0] * 3), lambda: array(1).write(0, 2.0))
    assert given.stack().shape.as_list() == [None]
    assert session.run(given.stack(), {is_long: True}).tolist() == [1.0] * 3
    assert session.run(given.stack(), {is_long: False}).tolist() == [2.0]


def test_only_what_is_written_is_kept(session: Any) -> None:
    """A loop that writes one element after the other gives each iteration's own value."""
    big = 500
    empty = tf.TensorArray(tf.float32, 4)
    _, _, filled = tf.while_loop(
        lambda i, *_: i < 4,
        lambda i, x, made: (i + 1, x * 2.0 + 1.0, made.write(i, x + 1.0)),
        (0, tf.zeros([big]), empty),
    )
    assert session.run(filled.stack())[:, 7].tolist() == [1.0, 2.0, 4.0, 8.0]


def test_gradient_of_an_array_by_its_flow(session: Any) -> None:
    """The list that an array holds has a gradient, as a target and as a source."""
    x = tf.constant(ROWS)
    filled = tf.TensorArray(tf.float64, 3, clear_after_read=False).unstack(x)
    (by_list,) = tf.gradients(filled.read(1) * 2.0 + filled.read(2), filled.flow)
    (by_rows,) = tf.gradients(filled.flow, x, [by_list])
    assert session.run(by_rows).tolist() == [[0.0, 0.0], [2.0, 2.0], [1.0, 1.0]]
