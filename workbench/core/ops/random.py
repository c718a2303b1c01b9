"""Random numbers: counter-based, so that equal seeds give equal runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.constants import constant_entries
from workbench.core.graph.context import get_seed, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import random as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, Sample, declare, sample

SEEDS = "seed: int = 0, seed2: int = 0"
_SHAPE_TYPE = "T: {int32, int64}"


def shape_from_input(op: Any) -> list[Any]:
    """The output has the shape that the first input holds."""
    shape_rules.with_rank(op.inputs[0].entries, 1, "the shape")
    return [constant_entries(op.inputs[0])]


def _plain(type_name: str, draw: Callable[..., Any]) -> None:
    """Declares numbers of a standard distribution in a given shape."""

    def kernel(shape: Any, *, dtype: Any, seed: int, seed2: int, context: Any) -> Any:
        return draw(shape, generator=context.brief_generator(seed, seed2), dtype=dtype)

    declare(
        type_name,
        inputs="shape: T",
        outputs="output: dtype",
        attrs=f"{SEEDS}, dtype: {{floating}}, {_SHAPE_TYPE}",
        shape=shape_from_input,
        kernel=kernel,
        gradient=NOT_DIFFERENTIABLE,
        stateful=True,
        samples=[
            Sample(([2, 3],), {"dtype": "float32"}),
            Sample(([2],), {"dtype": "float64", "seed": 1}),
        ],
    )


_plain("RandomUniform", kernels.random_uniform)
_plain("RandomStandardNormal", kernels.random_standard_normal)
_plain("TruncatedNormal", kernels.truncated_normal)


def _uniform_int_shape(op: Any) -> list[Any]:
    for number, name in ((1, "minval"), (2, "maxval")):
        shape_rules.with_rank(op.inputs[number].entries, 0, name)
    return shape_from_input(op)


def _random_uniform_int(
    shape: Any, minval: Any, maxval: Any, *, seed: int, seed2: int, context: Any
) -> Any:
    return kernels.random_uniform_int(
        shape, minval, maxval, generator=context.brief_generator(seed, seed2)
    )


declare(
    "RandomUniformInt",
    inputs="shape: T, minval: Tout, maxval: Tout",
    outputs="output: Tout",
    attrs=f"{SEEDS}, Tout: {{int32, int64}}, {_SHAPE_TYPE}",
    shape=_uniform_int_shape,
    kernel=_random_uniform_int,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample([2, 3], 5, 6, want=[[5, 5, 5], [5, 5, 5]])],
)


def _parameterized_truncated_normal(
    shape: Any,
    means: Any,
    stdevs: Any,
    minvals: Any,
    maxvals: Any,
    *,
    dtype: Any,
    seed: int,
    seed2: int,
    context: Any,
) -> Any:
    generator = context.generator(seed, seed2)
    return kernels.parameterized_truncated_normal(
        shape, means, stdevs, minvals, maxvals, generator=generator, dtype=dtype
    )


declare(
    "ParameterizedTruncatedNormal",
    inputs="shape: T, means: dtype, stdevs: dtype, minvals: dtype, maxvals: dtype",
    outputs="output: dtype",
    attrs=f"{SEEDS}, dtype: {{floating}}, {_SHAPE_TYPE}",
    shape=shape_from_input,
    kernel=_parameterized_truncated_normal,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample([2, 3], 0.0, [1.0, 2.0], -1.0, 1.0)],
)


# -- public functions ----------------------------------------------------------------------------


def shape_tensor(shape: Any) -> Tensor:
    """The tensor for a shape; an empty list is the shape of a scalar."""
    empty = isinstance(shape, (tuple, list)) and not shape
    return convert_to_tensor(shape, dtypes.int32 if empty else None, name="shape")


def seeds(seed: int | None) -> dict[str, int | None]:
    """The two seeds of an operation, as its attributes."""
    first, second = get_seed(seed)
    return {"seed": first, "seed2": second}


def _scaled(
    type_name: str, scope: str, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: int | None
) -> Tensor:
    shape = shape_tensor(shape)
    mean = convert_to_tensor(mean, dtype, name="mean")
    stddev = convert_to_tensor(stddev, dtype, name="stddev")
    standard = call(type_name, None, shape=shape, dtype=dtype, **seeds(seed))
    product = call("Mul", "mul", x=standard, y=stddev)
    return call("Add", scope, x=product, y=mean)


def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of a normal distribution.

    With a `seed`, or `tf.set_random_seed`, every new session draws the same numbers.

    >>> import workbench as tf
    >>> x = tf.random_normal([2, 3], seed=1)
    >>> with tf.Session() as a, tf.Session() as b:
    ...     (a.run(x) == b.run(x)).all()
    np.True_
    """
    with name_scope(name, "random_normal", [shape, mean, stddev]) as scope:
        return _scaled("RandomStandardNormal", scope, shape, mean, stddev, dtype, seed)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of a normal distribution, none farther than two deviations from the mean."""
    with name_scope(name, "truncated_normal", [shape, mean, stddev]) as scope:
        return _scaled("TruncatedNormal", scope, shape, mean, stddev, dtype, seed)


def parameterized_truncated_normal(
    shape: Any,
    means: Any = 0.0,
    stddevs: Any = 1.0,
    minvals: Any = -2.0,
    maxvals: Any = 2.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of normal distributions cut off at bounds, with parameters for each row."""
    parameters = [shape, means, stddevs, minvals, maxvals]
    with name_scope(name, "parameterized_truncated_normal", parameters) as scope:
        return call(
            "ParameterizedTruncatedNormal",
            scope,
            shape=shape_tensor(shape),
            means=convert_to_tensor(means, dtype, name="means"),
            stdevs=convert_to_tensor(stddevs, dtype, name="stddevs"),
            minvals=convert_to_tensor(minvals, dtype, name="minvals"),
            maxvals=convert_to_tensor(maxvals, dtype, name="maxvals"),
            **seeds(seed),
        )


