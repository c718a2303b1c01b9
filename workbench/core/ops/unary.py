"""Element-wise operations on one tensor: signs, powers and roots; what declares them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.composite import IndexedSlices, SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.precision import in_float32, scratch
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import (
    Declaration,
    NotDifferentiable,
    Sample,
    declare,
    sample,
)

FLOATING = "{floating}"
DIFFERENTIABLE = "{differentiable}"

Slope = Callable[[Any, Any], Any]


def unary(
    type_name: str,
    kernel: Callable[..., Any],
    slope: Slope | NotDifferentiable,
    types: str,
    *,
    samples: Sequence[Sample],
    output: str = "y",
) -> Declaration:
    """Declares y = f(x), element by element; `slope(op, dy)` gives the gradient of x."""
    return declare(
        type_name,
        inputs="x: T",
        outputs=f"{output}: T",
        attrs=f"T: {types}",
        shape=shape_rules.first,
        kernel=kernel,
        gradient=slope,
        elementwise=True,
        samples=samples,
    )


def unary_gradient(
    type_name: str,
    kernel: Callable[..., Any],
    gradient: Slope,
    types: str,
    *,
    samples: Sequence[Sample],
) -> Declaration:
    """Declares the gradient of an operation in terms of its output: z = f'(y) * dy."""
    return declare(
        type_name,
        inputs="y: T, dy: T",
        outputs="z: T",
        attrs=f"T: {types}",
        shape=shape_rules.merged,
        kernel=kernel,
        gradient=gradient,
        elementwise=True,
        samples=samples,
    )


def apply(type_name: str, x: Any, name: str | None) -> Any:
    """The operation on a tensor, or on the values of a SparseTensor."""
    if not isinstance(x, SparseTensor):
        return call(type_name, name, x=x)
    values = call(type_name, name, x=x.values)
    return SparseTensor(indices=x.indices, values=values, dense_shape=x.dense_shape)


def destination(x: Any, out: Any, *later: Any) -> Any:
    """What the steps of an element-wise kernel write into: `out`, or a new array like `x`.

    `later` are inputs that are read after the first step: `out` must not overlap with them.
    """
    usable = scratch(out, *later)
    return np.empty_like(x) if usable is None else usable


def conjugate(y: Any) -> Any:
    """The conjugate of complex `y`: gradients of analytic functions take their slope so."""
    return np.conjugate(y) if np.iscomplexobj(y) else y


# -- signs ---------------------------------------------------------------------------------------

unary(
    "Neg",
    np.negative,
    lambda op, dy: -dy,
    "{number}",
    samples=[sample([1.0, -2.5], want=[-1.0, 2.5]), sample([3, -4], want=[-3, 4])],
)
unary(
    "Abs",
    np.absolute,
    lambda op, dy: dy * sign(op.inputs[0]),
    "{real}",
    samples=[sample([1.0, -2.5], want=[1.0, 2.5]), sample([3, -4], want=[3, 4])],
)


unary(
    "Sign",
    np.sign,
    lambda op, dy: api.zeros_like(op.inputs[0]),
    "{number}",
    samples=[
        sample([1.5, -2.5, 0.0], want=[1.0, -1.0, 0.0], gradient=()),
        sample([-7, 0], want=[-1, 0]),
    ],
)

# -- powers and roots ----------------------------------------------------------------------------

unary(
    "Square",
    np.square,
    lambda op, dy: dy * (api.conj(op.inputs[0]) * 2),
    "{number}",
    samples=[sample([1.5, -2.0], want=[2.25, 4.0]), sample([3, -4], want=[9, 16])],
)
unary(
    "Sqrt",
    np.sqrt,
    lambda op, dy: call("SqrtGrad", None, y=op.outputs[0], dy=dy),
    DIFFERENTIABLE,
    samples=[sample([4.0, 0.25], want=[2.0, 0.5])],
)


@in_float32
def _sqrt_grad(y: Any, dy: Any, *, out: Any = None) -> Any:
    result = destination(dy, out)
    np.divide(dy, conjugate(y), out=result)
    return np.multiply(result, 0.5, out=result)


def _sqrt_grad_gradient(op: Any, dz: Any) -> Any:
    y, z = op.inputs[0], op.outputs[0]
    slope = dz / y
    return -(api.conj(slope) * z), slope * 0.5


unary_gradient(
    "SqrtGrad",
    _sqrt_grad,
    _sqrt_grad_gradient,
    DIFFERENTIABLE,
    samples=[sample([2.0, 0.5], [3.0, -4.0], want=[0.75, -4.0])],
)


@in_float32
def _rsqrt(x: Any, *, out: Any = None) -> Any:
    result = destination(x, out)
    np.sqrt(x, out=result)
    return np.reciprocal(result, out=result)


unary(
    "Rsqrt",
    _rsqrt,
    lambda op, dy: call("RsqrtGrad", None, y=op.outputs[0], dy=dy),
    DIFFERENTIABLE,
    samples=[sample([4.0, 0.25], want=[0.5, 2.0])],
)


