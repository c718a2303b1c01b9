"""Fourier transforms of the last one, two or three axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import fourier as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import sizes_or_none


def element_count(tensor: Tensor, rank: int) -> Any:
    """The number of elements of each transform, as a complex scalar."""
    sizes = sizes_or_none(tensor)
    if sizes is not None:
        return api.constant(math.prod(sizes[-rank:]), tensor.dtype)
    return api.cast(api.reduce_prod(api.shape(tensor)[-rank:]), tensor.dtype)


def _forward_gradient(inverse: Callable[..., Tensor], rank: int) -> Callable[..., Any]:
    return lambda op, grad: inverse(grad) * element_count(grad, rank)


def _backward_gradient(forward: Callable[..., Tensor], rank: int) -> Callable[..., Any]:
    return lambda op, grad: forward(grad) / element_count(grad, rank)


def _declare_complex(
    type_name: str,
    kernel: Callable[..., Any],
    gradient: Callable[..., Any],
    rank: int,
    want: Callable[..., Any],
) -> None:
    values = [[[1.0 + 2.0j, -0.5j], [3.0, 0.25 - 1.0j], [2.0j, 1.5]]]
    declare(
        type_name,
        inputs="input: Tcomplex",
        outputs="output: Tcomplex",
        attrs="Tcomplex: {complex64, complex128} = DT_COMPLEX64",
        shape=lambda op: [shape_rules.at_least_rank(op.inputs[0].entries, rank, "input")],
        kernel=kernel,
        gradient=gradient,
        expensive=True,
        samples=[sample(values, want=want)],
    )


def fft(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform of the last axis.

    >>> import workbench as tf
    >>> tf.fft(tf.constant([1, 0, 0, 0], tf.complex64)).eval().real.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return call("FFT", name, input=input)


def ifft(input: Any, name: str | None = None) -> Tensor:
    """The inverse of `fft`."""
    return call("IFFT", name, input=input)


def fft2d(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform of the last two axes."""
    return call("FFT2D", name, input=input)


def ifft2d(input: Any, name: str | None = None) -> Tensor:
    """The inverse of `fft2d`."""
    return call("IFFT2D", name, input=input)


def fft3d(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform of the last three axes."""
    return call("FFT3D", name, input=input)


def ifft3d(input: Any, name: str | None = None) -> Tensor:
    """The inverse of `fft3d`."""
    return call("IFFT3D", name, input=input)


_declare_complex("FFT", kernels.fft, _forward_gradient(ifft, 1), 1, lambda x: np.fft.fft(x))
_declare_complex("IFFT", kernels.ifft, _backward_gradient(fft, 1), 1, lambda x: np.fft.ifft(x))
_declare_complex("FFT2D", kernels.fft2d, _forward_gradient(ifft2d, 2), 2, lambda x: np.fft.fft2(x))
_declare_complex(
    "IFFT2D", kernels.ifft2d, _backward_gradient(fft2d, 2), 2, lambda x: np.fft.ifft2(x)
)
_declare_complex("FFT3D", kernels.fft3d, _forward_gradient(ifft3d, 3), 3, lambda x: np.fft.fftn(x))
_declare_complex(
    "IFFT3D", kernels.ifft3d, _backward_gradient(fft3d, 3), 3, lambda x: np.fft.ifftn(x)
)
