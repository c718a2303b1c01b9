"""Kernels that turn a tensor around along some axes."""

from __future__ import annotations

import numpy as np

from workbench.core.kernels.support import invalid


def reverse(tensor: np.ndarray, dims: np.ndarray) -> np.ndarray:
    """A view of ``tensor`` reversed along each dimension whose entry in ``dims`` is true.

    >>> reverse(np.array([[1, 2], [3, 4]]), np.array([False, True]))
    array([[2, 1],
           [4, 3]])
    """
    tensor, dims = np.asarray(tensor), np.asarray(dims)
    if dims.shape != (tensor.ndim,):
        raise invalid(
            f"dims must have one boolean for each of the {tensor.ndim} dimensions, got shape "
            f"{dims.shape}"
        )
    return np.flip(tensor, tuple(np.flatnonzero(dims)))


def reverse_v2(tensor: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """A view of ``tensor`` reversed along the axes listed in ``axis``.

    >>> reverse_v2(np.array([[1, 2], [3, 4]]), np.array([0, -1]))
    array([[4, 3],
           [2, 1]])
    """
    tensor = np.asarray(tensor)
    axes = []
    for value in np.asarray(axis).reshape(-1).tolist():
        if not -tensor.ndim <= value < tensor.ndim:
            raise invalid(
                f"axis {value} is out of range for a tensor of shape {tensor.shape}: accepted are "
                f"[{-tensor.ndim}, {tensor.ndim})"
            )
        axes.append(value % tensor.ndim)
    if len(set(axes)) != len(axes):
        raise invalid(f"axis {np.asarray(axis).tolist()} names a dimension more than once")
    return np.flip(tensor, tuple(axes))


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
            raise invalid(f"{name} {dimension} is out of range for shape {input.shape}")
    seq_dim, batch_dim = seq_dim % input.ndim, batch_dim % input.ndim
    if seq_dim == batch_dim:
        raise invalid(f"seq_dim and batch_dim must differ, both are {seq_dim}")
    steps = input.shape[seq_dim]
    if lengths.shape != (input.shape[batch_dim],):
        raise invalid(
            f"seq_lengths must have one length for each of the {input.shape[batch_dim]} batch "
            f"elements, got shape {lengths.shape}"
        )
    wrong = np.flatnonzero((lengths < 0) | (lengths > steps))
    if wrong.size:
        raise invalid(
            f"seq_lengths[{wrong[0]}] = {lengths[wrong[0]]} is not in [0, {steps}], the size of "
            f"dimension {seq_dim}"
        )
    step = np.arange(steps)
    last = lengths[:, np.newaxis] - 1
    order = np.where(step <= last, last - step, step)
    if seq_dim < batch_dim:
        order = order.T
    spread = [1] * input.ndim
    spread[batch_dim], spread[seq_dim] = lengths.size, steps
    return np.take_along_axis(input, order.reshape(spread), axis=seq_dim)
