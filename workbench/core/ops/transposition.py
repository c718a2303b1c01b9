"""The same elements with the axes in another order."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import format_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _axes(perm: Any, rank: int) -> list[int]:
    """The axes of the permutation, not negative; ValueError where one is out of range."""
    axes: list[int] = [int(p) for p in np.asarray(perm).reshape(-1)]
    for axis in axes:
        if not -rank <= axis < rank:
            raise ValueError(f"perm dim {axis} is out of range of input rank {rank}")
    return [axis % rank for axis in axes]


def _transpose(x: Any, perm: Any) -> Any:
    array = as_array(x)
    try:
        return array.transpose(_axes(perm, array.ndim))
    except ValueError as error:
        raise InvalidArgumentError(None, None, _misfit(perm, array.ndim) or str(error)) from None


def _misfit(perm: Any, rank: int) -> str:
    """What keeps `perm` from being a permutation."""
    axes = np.asarray(perm).reshape(-1).tolist()
    missing = [str(a) for a in range(rank) if a not in axes and a - rank not in axes]
    if not missing:
        return ""
    return f"perm must list each of the {rank} axes: {', '.join(missing)} is missing from {axes}"


def _conjugate_transpose(x: Any, perm: Any) -> Any:
    return np.conjugate(_transpose(x, perm))


def _transpose_shape(op: Any) -> list[Any]:
    entries, perm = op.inputs[0].entries, constant_value(op.inputs[1])
    order = shape_rules.with_rank(op.inputs[1].entries, 1, "perm")
    if entries is None:
        return [(None,) * order[0] if isinstance(order[0], int) else None]
    if isinstance(order[0], int) and order[0] != len(entries):
        raise ValueError(
            f"Dimension must be {len(entries)} but is {order[0]}: perm must list every axis of a "
            f"tensor of shape {format_entries(entries)}"
        )
    if perm is None:
        return [(None,) * len(entries)]
    return [tuple(entries[a] for a in _axes(perm, len(entries)))]


def _undo(op: Any) -> Any:
    """The permutation that undoes the one of `op`."""
    perm = constant_value(op.inputs[1])
    if perm is None:
        return api.invert_permutation(op.inputs[1])
    return np.argsort(perm % max(perm.size, 1)).astype(np.int32)


for _type, _kernel, _function in (
    ("Transpose", _transpose, "transpose"),
    ("ConjugateTranspose", _conjugate_transpose, "conjugate_transpose"),
):

    def _gradient(op: Any, grad: Any, conjugate: bool = _type != "Transpose") -> Any:
        return [transpose(grad, _undo(op), conjugate=conjugate), None]

    declare(
        _type,
        inputs="x: T, perm: Tperm",
        outputs="y: T",
        attrs="T: type, Tperm: {int32, int64} = DT_INT32",
        shape=_transpose_shape,
        kernel=_kernel,
        gradient=_gradient,
        aliases_input=True,
        samples=[
            sample([[1.0, 2.0, 3.0]], [1, 0], want=[[1.0], [2.0], [3.0]]),
            sample(
                [[[1.0, 2.0]], [[3.0, 4.0]]],
                [2, 0, 1],
                want=lambda x, perm: np.moveaxis(x, 2, 0),
            ),
        ],
    )


def transpose(
    a: Any, perm: Any = None, name: str | None = "transpose", conjugate: bool = False
) -> Tensor:
    """`a` with its axes in the order `perm`, reversed when it is not given.

    >>> import workbench as tf
    >>> tf.transpose([[1, 2, 3], [4, 5, 6]]).eval().tolist()
    [[1, 4], [2, 5], [3, 6]]
    """
    with name_scope(name, "transpose", [a]) as scope:
        a = convert_to_tensor(a, name="a")
        if perm is None:
            if a.entries is not None:
                perm = np.arange(len(a.entries) - 1, -1, -1, dtype=np.int32)
            else:
                rank = api.rank(a)
                perm = (rank - 1) - api.range(rank)
        kind = "ConjugateTranspose" if conjugate and a.dtype.is_complex else "Transpose"
        return call(kind, scope, x=a, perm=perm)


def matrix_transpose(
    a: Any, name: str | None = "matrix_transpose", conjugate: bool = False
) -> Tensor:
    """`a` with its last two axes exchanged: each matrix of a batch transposed.

    Raises ValueError when `a` has fewer than two axes.
    """
    with name_scope(name, "matrix_transpose", [a]) as scope:
        a = convert_to_tensor(a, name="a")
        if a.entries is not None:
            rank = len(a.entries)
            if rank < 2:
                raise ValueError(
                    f"Argument 'a' should be a (batch) matrix with rank >= 2, got shape {a.shape}"
                )
            perm: Any = np.array([*range(rank - 2), rank - 1, rank - 2], np.int32)
        else:
            rank_of = api.rank(a)
            last = api.stack([rank_of - 1, rank_of - 2])
            perm = api.concat([api.range(rank_of - 2), last], 0)
        return transpose(a, perm, scope, conjugate)
