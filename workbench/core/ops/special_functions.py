"""The error function, the gamma and beta functions and their relatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries, merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import special
from workbench.core.ops import api, shape_rules
from workbench.core.ops.broadcast_gradient import sum_to_shapes
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import Sample, declare, sample
from workbench.core.ops.unary import FLOATING, apply, unary

_BELL = 2 / math.sqrt(math.pi)


def _bell(op: Any, dy: Any, factor: float) -> Any:
    return dy * (api.exp(-api.square(op.inputs[0])) * factor)


unary(
    "Erf",
    special.erf,
    lambda op, dy: _bell(op, dy, _BELL),
    FLOATING,
    samples=[sample([0.0, 0.5, -1.0], want=[0.0, 0.5204998778, -0.8427007929])],
)
unary(
    "Erfc",
    special.erfc,
    lambda op, dy: _bell(op, dy, -_BELL),
    FLOATING,
    samples=[sample([0.0, 0.5, 3.0], want=[1.0, 0.4795001222, 2.209049700e-05])],
)
unary(
    "Lgamma",
    special.lgamma,
    lambda op, dy: dy * digamma(op.inputs[0]),
    FLOATING,
    samples=[sample([0.5, 1.5, 5.0], want=[0.5723649429, -0.1207822376, 3.178053830])],
)
unary(
    "Digamma",
    special.digamma,
    lambda op, dy: dy * polygamma(api.ones_like(op.inputs[0]), op.inputs[0]),
    FLOATING,
    samples=[sample([1.0, 0.5, 4.0], want=[-0.5772156649, -1.963510026, 1.256117668])],
)


def _broadcast_last(op: Any, dz: Any, slope: Any) -> Any:
    """The gradient of the second of two inputs; of the first there is none in TensorFlow."""
    first, second = op.inputs
    return None, sum_to_shapes(first, second, dz, dz * slope)[1]


def _igamma_slope(a: Any, x: Any) -> Any:
    return api.exp((a - 1) * api.log(x) - x - lgamma(a))


def _two(
    type_name: str,
    names: tuple[str, str],
    kernel: Callable[..., Any],
    slope: Callable[[Any, Any], Any],
    samples: list[Sample],
) -> None:
    """Declares z = f(a, x) with broadcasting, differentiable in its second input."""
    declare(
        type_name,
        inputs=f"{names[0]}: T, {names[1]}: T",
        outputs="z: T",
        attrs="T: {float, double}",
        shape=shape_rules.broadcast,
        kernel=kernel,
        gradient=lambda op, dz: _broadcast_last(op, dz, slope(*op.inputs)),
        elementwise=True,
        samples=samples,
    )


_two(
    "Igamma",
    ("a", "x"),
    special.igamma,
    _igamma_slope,
    [
        sample([1.0, 2.0], [1.0, 2.0], want=[0.6321205588, 0.5939941503], gradient=(1,)),
        sample(2.0, [1.0, 3.0], want=[0.2642411177, 0.8008517265], gradient=(1,)),
    ],
)
_two(
    "Igammac",
    ("a", "x"),
    special.igammac,
    lambda a, x: -_igamma_slope(a, x),
    [sample([1.0, 2.0], [1.0, 2.0], want=[0.3678794412, 0.4060058497], gradient=(1,))],
)
_two(
    "Zeta",
    ("x", "q"),
    special.zeta,
    lambda x, q: -x * zeta(x + 1, q),
    [sample([2.0, 4.0], [1.0, 1.5], want=[1.644934067, 0.2348485057], gradient=(1,))],
)
_two(
    "Polygamma",
    ("a", "x"),
    special.polygamma,
    lambda a, x: polygamma(a + 1, x),
    [
        sample([1.0, 0.0], [1.0, 2.0], want=[1.644934067, 0.4227843351], gradient=(1,)),
        sample(1.0, [1.0, 2.0], want=[1.644934067, 0.6449340668], gradient=(1,)),
    ],
)


def _betainc_shape(op: Any) -> list[Any]:
    shape: Entries = ()
    for tensor in op.inputs:
        # Scalars go with anything; whatever is no scalar has one common shape.
        if tensor.entries is None:
            return [None]
        if tensor.entries and shape:
            shape = merge_shapes(shape, tensor.entries)
        elif tensor.entries:
            shape = tensor.entries
    return [shape]


def _betainc_gradient(op: Any, dz: Any) -> Any:
    a, b, x = op.inputs
    log_beta = api.lgamma(a) + api.lgamma(b) - api.lgamma(a + b)
    density = api.exp((b - 1) * api.log1p(-x) + (a - 1) * api.log(x) - log_beta)
    return None, None, sum_to_shapes(dz, x, dz, dz * density)[1]


declare(
    "Betainc",
    inputs="a: T, b: T, x: T",
    outputs="z: T",
    attrs="T: {float, double}",
    shape=_betainc_shape,
    kernel=special.betainc,
    gradient=_betainc_gradient,
    elementwise=True,
    samples=[
        sample([2.0, 1.0], [3.0, 1.0], [0.25, 0.4], want=[0.26171875, 0.4], gradient=(2,)),
        sample(2.0, 3.0, [0.25, 0.5], want=[0.26171875, 0.6875], gradient=(2,)),
    ],
)


def erf(x: Any, name: str | None = None) -> Any:
    """The error function; a SparseTensor gives a SparseTensor.

    >>> import workbench as tf
    >>> tf.erf([0.0, 10.0]).eval().tolist()
    [0.0, 1.0]
    """
    return apply("Erf", x, name)


def erfc(x: Any, name: str | None = None) -> Tensor:
    """1 - erf(x), accurate where it is small."""
    return call("Erfc", name, x=x)


def lgamma(x: Any, name: str | None = None) -> Tensor:
    """The logarithm of the absolute value of the gamma function."""
    return call("Lgamma", name, x=x)


def digamma(x: Any, name: str | None = None) -> Tensor:
    """The derivative of `lgamma`."""
    return call("Digamma", name, x=x)


def zeta(x: Any, q: Any, name: str | None = None) -> Tensor:
    """Hurwitz's zeta function: the sum of (q + k) to the power of -x over all k >= 0."""
    return call("Zeta", name, x=x, q=q)


def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The derivative of order a (a whole number) of `digamma` at x."""
    return call("Polygamma", name, a=a, x=x)


def igamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The lower regularised incomplete gamma function; differentiable in x."""
    return call("Igamma", name, a=a, x=x)


def igammac(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The upper regularised incomplete gamma function, 1 - igamma(a, x)."""
    return call("Igammac", name, a=a, x=x)


def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Tensor:
    """The regularised incomplete beta function, for x from 0 to 1; differentiable in x."""
    return call("Betainc", name, a=a, b=b, x=x)


def lbeta(x: Any, name: str = "lbeta") -> Tensor:
    """The logarithm of the absolute value of the beta function, along the last axis.

    >>> import workbench as tf
    >>> round(float(tf.lbeta([2.0, 3.0]).eval()), 5)
    -2.48491
    """
    with name_scope(name, None, [x]):
        x = convert_to_tensor(x, name="x")
        separate = api.reduce_sum(lgamma(x), axis=[-1])
        joint = lgamma(api.reduce_sum(x, axis=[-1]))
        return call("Sub", None, x=separate, y=joint)
