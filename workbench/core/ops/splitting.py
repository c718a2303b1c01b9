"""Tensors cut along an axis: split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.support import axis_number
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import declare, sample

Array = np.ndarray[Any, Any]


def _split(split_dim: Any, value: Any, *, num_split: int) -> Any:
    axis = axis_number(split_dim, np.ndim(value), "split_dim")
    size = np.shape(value)[axis]
    if size % num_split:
        raise InvalidArgumentError(
            None, None, f"Axis {axis} of size {size} does not split into {num_split} equal parts"
        )
    return tuple(np.split(value, num_split, axis))


def _split_shape(op: Any) -> list[Any]:
    number, entries = op.attrs["num_split"], op.inputs[1].entries
    axis = constant_value(op.inputs[0])
    if entries is None or axis is None:
        return [None if entries is None else (None,) * len(entries)] * number
    at = shape_rules.normalise_axis(int(axis), len(entries), "split_dim")
    size = entries[at]
    if isinstance(size, int):
        if size % number:
            raise ValueError(
                f"Dimension size must be evenly divisible by {number} but is {size}: the number "
                f"of ways to split should evenly divide the split dimension {at}"
            )
        size //= number
    elif number != 1:
        size = None
    return [(*entries[:at], size, *entries[at + 1 :])] * number


declare(
    "Split",
    inputs="split_dim: int32, value: T",
    outputs="output: num_split * T",
    attrs="num_split: int >= 1, T: type",
    shape=_split_shape,
    kernel=_split,
    gradient=lambda op, *grads: [None, api.concat(list(grads), op.inputs[0])],
    aliases_input=True,
    samples=[sample(1, [[1.0, 2.0, 3.0, 4.0]], num_split=2, want=([[1.0, 2.0]], [[3.0, 4.0]]))],
)


def _full_sizes(sizes: Sequence[int], total: int) -> list[int]:
    """The sizes with a -1 replaced by what is left over; ValueError where they do not add up."""
    full = [int(s) for s in sizes]
    if full.count(-1) == 1:
        full[full.index(-1)] = total - sum(s for s in full if s >= 0)
    if min(full, default=0) < 0 or sum(full) != total:
        raise ValueError(f"The sizes {list(sizes)} do not add up to the size of the axis, {total}")
    return full


def _split_v(value: Any, size_splits: Any, split_dim: Any, *, num_split: int) -> Any:
    axis = axis_number(split_dim, np.ndim(value), "split_dim")
    try:
        sizes = _full_sizes(size_splits.tolist(), np.shape(value)[axis])
    except ValueError as error:
        raise InvalidArgumentError(None, None, str(error)) from None
    return tuple(np.split(value, np.cumsum(sizes[:-1]), axis))


def _split_v_shape(op: Any) -> list[Any]:
    value, size_splits, axis = op.inputs[0], constant_value(op.inputs[1]), op.inputs[2]
    number, entries, at = op.attrs["num_split"], value.entries, constant_value(axis)
    if entries is None or at is None:
        return [None if entries is None else (None,) * len(entries)] * number
    where = shape_rules.normalise_axis(int(at), len(entries), "split_dim")
    sizes: list[Entry] = [None] * number
    total = entries[where]
    if size_splits is not None:
        if isinstance(total, int):
            sizes = list(_full_sizes(size_splits.tolist(), total))
        else:
            sizes = [int(s) if s >= 0 else None for s in size_splits]
    return [(*entries[:where], s, *entries[where + 1 :]) for s in sizes]


declare(
    "SplitV",
    inputs="value: T, size_splits: Tlen, split_dim: int32",
    outputs="output: num_split * T",
    attrs="num_split: int >= 1, T: type, Tlen: {int32, int64} = DT_INT64",
    shape=_split_v_shape,
    kernel=_split_v,
    gradient=lambda op, *grads: [api.concat(list(grads), op.inputs[2]), None, None],
    aliases_input=True,
    samples=[
        sample([1.0, 2.0, 3.0], [1, 2], 0, num_split=2, want=([1.0], [2.0, 3.0])),
        sample([[1.0, 2.0, 3.0]], [-1, 1], 1, num_split=2, want=([[1.0, 2.0]], [[3.0]])),
    ],
)


def split(
    value: Any,
    num_or_size_splits: Any,
    axis: Any = 0,
    num: int | None = None,
    name: str | None = "split",
) -> list[Tensor]:
    """`value` cut along `axis` into equal parts, or into parts of given sizes.

    `num_or_size_splits` is a Python int (the number of parts), or a list or tensor of sizes, one
    of which may be -1: what is left over. `num` is the number of sizes where it is not known.

    >>> import workbench as tf
    >>> [t.eval().tolist() for t in tf.split([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]
    >>> [t.eval().tolist() for t in tf.split([1, 2, 3, 4], [1, 3])]
    [[1], [2, 3, 4]]
    """
    if (
        hasattr(num_or_size_splits, "__index__")
        and not isinstance(num_or_size_splits, Tensor)
        and np.ndim(num_or_size_splits) == 0
    ):
        number = int(num_or_size_splits)
        op = create("Split", name, split_dim=axis, value=value, num_split=number)
        return list(op.outputs)
    with name_scope(name, "split", [value]) as scope:
        sizes = convert_to_tensor(num_or_size_splits, name="size_splits")
        if num is None:
            entries = shape_rules.with_rank(sizes.entries, 1, "num_or_size_splits")
            if not isinstance(entries[0], int):
                raise ValueError(f"Cannot infer num from shape {sizes.shape}: give num")
            num = entries[0]
        op = create("SplitV", scope, value=value, size_splits=sizes, split_dim=axis, num_split=num)
    return list(op.outputs)
