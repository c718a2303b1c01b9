"""Random numbers of other distributions, random orders and random classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph import dtypes
from workbench.core.graph.constants import constant_entries, constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import random as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.random import SEEDS, seeds


def _samples_for_each(op: Any) -> list[Any]:
    """The given shape of samples for each element of the second input."""
    shape_rules.with_rank(op.inputs[0].entries, 1, "the shape")
    samples, parameters = constant_entries(op.inputs[0]), op.inputs[1].entries
    return [None if samples is None or parameters is None else samples + parameters]


def _random_gamma(shape: Any, alpha: Any, *, seed: int, seed2: int, context: Any) -> Any:
    return kernels.random_gamma(shape, alpha, generator=context.generator(seed, seed2))


declare(
    "RandomGamma",
    inputs="shape: S, alpha: T",
    outputs="output: T",
    attrs=f"{SEEDS}, S: {{int32, int64}}, T: {{floating}}",
    shape=_samples_for_each,
    kernel=_random_gamma,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample([2, 3], [0.5, 3.0])],
)


def _random_poisson(
    shape: Any, rate: Any, *, dtype: Any, seed: int, seed2: int, context: Any
) -> Any:
    generator = context.generator(seed, seed2)
    return kernels.random_poisson(shape, rate, generator=generator, dtype=dtype)


declare(
    "RandomPoisson",
    inputs="shape: S, rate: dtype",
    outputs="output: dtype",
    attrs=f"{SEEDS}, S: {{int32, int64}}, dtype: {{half, float, double}}",
    shape=_samples_for_each,
    kernel=_random_poisson,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample([2], [0.0, 3.0])],
)
_COUNTS = "{half, float, double, int32, int64}"
declare(
    "RandomPoissonV2",
    inputs="shape: S, rate: R",
    outputs="output: dtype",
    attrs=f"{SEEDS}, S: {{int32, int64}}, R: {_COUNTS} = DT_DOUBLE, dtype: {_COUNTS} = DT_INT64",
    shape=_samples_for_each,
    kernel=_random_poisson,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample([2], [0.0, 3.0])],
)


def _random_shuffle(value: Any, *, seed: int, seed2: int, context: Any) -> Any:
    return kernels.random_shuffle(value, generator=context.generator(seed, seed2))


declare(
    "RandomShuffle",
    inputs="value: T",
    outputs="output: T",
    attrs=f"{SEEDS}, T: type",
    shape=shape_rules.first,
    kernel=_random_shuffle,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample([[1.0, 2.0], [1.0, 2.0]])],
)


def _multinomial(
    logits: Any, num_samples: Any, *, output_dtype: Any, seed: int, seed2: int, context: Any
) -> Any:
    if np.ndim(logits) == 2 and not np.shape(logits)[1]:
        raise InvalidArgumentError(None, None, "num_classes should be positive, got 0")
    generator = context.generator(seed, seed2)
    return kernels.multinomial(logits, num_samples, generator=generator, output_dtype=output_dtype)


def _multinomial_shape(op: Any) -> list[Any]:
    logits = shape_rules.with_rank(op.inputs[0].entries, 2, "logits")
    shape_rules.with_rank(op.inputs[1].entries, 0, "num_samples")
    count = constant_value(op.inputs[1])
    return [(logits[0], None if count is None else int(count))]


declare(
    "Multinomial",
    inputs="logits: T, num_samples: int32",
    outputs="output: output_dtype",
    attrs=f"{SEEDS}, T: {{real}}, output_dtype: {{int32, int64}} = DT_INT64",
    shape=_multinomial_shape,
    kernel=_multinomial,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[
        sample([[-1000.0, 0.0], [0.0, -1000.0]], 3, want=[[1, 1, 1], [0, 0, 0]]),
        sample([[0.0]], 2, output_dtype="int32", want=[[0, 0]]),
    ],
)


def random_gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of gamma distributions: `shape` of them for each alpha (shape) and beta (rate).

    The result has shape `shape + broadcast(alpha, beta)`; beta is 1 when it is not given.

    >>> import workbench as tf
    >>> tf.random_gamma([10], [0.5, 1.5]).shape.as_list()
    [10, 2]
    """
    with name_scope(name, "random_gamma", [shape, alpha, beta]):
        shape = convert_to_tensor(shape, dtypes.int32, name="shape")
        alpha = convert_to_tensor(alpha, dtype, name="alpha")
        beta = convert_to_tensor(1 if beta is None else beta, dtype, name="beta")
        alphas = call("Add", "add", x=alpha, y=api.zeros_like(beta))
        standard = call("RandomGamma", None, shape=shape, alpha=alphas, **seeds(seed))
        tiny = np.finfo(as_dtype(dtype).as_numpy_dtype).tiny
        scaled = call("RealDiv", "truediv", x=standard, y=beta)
        return call("Maximum", None, x=tiny, y=scaled)


def random_poisson(
    lam: Any,
    shape: Any,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of Poisson distributions: `shape` of them for each mean in `lam`.

    >>> import workbench as tf
    >>> tf.random_poisson([0.5, 1.5], [10]).shape.as_list()
    [10, 2]
    """
    with name_scope(name, "random_poisson", [lam, shape]):
        shape = convert_to_tensor(shape, dtypes.int32, name="shape")
        lam = convert_to_tensor(lam, name="lam")
        return call("RandomPoissonV2", None, shape=shape, rate=lam, dtype=dtype, **seeds(seed))


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """The rows of a tensor in random order, a new one in every step."""
    return call("RandomShuffle", name, value=value, **seeds(seed))


def multinomial(
    logits: Any,
    num_samples: Any,
    seed: int | None = None,
    name: str | None = None,
    output_dtype: Any = None,
) -> Tensor:
    """Classes drawn by unnormalised log-probabilities: [batch, num_samples] for [batch, classes].

    >>> import workbench as tf
    >>> tf.multinomial([[0.0, -1000.0]], 4).eval().tolist()
    [[0, 0, 0, 0]]
    """
    with name_scope(name, "multinomial", [logits]):
        logits = convert_to_tensor(logits, name="logits")
        return call(
            "Multinomial",
            None,
            logits=logits,
            num_samples=num_samples,
            output_dtype=output_dtype,
            **seeds(seed),
        )


def categorical(
    logits: Any,
    num_samples: Any,
    dtype: Any = None,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """`multinomial`, as TensorFlow 1.13 and later call it.

    >>> import workbench as tf
    >>> tf.random.categorical([[0.0, -1000.0]], 4, dtype=tf.int32).eval().dtype
    dtype('int32')
    """
    return multinomial(logits, num_samples, seed, name or "categorical", dtype)
