"""`tf.distributions.Distribution`: what all distributions have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.shapes import TensorShape, broadcast_static_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


class ReparameterizationType:
    """Whether samples are functions of the parameters, through which gradients flow."""

    def __init__(self, rep_type: str) -> None:
        self._rep_type = rep_type

    def __repr__(self) -> str:
        return f"<Reparameterization Type: {self._rep_type}>"

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


FULLY_REPARAMETERIZED = ReparameterizationType("FULLY_REPARAMETERIZED")
NOT_REPARAMETERIZED = ReparameterizationType("NOT_REPARAMETERIZED")


class Distribution:
    """A distribution over tensors of shape `event_shape`, or a batch of such distributions.

    Samples have the shape `sample_shape + batch_shape + event_shape`; functions of values take any
    shape that broadcasts with `batch_shape + event_shape`.

    A distribution of one's own defines `_sample_n(n, seed)`, `_log_prob(value)` or `_prob(value)`,
    and what else it has: `_cdf`, `_log_cdf`, `_entropy`, `_mean`, `_mode`, `_variance`, `_stddev`,
    `_covariance`, `_quantile`, `_batch_shape`, `_batch_shape_tensor`, `_event_shape`,
    `_event_shape_tensor`.

    >>> import workbench as tf
    >>> with tf.Session() as session:
    ...     normal = tf.distributions.Normal(loc=[0.0, 10.0], scale=1.0)
    ...     session.run(normal.cdf([0.0, 0.0])).round(3).tolist()
    [0.5, 0.0]
    """

    #: The parameters whose shapes make the shape of the batch, and how many of their last axes
    #: belong to events.
    _batch_parameters: ClassVar[dict[str, int]] = {}

    def __init__(
        self,
        dtype: Any,
        reparameterization_type: ReparameterizationType,
        validate_args: bool,
        allow_nan_stats: bool,
        parameters: dict[str, Any] | None = None,
        graph_parents: Any = None,
        name: str | None = None,
    ) -> None:
        self._dtype = as_dtype(dtype)
        self._reparameterization_type = reparameterization_type
        self._validate_args = validate_args
        self._allow_nan_stats = allow_nan_stats
        given = dict(parameters or {})
        self._parameters = {
            k: v for k, v in given.items() if not k.startswith("__") and k != "self"
        }
        self._graph_parents = list(graph_parents or [])
        self._name = name or type(self).__name__

    # -- what it is --------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name, with which the names of its operations begin."""
        return self._name

    @property
    def dtype(self) -> DType:
        """The type of samples."""
        return self._dtype

    @property
    def parameters(self) -> dict[str, Any]:
        """What it was made from, by the names of the arguments."""
        return dict(self._parameters)

    @property
    def reparameterization_type(self) -> ReparameterizationType:
        """Whether gradients flow through samples to the parameters."""
        return self._reparameterization_type

    @property
    def allow_nan_stats(self) -> bool:
        """Whether statistics that are not defined are NaN; else they are errors of a run."""
        return self._allow_nan_stats

    @property
    def validate_args(self) -> bool:
        """Whether runs check parameters and values."""
        return self._validate_args

    def copy(self, **override_parameters_kwargs: Any) -> Any:
        """The same distribution with other values for some of its arguments."""
        return type(self)(**{**self._parameters, **override_parameters_kwargs})

    @classmethod
    def param_shapes(
        cls, sample_shape: Any, name: str = "DistributionParamShapes"
    ) -> dict[str, Tensor]:
        """The shapes of parameters for which a single sample has this shape, int32."""
        cls._check_parameters()
        with name_scope(name):
            shape = convert_to_tensor(sample_shape, dtype="int32", name="sample_shape")
            return dict.fromkeys(cls._batch_parameters, shape)

    @classmethod
    def param_static_shapes(cls, sample_shape: Any) -> dict[str, TensorShape]:
        """The same for a shape that is known while the graph is built; else ValueError."""
        cls._check_parameters()
        if isinstance(sample_shape, Tensor):
            known = constant_value(sample_shape)
            sample_shape = None if known is None else known.tolist()
        shape = TensorShape(sample_shape)
        if not shape.is_fully_defined():
            raise ValueError("sample_shape must be fully defined")
        return dict.fromkeys(cls._batch_parameters, shape)

    @classmethod
    def _check_parameters(cls) -> None:
        if not cls._batch_parameters:
            raise NotImplementedError(f"param_shapes is not implemented: {cls.__name__}")

    # -- shapes ------------------------------------------------------------------------------

    def _batch_shape(self) -> TensorShape:
        shape = TensorShape([])
        for name, inner in self._batch_parameters.items():
            known: TensorShape = getattr(self, name).shape
            if known.ndims is None:
                return TensorShape(None)
            shape = broadcast_static_shape(shape, known[: known.ndims - inner])
        return shape

    def _batch_shape_tensor(self) -> Any:
        shape: Any = np.zeros([0], np.int32)
        for name, inner in self._batch_parameters.items():
            found = api.shape(getattr(self, name))
            outer = found[:-inner] if inner else found
            shape = api.broadcast_dynamic_shape(shape, outer)
        return shape

    def _event_shape(self) -> TensorShape:
        return TensorShape([])

    def _event_shape_tensor(self) -> Any:
        return api.constant(np.zeros([0], np.int32))

    @property
    def batch_shape(self) -> TensorShape:
        """The shape of the batch of distributions, as far as it is known."""
        return self._batch_shape()

    @property
    def event_shape(self) -> TensorShape:
        """The shape of one sample of one distribution, as far as it is known."""
        return self._event_shape()

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """The shape of the batch, int32."""
        with self._scope(name):
            known = self.batch_shape
            if known.is_fully_defined():
                return convert_to_tensor(np.array(known.as_list(), np.int32), name="batch_shape")
            return convert_to_tensor(self._batch_shape_tensor(), name="batch_shape")

    def event_shape_tensor(self, name: str = "event_shape_tensor") -> Tensor:
        """The shape of one sample of one distribution, int32."""
        with self._scope(name):
            known = self.event_shape
            if known.is_fully_defined():
                return convert_to_tensor(np.array(known.as_list(), np.int32), name="event_shape")
            return convert_to_tensor(self._event_shape_tensor(), name="event_shape")

    def is_scalar_event(self, name: str = "is_scalar_event") -> Tensor:
        """Whether samples of one distribution are scalars."""
        with self._scope(name):
            return _is_scalar(self.event_shape, self.event_shape_tensor)

    def is_scalar_batch(self, name: str = "is_scalar_batch") -> Tensor:
        """Whether it is a single distribution."""
        with self._scope(name):
            return _is_scalar(self.batch_shape, self.batch_shape_tensor)

    # -- samples -----------------------------------------------------------------------------

    def sample(self, sample_shape: Any = (), seed: int | None = None, name: str = "sample") -> Any:
        """Samples of shape `sample_shape + batch_shape + event_shape`, new ones in every step."""
        with self._scope(name):
            shape = convert_to_tensor(sample_shape, dtype="int32", name="sample_shape")
            flat = api.reshape(shape, [-1])
            samples: Any = self._sample_n(api.reduce_prod(flat), seed)
            inner = api.shape(samples)[1:]
            samples = api.reshape(samples, api.concat([flat, inner], 0))
            known = constant_value(shape)
            outer = TensorShape(None) if known is None else TensorShape(known.reshape(-1).tolist())
            samples.set_shape(outer.concatenate(self.batch_shape).concatenate(self.event_shape))
            return samples

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        raise self._missing("sample")

    # -- functions of values -----------------------------------------------------------------

    def log_prob(self, value: Any, name: str = "log_prob") -> Any:
        """The logarithm of the density, or of the probability, at values."""
        with self._scope(name):
            value = self._value(value)
            if self._has("_log_prob"):
                return self._call("_log_prob", value)
            return api.log(self._first("log_prob", "_prob", value))

    def prob(self, value: Any, name: str = "prob") -> Any:
        """The density, or the probability, at values."""
        with self._scope(name):
            value = self._value(value)
            if self._has("_prob"):
                return self._call("_prob", value)
            return api.exp(self._first("prob", "_log_prob", value))

    def log_cdf(self, value: Any, name: str = "log_cdf") -> Any:
        """The logarithm of the probability of samples that are at most values."""
        with self._scope(name):
            value = self._value(value)
            if self._has("_log_cdf"):
                return self._call("_log_cdf", value)
            return api.log(self._first("log_cdf", "_cdf", value))

    def cdf(self, value: Any, name: str = "cdf") -> Any:
        """The probability of samples that are at most values."""
        with self._scope(name):
            value = self._value(value)
            if self._has("_cdf"):
                return self._call("_cdf", value)
            return api.exp(self._first("cdf", "_log_cdf", value))

    def log_survival_function(self, value: Any, name: str = "log_survival_function") -> Any:
        """The logarithm of the probability of samples greater than values."""
        with self._scope(name):
            value = self._value(value)
            if self._has("_log_survival_function"):
                return self._call("_log_survival_function", value)
            return api.log1p(-self.cdf(value))

    def survival_function(self, value: Any, name: str = "survival_function") -> Any:
        """The probability of samples greater than values."""
        with self._scope(name):
            value = self._value(value)
            if self._has("_log_survival_function"):
                return api.exp(self._call("_log_survival_function", value))
            return 1.0 - self.cdf(value)

    def quantile(self, value: Any, name: str = "quantile") -> Any:
        """The value that a sample is at most with a probability: the inverse of `cdf`."""
        with self._scope(name):
            return self._first("quantile", "_quantile", self._value(value))

    # -- statistics --------------------------------------------------------------------------

    def entropy(self, name: str = "entropy") -> Any:
        """Shannon's entropy, in nats."""
        with self._scope(name):
            return self._first("entropy", "_entropy")

    def mean(self, name: str = "mean") -> Any:
        """The mean."""
        with self._scope(name):
            return self._first("mean", "_mean")

    def mode(self, name: str = "mode") -> Any:
        """The most likely value."""
        with self._scope(name):
            return self._first("mode", "_mode")

    def variance(self, name: str = "variance") -> Any:
        """The variance of each element of samples."""
        with self._scope(name):
            if self._has("_variance"):
                return self._call("_variance")
            return api.square(self._first("variance", "_stddev"))

    def stddev(self, name: str = "stddev") -> Any:
        """The standard deviation of each element of samples."""
        with self._scope(name):
            if self._has("_stddev"):
                return self._call("_stddev")
            return api.sqrt(self._first("stddev", "_variance"))

    def covariance(self, name: str = "covariance") -> Any:
        """The covariances of the elements of samples that are vectors."""
        with self._scope(name):
            return self._first("covariance", "_covariance")

    def kl_divergence(self, other: Any, name: str = "kl_divergence") -> Tensor:
        """The Kullback-Leibler divergence of another distribution from this one."""
        from workbench.train.distributions.divergence import kl_divergence

        with self._scope(name):
            return kl_divergence(self, other, allow_nan_stats=self.allow_nan_stats)

    def cross_entropy(self, other: Any, name: str = "cross_entropy") -> Any:
        """The expectation of -log of another distribution's density for samples of this one."""
        return self.kl_divergence(other, name) + self.entropy()

    # -- help for the families ---------------------------------------------------------------

    def _has(self, name: str) -> bool:
        return hasattr(self, name)

    def _call(self, method: str, *arguments: Any) -> Any:
        return getattr(self, method)(*arguments)

    def _first(self, public: str, method: str, *arguments: Any) -> Any:
        if not self._has(method):
            raise self._missing(public)
        return self._call(method, *arguments)

    def _missing(self, public: str) -> NotImplementedError:
        return NotImplementedError(f"{public} is not implemented: {type(self).__name__}")

    def _value(self, value: Any) -> Tensor:
        """A value as a tensor: of the type of samples, where it fits."""
        return convert_to_tensor(value, name="value", preferred_dtype=self.dtype)

    @contextlib.contextmanager
    def _scope(self, name: str) -> Iterator[None]:
        with name_scope(f"{self.name.rstrip('/')}/{name}"):
            yield

    def _nan_above(self, least: Any, parameter: Any, value: Any, what: str) -> Any:
        """Statistics that are NaN, or errors of a run, where a parameter is not above a number."""
        bound = api.ones_like(parameter) * least
        if self.allow_nan_stats:
            undefined = parameter <= bound
            nothing = api.zeros_like(value) + np.array(np.nan, self.dtype.as_numpy_dtype)
            return api.where(api.logical_or(undefined, api.zeros_like(value) > 0), nothing, value)
        with api.control_dependencies([api.assert_less(bound, parameter, message=what)]):
            return api.identity(value)

    def __str__(self) -> str:
        return (
            f'tf.distributions.{type(self).__name__}("{self.name}", '
            f"batch_shape={self.batch_shape}, event_shape={self.event_shape}, "
            f"dtype={self.dtype.name})"
        )

    def __repr__(self) -> str:
        return (
            f"<tf.distributions.{type(self).__name__} '{self.name}' "
            f"batch_shape={self.batch_shape} event_shape={self.event_shape} "
            f"dtype={self.dtype.name}>"
        )


def _is_scalar(known: TensorShape, tensor: Any) -> Tensor:
    if known.ndims is not None:
        return convert_to_tensor(known.ndims == 0, name="is_scalar")
    result: Tensor = api.equal(api.size(tensor()), 0)
    return result
