"""`tf.distributions`: densities that integrate to one, statistics and samples that agree with them.

The oracle is the density itself, summed or integrated numerically with NumPy, and closed forms of
the densities written in plain Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.numeric import derivative

d = tf.distributions


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


F = np.float64
GAMMA = math.gamma


def _beta(a: float, b: float) -> float:
    return GAMMA(a) * GAMMA(b) / GAMMA(a + b)


#: Each with its density at x in plain Python, and the numbers to integrate from and to.
CONTINUOUS: dict[str, tuple[Callable[[], Any], Callable[[float], float], float, float]] = {
    "Normal": (
        lambda: d.Normal(F(1.0), F(2.0)),
        lambda x: math.exp(-((x - 1) ** 2) / 8) / math.sqrt(8 * math.pi),
        -25.0,
        27.0,
    ),
    "Laplace": (
        lambda: d.Laplace(F(1.0), F(0.5)),
        lambda x: math.exp(-2 * abs(x - 1)),
        -20.0,
        22.0,
    ),
    "Uniform": (lambda: d.Uniform(F(-1.0), F(3.0)), lambda x: 0.25, -1.0, 3.0 - 1e-9),
    "Exponential": (lambda: d.Exponential(F(2.0)), lambda x: 2 * math.exp(-2 * x), 1e-9, 25.0),
    "Gamma": (
        lambda: d.Gamma(F(3.0), F(2.0)),
        lambda x: 2**3 * x**2 * math.exp(-2 * x) / GAMMA(3),
        1e-9,
        40.0,
    ),
    "Beta": (
        lambda: d.Beta(F(2.0), F(3.5)),
        lambda x: x * (1 - x) ** 2.5 / _beta(2, 3.5),
        1e-9,
        1 - 1e-9,
    ),
    "StudentT": (
        lambda: d.StudentT(F(12.0), F(0.5), F(1.5)),
        lambda x: (
            (1 + ((x - 0.5) / 1.5) ** 2 / 12) ** -6.5
            * GAMMA(6.5)
            / (GAMMA(6.0) * math.sqrt(12 * math.pi) * 1.5)
        ),
        -400.0,
        401.0,
    ),
}


def _integral(values: Any, x: Any) -> Any:
    return np.trapezoid(values, x)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_densities_and_what_follows_from_them(session: Any, name: str) -> None:
    make, density, low, high = CONTINUOUS[name]
    distribution = make()
    x = np.linspace(low, high, 100_001)
    found = session.run(
        {
            "prob": distribution.prob(x),
            "log_prob": distribution.log_prob(x),
            "cdf": distribution.cdf(x),
            "log_cdf": distribution.log_cdf(x[250::250]),
            "survival": distribution.survival_function(x),
            "log_survival": distribution.log_survival_function(x[:-250:250]),
            "mean": distribution.mean(),
            "variance": distribution.variance(),
            "stddev": distribution.stddev(),
            "entropy": distribution.entropy(),
        }
    )
    places = slice(0, None, 10_000)
    np.testing.assert_allclose(found["prob"][places], [density(v) for v in x[places]], rtol=1e-6)
    np.testing.assert_allclose(np.exp(found["log_prob"]), found["prob"], rtol=1e-9)
    p = found["prob"]
    assert _integral(p, x) == pytest.approx(1, abs=1e-5)
    mean = _integral(p * x, x)
    assert found["mean"] == pytest.approx(mean, abs=1e-4)
    assert found["variance"] == pytest.approx(_integral(p * (x - mean) ** 2, x), rel=1e-3)
    assert found["stddev"] == pytest.approx(math.sqrt(found["variance"]))
    positive = p > 0
    logs = np.where(positive, found["log_prob"], 0)
    assert found["entropy"] == pytest.approx(-_integral(p * logs, x), abs=1e-3)
    areas = np.concatenate([[0], np.cumsum((p[1:] + p[:-1]) / 2 * np.diff(x))])
    np.testing.assert_allclose(found["cdf"], areas, atol=2e-5)
    np.testing.assert_allclose(found["survival"], 1 - found["cdf"], atol=1e-6)
    np.testing.assert_allclose(np.exp(found["log_cdf"]), found["cdf"][250::250], rtol=1e-6)
    np.testing.assert_allclose(
        np.exp(found["log_survival"]), found["survival"][:-250:250], rtol=1e-5, atol=1e-12
    )


def test_tails_of_the_normal_distribution(session: Any) -> None:
    x = np.array([-40.0, -25.0, -12.0, -3.0, 0.0, 5.0], np.float32)
    found = session.run(d.Normal(0.0, 1.0).log_cdf(x))
    want = [
        -0.5 * v * v - math.log(-v * math.sqrt(2 * math.pi)) + math.log(1 - 1 / v**2 + 3 / v**4)
        if v < -10
        else math.log(0.5 * math.erfc(-v / math.sqrt(2)))
        for v in x.astype(float).tolist()
    ]
    np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["Uniform", "Exponential"])
def test_quantiles_undo_cumulated_probabilities(session: Any, name: str) -> None:
    distribution = CONTINUOUS[name][0]()
    p = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(session.run(distribution.cdf(distribution.quantile(p))), p)
    with pytest.raises(NotImplementedError, match="quantile is not implemented: Gamma"):
        d.Gamma(1.0, 1.0).quantile(0.5)


def _all_counts(total: int, classes: int) -> Any:
    found = np.array(np.meshgrid(*[range(total + 1)] * classes)).reshape(classes, -1).T
    return found[found.sum(axis=1) == total].astype(float)


P = np.array([0.2, 0.5, 0.3])
DISCRETE: dict[str, tuple[Callable[[], Any], Any]] = {
    "Bernoulli": (lambda: d.Bernoulli(probs=F(0.3)), np.array([0.0, 1.0])),
    "Categorical": (lambda: d.Categorical(probs=P), np.array([0.0, 1.0, 2.0])),
    "Multinomial": (lambda: d.Multinomial(F(3.0), probs=P), _all_counts(3, 3)),
    "DirichletMultinomial": (
        lambda: d.DirichletMultinomial(F(3.0), np.array([1.0, 2.0, 0.5])),
        _all_counts(3, 3),
    ),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_probabilities_and_what_follows_from_them(session: Any, name: str) -> None:
    make, values = DISCRETE[name]
    distribution = make()
    cast = values if values.ndim > 1 else values.astype(np.int32)
    p = session.run(distribution.prob(cast))
    assert p.sum() == pytest.approx(1)
    if name != "Categorical":
        mean, variance = session.run([distribution.mean(), distribution.variance()])
        want = p @ values
        np.testing.assert_allclose(mean, want, rtol=1e-6)
        np.testing.assert_allclose(variance, p @ (values - want) ** 2, rtol=1e-6)
    if name in ("Bernoulli", "Categorical"):
        entropy, mode = session.run([distribution.entropy(), distribution.mode()])
        assert entropy == pytest.approx(-(p * np.log(p)).sum())
        assert mode == values[p.argmax()]
    else:
        centred = values - p @ values
        covariance = session.run(distribution.covariance())
        np.testing.assert_allclose(covariance, (p[:, None] * centred).T @ centred, atol=1e-9)


def test_cumulated_classes(session: Any) -> None:
    found = session.run(d.Categorical(probs=P).cdf([0, 1, 2]))
    # TensorFlow leaves out the class itself.
    np.testing.assert_allclose(found, np.cumsum(P) - P, atol=1e-12)


def test_the_dirichlet_distribution(session: Any) -> None:
    """Its density over two classes is that of the beta distribution; moments by integration."""
    concentration = np.array([2.0, 3.5])
    distribution = d.Dirichlet(concentration)
    x = np.linspace(1e-6, 1 - 1e-6, 20_001)
    pairs = np.stack([x, 1 - x], 1)
    found = session.run(
        {
            "p": distribution.prob(pairs),
            "beta": d.Beta(F(2.0), F(3.5)).prob(x),
            "entropies": [distribution.entropy(), d.Beta(F(2.0), F(3.5)).entropy()],
            "mean": distribution.mean(),
            "covariance": distribution.covariance(),
            "mode": distribution.mode(),
        }
    )
    np.testing.assert_allclose(found["p"], found["beta"], rtol=1e-9)
    assert found["entropies"][0] == pytest.approx(found["entropies"][1])
    mean = [_integral(found["p"] * pairs[:, i], x) for i in (0, 1)]
    np.testing.assert_allclose(found["mean"], mean, rtol=1e-5)
    for i, j in np.ndindex(2, 2):
        product = (pairs[:, i] - mean[i]) * (pairs[:, j] - mean[j])
        assert found["covariance"][i, j] == pytest.approx(_integral(found["p"] * product, x), 1e-4)
    np.testing.assert_allclose(found["mode"], pairs[found["p"].argmax()], atol=1e-4)


EVERY = {
    **{name: case[0] for name, case in CONTINUOUS.items()},
    **{name: case[0] for name, case in DISCRETE.items()},
    "Dirichlet": lambda: d.Dirichlet(np.array([2.0, 3.5, 1.0])),
}


@pytest.mark.parametrize("name", EVERY)
def test_samples(session: Any, name: str) -> None:
    distribution = EVERY[name]()
    samples = distribution.sample([40, 500], seed=3)
    again = distribution.sample([40, 500], seed=3)
    shape = [40, 500, *distribution.event_shape.as_list()]
    assert samples.shape.as_list() == shape
    assert samples.dtype == distribution.dtype
    found, other = session.run([samples, again])
    np.testing.assert_array_equal(found, other)
    flat = found.reshape(20_000, *shape[2:]).astype(float)
    if name == "Categorical":
        shares = np.bincount(flat.astype(int)) / len(flat)
        np.testing.assert_allclose(shares, P, atol=0.02)
        return
    mean, stddev = session.run([distribution.mean(), distribution.stddev()])
    np.testing.assert_allclose(flat.mean(axis=0), mean, atol=5 * np.max(stddev) / 141)
    np.testing.assert_allclose(flat.std(axis=0), stddev, rtol=0.06)


BATCHES: list[tuple[Callable[[], Any], list[int], list[int]]] = [
    (lambda: d.Normal([[0.0], [1.0]], [1.0, 2.0, 3.0]), [2, 3], []),
    (lambda: d.Laplace(0.0, [1.0, 2.0]), [2], []),
    (lambda: d.Uniform([0.0, 1.0], 5.0), [2], []),
    (lambda: d.Exponential([1.0, 2.0]), [2], []),
    (lambda: d.Gamma([[1.0], [2.0]], [1.0, 2.0]), [2, 2], []),
    (lambda: d.Beta([1.0, 2.0], 3.0), [2], []),
    (lambda: d.StudentT([3.0, 4.0], [[0.0], [1.0]], 1.0), [2, 2], []),
    (lambda: d.Bernoulli(logits=[0.0, 1.0]), [2], []),
    (lambda: d.Categorical(logits=[[0.0, 1.0, 2.0]] * 2), [2], []),
    (lambda: d.Dirichlet([[1.0, 2.0, 3.0]] * 2), [2], [3]),
    (lambda: d.Multinomial(4.0, logits=[[0.0, 1.0, 2.0]] * 2), [2], [3]),
    (lambda: d.DirichletMultinomial(4.0, [[1.0, 2.0, 3.0]] * 2), [2], [3]),
]


@pytest.mark.parametrize(("make", "batch", "event"), BATCHES)
def test_batches(session: Any, make: Callable[[], Any], batch: Any, event: Any) -> None:
    distribution = make()
    assert distribution.batch_shape.as_list() == batch
    assert distribution.event_shape.as_list() == event
    sample = distribution.sample([5, 4])
    assert sample.shape.as_list() == [5, 4, *batch, *event]
    tensors = [distribution.batch_shape_tensor(), distribution.event_shape_tensor()]
    scalars = [distribution.is_scalar_batch(), distribution.is_scalar_event()]
    found = session.run([*tensors, *scalars, tf.shape(distribution.log_prob(sample))])
    assert [f.tolist() for f in found] == [batch, event, not batch, not event, [5, 4, *batch]]
    single = distribution.sample()
    assert single.shape.as_list() == [*batch, *event]
    assert session.run(single).shape == (*batch, *event)


def test_rows_have_their_own_numbers_of_draws(session: Any) -> None:
    for distribution in (
        d.Multinomial([3.0, 7.0], probs=[0.5, 0.25, 0.25]),
        d.DirichletMultinomial([3.0, 7.0], [1.0, 2.0, 3.0]),
    ):
        assert distribution.batch_shape.as_list() == [2]
        sample, mean = session.run([distribution.sample(9), distribution.mean()])
        assert (sample.sum(axis=-1) == [3.0, 7.0]).all()
        np.testing.assert_allclose(mean.sum(axis=-1), [3.0, 7.0], rtol=1e-6)


def test_shapes_that_are_known_in_a_run(session: Any) -> None:
    loc = tf.placeholder(tf.float32)
    normal = d.Normal(loc, [1.0, 2.0])
    assert normal.batch_shape.ndims is None
    fetches = [normal.batch_shape_tensor(), tf.shape(normal.sample(3)), normal.mean()]
    found = session.run(fetches, {loc: [[1.0], [2.0]]})
    assert [f.tolist() for f in found] == [[2, 2], [3, 2, 2], [[1.0, 1.0], [2.0, 2.0]]]


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda a, b: d.Normal(a, b), 2),
        (lambda a, b: d.Laplace(a, b), 2),
        (lambda a, b: d.Uniform(a, a + b), 2),
        (lambda a, b: d.Exponential(b), 1),
    ],
)
def test_gradients_flow_through_samples(
    session: Any, make: Callable[[Any, Any], Any], count: int
) -> None:
    a, b = tf.placeholder(tf.float64, []), tf.placeholder(tf.float64, [])
    distribution = make(a, b)
    assert distribution.reparameterization_type is d.FULLY_REPARAMETERIZED
    parameters = [a, b][-count:]
    gradients = tf.gradients(distribution.sample([100], seed=1), parameters)
    assert all(g is not None for g in gradients)
    # Each sample is a linear function of the location, and in the scale of a ratio.
    sample, (*_, by_b) = session.run(
        [distribution.sample([100], seed=1), gradients], {a: 0.5, b: 2.0}
    )
    want = {
        "Exponential": -sample.sum() / 2.0,
    }.get(type(distribution).__name__, (sample - 0.5).sum() / 2.0)
    assert by_b == pytest.approx(want, rel=1e-6)


def test_no_gradients_through_other_samples() -> None:
    logits = tf.constant([0.0])
    coin = d.Bernoulli(logits=logits, dtype=tf.float32)
    assert coin.reparameterization_type is d.NOT_REPARAMETERIZED
    assert tf.gradients(coin.sample(), logits) == [None]
    assert repr(coin.reparameterization_type) == "<Reparameterization Type: NOT_REPARAMETERIZED>"


def test_gradients_of_likelihoods(session: Any) -> None:
    for make in (
        lambda x: d.Normal(x, x * x),
        lambda x: d.Gamma(x, x + 1),
        lambda x: d.StudentT(x + 2, x, x),
        lambda x: d.Beta(x, x + 1),
    ):
        x = tf.placeholder(tf.float64, [])
        likelihood = make(x).log_prob(np.array(0.4))
        slope = derivative(lambda v, f=likelihood, p=x: session.run(f, {p: v}), np.array(1.3))
        assert session.run(tf.gradients(likelihood, x)[0], {x: 1.3}) == pytest.approx(slope, 1e-5)


PAIRS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "Normal": (lambda: d.Normal(F(1.0), F(2.0)), lambda: d.Normal(F(0.0), F(3.0))),
    "Gamma": (lambda: d.Gamma(F(3.0), F(2.0)), lambda: d.Gamma(F(2.0), F(1.0))),
    "Exponential": (lambda: d.Exponential(F(2.0)), lambda: d.Exponential(F(0.5))),
    "Beta": (lambda: d.Beta(F(2.0), F(3.5)), lambda: d.Beta(F(1.5), F(1.0))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_divergences_by_integration(session: Any, name: str) -> None:
    a, b = (make() for make in PAIRS[name])
    _, _, low, high = CONTINUOUS[name]
    x = np.linspace(low, high, 200_001)
    found, p, q = session.run([d.kl_divergence(a, b), a.log_prob(x), b.log_prob(x)])
    assert found == pytest.approx(_integral(np.exp(p) * (p - q), x), abs=1e-4)


def test_divergences_of_classes(session: Any) -> None:
    q = np.array([0.6, 0.1, 0.3])
    want = float((P * np.log(P / q)).sum())
    found = session.run(
        [
            d.kl_divergence(d.Categorical(probs=P), d.Categorical(probs=q)),
            d.kl_divergence(d.Bernoulli(probs=F(0.3)), d.Bernoulli(probs=F(0.6))),
            d.kl_divergence(d.Dirichlet([2.0, 3.5]), d.Dirichlet([1.5, 1.0])),
            d.kl_divergence(d.Beta(2.0, 3.5), d.Beta(1.5, 1.0)),
        ]
    )
    assert found[0] == pytest.approx(want)
    a, b = d.Categorical(probs=P), d.Categorical(probs=q)
    assert session.run(a.cross_entropy(b)) == pytest.approx(float(-(P * np.log(q)).sum()))
    assert found[1] == pytest.approx(0.3 * math.log(0.5) + 0.7 * math.log(0.7 / 0.4))
    assert found[2] == pytest.approx(found[3], rel=1e-4)


class _Own(d.Normal):  # type: ignore[misc]
    pass


class _Other(d.Distribution):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(tf.float32, d.NOT_REPARAMETERIZED, False, True)


def test_divergences_of_kinds_of_ones_own(session: Any) -> None:
    with pytest.raises(NotImplementedError, match="registered for distribution_a type _Other"):
        d.kl_divergence(_Other(), _Other())
    d.RegisterKL(_Other, _Other)(lambda a, b, name=None: tf.constant(np.float32("nan")))
    assert np.isnan(session.run(d.kl_divergence(_Other(), _Other())))
    with pytest.raises(tf.errors.InvalidArgumentError, match="returned NaN values"):
        session.run(d.kl_divergence(_Other(), _Other(), allow_nan_stats=False))
    with pytest.raises(ValueError, match="has already been registered"):
        d.RegisterKL(_Other, _Other)(lambda a, b, name=None: None)
    # What is registered for a class holds for those derived from it.
    assert session.run(d.kl_divergence(_Own(0.0, 1.0), d.Normal(0.0, 1.0))) == 0


def test_statistics_that_are_not_defined(session: Any) -> None:
    for make, statistic in (
        (lambda nan: d.Gamma([0.5, 2.0], 1.0, allow_nan_stats=nan), "mode"),
        (lambda nan: d.Beta([0.5, 2.0], 2.0, allow_nan_stats=nan), "mode"),
        (lambda nan: d.StudentT([0.5, 2.0], 1.0, 1.0, allow_nan_stats=nan), "mean"),
    ):
        found = session.run(getattr(make(True), statistic)())
        assert np.isnan(found).tolist() == [True, False]
        with pytest.raises(tf.errors.InvalidArgumentError, match="defined"):
            session.run(getattr(make(False), statistic)())
    variance = d.StudentT([0.5, 1.5, 4.0], 0.0, 1.0).variance()
    np.testing.assert_array_equal(session.run(variance), [np.nan, np.inf, 2.0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: d.Normal(0.0, -1.0, validate_args=True).mean(),
        lambda: d.Gamma(-1.0, 1.0, validate_args=True).mean(),
        lambda: d.Gamma(1.0, 1.0, validate_args=True).log_prob(-1.0),
        lambda: d.Beta(1.0, 1.0, validate_args=True).log_prob(2.0),
        lambda: d.Uniform(1.0, 0.0, validate_args=True).mean(),
        lambda: d.Bernoulli(probs=1.5, validate_args=True).mean(),
        lambda: d.Categorical(probs=[0.5, 0.6], validate_args=True).entropy(),
        lambda: d.Multinomial(3.0, probs=[0.5, 0.5], validate_args=True).log_prob([1.0, 1.0]),
    ],
)
def test_what_is_checked(session: Any, make: Callable[[], Any]) -> None:
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        session.run(make())


def test_arguments() -> None:
    for kind in (d.Bernoulli, d.Categorical):
        with pytest.raises(ValueError, match="Must pass probs or logits, but not both"):
            kind()
        with pytest.raises(ValueError, match="Must pass probs or logits, but not both"):
            kind(logits=[0.0], probs=[1.0])
    assert list(d.Normal.param_static_shapes([2, 3]).items()) == [
        ("loc", tf.TensorShape([2, 3])),
        ("scale", tf.TensorShape([2, 3])),
    ]
    with pytest.raises(NotImplementedError, match="param_shapes is not implemented"):
        d.Dirichlet.param_shapes([2])
    with pytest.raises(TypeError, match="loc must be of a floating type, got int32"):
        d.Normal(tf.constant(0), 1)
    with tf.Session() as session:
        shapes = session.run(d.Normal.param_shapes([2, 3]))
    assert {k: v.tolist() for k, v in shapes.items()} == {"loc": [2, 3], "scale": [2, 3]}
    normal = d.Normal(0.0, 1.0, name="mine")
    assert normal.name == "mine"
    assert normal.parameters["loc"] == 0.0
    moved = normal.copy(loc=3.0)
    assert (moved.parameters["loc"], moved.parameters["scale"]) == (3.0, 1.0)
    assert "batch_shape=()" in repr(normal) and "Normal" in str(normal)
    assert normal.sample().op.name.startswith("mine/sample")
    assert d.Exponential(2.0).copy().parameters["rate"] == 2.0
