"""Slices with fixed bounds: strided slices with all their masks, plain slices, their gradients."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_entries, constant_value
from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import slicing as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import check_listed, known_elements, sizes_or_none

_MASK_NAMES = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
#: The masks as a declaration writes them.
MASK_ATTRIBUTES = ", ".join(f"{name}: int = 0" for name in _MASK_NAMES)
_ATTRS = f"T: type, Index: {{int32, int64}}, {MASK_ATTRIBUTES}"


def masks(op: Any) -> dict[str, Any]:
    """The masks of a strided slice, as keyword arguments."""
    return {name: op.attrs[name] for name in _MASK_NAMES}


def _bounds(tensor: Tensor, count: int) -> list[int | None]:
    known = known_elements(tensor)
    if known is None:
        return [None] * count
    return [None if v is None else int(v) for v in known.reshape(-1)]


def strided_slice_entries(op: Any) -> Entries:
    """The static shape of a strided slice; sizes that pass through whole keep their symbols."""
    source, begin, end, strides = op.inputs[:4]
    entries = source.entries
    counts = [t.entries[0] for t in (begin, end, strides) if t.entries]
    count = next((c for c in counts if isinstance(c, int)), None)
    if entries is None or count is None:
        return None
    sizes = [e if isinstance(e, int) else None for e in entries]
    bounds = [_bounds(t, count) for t in (begin, end, strides)]
    try:
        result: tuple[Entry, ...] = kernels.strided_slice_shape(sizes, *bounds, **masks(op))
        if all(isinstance(e, int) or e is None for e in entries) or None in bounds[2]:
            return result
        # The same index over unknown sizes tells which axes pass through: 1 is no such bound.
        begins, ends, steps = ([1 if v is None else v for v in b] for b in bounds)
        index = kernels.strided_slice_index(sizes, begins, ends, steps, **masks(op))
    except InvalidArgumentError as error:
        raise ValueError(error.message) from None
    return _with_symbols(entries, result, index)


def _with_symbols(
    entries: tuple[Entry, ...], result: tuple[Entry, ...], index: kernels.Index
) -> Entries:
    kept = list(result)
    axis, position = 0, 0
    for item in index:
        if item is None:
            position += 1
        elif isinstance(item, builtins.slice):
            if item.start in (None, 0) and item.stop is None and item.step in (None, 1):
                kept[position] = entries[axis]
            axis, position = axis + 1, position + 1
        else:
            axis += 1
    return tuple(kept)


def _strided_slice_gradient(op: Any, grad: Any) -> list[Any]:
    source, begin, end, strides = op.inputs
    inner = call(
        "StridedSliceGrad",
        None,
        shape=api.shape(source, out_type=begin.dtype),
        begin=begin,
        end=end,
        strides=strides,
        dy=grad,
        **masks(op),
    )
    inner.set_shape(source.shape)
    return [inner, None, None, None]


declare(
    "StridedSlice",
    inputs="input: T, begin: Index, end: Index, strides: Index",
    outputs="output: T",
    attrs=_ATTRS,
    shape=lambda op: [strided_slice_entries(op)],
    kernel=kernels.strided_slice,
    gradient=_strided_slice_gradient,
    aliases_input=True,
    samples=[
        sample([1.0, 2.0, 3.0, 4.0], [1], [3], [1], want=[2.0, 3.0]),
        sample([1.0, 2.0, 3.0, 4.0], [3], [0], [-2], want=[4.0, 2.0]),
        sample(
            [[1.0, 2.0], [3.0, 4.0]],
            [0, 1],
            [0, 2],
            [1, 1],
            begin_mask=1,
            end_mask=1,
            shrink_axis_mask=2,
            want=[2.0, 4.0],
        ),
        sample(
            [[1.0, 2.0], [3.0, 4.0]],
            [0, 0, 1],
            [0, 0, 2],
            [1, 1, 1],
            new_axis_mask=1,
            ellipsis_mask=2,
            want=[[[2.0], [4.0]]],
        ),
    ],
)
declare(
    "StridedSliceGrad",
    inputs="shape: Index, begin: Index, end: Index, strides: Index, dy: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=lambda op: [constant_entries(op.inputs[0])],
    kernel=kernels.strided_slice_grad,
    gradient=lambda op, grad: [
        *[None] * 4,
        strided_slice(grad, *op.inputs[1:4], **masks(op)),
    ],
    samples=[sample([4], [1], [3], [1], [5.0, 6.0], want=[0.0, 5.0, 6.0, 0.0])],
)


def _slice_shape(op: Any) -> list[Any]:
    entries = op.inputs[0].entries
    begin, size = (shape_rules.with_rank(t.entries, 1, "begin and size") for t in op.inputs[1:])
    rank = next((e for e in (begin[0], size[0]) if isinstance(e, int)), None)
    if entries is None:
        entries = None if rank is None else (None,) * rank
    if entries is None:
        return [None]
    check_listed(rank, len(entries), "begin and size list every axis of the input")
    starts, counts = (_bounds(t, len(entries)) for t in op.inputs[1:])
    return [
        tuple(
            _slice_entry(axis, *known)
            for axis, known in enumerate(zip(entries, starts, counts, strict=True))
        )
    ]


def _slice_entry(axis: int, entry: Entry, start: int | None, count: int | None) -> Entry:
    if count is None:
        return None
    if count == -1:
        if start == 0:
            return entry
        if start is None or not isinstance(entry, int):
            return None
        count = entry - start
    if start is not None and (
        start < 0 or count < 0 or (isinstance(entry, int) and start + count > entry)
    ):
        raise ValueError(
            f"Cannot take {count} elements from {start} on along axis {axis} of size {entry}"
        )
    return count


def _slice_gradient(op: Any, grad: Any) -> list[Any]:
    source, begin, _ = op.inputs
    starts, sizes, taken = (
        constant_value(begin),
        sizes_or_none(source),
        sizes_or_none(op.outputs[0]),
    )
    if starts is not None and sizes is not None and taken is not None:
        rest = np.array(sizes) - np.array(taken) - starts
        paddings: Any = np.stack([starts, rest], 1).astype(np.int32)
    else:
        kind = begin.dtype
        rest = api.shape(source, out_type=kind) - api.shape(op.outputs[0], out_type=kind) - begin
        paddings = api.stack([begin, rest], 1)
    return [api.pad(grad, paddings), None, None]


declare(
    "Slice",
    inputs="input: T, begin: Index, size: Index",
    outputs="output: T",
    attrs="T: type, Index: {int32, int64}",
    shape=_slice_shape,
    kernel=kernels.slice,
    gradient=_slice_gradient,
    aliases_input=True,
    samples=[
        sample([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [1, 0], [1, 2], want=[[4.0, 5.0]]),
        sample([1.0, 2.0, 3.0], [1], [-1], want=[2.0, 3.0]),
    ],
)


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """The part of `input_` from `begin` up to (not with) `end` in steps of `strides`.

    A mask's bit i says of position i: ignore its begin or end, an ellipsis, a new axis, or a
    single index whose axis goes away. `input_[...]` builds such a slice from Python's syntax.
    With `var`, the variable that `input_` is the value of, the result has a method `assign`.

    >>> import workbench as tf
    >>> tf.strided_slice([1, 2, 3, 4], [0], [4], [2]).eval().tolist()
    [1, 3]
    """
    if strides is None:
        strides = api.ones_like(begin)
    result = call(
        "StridedSlice",
        name,
        input=input_,
        begin=begin,
        end=end,
        strides=strides,
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
    )
    if var is None:
        return result
    from workbench.core.ops.slice_assignment import assignable

    return assignable(result)


def strided_slice_grad(
    shape: Any,
    begin: Any,
    end: Any,
    strides: Any,
    dy: Any,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    name: str | None = None,
) -> Tensor:
    """Zeros of `shape` with `dy` where the strided slice of these bounds would be taken."""
    return call(
        "StridedSliceGrad",
        name,
        shape=shape,
        begin=begin,
        end=end,
        strides=strides,
        dy=dy,
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
    )


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """`size[i]` elements of `input_` from `begin[i]` on along each axis i; -1 takes the rest.

    >>> import workbench as tf
    >>> tf.slice([[1, 2, 3], [4, 5, 6]], [1, 0], [1, -1]).eval().tolist()
    [[4, 5, 6]]
    """
    return call("Slice", name, input=input_, begin=begin, size=size)
