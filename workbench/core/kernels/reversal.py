"""Kernels that turn a tensor around along some axes."""

from __future__ import annotations

import math

import numpy as np

from workbench.core.kernels.pixels import machine_pixels
from workbench.core.kernels.support import invalid, spelled

#: Pixels of up to so many bytes are small.
_SMALL_BYTES = 16


def reverse(tensor: np.ndarray, dims: np.ndarray) -> np.ndarray:
    """A view of ``tensor`` reversed along each dimension whose entry in ``dims`` is true.

    >>> reverse(np.array([[1, 2], [3, 4]]), np.array([False, True]))
    array([[2, 1],
           [4, 3]])
    """
    tensor, dims = np.asarray(tensor), np.asarray(dims)
    if dims.shape != (tensor.ndim,):
        raise invalid(
            "'dims' must have the same number of values as 'input' has dimensions. 'input' has "
            f"{tensor.ndim}, 'dims' has shape {spelled(dims.shape)}"
        )
    return np.flip(tensor, tuple(np.flatnonzero(dims)))


def reverse_v2(tensor: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """``tensor`` reversed along the axes listed in ``axis``: mostly a view of it.

    >>> reverse_v2(np.array([[1, 2], [3, 4]]), np.array([0, -1]))
    array([[4, 3],
           [2, 1]])
    """
    tensor = np.asarray(tensor)
    axes = []
    for number, value in enumerate(np.asarray(axis).reshape(-1).tolist()):
        if not -tensor.ndim <= value < tensor.ndim:
            raise invalid(
                f"'axis'[{number}] = {value} is out of valid range [{-tensor.ndim}, {tensor.ndim}) "
                f"for a tensor of shape {spelled(tensor.shape)}"
            )
        if value % tensor.ndim in axes:
            raise invalid(f"axis {value % tensor.ndim} specified more than once.")
        axes.append(value % tensor.ndim)
    return _reversed(tensor, axes)


def _reversed(tensor: np.ndarray, axes: list[int]) -> np.ndarray:
    """``tensor`` reversed along axes: a view, but of small pixels in rows a copy, as all that reads
    them takes far longer in that order."""
    found = _mirrored(tensor, axes[0]) if len(axes) == 1 else None
    return np.flip(tensor, tuple(axes)) if found is None else found


def _mirrored(tensor: np.ndarray, axis: int) -> np.ndarray | None:
    """A copy by machine code; None where there is none for this."""
    parts = math.prod(tensor.shape[axis + 1 :])
    if tensor.itemsize * parts > _SMALL_BYTES or tensor.dtype.hasobject:
        return None
    machine = machine_pixels(tensor.nbytes)
    if machine is None:
        return None
    found = machine.mirrored(tensor.reshape(-1, tensor.shape[axis], parts))
    return None if found is None else found.reshape(tensor.shape)


def reverse_sequence(
    input: np.ndarray, seq_lengths: np.ndarray, *, seq_dim: int, batch_dim: int = 0
) -> np.ndarray:
    """Each batch element reversed over its first ``seq_lengths[i]`` steps along ``seq_dim``.

    >>> reverse_sequence(np.array([[1, 2, 3], [4, 5, 6]]), np.array([2, 3]), seq_dim=1)
    array([[2, 1, 3],
           [6, 5, 4]])
    """
    input, lengths = np.asarray(input), np.asarray(seq_lengths)
    for name, dimension in (("seq_dim", seq_dim), ("batch_dim", batch_dim)):
        if not -input.ndim <= dimension < input.ndim:
            raise invalid(f"{name} must be < input rank ({dimension} vs. {input.ndim})")
    seq_dim, batch_dim = seq_dim % input.ndim, batch_dim % input.ndim
    if seq_dim == batch_dim:
        raise invalid(f"batch_dim == seq_dim == {seq_dim}: they must differ")
    steps = input.shape[seq_dim]
    if lengths.shape != (input.shape[batch_dim],):
        raise invalid(
            f"Length of seq_lengths != input.dims({batch_dim}), ({spelled(lengths.shape)} vs. "
            f"{input.shape[batch_dim]})"
        )
    wrong = np.flatnonzero((lengths < 0) | (lengths > steps))
    if wrong.size:
        first = int(wrong[0])
        bound = "< 0" if lengths[first] < 0 else f"> input.dims({seq_dim}), which is {steps}"
        raise invalid(f"seq_lens({first}) {bound}: got {lengths[first]}")
    step = np.arange(steps)
    last = lengths[:, np.newaxis] - 1
    order = np.where(step <= last, last - step, step)
    if seq_dim < batch_dim:
        order = order.T
    spread = [1] * input.ndim
    spread[batch_dim], spread[seq_dim] = lengths.size, steps
    return np.take_along_axis(input, order.reshape(spread), axis=seq_dim)


def roll(input: np.ndarray, shift: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """``input`` with its elements moved by ``shift`` along ``axis``, around the end.

    >>> roll(np.array([0, 1, 2, 3, 4]), np.array([2, -1]), np.array([0, 0]))
    array([4, 0, 1, 2, 3])
    """
    input, shift, axis = np.asarray(input), np.asarray(shift), np.asarray(axis)
    if not input.ndim:
        raise invalid("input must be 1-D or higher")
    for name, given in (("shift", shift), ("axis", axis)):
        if given.ndim > 1:
            raise invalid(f"{name} must be a scalar or a 1-D vector, got {spelled(given.shape)}")
    if shift.size != axis.size:
        raise invalid(
            f"shift and axis must have the same size, got {spelled(shift.shape)} and "
            f"{spelled(axis.shape)}"
        )
    steps, axes = shift.reshape(-1).tolist(), axis.reshape(-1).tolist()
    for each in axes:
        if not -input.ndim <= each < input.ndim:
            raise invalid(f"axis {each} is out of range for the shape {spelled(input.shape)}")
    return np.roll(input, steps, axes)