@in_float32
def _rsqrt_grad(y: Any, dy: Any, *, out: Any = None) -> Any:
    y = conjugate(y)
    cubed = np.square(y, out=destination(y, out, y, dy))
    np.multiply(cubed, y, out=cubed)
    np.multiply(cubed, -0.5, out=cubed)
    return np.multiply(cubed, dy, out=out)


def _rsqrt_grad_gradient(op: Any, dz: Any) -> Any:
    y, dy = api.conj(op.inputs[0]), op.inputs[1]
    return api.conj(dz) * dy * square(y) * -1.5, call("RsqrtGrad", None, y=y, dy=dz)


unary_gradient(
    "RsqrtGrad",
    _rsqrt_grad,
    _rsqrt_grad_gradient,
    DIFFERENTIABLE,
    samples=[sample([2.0, 0.5], [1.0, 4.0], want=[-4.0, -0.25])],
)


def _reciprocal_slope(op: Any, dy: Any) -> Tensor:
    return call("ReciprocalGrad", None, y=op.outputs[0], dy=dy)


def _inverse_slope(op: Any, dy: Any) -> Tensor:
    return call("InvGrad", None, y=op.outputs[0], dy=dy)


def _reciprocal(x: Any, *, out: Any = None) -> Any:
    if x.dtype.kind in "iu" and not np.all(x):
        raise InvalidArgumentError(None, None, "Integer division by zero")
    return np.reciprocal(x, out=out)


_RECIPROCALS = [sample([4.0, -0.25], want=[0.25, -4.0]), sample([1, 2, -1], want=[1, 0, -1])]
unary("Reciprocal", _reciprocal, _reciprocal_slope, "{number}", samples=_RECIPROCALS)
unary("Inv", _reciprocal, _inverse_slope, "{number}", samples=_RECIPROCALS)


@in_float32
def _reciprocal_grad(y: Any, dy: Any, *, out: Any = None) -> Any:
    y = conjugate(y)
    squared = np.square(y, out=destination(y, out, dy))
    np.negative(squared, out=squared)
    return np.multiply(squared, dy, out=out)


def _reciprocal_grad_gradient(op: Any, dz: Any) -> Any:
    y, dy = api.conj(op.inputs[0]), op.inputs[1]
    return api.conj(dz) * dy * y * -2.0, call("ReciprocalGrad", None, y=y, dy=dz)


for _type_name in ("ReciprocalGrad", "InvGrad"):
    unary_gradient(
        _type_name,
        _reciprocal_grad,
        _reciprocal_grad_gradient,
        DIFFERENTIABLE,
        samples=[sample([2.0, 0.5], [1.0, 4.0], want=[-4.0, -1.0])],
    )


# -- public functions ----------------------------------------------------------------------------


def negative(x: Any, name: str | None = None) -> Any:
    """-x, element by element; a SparseTensor gives a SparseTensor."""
    return apply("Neg", x, name)


def abs(x: Any, name: str | None = None) -> Any:
    """The absolute value; of complex numbers the magnitude, which is real.

    >>> import workbench as tf
    >>> tf.abs([-1.5, 2.0]).eval().tolist()
    [1.5, 2.0]
    """
    with name_scope(name, "Abs", [x]) as scope:
        if isinstance(x, SparseTensor):
            values = abs(x.values, scope)
            return SparseTensor(indices=x.indices, values=values, dense_shape=x.dense_shape)
        x = convert_to_tensor(x, name="x")
        if x.dtype.is_complex:
            return call("ComplexAbs", scope, x=x, Tout=x.dtype.real_dtype)
        return call("Abs", scope, x=x)


def sign(x: Any, name: str | None = None) -> Any:
    """-1, 0 or 1 by the sign of x; x / |x| for complex numbers."""
    return apply("Sign", x, name)


def square(x: Any, name: str | None = None) -> Any:
    """x * x, element by element."""
    return apply("Square", x, name)


def sqrt(x: Any, name: str | None = None) -> Any:
    """The square root; NaN for negative real numbers."""
    return apply("Sqrt", x, name)


def rsqrt(x: Any, name: str | None = None) -> Tensor:
    """1 / sqrt(x), element by element."""
    return call("Rsqrt", name, x=x)


def reciprocal(x: Any, name: str | None = None) -> Tensor:
    """1 / x, element by element."""
    return call("Reciprocal", name, x=x)


def scalar_mul(scalar: Any, x: Any) -> Any:
    """A scalar times a tensor or IndexedSlices, whose rows are scaled without making it dense.

    Raises ValueError when `scalar` is not a scalar.

    >>> import workbench as tf
    >>> tf.scalar_mul(2.0, tf.constant([1.0, 3.0])).eval().tolist()
    [2.0, 6.0]
    """
    scalar = convert_to_tensor(scalar, dtype=x.dtype.base_dtype, name="scalar")
    if scalar.shape.ndims != 0:
        raise ValueError(f"Only scalar multiply works, got shape {scalar.shape}")
    if isinstance(x, IndexedSlices):
        return IndexedSlices(scalar * x.values, x.indices, x.dense_shape)
    return scalar * x
