"""Fourier transforms of real values, and the cosine transform."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import fourier as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.spectral import element_count, ifft, ifft2d, ifft3d
from workbench.core.ops.static_shapes import sizes_or_none


def _real_shape(rank: int, *, to_complex: bool) -> Callable[[Any], list[Any]]:
    def rule(op: Any) -> list[Any]:
        entries = shape_rules.at_least_rank(op.inputs[0].entries, rank, "input")
        (count,) = shape_rules.with_rank(op.inputs[1].entries, 1, "fft_length")
        shape_rules.fixed_size(count, rank, "fft_length has one size for each axis")
        if entries is None:
            return [None]
        value = constant_value(op.inputs[1])
        sizes: list[Entry] = [None] * rank if value is None else [int(v) for v in value]
        if to_complex and isinstance(sizes[-1], int):
            sizes[-1] = sizes[-1] // 2 + 1 if sizes[-1] else 0
        return [(*entries[:-rank], *sizes)]

    return rule


def _fitted(tensor: Any, target: Tensor, rank: int) -> Any:
    """`tensor` with its last axes cropped, or padded with zeros, to the sizes of `target`."""
    have, want = api.shape(tensor)[-rank:], api.shape(target)[-rank:]
    statics = [sizes_or_none(t) for t in (tensor, target)]
    if statics[0] is not None and statics[1] is not None:
        if statics[0][-rank:] == statics[1][-rank:]:
            return tensor
        have, want = (np.array(s[-rank:], np.int32) for s in statics if s is not None)
        minimum: Callable[..., Any] = np.minimum
    else:
        minimum = api.minimum
    kept = minimum(have, want)
    lead = api.shape(tensor)[:-rank]
    cropped = api.slice(tensor, api.zeros_like(api.shape(tensor)), api.concat([lead, kept], 0))
    after = api.concat([api.zeros_like(lead), want - kept], 0)
    padded = api.pad(cropped, api.stack([api.zeros_like(after), after], 1))
    padded.set_shape(target.shape)
    return padded


def _rfft_gradient(inverse: Callable[..., Tensor], rank: int) -> Callable[..., Any]:
    """The values' real part of the full inverse transform, with zeros for what rfft leaves out."""

    def gradient(op: Any, grad: Any) -> list[Any]:
        source, lengths = op.inputs
        last = lengths[-1] - api.shape(grad)[-1]
        known = constant_value(lengths)
        if known is not None:
            last = int(known[-1]) - (int(known[-1]) // 2 + 1 if known[-1] else 0)
        ahead = api.zeros(api.reshape(api.rank(grad) - 1, [1]), "int32")
        after = api.concat([ahead, [last]], 0)
        full = api.pad(grad, api.stack([api.zeros_like(after), after], 1))
        if grad.shape.ndims is not None and known is not None:
            full.set_shape([*grad.shape.as_list()[:-rank], *known.tolist()])
        values = api.real(inverse(full) * element_count(full, rank))
        return [_fitted(values, source, rank), None]

    return gradient


def _irfft_gradient(forward: Callable[..., Tensor], rank: int) -> Callable[..., Any]:
    """The transform of the gradient; frequencies that stand for two of the full spectrum, twice."""

    def gradient(op: Any, grad: Any) -> list[Any]:
        source, lengths = op.inputs
        spectrum = forward(grad, lengths)
        length = api.cast(lengths[-1], "int32")
        index = api.range(api.shape(spectrum)[-1])
        single = api.logical_or(api.equal(index, 0), api.equal(index * 2, length))
        weight = api.where(single, api.ones_like(index), 2 * api.ones_like(index))
        total = api.cast(api.reduce_prod(lengths), spectrum.dtype)
        scaled = spectrum * (api.cast(weight, spectrum.dtype) / total)
        return [_fitted(scaled, source, rank), None]

    return gradient


def _padded(tensor: Tensor, lengths: Tensor, rank: int, *, is_complex: bool) -> Tensor:
    """`tensor` padded with zeros up to the lengths, as the transforms want it."""
    wanted = constant_value(lengths)
    sizes = sizes_or_none(tensor)
    if wanted is not None and sizes is not None and len(sizes) >= rank == len(wanted):
        need = [int(w) for w in wanted]
        if is_complex:
            need[-1] = need[-1] // 2 + 1 if need[-1] else 0
        after = [max(0, w - s) for w, s in zip(need, sizes[-rank:], strict=True)]
        if not any(after):
            return tensor
        widths = [[0, 0]] * (len(sizes) - rank) + [[0, a] for a in after]
        padded: Tensor = api.pad(tensor, widths)
        return padded
    # The transform itself pads where the sizes are known in the run only.
    return tensor


def _of_real(type_name: str, rank: int, input: Any, fft_length: Any, name: str | None) -> Tensor:
    with name_scope(name, type_name.lower(), [input, fft_length]) as scope:
        tensor = convert_to_tensor(input, "float32", "input")
        tensor.shape.with_rank_at_least(rank)
        if fft_length is None:
            fft_length = api.shape(tensor)[-rank:]
        lengths = convert_to_tensor(fft_length, "int32", "fft_length")
        lengths.shape.with_rank(1)
        return call(
            type_name,
            scope,
            input=_padded(tensor, lengths, rank, is_complex=False),
            fft_length=lengths,
        )


def _to_real(type_name: str, rank: int, input: Any, fft_length: Any, name: str | None) -> Tensor:
    with name_scope(name, type_name.lower(), [input, fft_length]) as scope:
        tensor = convert_to_tensor(input, "complex64", "input")
        tensor.shape.with_rank_at_least(rank)
        if fft_length is None:
            shape = api.shape(tensor)[-rank:]
            last = api.maximum(0, 2 * (shape[-1:] - 1))
            fft_length = api.concat([shape[:-1], last], 0)
        lengths = convert_to_tensor(fft_length, "int32", "fft_length")
        lengths.shape.with_rank(1)
        return call(
            type_name,
            scope,
            input=_padded(tensor, lengths, rank, is_complex=True),
            fft_length=lengths,
        )


def rfft(input: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The Fourier transform of the last axis of real values: `fft_length` // 2 + 1 numbers.

    The input is cropped, or padded with zeros, to `fft_length` (int32, [1]) first.

    >>> import workbench as tf
    >>> tf.spectral.rfft([1.0, 0.0, 0.0, 0.0]).eval().real.tolist()
    [1.0, 1.0, 1.0]
    """
    return _of_real("RFFT", 1, input, fft_length, name)


def irfft(input: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `rfft`: `fft_length` real values, an even number by default."""
    return _to_real("IRFFT", 1, input, fft_length, name)


def rfft2d(input: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """`rfft` of the last two axes; `fft_length` is int32, [2]."""
    return _of_real("RFFT2D", 2, input, fft_length, name)


def irfft2d(input: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `rfft2d`."""
    return _to_real("IRFFT2D", 2, input, fft_length, name)


def rfft3d(input: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """`rfft` of the last three axes; `fft_length` is int32, [3]."""
    return _of_real("RFFT3D", 3, input, fft_length, name)


def irfft3d(input: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `rfft3d`."""
    return _to_real("IRFFT3D", 3, input, fft_length, name)


_CUBE = [[[1.0, -2.0, 0.5, 3.0], [0.25, 1.0, -1.0, 2.0]]]
for _rank, _suffix, _forward, _inverse, _kernel, _back_kernel in (
    (1, "", rfft, ifft, kernels.rfft, kernels.irfft),
    (2, "2D", rfft2d, ifft2d, kernels.rfft2d, kernels.irfft2d),
    (3, "3D", rfft3d, ifft3d, kernels.rfft3d, kernels.irfft3d),
):
    _lengths = [1, 2, 4][-_rank:]
    declare(
        f"RFFT{_suffix}",
        inputs="input: float, fft_length: int32",
        outputs="output: complex64",
        shape=_real_shape(_rank, to_complex=True),
        kernel=_kernel,
        gradient=_rfft_gradient(_inverse, _rank),
        expensive=True,
        samples=[
            sample(
                _CUBE,
                _lengths,
                want=lambda x, n: np.fft.rfftn(x, n, range(-len(n), 0)),
            ),
            sample(
                _CUBE,
                [*_lengths[:-1], 3],
                want=lambda x, n: np.fft.rfftn(x, n, range(-len(n), 0)),
            ),
        ],
    )
    declare(
        f"IRFFT{_suffix}",
        inputs="input: complex64, fft_length: int32",
        outputs="output: float",
        shape=_real_shape(_rank, to_complex=False),
        kernel=_back_kernel,
        gradient=_irfft_gradient(_forward, _rank),
        expensive=True,
        samples=[
            sample(
                [[[1.0, 0.5 - 1.0j, 2.0], [0.5, 1.0j, 1.0]]],
                _lengths,
                want=lambda x, n: np.fft.irfftn(x, n, range(-len(n), 0)),
            )
        ],
    )


def dct(
    input: Any,
    type: int = 2,
    n: int | None = None,
    axis: int = -1,
    norm: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The discrete cosine transform (type 2) of the last axis of float32 values.

    `norm` is None, or "ortho" for an orthogonal transform.

    >>> import workbench as tf
    >>> tf.spectral.dct([1.0, 1.0]).eval().tolist()
    [4.0, 0.0]
    """
    if type != 2:
        raise ValueError("Only Type II DCT is supported.")
    if n is not None:
        raise NotImplementedError("The DCT length argument is not implemented.")
    if axis != -1:
        raise NotImplementedError(f"axis must be -1. Got: {axis}")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")
    with name_scope(name, "dct", [input]):
        values = convert_to_tensor(input, "float32", "input")
        count = values.shape[-1].value if values.shape.ndims else None
        size: Any = api.shape(values)[-1] if count is None else count
        steps = api.cast(api.range(size), "float32")
        width = api.cast(size, "float32") if count is None else float(count)
        turn = api.exp(api.complex(api.zeros_like(steps), -steps * math.pi / 2.0 / width))
        whole: Any = rfft(values, fft_length=[2 * size])
        spectrum = whole[..., :size]
        result: Any = api.real(spectrum * turn) * 2.0
        if norm == "ortho":
            first = api.sqrt(0.25 / width) if count is None else math.sqrt(0.25 / width)
            rest = api.sqrt(0.5 / width) if count is None else math.sqrt(0.5 / width)
            ones = api.ones_like(steps)
            result = result * api.where(api.equal(steps, 0), first * ones, rest * ones)
        transform: Tensor = result
        return transform