def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers from minval up to, but not including, maxval, all equally likely.

    `maxval` is 1 when it is not given; integers (int32, int64) must have one.

    >>> import workbench as tf
    >>> tf.random_uniform([3], 4, 5, dtype=tf.int32).eval().tolist()
    [4, 4, 4]
    """
    dtype = as_dtype(dtype)
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    with name_scope(name, "random_uniform", [shape, minval, maxval]) as scope:
        shape = shape_tensor(shape)
        low = convert_to_tensor(minval, dtype, name="min")
        high = convert_to_tensor(maxval, dtype, name="max")
        if dtype.is_integer:
            return call(
                "RandomUniformInt", scope, shape=shape, minval=low, maxval=high, **seeds(seed)
            )
        unit = call("RandomUniform", None, shape=shape, dtype=dtype, **seeds(seed))
        width = call("Sub", "sub", x=high, y=low)
        return call("Add", scope, x=call("Mul", "mul", x=unit, y=width), y=low)


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """A piece of `size` of a tensor, from a place that is drawn anew in every step.

    >>> import workbench as tf
    >>> tf.random_crop(tf.zeros([28, 28, 3]), [20, 20, 3]).shape.as_list()
    [20, 20, 3]
    """
    with name_scope(name, "random_crop", [value, size]) as scope:
        value = convert_to_tensor(value, name="value")
        size = convert_to_tensor(size, dtypes.int32, name="size")
        shape = api.shape(value)
        if not _known_to_fit(value, size):
            fits = api.reduce_all(api.greater_equal(shape, size))
            check = api.Assert(fits, ["Need value.shape >= size, got ", shape, size])
            with api.control_dependencies([check]):
                shape = api.identity(shape)
        limit = shape - size + 1
        draw = random_uniform(
            api.shape(shape), dtype=dtypes.int32, maxval=np.iinfo(np.int32).max, seed=seed
        )
        piece: Tensor = api.slice(value, draw % limit, size, name=scope)
        return piece


def _known_to_fit(value: Tensor, size: Tensor) -> bool:
    have, want = value.entries, constant_entries(size)
    if have is None or want is None or len(have) != len(want):
        return False
    return all(
        isinstance(h, int) and isinstance(w, int) and h >= w
        for h, w in zip(have, want, strict=True)
    )
