"""Element-wise functions: special values, types, names, sparse tensors and complex gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import workbench as tf
from workbench.core.errors import InvalidArgumentError
from workbench.core.ops import registry

INF, NAN = np.inf, np.nan
POINTS = np.array([0.0, -0.0, 1, -1, 0.5, -0.5, 2.5, -1.5, 1e-8, 30, -100, 1e30, INF, -INF, NAN])
NUMPY = {
    "abs": np.abs,
    "negative": np.negative,
    "sign": np.sign,
    "square": np.square,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": np.reciprocal,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "floor": np.floor,
    "ceil": np.ceil,
    "rint": np.rint,
    "round": np.round,
    "is_nan": np.isnan,
    "is_inf": np.isinf,
    "is_finite": np.isfinite,
}


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("name", list(NUMPY))
def test_special_values(name: str, session: Any) -> None:
    function = getattr(tf, name)
    found = session.run([function(tf.constant(POINTS)), function(tf.constant(POINTS, tf.float32))])
    with np.errstate(all="ignore"):
        expected = NUMPY[name](POINTS)
        narrow = np.asarray(NUMPY[name](POINTS.astype(np.float32)))
    np.testing.assert_allclose(found[0], expected, rtol=1e-14)
    np.testing.assert_allclose(found[1], narrow, rtol=1e-6)
    assert found[1].dtype == (bool if name.startswith("is_") else np.float32)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", ["rsqrt", "sigmoid", "exp", "tanh", "erf", "lgamma"])
def test_half_precision_rounds_once(name: str, dtype: Any, session: Any) -> None:
    x = np.linspace(0.3, 5, 50).astype(dtype)
    function = getattr(tf, name)
    half, wide = session.run(
        [function(tf.constant(x)), function(tf.constant(x.astype(np.float64)))]
    )
    assert half.dtype == dtype
    steps = np.abs(half.astype(np.float64) - wide) / np.spacing(wide.astype(dtype)).astype(float)
    assert steps.max() < 0.51


@pytest.mark.parametrize("type_name", ["Square", "Sqrt", "Exp", "Log", "Tanh", "Neg"])
def test_hot_kernels_are_plain_ufuncs(type_name: str) -> None:
    assert isinstance(registry.get(type_name).kernel, np.ufunc)


@pytest.mark.parametrize(
    "type_name", ["SqrtGrad", "RsqrtGrad", "ReciprocalGrad", "TanhGrad", "SigmoidGrad"]
)
def test_gradient_kernels_may_overwrite_either_input(type_name: str) -> None:
    kernel: Any = registry.get(type_name).kernel
    rng = np.random.default_rng(5)
    y, dy = rng.uniform(0.1, 0.9, 20), rng.normal(size=20)
    expected = kernel(y, dy)
    for overwritten in (0, 1, None):
        inputs = [y.copy(), dy.copy()]
        out = np.empty(20) if overwritten is None else inputs[overwritten]
        assert kernel(*inputs, out=out) is out
        np.testing.assert_array_equal(out, expected)


def test_integers(session: Any) -> None:
    x = tf.constant([-3, 0, 4])
    found = session.run([tf.abs(x), tf.negative(x), tf.sign(x), tf.square(x), tf.round(x)])
    assert [f.tolist() for f in found] == [
        [3, 0, 4], [3, 0, -4], [-1, 0, 1], [9, 0, 16], [-3, 0, 4],
    ]  # fmt: skip
    with pytest.raises(InvalidArgumentError, match="Integer division by zero"):
        session.run(tf.reciprocal(x))


def test_names_and_wrong_types() -> None:
    x = tf.placeholder(tf.float32, ["batch", 3], name="x")
    assert tf.exp(x).op.name == "Exp" and tf.exp(x).op.name == "Exp_1"
    assert tf.abs(x, name="size").op.name == "size"
    assert tf.tanh(x).shape.as_list() == [None, 3]
    assert tf.log_sigmoid([0.5]).op.name == "LogSigmoid"
    with pytest.raises(TypeError, match="'x' of Exp has DataType int32 not in list of allowed"):
        tf.exp(tf.constant(1))


def test_sparse_tensors_keep_their_places(session: Any) -> None:
    sparse = tf.SparseTensor([[0, 1], [2, 0]], [-4.0, 9.0], [3, 2])
    made = [
        tf.abs(sparse),
        tf.square(sparse),
        tf.negative(sparse),
        tf.sign(sparse),
        tf.tanh(sparse),
    ]
    assert all(isinstance(m, tf.SparseTensor) for m in made)
    values = session.run([m.values for m in made])
    assert values[0].tolist() == [4, 9] and values[1].tolist() == [16, 81]
    assert made[0].get_shape().as_list() == [3, 2]


def test_scalar_mul(session: Any) -> None:
    slices = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([0, 4]))
    scaled = tf.scalar_mul(3, slices)
    assert isinstance(scaled, tf.IndexedSlices)
    assert session.run(scaled.values).tolist() == [[3.0], [6.0]]
    with pytest.raises(ValueError, match="Only scalar multiply works, got shape"):
        tf.scalar_mul([1.0, 2.0], tf.constant([1.0, 2.0]))


def test_complex_numbers(session: Any) -> None:
    z = np.array([3 + 4j, -1 - 2j, 0.5j])
    x = tf.constant(z)
    parts = session.run([tf.real(x), tf.imag(x), tf.angle(x), tf.conj(x), tf.abs(x)])
    for found, want in zip(parts, [z.real, z.imag, np.angle(z), z.conj(), np.abs(z)], strict=True):
        np.testing.assert_allclose(found, want)
        assert found.dtype == want.dtype
    y = tf.constant([1.0, -2.0])
    assert tf.real(y) is y and tf.conj(y) is y
    assert [v.tolist() for v in session.run([tf.imag(y), tf.angle(y)])] == [
        [0, 0], [0, pytest.approx(np.pi)],
    ]  # fmt: skip
    with pytest.raises(TypeError, match="real and imag have incorrect types: float64 float32"):
        tf.complex(tf.constant(1.0, tf.float64), y)
    with pytest.raises(TypeError, match="Expected numeric or variant tensor, got dtype string"):
        tf.conj(tf.constant("no"))


ANALYTIC = """
    negative square sqrt rsqrt reciprocal exp expm1 log log1p sin cos tan asin acos
    atan sinh cosh tanh asinh acosh atanh sigmoid conj real imag angle abs
    """.split()


@pytest.mark.parametrize("name", ANALYTIC)
def test_complex_gradients(name: str, session: Any) -> None:
    """A change of x changes the loss by the real part of conj(gradient) times it."""
    rng = np.random.default_rng(3)
    start = rng.uniform(0.3, 1.2, 4) + 1j * rng.uniform(-0.9, 0.9, 4)
    x = tf.placeholder(tf.complex128, [4])
    y = getattr(tf, name)(x)
    weights = rng.normal(size=4) + 1j * rng.normal(size=4)
    loss = tf.reduce_sum(tf.real(y) * weights.real + tf.imag(y) * weights.imag)
    gradient = session.run(tf.gradients(loss, x)[0], {x: start})
    run = session.make_callable(loss, [x])
    for i in range(4):
        for direction in (1, 1j):
            step = np.zeros(4, complex)
            step[i] = direction * 1e-5
            slope = (run(start + step) - run(start - step)) / 2e-5
            assert (np.conj(gradient[i]) * direction).real == pytest.approx(
                slope, rel=1e-6, abs=1e-8
            )


def test_lbeta(session: Any) -> None:
    x = tf.constant([[2.0, 3.0], [1.0, 1.0]], tf.float64)
    np.testing.assert_allclose(session.run(tf.lbeta(x)), [np.log(1 / 12), 0], atol=1e-12)
