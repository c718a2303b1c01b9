"""tf.while_loop: what it gives, what it checks, what ends it."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.control_flow.running import run

pytestmark = pytest.mark.usefixtures("graph")


Pair = collections.namedtuple("Pair", ["first", "second"])


@pytest.mark.parametrize("count", [0, 1, 10])
@pytest.mark.parametrize("tier", ["interpreted", "compiled"])
def test_the_body_runs_while_the_condition_holds(count: int, tier: str) -> None:
    n = tf.placeholder(tf.int32, [])
    found = tf.while_loop(lambda i, p: i < n, lambda i, p: (i + 1, p * 2.0), [0, 1.0])
    assert run(found, {n: count}, tier=tier) == [count, 2.0**count]


def test_a_single_variable_is_given_alone_unless_the_structure_is_asked_for() -> None:
    alone = tf.while_loop(lambda i: i < 3, lambda i: i + 1, [tf.constant(0)])
    assert isinstance(alone, tf.Tensor)
    whole = tf.while_loop(
        lambda i: i < 3, lambda i: [i + 1], [tf.constant(0)], return_same_structure=True
    )
    assert isinstance(whole, list)
    assert run([alone, whole]) == [3, [3]]


def test_structures_are_handed_to_the_functions_and_come_back() -> None:
    start = (tf.constant(0), {"b": tf.constant(1.0), "a": [tf.constant(2.0)]}, Pair(1.0, None))

    def body(i: Any, parts: Any, pair: Any) -> Any:
        assert isinstance(pair, Pair) and pair.second is None
        return (
            i + 1,
            {"b": parts["b"] + 1.0, "a": [parts["a"][0] * 2.0]},
            Pair(pair.first + i_of(i), None),
        )

    def i_of(i: Any) -> Any:
        return tf.cast(i, tf.float32)

    i, parts, pair = tf.while_loop(lambda i, *_: i < 3, body, start)
    assert pair.second is None
    assert run([i, parts, pair.first]) == [3, {"b": 4.0, "a": [16.0]}, 4.0]


def test_sparse_loop_variables() -> None:
    sparse = tf.SparseTensor([[0], [3]], [2.0, 4.0], [10])
    slices = tf.IndexedSlices(tf.ones([2, 1]), tf.constant([1, 2]), tf.constant([4, 1]))

    def body(i: Any, s: Any, t: Any) -> Any:
        return (
            i + 1,
            tf.SparseTensor(s.indices, s.values * 2.0, s.dense_shape),
            tf.IndexedSlices(t.values + 1.0, t.indices, t.dense_shape),
        )

    _, s, t = tf.while_loop(lambda i, *_: i < 3, body, [0, sparse, slices])
    found, rows = run([s, t])
    assert found.values.tolist() == [16.0, 32.0]
    assert rows.values.tolist() == [[4.0], [4.0]]


def test_maximum_iterations_end_the_loop() -> None:
    most = tf.placeholder(tf.int32, [])
    found = tf.while_loop(lambda i: i < 100, lambda i: i + 1, [0], maximum_iterations=most)
    always = tf.while_loop(lambda i: True, lambda i: i + 1, [0], maximum_iterations=7)
    assert run([found, always], {most: 5}) == [5, 7]


def test_shapes_may_change_where_the_invariant_says_so() -> None:
    n = tf.placeholder(tf.int32, [])
    _, x = tf.while_loop(
        lambda i, x: i < n,
        lambda i, x: (i + 1, tf.concat([x, x], 0)),
        [0, tf.ones([2, 2])],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 2])],
    )
    assert x.shape.as_list() == [None, 2]
    assert run(x, {n: 3}).shape == (16, 2)


def test_many_shapes_are_run_by_one_program() -> None:
    n = tf.placeholder(tf.int32, [])
    _, x = tf.while_loop(
        lambda i, x: i < n,
        lambda i, x: (i + 1, tf.concat([x, [i]], 0)),
        [0, tf.zeros([0], tf.int32)],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])],
    )
    assert run(x, {n: 40}).tolist() == list(range(40))


def test_loops_are_nested() -> None:
    n = tf.placeholder(tf.int32, [])

    def row(i: Any, total: Any) -> Any:
        inner = tf.while_loop(lambda j, t: j < i, lambda j, t: (j + 1, t + i * j), [0, total])
        return i + 1, inner[1]

    found = tf.while_loop(lambda i, t: i < n, row, [0, 0])[1]
    assert run(found, {n: 6}) == sum(i * j for i in range(6) for j in range(i))


def test_arrays_handed_on_are_not_those_that_were_fed() -> None:
    n = tf.placeholder(tf.int32, [])
    x = tf.placeholder(tf.float32, [3])
    _, same = tf.while_loop(lambda i, x: i < n, lambda i, x: (i + 1, x), [0, x])
    given = np.ones(3, np.float32)
    with tf.Session() as session:
        found = session.run(same, {n: 2, x: given})
        found[:] = 5.0
        assert given.tolist() == [1.0, 1.0, 1.0]
        assert session.run(same, {n: 2, x: given}).tolist() == [1.0, 1.0, 1.0]


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: tf.while_loop(1, lambda i: i, [0]), TypeError, "cond must be callable"),
    (lambda: tf.while_loop(lambda i: i < 1, 1, [0]), TypeError, "body must be callable"),
    (lambda: tf.while_loop(lambda: True, list, []), ValueError, "No loop variables"),
    (
        lambda: tf.while_loop(lambda i: i < 1, lambda i: i, [0], parallel_iterations=0),
        TypeError,
        "parallel_iterations must be a positive integer",
    ),
    (
        lambda: tf.while_loop(lambda i: i < 1, lambda i: i, [0], maximum_iterations=[1]),
        ValueError,
        "maximum_iterations must be a scalar",
    ),
    (
        lambda: tf.while_loop(lambda i: i < 1, lambda i: tf.cast(i, tf.float32), [0]),
        TypeError,
        "enters the loop with type tf.int32 but has type tf.float32 after 1 iteration",
    ),
    (
        lambda: tf.while_loop(lambda i, j: i < 1, lambda i, j: i, [0, 1]),
        ValueError,
        "body must return the structure of loop_vars",
    ),
    (
        lambda: tf.while_loop(lambda i: i < 1, lambda i: None, [0]),
        TypeError,
        "is None after one iteration",
    ),
    (
        lambda: tf.while_loop(
            lambda x: tf.reduce_sum(x) < 9.0, lambda x: tf.concat([x, x], 0), [tf.ones([2, 2])]
        ),
        ValueError,
        r"enters the loop with shape \(2, 2\), but has shape \(4, 2\) after one iteration",
    ),
    (
        lambda: tf.while_loop(
            lambda i: i < 1, lambda i: i, [tf.zeros([2])], shape_invariants=[tf.TensorShape([3])]
        ),
        ValueError,
        "not compatible with the initial shape",
    ),
    (
        lambda: tf.while_loop(lambda x: x < 1.0, lambda x: x, [tf.zeros([2])]),
        ValueError,
        "cond must return a boolean scalar",
    ),
    (lambda: tf.while_loop(lambda x: x, lambda x: x, [1.0]), TypeError, "a boolean scalar"),
]


@pytest.mark.parametrize(("make", "error", "text"), ERRORS)
def test_wrong_arguments_are_told(
    make: Callable[[], Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        make()


def test_an_error_in_a_body_names_the_operation_the_line_and_the_iteration() -> None:
    n = tf.placeholder(tf.int32, [])
    x = tf.constant([1.0, 2.0, 3.0])
    _, y = tf.while_loop(
        lambda i, s: i < n, lambda i, s: (i + 1, s + tf.gather(x, i, name="look")), [0, 0.0]
    )
    assert run(y, {n: 3}) == 6.0
    with pytest.raises(tf.errors.InvalidArgumentError) as found:
        run(y, {n: 5})
    text = str(found.value)
    assert found.value.op.type == "Gather"
    assert 'tf.gather(x, i, name="look")' in text
    assert "in iteration 3 of" in text and text.count("in iteration") == 1


def test_the_first_value_that_is_not_finite_is_found_inside() -> None:
    n = tf.placeholder(tf.int32, [])
    _, y = tf.while_loop(
        lambda i, s: i < n, lambda i, s: (i + 1, tf.log(s - 1.0, name="bad")), [0, 3.0]
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"while/bad.*\n.*in iteration 1 of"):
        run(y, {n: 9}, check_numerics=True)


def test_a_deadline_ends_a_loop() -> None:
    forever = tf.while_loop(lambda i: True, lambda i: i + 1, [0])
    began = time.monotonic()
    with tf.Session() as session, pytest.raises(tf.errors.DeadlineExceededError):
        session.run(forever, options=tf.RunOptions(timeout_in_ms=50))
    assert time.monotonic() - began < 10.0


def test_closing_the_session_ends_a_loop() -> None:
    v = tf.Variable(0.0)
    forever = tf.while_loop(lambda i: v.read_value() < 1.0, lambda i: i + 1, [0])
    session = tf.Session()
    session.run(v.initializer)
    ended: list[BaseException] = []

    def work() -> None:
        try:
            session.run(forever)
        except tf.errors.CancelledError as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.1)
    session.close()
    thread.join(10.0)
    assert not thread.is_alive()
    assert len(ended) == 1


def test_seeds_of_operations_in_bodies_differ_and_runs_repeat() -> None:
    tf.set_random_seed(1)
    n = tf.placeholder(tf.int32, [])
    _, a, b = tf.while_loop(
        lambda i, a, b: i < n,
        lambda i, a, b: (i + 1, a + tf.random_uniform([]), b + tf.random_uniform([])),
        [0, 0.0, 0.0],
    )
    first, second = run([a, b], {n: 3}), run([a, b], {n: 3})
    assert first[0] != first[1]
    assert first == second


def test_memory_does_not_grow_with_the_iterations() -> None:
    import tracemalloc

    n = tf.placeholder(tf.int32, [])
    _, x = tf.while_loop(
        lambda i, x: i < n, lambda i, x: (i + 1, tf.reverse(x, [0]) + 1.0), [0, tf.zeros([4096])]
    )
    with tf.Session(tier="interpreted") as session:
        session.run(x, {n: 2})
        tracemalloc.start()
        try:
            session.run(x, {n: 500})
            assert tracemalloc.get_traced_memory()[1] < 20 * 4096 * 4
        finally:
            tracemalloc.stop()


def test_a_placeholder_inside_is_told() -> None:
    n = tf.placeholder(tf.int32, [])
    y = tf.while_loop(lambda i: i < n, lambda i: i + tf.placeholder(tf.int32, [], "ph"), [0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="must feed a value for .*while/ph"):
        run(y, {n: 3})


def test_strings_are_loop_variables() -> None:
    n = tf.placeholder(tf.int32, [])
    _, s, v = tf.while_loop(
        lambda i, *_: i < n,
        lambda i, s, v: (i + 1, tf.string_join([s, "a"]), tf.string_join([v, ["x", "y"]])),
        [0, "b", tf.constant(["p", "q"])],
    )
    found = run([s, v], {n: 2})
    assert found[0] == b"baa" and found[1].tolist() == [b"pxx", b"qyy"]


@pytest.mark.parametrize("tier", ["interpreted", "compiled"])
def test_one_loop_runs_in_many_threads(tier: str) -> None:
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float64, [None])
    _, y = tf.while_loop(
        lambda i, _: i < n, lambda i, y: (i + 1, tf.sin(y) * x + tf.cast(i, tf.float64)), [0, x]
    )
    (dy,) = tf.gradients(y, x)
    given = [(k % 5 + 1, np.linspace(0.1, 0.9, k % 3 + 2)) for k in range(40)]
    with tf.Session(tier=tier) as session:
        alone = [session.run([y, dy], {n: count, x: point}) for count, point in given]
        together: list[Any] = [None] * len(given)

        def work(first: int) -> None:
            for k in range(first, len(given), 4):
                together[k] = session.run([y, dy], {n: given[k][0], x: given[k][1]})

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60.0)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("fed", [False, True])
def test_iterations_of_loops_in_loops_are_told(fed: bool) -> None:
    # What is known to go round a few times may be run without a loop.
    n = tf.placeholder(tf.int32, []) if fed else tf.constant(3)
    x = tf.placeholder(tf.float32, [3])

    def outer(i: Any, y: Any) -> Any:
        inner = tf.while_loop(
            lambda j, y: j < i + 1,
            lambda j, y: (j + 1, y + tf.log(tf.gather(x, j), name="bad")),
            [0, y],
            name="inner",
        )
        return i + 1, inner[1]

    y = tf.while_loop(lambda i, y: i < n, outer, [0, 0.0], name="outer")[1]
    with pytest.raises(tf.errors.InvalidArgumentError) as found:
        run(y, {x: [1.0, 2.0, 0.0], **({n: 3} if fed else {})}, check_numerics=True)
    first, second = [line for line in str(found.value).splitlines() if "in iteration" in line]
    assert "outer/inner/bad" in str(found.value)
    assert "in iteration 2 of" in first and "outer/inner/While" in first
    assert "in iteration 2 of" in second and "'outer/While'" in second
