"""Matrices: gradients that the registry test cannot see, static shapes, arguments and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.numeric import derivative

rng = np.random.default_rng(21)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _random(kind: str, *shape: int) -> np.ndarray[Any, Any]:
    real = rng.normal(size=shape)
    return real + 1j * rng.normal(size=shape) if kind == "complex" else real


def _check(
    session: Any, function: Callable[[Any], Any], value: np.ndarray[Any, Any], known: bool = True
) -> None:
    """The gradient of weighted sums of what `function` gives, against differences."""
    x = tf.placeholder(value.dtype, value.shape if known else [None] * value.ndim)
    outputs = function(x)
    terms = []
    for y in outputs if isinstance(outputs, (list, tuple)) else [outputs]:
        kind = "complex" if y.dtype.is_complex else "real"
        weights = _random(kind, *session.run(y, {x: value}).shape)
        terms.append(tf.reduce_sum(tf.real(y * np.asarray(weights, y.dtype.as_numpy_dtype))))
    total = tf.add_n(terms)
    (slope,) = session.run(tf.gradients(total, x), {x: value})
    numeric = derivative(lambda a: session.run(total, {x: a}), value)
    np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-6)


SOLUTIONS = {
    "inverse": lambda x, rhs: tf.matrix_inverse(x),
    "adjoint inverse": lambda x, rhs: tf.matrix_inverse(x, adjoint=True),
    "determinant": lambda x, rhs: tf.matrix_determinant(x),
    "solve": tf.matrix_solve,
    "adjoint solve": lambda x, rhs: tf.matrix_solve(x, rhs, adjoint=True),
    "lower solve": tf.matrix_triangular_solve,
    "upper solve": lambda x, rhs: tf.matrix_triangular_solve(x, rhs, lower=False, adjoint=True),
    "cholesky solve": tf.cholesky_solve,
}


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", SOLUTIONS)
def test_gradients_of_solutions(name: str, kind: str, known: bool, session: Any) -> None:
    a = _random(kind, 2, 3, 3) + 3 * np.eye(3)
    rhs = tf.constant(_random(kind, 2, 3, 2))
    _check(session, lambda x: SOLUTIONS[name](x, rhs), a, known)


@pytest.mark.parametrize("kind", ["real", "complex"])
def test_gradients_of_least_squares(kind: str, session: Any) -> None:
    a = _random(kind, 4, 3)
    rhs = tf.constant(_random(kind, 4, 2))
    _check(session, lambda x: tf.matrix_solve_ls(x, rhs, 0.3), a)
    _check(session, lambda x: tf.matrix_solve_ls(x[:2], rhs[:2], 0.3), a)
    x = tf.placeholder(tf.float64, [None, 3])
    with pytest.raises(ValueError, match="set_shape"):
        tf.gradients(tf.matrix_solve_ls(x, tf.zeros([4, 1], tf.float64)), x)
    known = tf.constant(a.real)
    with pytest.raises(ValueError, match="fast=False"):
        tf.gradients(tf.matrix_solve_ls(known, tf.zeros([4, 1], tf.float64), fast=False), known)


@pytest.mark.parametrize("kind", ["real", "complex"])
def test_gradients_of_symmetric_decompositions(kind: str, session: Any) -> None:
    root = _random(kind, 3, 3)
    definite = root @ root.conj().T + np.eye(3)

    def symmetric(x: Any) -> Any:
        return 0.5 * (x + tf.linalg.adjoint(x))

    def projections(x: Any) -> list[Any]:
        values, vectors = tf.self_adjoint_eig(symmetric(x))
        # Eigenvectors are known up to a phase: only such products have a gradient.
        return [tf.real(values), tf.einsum("mi,ni->imn", vectors, tf.conj(vectors))]

    _check(session, lambda x: tf.cholesky(symmetric(x)), definite)
    _check(session, projections, definite)
    _check(session, lambda x: tf.real(tf.self_adjoint_eigvals(symmetric(x))), definite)
    _check(session, lambda x: tf.linalg.logdet(symmetric(x)), definite)


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("known", [True, False])
def test_gradients_of_the_svd(kind: str, shape: tuple[int, int], known: bool, session: Any) -> None:
    def parts(x: Any) -> list[Any]:
        s, u, v = tf.svd(x)
        return [s, tf.einsum("mi,ni->imn", u, tf.conj(v))]

    matrix = _random(kind, *shape)
    _check(session, parts, matrix, known)
    _check(session, lambda x: tf.svd(x, compute_uv=False), matrix, known)


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("shape", [(3, 3), (3, 2), (2, 3), (1, 2)])
def test_gradients_of_the_full_svd(kind: str, shape: tuple[int, int], session: Any) -> None:
    def parts(x: Any) -> list[Any]:
        s, u, v = tf.svd(x, full_matrices=True)
        pairs = min(shape)
        # Signs and phases are free: of the vector that is left over, the line is checked.
        outer = [tf.einsum("mi,ni->imn", u[:, :pairs], tf.conj(v[:, :pairs]))]
        for vectors in (u[:, pairs:], v[:, pairs:]):
            outer.append(tf.matmul(vectors, vectors, adjoint_b=True))
        return [s, *outer]

    _check(session, parts, _random(kind, *shape))


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2)])
def test_gradients_of_qr(kind: str, shape: tuple[int, int], session: Any) -> None:
    _check(session, tf.qr, _random(kind, *shape))


def test_gradients_that_do_not_exist() -> None:
    wide, tall = tf.zeros([2, 3]), tf.zeros([4, 2])
    with pytest.raises(NotImplementedError, match=r"tf\.qr"):
        tf.gradients(tf.qr(wide), wide)
    with pytest.raises(NotImplementedError, match="full_matrices"):
        tf.gradients(tf.svd(tall, full_matrices=True)[1], tall)


def test_static_shapes() -> None:
    x = tf.placeholder(tf.float32, ["batch", 4, 3])
    s, u, v = tf.svd(x)
    assert [t.entries for t in (s, u, v)] == [("batch", 3), ("batch", 4, 3), ("batch", 3, 3)]
    assert tf.svd(x, full_matrices=True)[1].entries == ("batch", 4, 4)
    assert [t.entries for t in tf.qr(x)] == [("batch", 4, 3), ("batch", 3, 3)]
    assert tf.qr(x, full_matrices=True)[1].entries == ("batch", 4, 3)
    assert tf.matrix_solve_ls(x, tf.zeros([2, 4, 5])).entries == (2, 3, 5)
    square = tf.placeholder(tf.float32, ["batch", None, 3])
    assert tf.matrix_inverse(square).entries == ("batch", 3, 3)
    assert tf.matrix_determinant(square).entries == ("batch",)
    assert tf.self_adjoint_eigvals(square).entries == ("batch", 3)
    assert tf.linalg.adjoint(x).entries == ("batch", 3, 4)
    for call, message in (
        (lambda: tf.matrix_inverse(x), "but are 4 and 3"),
        (lambda: tf.cholesky(tf.zeros([3])), "at least rank 2 but is rank 1"),
        (lambda: tf.matrix_solve(tf.eye(2), tf.zeros([3, 1])), "but are 2 and 3"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_errors_of_a_run(session: Any) -> None:
    singular = tf.zeros([2, 2])
    for tensor, message in (
        (tf.matrix_inverse(singular), "not invertible"),
        (tf.matrix_solve(singular, tf.ones([2, 1])), "not invertible"),
        (tf.cholesky(-tf.eye(2)), "Cholesky decomposition was not successful"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.run(tensor)


def test_namespace() -> None:
    names = (
        "det inv logdet slogdet solve triangular_solve lstsq eigh eigvalsh band_part diag".split()
    )
    assert all(callable(getattr(tf.linalg, name)) for name in names)
    assert tf.linalg.inv is tf.matrix_inverse and tf.linalg.transpose is tf.matrix_transpose


def test_sign_and_logarithm_of_a_determinant(session: Any) -> None:
    sign, logarithm = tf.linalg.slogdet([[1.0, 2.0], [3.0, 4.0]])
    assert session.run([sign, logarithm]) == pytest.approx([-1.0, np.log(2.0)])


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_sparse_matmul(transpose_a: bool, transpose_b: bool, session: Any) -> None:
    a = tf.constant(rng.normal(size=(3, 2) if transpose_a else (2, 3)), tf.float32)
    b = tf.constant(rng.normal(size=(4, 3) if transpose_b else (3, 4)), tf.float32)
    sparse = tf.sparse_matmul(a, b, transpose_a, transpose_b, a_is_sparse=True)
    dense = tf.matmul(a, b, transpose_a, transpose_b)
    found = session.run([[y, *tf.gradients(tf.square(y), [a, b])] for y in (sparse, dense)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    half = tf.cast(a, tf.bfloat16)
    mixed = tf.sparse_matmul(half, b, transpose_a, transpose_b)
    assert mixed.dtype is tf.float32
    assert tf.gradients(mixed, half)[0].dtype is tf.bfloat16


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_matrix_exponentials(kind: str, scale: float, session: Any) -> None:
    matrix = _random(kind, 2, 3, 3) * scale
    # The series itself, of a matrix that is small enough, squared as often as it was halved.
    expected = np.broadcast_to(np.eye(3), matrix.shape).astype(matrix.dtype)
    term = expected
    for i in range(1, 40):
        term = term @ (matrix / 1024) / i
        expected = expected + term
    for _ in range(10):
        expected = expected @ expected
    found = session.run(tf.linalg.expm(matrix))
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())
    if scale == 1.0:
        _check(session, tf.linalg.expm, matrix[0])


def test_matrix_exponentials_at_the_edges(session: Any) -> None:
    for shape in ((0, 2, 2), (2, 0, 0)):
        assert session.run(tf.linalg.expm(np.zeros(shape))).shape == shape
    assert session.run(tf.linalg.expm(np.zeros([2, 2], np.float32))).tolist() == [[1, 0], [0, 1]]
    assert np.isnan(session.run(tf.linalg.expm([[np.inf]]))).all()
    with pytest.raises(ValueError, match="must be square"):
        tf.linalg.expm(np.zeros([2, 3]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be square"):
        x = tf.placeholder(tf.float32)
        session.run(tf.linalg.expm(x), {x: np.zeros([2, 3])})
