"""Joining tensors and taking them apart: concat, stack, split, unstack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.static_shapes import equal_entries

Array = np.ndarray[Any, Any]


def _concat(values: Sequence[Any], axis: Any, *, out: Array | None = None) -> Any:
    arrays = [np.asarray(v) for v in values]
    if np.ndim(axis):
        raise InvalidArgumentError(
            None, None, f"axis tensor should be a scalar integer, but got shape {np.shape(axis)}"
        )
    at, rank = int(axis), arrays[0].ndim
    if not -rank <= at < rank:
        raise InvalidArgumentError(
            None,
            None,
            f"Expected concatenating dimensions in the range [{-rank}, {rank}), but got {at}",
        )
    try:
        return np.concatenate(arrays, at, out=out)
    except ValueError:
        shapes = ", ".join(str(list(a.shape)) for a in arrays)
        if any(a.ndim != rank for a in arrays):
            raise InvalidArgumentError(
                None, None, f"Ranks of all input tensors should match, got shapes {shapes}"
            ) from None
        raise InvalidArgumentError(
            None,
            None,
            f"The sizes of all inputs must match except along axis {at}, got shapes {shapes}",
        ) from None


def joined_entries(values: Sequence[Tensor], axis_input: Tensor) -> Entries:
    """The shape of tensors one after the other along the axis that a tensor holds."""
    shape_rules.with_rank(axis_input.entries, 0, "axis")
    known = [t.entries for t in values if t.entries is not None]
    if not known:
        return None
    rank = len(known[0])
    for entries in known:
        if len(entries) != rank:
            raise ValueError(f"Shapes must be equal rank, but are {rank} and {len(entries)}")
    if rank == 0:
        raise ValueError("Can't concatenate scalars (use tf.stack instead)")
    axis = constant_value(axis_input)
    if axis is None:
        return (None,) * rank
    if not -rank <= int(axis) < rank:
        least = int(axis) + 1 if axis >= 0 else -int(axis)
        raise ValueError(f"Shape must be at least rank {least} but is rank {rank}")
    at = int(axis) % rank
    result: list[Entry] = list(known[0])
    for entries in known[1:]:
        for i in range(rank):
            if i != at:
                result[i] = equal_entries(result[i], entries[i], i, known[0], entries)
    result[at] = _total([t.entries[at] if t.entries is not None else None for t in values])
    return tuple(result)


def _total(sizes: Sequence[Entry]) -> Entry:
    known = [s for s in sizes if isinstance(s, int)]
    if len(known) == len(sizes):
        return sum(known)
    rest = [s for s in sizes if not isinstance(s, int)]
    return rest[0] if len(rest) == 1 and sum(known) == 0 else None


def _concat_gradient(grad: Any, values: Sequence[Tensor], axis_input: Tensor) -> list[Any]:
    axis = constant_value(axis_input)
    if axis is not None:
        sizes = [None if t.entries is None else t.entries[int(axis)] for t in values]
        if all(isinstance(s, int) for s in sizes):
            return list(api.split(grad, sizes, int(axis)))
    shapes = api.shape_n(list(values))
    at = api.floormod(axis_input, api.rank(values[0]))
    offsets = create("ConcatOffset", None, concat_dim=at, shape=shapes).outputs
    return [api.slice(grad, begin, size) for begin, size in zip(offsets, shapes, strict=True)]


_ROWS = ([[1.0, 2.0], [3.0, 4.0]], [[5.0], [6.0]])
_JOINED = [[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]
declare(
    "ConcatV2",
    inputs="values: N * T, axis: Tidx",
    outputs="output: T",
    attrs="N: int >= 2, T: type, Tidx: {int32, int64} = DT_INT32",
    shape=lambda op: [joined_entries(op.inputs[:-1], op.inputs[-1])],
    kernel=_concat,
    gradient=lambda op, grad: [*_concat_gradient(grad, op.inputs[:-1], op.inputs[-1]), None],
    samples=[
        sample(_ROWS, 1, want=_JOINED),
        sample(_ROWS, -1, want=_JOINED),
        sample(([b"a"], [b"b", b"c"]), 0, want=[b"a", b"b", b"c"]),
    ],
)


def _concat_first(concat_dim: Any, values: Sequence[Any], *, out: Array | None = None) -> Any:
    return _concat(values, concat_dim, out=out)


declare(
    "Concat",
    inputs="concat_dim: int32, values: N * T",
    outputs="output: T",
    attrs="N: int >= 2, T: type",
    shape=lambda op: [joined_entries(op.inputs[1:], op.inputs[0])],
    kernel=_concat_first,
    gradient=lambda op, grad: [None, *_concat_gradient(grad, op.inputs[1:], op.inputs[0])],
    samples=[sample(1, _ROWS, want=_JOINED)],
)


def _concat_offset(concat_dim: Any, shape: Sequence[Any]) -> Any:
    at = int(concat_dim)
    problem = _offset_problem(at, shape)
    if problem:
        raise InvalidArgumentError(None, None, problem)
    ends = np.cumsum([0, *(int(s[at]) for s in shape)])
    offsets = [np.zeros(len(s), np.int32) for s in shape]
    for offset, start in zip(offsets, ends, strict=False):
        offset[at] = start
    return tuple(offsets)


def _offset_problem(axis: int, shapes: Sequence[Any]) -> str:
    """Why tensors of these shapes do not follow each other along an axis."""
    rank = np.size(shapes[0])
    for i, shape in enumerate(shapes):
        if np.ndim(shape) != 1:
            return f"input {i} should be a vector, but got shape {list(np.shape(shape))}"
        if len(shape) != rank:
            return f"input {i} should contain {rank} elements, but got {len(shape)}"
    if not -rank <= axis < rank:
        return f"Concat dim is out of range: {axis} vs. {rank}"
    others = np.arange(rank) != axis % rank
    for i, shape in enumerate(shapes):
        if (shape != shapes[0])[others].any():
            sizes = [" ".join(map(str, s.tolist())) for s in (shape, shapes[0])]
            return (
                f"All dimensions except {axis % rank} must match. Input {i} has shape "
                f"[{sizes[0]}] and doesn't match input 0 with shape [{sizes[1]}]."
            )
    return ""


declare(
    "ConcatOffset",
    inputs="concat_dim: int32, shape: N * int32",
    outputs="offset: N * int32",
    attrs="N: int >= 2",
    shape=lambda op: [t.entries for t in op.inputs[1:]],
    kernel=_concat_offset,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample(1, ([2, 2], [2, 3], [2, 5]), want=([0, 0], [0, 2], [0, 5]))],
)


def concat(values: Any, axis: Any, name: str | None = "concat") -> Tensor:
    """The tensors in the list `values` one after the other along `axis`.

    >>> import workbench as tf
    >>> tf.concat([[[1, 2]], [[3, 4]]], axis=0).eval().tolist()
    [[1, 2], [3, 4]]
    """
    if not isinstance(values, (list, tuple)):
        values = [values]
    if len(values) == 1:
        with name_scope(name) as scope:
            at = convert_to_tensor(axis, "int32", "concat_dim")
            shape_rules.with_rank(at.entries, 0, "axis")
            single: Tensor = api.identity(values[0], name=scope)
            return single
    return call("ConcatV2", name, values=values, axis=axis)
