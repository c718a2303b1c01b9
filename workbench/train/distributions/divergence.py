"""How far one distribution is from another: the Kullback-Leibler divergence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.bernoulli import Bernoulli
from workbench.train.distributions.beta import Beta
from workbench.train.distributions.categorical import Categorical
from workbench.train.distributions.dirichlet import Dirichlet
from workbench.train.distributions.gamma import Gamma
from workbench.train.distributions.normal import Normal

#: What computes the divergence of two kinds of distributions: f(a, b, name).
_FUNCTIONS: dict[tuple[type, type], Callable[..., Any]] = {}


def _function(a: type, b: type) -> Callable[..., Any] | None:
    """The function for the nearest classes above both."""
    found = [
        (i + j, function)
        for i, first in enumerate(a.__mro__)
        for j, second in enumerate(b.__mro__)
        if (function := _FUNCTIONS.get((first, second))) is not None
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def kl_divergence(
    distribution_a: Any, distribution_b: Any, allow_nan_stats: bool = True, name: str | None = None
) -> Tensor:
    """The expectation of log a(x) - log b(x) for samples x of a.

    Without `allow_nan_stats` a NaN is an error of the run. NotImplementedError where nobody
    registered a function for these kinds of distributions.

    >>> import workbench as tf
    >>> d = tf.distributions
    >>> with tf.Session() as session:
    ...     session.run(tf.distributions.kl_divergence(d.Normal(1.0, 1.0), d.Normal(0.0, 1.0)))
    np.float32(0.5)
    """
    function = _function(type(distribution_a), type(distribution_b))
    if function is None:
        raise NotImplementedError(
            f"No KL(distribution_a || distribution_b) registered for distribution_a type "
            f"{type(distribution_a).__name__} and distribution_b type "
            f"{type(distribution_b).__name__}"
        )
    with name_scope(name or "KullbackLeibler"):
        found: Tensor = function(distribution_a, distribution_b, name=name)
        if allow_nan_stats:
            return found
        good = api.logical_not(api.reduce_any(api.is_nan(found)))
        message = (
            f"KL calculation between {distribution_a.name} and {distribution_b.name} returned NaN "
            "values (and was called with allow_nan_stats=False). Values:"
        )
        with api.control_dependencies([api.Assert(good, [message, found])]):
            checked: Tensor = api.identity(found, name="checked_kl")
            return checked


class RegisterKL:
    """Registers a function f(a, b, name) as the divergence of two kinds of distributions.

    ValueError where there is one already.
    """

    def __init__(self, dist_cls_a: type, dist_cls_b: type) -> None:
        self._key = (dist_cls_a, dist_cls_b)

    def __call__(self, kl_fn: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(kl_fn):
            raise TypeError(f"kl_fn must be callable, received: {kl_fn!r}")
        if self._key in _FUNCTIONS:
            raise ValueError(
                f"KL({self._key[0].__name__} || {self._key[1].__name__}) has already been "
                f"registered to: {_FUNCTIONS[self._key]}"
            )
        _FUNCTIONS[self._key] = kl_fn
        return kl_fn


@RegisterKL(Normal, Normal)
def _normal(a: Any, b: Any, name: str | None = None) -> Any:
    ratio = api.square(a.scale) / api.square(b.scale)
    distance = api.square(a.loc - b.loc) / (2.0 * api.square(b.scale))
    return distance + 0.5 * (ratio - 1.0 - api.log(ratio))


@RegisterKL(Bernoulli, Bernoulli)
def _bernoulli(a: Any, b: Any, name: str | None = None) -> Any:
    ones = api.softplus(-b.logits) - api.softplus(-a.logits)
    zeros = api.softplus(b.logits) - api.softplus(a.logits)
    return api.sigmoid(a.logits) * ones + api.sigmoid(-a.logits) * zeros


@RegisterKL(Categorical, Categorical)
def _categorical(a: Any, b: Any, name: str | None = None) -> Any:
    ratio = api.log_softmax(a.logits) - api.log_softmax(b.logits)
    return api.reduce_sum(a.probs * ratio, -1)


@RegisterKL(Gamma, Gamma)
def _gamma(a: Any, b: Any, name: str | None = None) -> Any:
    return (
        (a.concentration - b.concentration) * api.digamma(a.concentration)
        + api.lgamma(b.concentration)
        - api.lgamma(a.concentration)
        + b.concentration * api.log(a.rate)
        - b.concentration * api.log(b.rate)
        + a.concentration * (b.rate / a.rate - 1.0)
    )


@RegisterKL(Beta, Beta)
def _beta(a: Any, b: Any, name: str | None = None) -> Any:
    def part(which: str) -> Any:
        first, second = getattr(a, which), getattr(b, which)
        return api.lgamma(second) - api.lgamma(first) + (first - second) * api.digamma(first)

    first, second = a.total_concentration, b.total_concentration
    totals = api.lgamma(first) - api.lgamma(second) - (first - second) * api.digamma(first)
    return part("concentration1") + part("concentration0") + totals


@RegisterKL(Dirichlet, Dirichlet)
def _dirichlet(a: Any, b: Any, name: str | None = None) -> Any:
    digammas = api.digamma(a.concentration) - api.expand_dims(
        api.digamma(a.total_concentration), -1
    )
    inner = api.reduce_sum((a.concentration - b.concentration) * digammas, -1)
    return inner - api.lbeta(a.concentration) + api.lbeta(b.concentration)
