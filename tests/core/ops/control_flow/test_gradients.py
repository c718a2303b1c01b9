"""Gradients of conditionals and loops, against closed forms, plain loops and differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.control_flow.running import run

pytestmark = pytest.mark.usefixtures("graph")


Array = np.ndarray[Any, Any]


def loop(count: Any, body: Callable[[Any, Any], Any], start: Any, **options: Any) -> Any:
    """The last state of a loop that counts."""
    return tf.while_loop(
        lambda i, x: i < count, lambda i, x: (i + 1, body(i, x)), [0, start], **options
    )[1]


def differences(f: Callable[[Array], float], x: Array, step: float = 1e-6) -> Array:
    """The gradient of f by central differences."""
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += step
        down[i] -= step
        found[i] = (f(up) - f(down)) / (2 * step)
    return found


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_power_and_all_its_derivatives(count: int) -> None:
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float64, [])
    y = loop(n, lambda i, p: p * x, x)
    wanted, power = [], count + 1
    factor = 1.0
    for order in range(4):
        wanted.append(factor * 1.5 ** (power - order) if order <= power else 0.0)
        factor *= power - order
    found = [y]
    for _ in range(3):
        found.append(tf.gradients(found[-1], x, unconnected_gradients="zero")[0])
    np.testing.assert_allclose(run(found, {n: count, x: 1.5}), wanted, rtol=1e-12)


def test_loops_whose_number_of_passes_depends_on_values() -> None:
    x = tf.placeholder(tf.float64, [])
    y = tf.while_loop(lambda y: y < 100.0, lambda y: y * y + x, [x])
    dy = tf.gradients(y, x)[0]

    def plain(x: Array) -> float:
        y = float(x)
        while y < 100.0:
            y = y * y + float(x)
        return y

    found = run([y, dy], {x: 1.2})
    np.testing.assert_allclose(found[0], plain(np.float64(1.2)))
    np.testing.assert_allclose(found[1], differences(plain, np.array(1.2)), rtol=1e-6)


def test_a_recurrent_network_on_matrices() -> None:
    n = tf.placeholder(tf.int32, [])
    random = np.random.RandomState(0)
    w0, b0, x0 = random.randn(3, 3) / 2, random.randn(3), random.randn(2, 3)
    w, b, x = (tf.placeholder(tf.float64, a.shape) for a in (w0, b0, x0))
    state = loop(n, lambda i, s: tf.tanh(tf.matmul(s, w) + b), x)
    loss = tf.reduce_sum(tf.square(state))
    found = run(tf.gradients(loss, [w, b, x]), {n: 4, w: w0, b: b0, x: x0})

    def plain(w: Array, b: Array, x: Array) -> float:
        for _ in range(4):
            x = np.tanh(x @ w + b)
        return float((x**2).sum())

    np.testing.assert_allclose(found[0], differences(lambda v: plain(v, b0, x0), w0), atol=1e-7)
    np.testing.assert_allclose(found[1], differences(lambda v: plain(w0, v, x0), b0), atol=1e-7)
    np.testing.assert_allclose(found[2], differences(lambda v: plain(w0, b0, v), x0), atol=1e-7)


def test_shapes_that_change_in_each_pass() -> None:
    n = tf.placeholder(tf.int32, [])
    x = tf.placeholder(tf.float64, [1, 2])
    y = loop(
        n,
        lambda i, y: tf.concat([y, y * 2.0], 0),
        x,
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 2])],
    )
    dy = tf.gradients(tf.reduce_sum(y * y), x)[0]
    # The squares add up to (1 + 4)^n x^2.
    found = run(dy, {n: 3, x: [[1.0, -2.0]]})
    np.testing.assert_allclose(found, 2 * 125.0 * np.array([[1.0, -2.0]]))


def test_rows_that_are_looked_up_have_sparse_gradients() -> None:
    n = tf.placeholder(tf.int32, [])
    table = tf.Variable(np.arange(12, dtype=np.float32).reshape(6, 2))
    y = loop(n, lambda i, s: s + tf.gather(table, [i, i + 1]), tf.zeros([2, 2]))
    slices = tf.gradients(y, table)[0]
    assert isinstance(slices, tf.IndexedSlices)
    dense = tf.convert_to_tensor(slices)
    wanted = [[1.0] * 2, [2.0] * 2, [2.0] * 2, [1.0] * 2, [0.0] * 2, [0.0] * 2]
    assert run(dense, {n: 3}).tolist() == wanted
    assert run(dense, {n: 0}).tolist() == [[0.0, 0.0]] * 6


def test_rows_looked_up_in_one_branch() -> None:
    p = tf.placeholder(tf.bool, [])
    table = tf.Variable(np.arange(8, dtype=np.float32).reshape(4, 2))
    some = tf.cond(p, lambda: tf.gather(table, [1, 1]), lambda: tf.zeros([2, 2]))
    slices = tf.gradients(some, table)[0]
    assert isinstance(slices, tf.IndexedSlices)
    assert run(slices, {p: True}).indices.tolist() == [1, 1]
    assert run(slices, {p: False}).values.shape == (0, 2)
    all_or_some = tf.cond(p, lambda: tf.gather(table, [1, 1]), lambda: table[:2] * 1.0)
    dense = tf.convert_to_tensor(tf.gradients(all_or_some, table)[0])
    assert run(dense, {p: False}).tolist() == [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


def test_backward_passes_use_the_random_numbers_of_the_forward_ones() -> None:
    n = tf.placeholder(tf.int32, [])
    x = tf.ones([64])
    y = loop(n, lambda i, y: tf.nn.dropout(y, 0.5), x)
    found, slope = run([y, tf.gradients(y, x)[0]], {n: 3})
    assert 0 < np.count_nonzero(found) < 64
    assert found.tolist() == slope.tolist()


def test_a_random_branch_and_its_gradient() -> None:
    p = tf.placeholder(tf.bool, [])
    x = tf.ones([64])
    y = tf.cond(p, lambda: tf.nn.dropout(x, 0.5), lambda: x * 3.0)
    dy = tf.gradients(y, x)[0]
    found, slope = run([y, dy], {p: True})
    assert found.tolist() == slope.tolist()
    assert run(dy, {p: False}).tolist() == [3.0] * 64


def test_branches_that_do_not_use_something_give_it_zeros() -> None:
    p = tf.placeholder(tf.bool, [])
    x, y = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [2])
    z = tf.cond(p, lambda: tf.reduce_sum(x * x), lambda: tf.reduce_sum(y))
    grads = tf.gradients(z, [x, y])
    feed = {x: [1.0, 2.0, 3.0], y: [1.0, 1.0]}
    assert [g.tolist() for g in run(grads, {p: True, **feed})] == [[2.0, 4.0, 6.0], [0.0, 0.0]]
    assert [g.tolist() for g in run(grads, {p: False, **feed})] == [[0.0, 0.0, 0.0], [1.0, 1.0]]


def test_integer_variables_and_dead_ends_have_no_gradient() -> None:
    x = tf.placeholder(tf.float32, [])
    i, y, z = tf.while_loop(
        lambda i, y, z: i < 3,
        lambda i, y, z: (i + 1, y * x, tf.floor(z)),
        [0, x, x * 2.0],
    )
    assert tf.gradients(i, x) == [None]
    assert run(tf.gradients(y, x)[0], {x: 2.0}) == 4 * 2.0**3
    assert run(tf.gradients(z, x)[0], {x: 2.0}) == 0.0


def test_no_gradient_goes_through_a_loop_without_back_prop() -> None:
    x = tf.placeholder(tf.float32, [])
    y = loop(3, lambda i, y: y * x, x, back_prop=False)
    assert tf.gradients(y, x) == [None]


def test_a_stopped_gradient_inside() -> None:
    x = tf.placeholder(tf.float32, [])
    y = loop(tf.constant(3), lambda i, y: y + tf.stop_gradient(x * x) + x, 0.0)
    assert run(tf.gradients(y, x)[0], {x: 5.0}) == 3.0


def test_variables_that_pass_unchanged_have_the_gradient_of_both_uses() -> None:
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float32, [])
    _, y, same = tf.while_loop(
        lambda i, y, s: i < n, lambda i, y, s: (i + 1, y + s, s), [0, 0.0, x]
    )
    assert run(tf.gradients(y + 10.0 * same, x)[0], {n: 4, x: 1.0}) == 14.0


def test_gradients_inside_of_bodies() -> None:
    n = tf.constant(3.0)

    def body(n: Any) -> Any:
        v = tf.while_loop(lambda x: x < 300.0, lambda x: x * n, [tf.constant(2.0)])
        return n + 0.01 * tf.gradients(v, n)[0]

    # 2 n^5 is the first above 300: n + 0.1 n^4.
    assert run(tf.while_loop(lambda n: n < 6.0, body, [n])) == pytest.approx(3.0 + 0.1 * 3.0**4)


def test_gradients_inside_of_a_branch_reach_what_was_computed_outside() -> None:
    p = tf.placeholder(tf.bool, [])
    x = tf.constant(10.0)
    y = 7.0 * x
    z = tf.cond(p, lambda: tf.gradients(y * y, x)[0], lambda: x * 3.0)
    assert run(z, {p: True}) == 980.0
    assert run(z, {p: False}) == 30.0


def test_several_gradients_of_one_loop_share_its_stacks() -> None:
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float64, [])
    y = loop(n, lambda i, y: tf.sin(y), x)
    first = tf.gradients(y, x)[0]
    outputs = len(y.op.outputs)
    second = tf.gradients(2.0 * y, x)[0]
    assert len(y.op.outputs) == outputs
    found = run([first, second], {n: 3, x: 0.5})
    assert found[1] == 2 * found[0]


def test_what_does_not_change_is_not_stacked() -> None:
    w = tf.placeholder(tf.float32, [8, 8])
    n = tf.placeholder(tf.int32, [])
    y = loop(n, lambda i, s: tf.matmul(s, tf.transpose(w)), tf.ones([2, 8]))
    tf.gradients(y, tf.ones([1]))
    before = len(y.op.outputs)
    tf.gradients(y, w)
    # Only the state is needed of each pass: the product's other factor is always the same.
    assert len(y.op.outputs) == before + 1


def test_a_summary_of_tensor_arrays_has_gradients_to_second_order() -> None:
    x = tf.placeholder(tf.float64, [5])
    rows = tf.TensorArray(tf.float64, 5).unstack(x)
    out = tf.TensorArray(tf.float64, 5)

    def body(i: Any, state: Any, out: Any) -> Any:
        state = tf.sin(state) + rows.read(i) * state
        return i + 1, state, out.write(i, state * state)

    _, _, out = tf.while_loop(lambda i, *_: i < 5, body, [0, tf.constant(1.0, tf.float64), out])
    loss = tf.reduce_sum(out.stack())
    (first,) = tf.gradients(loss, x)
    (second,) = tf.gradients(tf.reduce_sum(first * first), x)

    def plain(x: Array) -> float:
        state, total = 1.0, 0.0
        for row in x:
            state = np.sin(state) + row * state
            total += state * state
        return float(total)

    point = np.array([0.3, -0.2, 0.5, 0.1, -0.4])
    found = run([loss, first, second], {x: point})
    np.testing.assert_allclose(found[0], plain(point))
    np.testing.assert_allclose(found[1], differences(plain, point), atol=1e-8)
    squared = differences(lambda v: float((differences(plain, v, 1e-5) ** 2).sum()), point, 1e-4)
    np.testing.assert_allclose(found[2], squared, atol=1e-4)


def test_bodies_of_many_operations() -> None:
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float64, [])

    def body(_: Any, y: Any) -> Any:
        for _ in range(1200):
            y = y * 1.001
        return y

    y = loop(n, body, x)
    (dy,) = tf.gradients(y, x)
    np.testing.assert_allclose(run(dy, {n: 2, x: 1.0}), 1.001**2400, rtol=1e-9)


def test_gradients_of_the_user_are_used_inside() -> None:
    @tf.custom_gradient
    def log1pexp(x: Any) -> Any:
        e = tf.exp(x)
        return tf.log(1.0 + e), lambda dy: dy * (1.0 - 1.0 / (1.0 + e))

    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float32, [])
    y = loop(n, lambda i, y: log1pexp(y), x)
    assert run(tf.gradients(y, x)[0], {n: 1, x: 100.0}) == 1.0


@pytest.mark.parametrize("colocate", [False, True])
def test_second_order_with_all_options(colocate: bool) -> None:
    n = tf.placeholder(tf.int32, [])
    x = tf.Variable(1.5)
    y = loop(n, lambda i, y: tf.cond(y > 0.0, lambda: y * x, lambda: y), 1.0)
    options = {"colocate_gradients_with_ops": colocate, "gate_gradients": colocate}
    (first,) = tf.gradients(y, x, **options)
    (second,) = tf.gradients(first, x, **options)
    assert run([first, second], {n: 3}) == [3 * 1.5**2, 6 * 1.5]


def test_sizes_that_stay_the_same_and_counters_are_not_stacked() -> None:
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float64, [None, 3])
    rows = tf.placeholder(tf.float64, [8, 3])
    state = tf.zeros([tf.shape(x)[0], 3], tf.float64)
    _, y, s = tf.while_loop(
        lambda i, y, s: i < n,
        lambda i, y, s: (i + 1, y * s + tf.gather(rows, i), tf.sin(s) + y),
        [0, x, state],
    )
    loss = tf.reduce_sum(y + s)
    before = len(y.op.outputs)
    dx, drows = tf.gradients(loss, [x, rows])
    # Of a pass the states are needed, and nothing else.
    assert len(y.op.outputs) == before + 2
    x0, rows0 = np.array([[0.3, -0.2, 0.1], [0.5, 0.4, -0.6]]), np.random.RandomState(0).randn(8, 3)

    def plain(x: Array, rows: Array) -> float:
        y, s = x, np.zeros_like(x)
        for i in range(3):
            y, s = y * s + rows[i], np.sin(s) + y
        return float((y + s).sum())

    found = run([dx, tf.convert_to_tensor(drows)], {n: 3, x: x0, rows: rows0})
    np.testing.assert_allclose(found[0], differences(lambda v: plain(v, rows0), x0), atol=1e-8)
    np.testing.assert_allclose(found[1], differences(lambda v: plain(x0, v), rows0), atol=1e-8)


def test_sizes_that_change_are_those_of_each_pass() -> None:
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float64, [None])
    y = loop(
        n,
        lambda i, y: tf.concat([y * 2.0, y[:1] + tf.zeros_like(y)], 0),
        x,
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])],
    )
    (dx,) = tf.gradients(tf.reduce_sum(tf.sin(y)), x)

    def plain(y: Array) -> float:
        for _ in range(3):
            y = np.concatenate([y * 2.0, y[:1] + np.zeros_like(y)])
        return float(np.sin(y).sum())

    point = np.array([0.1, 0.2])
    np.testing.assert_allclose(run(dx, {n: 3, x: point}), differences(plain, point), atol=1e-7)


def test_a_step_that_is_fed_counts_as_it_is_fed() -> None:
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float64, [4])
    step = tf.constant(1)
    _, y = tf.while_loop(
        lambda i, y: i < n,
        lambda i, y: (i + step, y + tf.gather(x, i) ** 2),
        [0, tf.zeros([], tf.float64)],
    )
    (dx,) = tf.gradients(y, x)
    dense = tf.convert_to_tensor(dx)
    assert run(dense, {n: 4, x: [1.0, 2.0, 3.0, 4.0], step: 2}).tolist() == [2.0, 0.0, 6.0, 0.0]
