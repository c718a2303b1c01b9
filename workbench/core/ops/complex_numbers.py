"""Complex numbers: making them, taking them apart, conjugates and magnitudes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.broadcast_gradient import sum_to_shapes
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import Sample, declare, sample
from workbench.core.ops.unary import apply, unary

_COMPLEX = "{complex64, complex128}"
_NUMBERS = [3 + 4j, -2j, 1.5 + 0j]


def _conjugate_slope(op: Any, dy: Any) -> Any:
    return conj(dy)


unary(
    "Conj",
    np.conjugate,
    _conjugate_slope,
    f"{_COMPLEX} = DT_COMPLEX64",
    samples=[sample(_NUMBERS, want=[3 - 4j, 2j, 1.5 + 0j])],
    output="output",
)


def _part(
    type_name: str,
    argument: str,
    compute: Callable[[Any], Any],
    gradient: Callable[[Any, Any], Any],
    samples: list[Sample],
) -> None:
    """Declares a real-valued operation on complex numbers."""

    def kernel(x: Any, *, Tout: Any) -> Any:
        return compute(x).astype(Tout)

    declare(
        type_name,
        inputs=f"{argument}: T",
        outputs=f"{'y' if argument == 'x' else 'output'}: Tout",
        attrs=f"T: {_COMPLEX} = DT_COMPLEX64, Tout: {{float, double}} = DT_FLOAT",
        shape=shape_rules.first,
        kernel=kernel,
        gradient=gradient,
        samples=samples,
    )


def _zero(like: Any) -> Any:
    return np.zeros((), like.dtype.as_numpy_dtype)


def _complex_of(real: Any) -> Any:
    return complex(real, _zero(real))


def _angle_gradient(op: Any, dy: Any) -> Any:
    # With z = re + i im, the angle's gradient is i z / |z|^2, written without dividing by |z|^2
    # first, which would overflow or vanish early.
    z = op.inputs[0]
    return -_complex_of(dy) / complex(imag(z), real(z))


def _magnitude_gradient(op: Any, dy: Any) -> Any:
    return _complex_of(dy) * api.sign(op.inputs[0])


_part(
    "Real",
    "input",
    np.real,
    lambda op, dy: _complex_of(dy),
    [sample(_NUMBERS, want=[3.0, 0.0, 1.5])],
)
_part(
    "Imag",
    "input",
    np.imag,
    lambda op, dy: complex(_zero(dy), dy),
    [sample(_NUMBERS, want=[4.0, -2.0, 0.0])],
)
_part(
    "Angle",
    "input",
    np.angle,
    _angle_gradient,
    [sample(_NUMBERS, want=[np.arctan2(4.0, 3.0), -np.pi / 2, 0.0])],
)
_part(
    "ComplexAbs",
    "x",
    np.absolute,
    _magnitude_gradient,
    [sample(_NUMBERS, want=[5.0, 2.0, 1.5])],
)


def _complex(real: Any, imag: Any, *, Tout: Any) -> Any:
    result = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), Tout)
    result.real = real
    result.imag = imag
    return result


def _complex_gradient(op: Any, dz: Any) -> Any:
    return sum_to_shapes(op.inputs[0], op.inputs[1], real(dz), imag(dz))


declare(
    "Complex",
    inputs="real: T, imag: T",
    outputs="out: Tout",
    attrs=f"T: {{float, double}} = DT_FLOAT, Tout: {_COMPLEX} = DT_COMPLEX64",
    shape=shape_rules.broadcast,
    kernel=_complex,
    gradient=_complex_gradient,
    samples=[
        sample([1.0, 2.0], [3.0, -4.0], want=[1 + 3j, 2 - 4j]),
        sample([1.0, 2.0], -1.0, want=[1 - 1j, 2 - 1j]),
    ],
)


def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """real + imag * i, from two tensors of float32 or float64.

    >>> import workbench as tf
    >>> tf.complex([1.0, 2.0], [0.0, -1.0]).eval().tolist()
    [(1+0j), (2-1j)]
    """
    real = convert_to_tensor(real, name="real")
    imag = convert_to_tensor(imag, name="imag")
    with name_scope(name, "Complex", [real, imag]) as scope:
        types = (real.dtype.base_dtype, imag.dtype.base_dtype)
        if types == (dtypes.float64, dtypes.float64):
            chosen = dtypes.complex128
        elif types == (dtypes.float32, dtypes.float32):
            chosen = dtypes.complex64
        else:
            raise TypeError(
                f"real and imag have incorrect types: {types[0].name} {types[1].name}; both must "
                "be float32 or both float64"
            )
        return call("Complex", scope, real=real, imag=imag, Tout=chosen)


def real(input: Any, name: str | None = None) -> Tensor:
    """The real part; real numbers stay as they are."""
    with name_scope(name, "Real", [input]) as scope:
        tensor = convert_to_tensor(input, name="input")
        if tensor.dtype.is_complex:
            return call("Real", scope, input=tensor, Tout=tensor.dtype.real_dtype)
        return tensor


def imag(input: Any, name: str | None = None) -> Tensor:
    """The imaginary part, 0 for real numbers."""
    with name_scope(name, "Imag", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        if not input.dtype.is_complex:
            zeros: Tensor = api.zeros_like(input)
            return zeros
        return call("Imag", scope, input=input, Tout=input.dtype.real_dtype)


def angle(input: Any, name: str | None = None) -> Tensor:
    """The argument atan2(imag, real) in radians: 0 or pi for real numbers."""
    with name_scope(name, "Angle", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        if input.dtype.is_complex:
            return call("Angle", scope, input=input, Tout=input.dtype.real_dtype)
        zeros = api.zeros_like(input)
        straight: Tensor = api.where(api.less(input, zeros), api.ones_like(input) * np.pi, zeros)
        return straight


def conj(x: Any, name: str | None = None) -> Any:
    """The complex conjugate; real numbers stay as they are.

    >>> import workbench as tf
    >>> tf.conj([1 + 2j]).eval().tolist()
    [(1-2j)]
    """
    if isinstance(x, SparseTensor):
        return apply("Conj", x, name) if x.dtype.is_complex else x
    x = convert_to_tensor(x, name="x")
    if x.dtype.is_complex:
        return call("Conj", name, x=x)
    if x.dtype.is_floating or x.dtype.is_integer:
        return x
    raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype.name}")
