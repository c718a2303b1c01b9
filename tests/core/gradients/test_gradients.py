"""tf.gradients: arguments, structure, sparse gradients, second order, user-made gradients."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as tf


@pytest.fixture
def session() -> tf.Session:
    with tf.Graph().as_default(), tf.Session() as opened:
        yield opened


def test_several_ys_and_weights(session: tf.Session) -> None:
    x = tf.constant([1.0, 2.0])
    gradient = tf.gradients([x * x, 3.0 * x], x, grad_ys=[tf.constant([1.0, 10.0]), None])[0]
    assert session.run(gradient).tolist() == [5.0, 43.0]


def test_unconnected(session: tf.Session) -> None:
    x, y = tf.constant(1.0), tf.constant([2.0, 3.0])
    assert tf.gradients(x * 2.0, [x, y])[1] is None
    zero = tf.gradients(x * 2.0, [x, y], unconnected_gradients=tf.UnconnectedGradients.ZERO)[1]
    assert session.run(zero).tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="unconnected_gradients"):
        tf.gradients(x * 2.0, [y], unconnected_gradients="nonsense")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * x,
        lambda x: tf.cast(x, tf.float32) * 2.0,
        lambda x: tf.gather(x, [0, 1]),
        lambda x: tf.while_loop(lambda i: i < 3, lambda i: i + 1, [x[0]]),
    ],
    ids=["product", "cast", "gather", "loop"],
)
def test_integers_have_no_gradients(session: tf.Session, function: object) -> None:
    x = tf.constant([2, 3])
    assert tf.gradients(function(x), x) == [None]
    # What is rounded on the way has none, either.
    y = tf.constant([2.5, 3.5])
    assert tf.gradients(function(tf.cast(y, tf.int32)), y) == [None]


def test_stop_gradients_and_stop_gradient(session: tf.Session) -> None:
    a = tf.constant(3.0)
    b = 2.0 * a
    total = tf.gradients(a + b, [a, b])
    partial = tf.gradients(a + b, [a, b], stop_gradients=[a, b])
    assert session.run(total) == [3.0, 1.0]
    assert session.run(partial) == [1.0, 1.0]
    assert session.run(tf.gradients(a * tf.stop_gradient(a), a)[0]) == 3.0


def test_the_gradient_with_respect_to_an_inner_tensor(session: tf.Session) -> None:
    x = tf.constant(2.0)
    h = x * x
    y = h * h + h
    assert session.run(tf.gradients(y, [h, x])) == [9.0, 36.0]


def test_hessian_vector_product(session: tf.Session) -> None:
    random = np.random.RandomState(0)
    matrix = random.standard_normal((3, 3))
    matrix = matrix + matrix.T
    v = random.standard_normal(3)
    x = tf.constant(random.standard_normal(3))
    y = 0.5 * tf.reduce_sum(x * tf.reshape(tf.matmul(tf.constant(matrix), x[:, None]), [-1]))
    first = tf.gradients(y, x)[0]
    product = tf.gradients(tf.reduce_sum(first * v), x)[0]
    np.testing.assert_allclose(session.run(product), matrix @ v, rtol=1e-12)
    np.testing.assert_allclose(session.run(tf.hessians(y, x)[0]), matrix, rtol=1e-12)


def test_lookup_gives_indexed_slices_and_repeated_rows_add_up(session: tf.Session) -> None:
    table = tf.Variable(np.arange(6.0).reshape(3, 2))
    session.run(table.initializer)
    loss = tf.reduce_sum(tf.gather(table, [0, 2, 0]) * [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    gradient = tf.gradients(loss, table)[0]
    assert isinstance(gradient, tf.IndexedSlices)
    dense = session.run(tf.convert_to_tensor(gradient))
    assert dense.tolist() == [[4.0, 4.0], [0.0, 0.0], [2.0, 2.0]]
    both = tf.gradients(loss + tf.reduce_sum(tf.gather(table, [1])), table)[0]
    assert isinstance(both, tf.IndexedSlices)
    mixed = tf.gradients(loss + tf.reduce_sum(table), table)[0]
    assert session.run(tf.convert_to_tensor(mixed)).tolist() == [[5.0, 5.0], [1.0, 1.0], [3.0, 3.0]]


def test_registered_gradient_by_override(session: tf.Session) -> None:
    @tf.RegisterGradient("TestTenfold")
    def tenfold(op: tf.Operation, dy: tf.Tensor) -> tf.Tensor:
        return 10.0 * dy

    x = tf.constant(3.0)
    with tf.get_default_graph().gradient_override_map({"Square": "TestTenfold"}):
        y = tf.square(x)
    z = tf.square(x)
    assert session.run(tf.gradients([y], x)[0]) == 10.0
    assert session.run(tf.gradients([z], x)[0]) == 6.0
    with pytest.raises(KeyError, match="two gradients"):
        tf.RegisterGradient("TestTenfold")(tenfold)


def test_custom_gradient(session: tf.Session) -> None:
    @tf.custom_gradient
    def clipped(x: tf.Tensor, y: tf.Tensor) -> tuple:
        def gradient(dy: tf.Tensor) -> tuple:
            return tf.clip_by_value(dy * y, -1.0, 1.0), 7.0 * dy

        return x * y, gradient

    x, y = tf.constant(2.0), tf.constant(5.0)
    z = clipped(x, y)
    assert session.run(z) == 10.0
    assert session.run(tf.gradients(z, [x, y])) == [1.0, 7.0]


def test_missing_gradient_names_the_operation(session: tf.Session) -> None:
    x = tf.constant([[2.0, 1.0], [1.0, 3.0]])
    q, _ = tf.qr(x)
    try:
        tf.gradients(q, x)
    except LookupError as error:
        assert "op type: Qr" in str(error)
        assert "tf.RegisterGradient" in str(error)


def test_errors(session: tf.Session) -> None:
    x = tf.constant([True, False])
    with pytest.raises(TypeError, match="Only numbers have gradients"):
        tf.gradients(tf.logical_not(x), x)
    y = tf.constant(1.0)
    with pytest.raises(ValueError, match="same length"):
        tf.gradients([y], y, grad_ys=[None, None])


def test_compute_gradient_finds_a_wrong_gradient(session: tf.Session) -> None:
    @tf.custom_gradient
    def wrong(x: tf.Tensor) -> tuple:
        return x * x, lambda dy: dy * x

    x = tf.constant(np.array([1.0, 2.0]))
    assert tf.test.compute_gradient_error(x, [2], tf.square(x), [2]) < 1e-6
    assert tf.test.compute_gradient_error(x, [2], wrong(x), [2]) > 0.5


def test_a_gradient_is_checked_at_the_values_that_the_others_have(session: tf.Session) -> None:
    x, y = tf.constant([1.0, 2.0], tf.float64), tf.constant([3.0, -4.0], tf.float64)
    fed = tf.placeholder(tf.float64, [2])
    product = x * y + fed
    (by_x, _), (by_y, _), (by_fed, _) = tf.test.compute_gradient(
        [x, y, fed], [[2]] * 3, product, [2], x_init_value=[None, [5.0, 6.0], None]
    )
    assert by_x.diagonal().tolist() == [5.0, 6.0]
    assert by_y.diagonal().tolist() == [1.0, 2.0]
    assert by_fed.tolist() == np.eye(2).tolist()
    z = tf.constant([1j], tf.complex128)
    assert tf.test.compute_gradient_error(z, [1], z * z * z, [1]) < 1e-5


def test_gate_gradients_and_colocation(session: tf.Session) -> None:
    with tf.device("/cpu:0"):
        x = tf.Variable(2.0)
        y = x * x * 3.0
    session.run(x.initializer)
    gated = tf.gradients(y, x, gate_gradients=True, colocate_gradients_with_ops=True)[0]
    assert session.run(gated) == 12.0


def test_a_scalar_may_be_checked_as_a_vector_of_one() -> None:
    with tf.Graph().as_default(), tf.Session():
        x = tf.constant([1.0, 2.0], tf.float64)
        y = tf.reduce_sum(tf.square(x)) + tf.reduce_sum(x)
        error = tf.test.compute_gradient_error(x, [2], y, [1], x_init_value=np.array([1.0, 2.0]))
    assert error < 1e-6
