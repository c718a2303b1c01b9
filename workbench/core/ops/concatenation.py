"""Joining tensors and taking them apart: concat, stack, split, unstack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries, Entry, merge_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.static_shapes import equal_entries, equal_shapes

Array = np.ndarray[Any, Any]


def _concat(values: Sequence[Any], axis: Any, *, out: Array | None = None) -> Any:
    arrays = [np.asarray(v) for v in values]
    at, rank = int(axis), arrays[0].ndim
    if not -rank <= at < rank:
        raise InvalidArgumentError(
            None, None, f"axis {at} is out of range for tensors of rank {rank}"
        )
    try:
        return np.concatenate(arrays, at, out=out)
    except ValueError:
        shapes = ", ".join(str(list(a.shape)) for a in arrays)
        raise InvalidArgumentError(
            None,
            None,
            f"The sizes of all inputs must match except along axis {at}, got shapes {shapes}",
        ) from None


def _concat_shape(values: Sequence[Tensor], axis_input: Tensor) -> Entries:
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
    shape=lambda op: [_concat_shape(op.inputs[:-1], op.inputs[-1])],
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
    shape=lambda op: [_concat_shape(op.inputs[1:], op.inputs[0])],
    kernel=_concat_first,
    gradient=lambda op, grad: [None, *_concat_gradient(grad, op.inputs[1:], op.inputs[0])],
    samples=[sample(1, _ROWS, want=_JOINED)],
)


def _concat_offset(concat_dim: Any, shape: Sequence[Any]) -> Any:
    at = int(concat_dim)
    ends = np.cumsum([0, *(int(s[at]) for s in shape)])
    offsets = [np.zeros(len(s), np.int32) for s in shape]
    for offset, start in zip(offsets, ends, strict=False):
        offset[at] = start
    return tuple(offsets)


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


def _pack(values: Sequence[Any], *, axis: int, out: Array | None = None) -> Any:
    try:
        return np.stack([as_array(v) for v in values], axis, out=out)
    except ValueError:
        shapes = ", ".join(str(list(np.shape(v))) for v in values)
        raise InvalidArgumentError(
            None, None, f"All tensors to stack must have one shape, got {shapes}"
        ) from None


def _pack_shape(op: Any) -> list[Any]:
    known = [t.entries for t in op.inputs if t.entries is not None]
    if not known:
        return [None]
    merged = known[0]
    for entries in known[1:]:
        merged = equal_shapes(merged, entries) or ()
    at = shape_rules.normalise_axis(op.attrs["axis"], len(merged) + 1)
    return [(*merged[:at], len(op.inputs), *merged[at:])]


declare(
    "Pack",
    inputs="values: N * T",
    outputs="output: T",
    attrs="N: int >= 1, T: type, axis: int = 0",
    shape=_pack_shape,
    kernel=_pack,
    gradient=lambda op, grad: unstack(grad, len(op.inputs), op.attrs["axis"]),
    samples=[
        sample(([1.0, 2.0], [3.0, 4.0]), want=[[1.0, 2.0], [3.0, 4.0]]),
        sample(([1.0, 2.0], [3.0, 4.0]), axis=-1, want=[[1.0, 3.0], [2.0, 4.0]]),
        sample((b"a", b"b"), want=[b"a", b"b"]),
    ],
)


def _unpack(value: Any, *, num: int, axis: int) -> Any:
    array = np.asarray(value)
    if array.shape[axis] != num:
        raise InvalidArgumentError(
            None, None, f"Axis {axis} of the input has size {array.shape[axis]}, not num = {num}"
        )
    lines = np.moveaxis(array, axis, 0)
    return tuple(lines[i, ...] for i in range(num))


def _unpack_shape(op: Any) -> list[Any]:
    entries, number = op.inputs[0].entries, op.attrs["num"]
    if entries is None:
        return [None] * number
    at = shape_rules.normalise_axis(op.attrs["axis"], len(entries))
    merge_entries(entries[at], number)
    return [entries[:at] + entries[at + 1 :]] * number


declare(
    "Unpack",
    inputs="value: T",
    outputs="output: num * T",
    attrs="num: int >= 0, T: type, axis: int = 0",
    shape=_unpack_shape,
    kernel=_unpack,
    gradient=lambda op, *grads: stack(list(grads), op.attrs["axis"]),
    aliases_input=True,
    samples=[
        sample([[1.0, 2.0], [3.0, 4.0]], num=2, want=([1.0, 2.0], [3.0, 4.0])),
        sample([[1.0, 2.0], [3.0, 4.0]], num=2, axis=1, want=([1.0, 3.0], [2.0, 4.0])),
    ],
)


def _split(split_dim: Any, value: Any, *, num_split: int) -> Any:
    axis, size = int(split_dim), np.shape(value)[int(split_dim)]
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
                f"Dimension size must be evenly divisible by {number} but is {size}: "
                f"num_or_size_splits = {number} parts along axis {at}"
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
    gradient=lambda op, *grads: [None, concat(list(grads), op.inputs[0])],
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
    axis = int(split_dim)
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
    gradient=lambda op, *grads: [concat(list(grads), op.inputs[2]), None, None],
    aliases_input=True,
    samples=[
        sample([1.0, 2.0, 3.0], [1, 2], 0, num_split=2, want=([1.0], [2.0, 3.0])),
        sample([[1.0, 2.0, 3.0]], [-1, 1], 1, num_split=2, want=([[1.0, 2.0]], [[3.0]])),
    ],
)
declare(
    "ParallelConcat",
    inputs="values: N * T",
    outputs="output: T",
    attrs="N: int >= 1, T: type, shape: shape",
    shape=shape_rules.from_attribute(),
    kernel=lambda values: np.concatenate(values, 0),
    gradient=lambda op, grad: api.split(grad, len(op.inputs), 0),
    samples=[sample(([[1.0, 2.0]], [[3.0, 4.0]]), shape=[2, 2], want=[[1.0, 2.0], [3.0, 4.0]])],
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
        single: Tensor = api.identity(values[0], name=name)
        return single
    return call("ConcatV2", name, values=values, axis=axis)


def stack(values: Any, axis: int = 0, name: str | None = "stack") -> Tensor:
    """The tensors in the list `values`, all of one shape, side by side along a new axis.

    >>> import workbench as tf
    >>> tf.stack([[1, 4], [2, 5], [3, 6]], axis=1).eval().tolist()
    [[1, 2, 3], [4, 5, 6]]
    """
    if axis == 0:
        try:
            return convert_to_tensor(values, name=name)
        except (TypeError, ValueError):
            pass  # Not a nest of constants: Pack explains what does not fit.
    rank = convert_to_tensor(values[0]).shape.ndims if len(values) else None
    if rank is not None:
        _check_axis(axis, rank + 1)
    return call("Pack", name, values=values, axis=axis)


def _check_axis(axis: int, rank: int) -> None:
    if not -rank <= axis < rank:
        raise ValueError(f"axis = {axis} not in [{-rank}, {rank})")


def unstack(
    value: Any, num: int | None = None, axis: int = 0, name: str | None = "unstack"
) -> list[Tensor]:
    """The slices of `value` along `axis`, without that axis.

    `num` is how many there are; it may be left out where the static shape says it. Raises
    ValueError where neither does.

    >>> import workbench as tf
    >>> [t.eval().tolist() for t in tf.unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    if num is None:
        value = convert_to_tensor(value)
        entries = value.entries
        if entries is not None:
            _check_axis(axis, len(entries))
            num = entries[axis] if isinstance(entries[axis], int) else None
        if num is None:
            raise ValueError(f"Cannot infer num from shape {value.shape}: give num")
    return list(create("Unpack", name, value=value, num=num, axis=axis).outputs)


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
    if hasattr(num_or_size_splits, "__index__") and not isinstance(num_or_size_splits, Tensor):
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


def parallel_stack(values: Any, name: str | None = "parallel_stack") -> Tensor:
    """As `stack` along axis 0, for tensors of fully known shapes."""
    with name_scope(name, "parallel_stack") as scope:
        first = convert_to_tensor(values[0])
        first.shape.assert_is_fully_defined()
        parts = [api.expand_dims(v, 0) for v in values]
        shape = [len(parts), *first.shape.as_list()]
        return call("ParallelConcat", scope, values=parts, shape=shape)
