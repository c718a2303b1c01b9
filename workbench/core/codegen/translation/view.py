"""Operations whose result is their input seen in another way: nothing is computed or copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.codegen.array_layout import Layout
from workbench.core.codegen.translation.description import (
    attribute,
    constant_input,
    output_shape,
)
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.kernels.slicing import strided_slice_index
from workbench.core.plan.node import Node

#: Gives the layout of an output from that of the input; None where the elements have to move.
See = Callable[[Node, int, Layout], Layout | None]

VIEWS: dict[str, See] = {}
#: The input that is seen; the first one of types that are not listed.
_SOURCES = {"Split": 1}


def viewed_input(node: Node, index: int = 0) -> int:
    """The input that an output of a view is made of."""
    return index if node.type == "IdentityN" else _SOURCES.get(node.type, 0)


def _sees(types: str) -> Callable[[See], See]:
    def enter(see: See) -> See:
        VIEWS.update(dict.fromkeys(types.split(), see))
        return see

    return enter


@_sees("Identity IdentityN StopGradient PreventGradient PlaceholderWithDefault")
def _same(node: Node, index: int, layout: Layout) -> Layout | None:
    return layout


@_sees("Bitcast")
def _bits(node: Node, index: int, layout: Layout) -> Layout | None:
    if node.inputs[0].dtype.size != node.dtypes[0].size:
        raise Unsupported("its types have different sizes")
    return layout


@_sees("Reshape Squeeze ExpandDims")
def _reshaped(node: Node, index: int, layout: Layout) -> Layout | None:
    return layout.reshaped(output_shape(node))


@_sees("BroadcastTo")
def _broadcast(node: Node, index: int, layout: Layout) -> Layout | None:
    return layout.broadcast(output_shape(node))


@_sees("Tile")
def _tiled(node: Node, index: int, layout: Layout) -> Layout | None:
    repeats: list[int] = constant_input(node, 1, "its repeats").tolist()
    if any(r != 1 and size != 1 for r, size in zip(repeats, layout.shape, strict=True)):
        raise Unsupported("it repeats an axis that is longer than 1")
    return layout.broadcast(output_shape(node))


@_sees("Transpose")
def _transposed(node: Node, index: int, layout: Layout) -> Layout | None:
    order: list[int] = constant_input(node, 1, "the axes").reshape(-1).tolist()
    return layout.transposed([a % len(layout.shape) for a in order])


@_sees("Slice")
def _slice(node: Node, index: int, layout: Layout) -> Layout | None:
    starts: list[int] = constant_input(node, 1, "its bounds").tolist()
    for axis, (start, count) in enumerate(zip(starts, output_shape(node), strict=True)):
        layout = layout.sliced(axis, start, count)
    return layout


@_sees("StridedSlice")
def _strided_slice(node: Node, index: int, layout: Layout) -> Layout | None:
    bounds = [constant_input(node, i, "its bounds") for i in (1, 2, 3)]
    return indexed(layout, slice_index(node, layout.shape, bounds))


@_sees("Split")
def _split(node: Node, index: int, layout: Layout) -> Layout | None:
    axis = int(constant_input(node, 0, "the axis")) % len(layout.shape)
    size = layout.shape[axis] // len(node.dtypes)
    return layout.sliced(axis, index * size, size)


@_sees("SplitV")
def _split_sizes(node: Node, index: int, layout: Layout) -> Layout | None:
    axis = int(constant_input(node, 2, "the axis")) % len(layout.shape)
    start = sum(output_shape(node, i)[axis] for i in range(index))
    return layout.sliced(axis, start, output_shape(node, index)[axis])


@_sees("Unpack")
def _unpack(node: Node, index: int, layout: Layout) -> Layout | None:
    axis = attribute(node, "axis") % len(layout.shape)
    return layout.sliced(axis, index, 1).without(axis)


def slice_index(node: Node, shape: tuple[int, ...], bounds: list[Any]) -> tuple[Any, ...]:
    """The NumPy index that a strided slice of a shape stands for."""
    masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    begin, end, strides = (np.asarray(b).tolist() for b in bounds)
    return strided_slice_index(
        shape, begin, end, strides, **{name: attribute(node, name) for name in masks}
    )


def indexed(layout: Layout, index: tuple[Any, ...]) -> Layout:
    """What a NumPy index of slices, integers and None takes; Unsupported for steps backwards."""
    axis = 0
    for item in index:
        if item is None:
            layout = layout.with_axis(axis)
        elif isinstance(item, slice):
            start, stop, step = item.indices(layout.shape[axis])
            if step < 0:
                raise Unsupported("it steps backwards")
            layout = layout.sliced(axis, start, len(range(start, stop, step)), step)
        else:
            layout = layout.sliced(axis, item % layout.shape[axis], 1).without(axis)
            continue
        axis += 1
    return layout
