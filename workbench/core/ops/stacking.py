"""Tensors side by side along a new axis, and apart again: stack, unstack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import merge_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import equal_shapes

Array = np.ndarray[Any, Any]


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


def pack(values: Any, axis: int, name: str | None) -> Tensor:
    """The tensors side by side: `stack` without a look at what the values are."""
    return call("Pack", name, values=values, axis=axis)


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
    return pack(values, axis, name)


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


def parallel_stack(values: Any, name: str | None = "parallel_stack") -> Tensor:
    """As `stack` along axis 0, for tensors of fully known shapes."""
    with name_scope(name, "parallel_stack") as scope:
        first = convert_to_tensor(values[0])
        first.shape.assert_is_fully_defined()
        parts = [api.expand_dims(v, 0) for v in values]
        shape = [len(parts), *first.shape.as_list()]
        return call("ParallelConcat", scope, values=parts, shape=shape)
