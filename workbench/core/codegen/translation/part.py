"""Operations whose result is put together of pieces: each is copied to its place."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from workbench.core.codegen.array_layout import Layout, contiguous
from workbench.core.codegen.translation.builder import Number
from workbench.core.codegen.translation.description import (
    attribute,
    constant_input,
    input_shape,
    output_shape,
)
from workbench.core.codegen.translation.view import indexed, slice_index
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import Node

#: More copies than this are left to the interpreter.
_MOST_COPIES = 64


class Part(NamedTuple):
    """An input, and where its elements go in the contiguous result (a layout of its shape)."""

    input: int
    place: Layout


class Parts(NamedTuple):
    """The pieces of a result; `fill` goes where there are none, and is None where they cover it."""

    parts: tuple[Part, ...]
    fill: Number | None = None


PARTS: dict[str, Callable[[Node], Parts]] = {}


def _puts_together(types: str) -> Callable[[Callable[[Node], Parts]], Callable[[Node], Parts]]:
    def enter(put: Callable[[Node], Parts]) -> Callable[[Node], Parts]:
        PARTS.update(dict.fromkeys(types.split(), put))
        return put

    return enter


@_puts_together("ConcatV2 Concat ParallelConcat")
def _concatenated(node: Node) -> Parts:
    count = len(node.inputs)
    axis_input = {"ConcatV2": count - 1, "Concat": 0}.get(node.type)
    axis = 0 if axis_input is None else int(constant_input(node, axis_input, "the axis"))
    place = contiguous(output_shape(node))
    axis %= len(place.shape)
    parts: list[Part] = []
    start = 0
    for i in range(count):
        if i != axis_input:
            size = input_shape(node, i)[axis]
            parts.append(Part(i, place.sliced(axis, start, size)))
            start += size
    return Parts(tuple(parts))


@_puts_together("Pack")
def _stacked(node: Node) -> Parts:
    place = contiguous(output_shape(node))
    axis = attribute(node, "axis") % len(place.shape)
    return Parts(
        tuple(Part(i, place.sliced(axis, i, 1).without(axis)) for i in range(len(node.inputs)))
    )


@_puts_together("Pad PadV2")
def _padded(node: Node) -> Parts:
    before = constant_input(node, 1, "its widths")[:, 0].tolist()
    fill = 0 if node.type == "Pad" else constant_input(node, 2, "what it fills up with").item()
    place = contiguous(output_shape(node))
    for axis, (start, size) in enumerate(zip(before, input_shape(node, 0), strict=True)):
        place = place.sliced(axis, start, size)
    return Parts((Part(0, place),), fill)


@_puts_together("StridedSliceGrad")
def _slice_gradient(node: Node) -> Parts:
    bounds = [constant_input(node, i, "its bounds") for i in (1, 2, 3)]
    place = contiguous(output_shape(node))
    place = indexed(place, slice_index(node, place.shape, bounds))
    if place.shape != input_shape(node, 4):
        raise Unsupported("the gradient has not the shape of the slice")
    return Parts((Part(4, place),), 0)


@_puts_together("Tile")
def _copies(node: Node) -> Parts:
    """The parts of a Tile that is no view: a copy for each repeat."""
    repeats: list[int] = np.asarray(constant_input(node, 1, "its repeats")).tolist()
    if math.prod(repeats) > _MOST_COPIES:
        raise Unsupported(f"it makes more than {_MOST_COPIES} copies")
    shape = input_shape(node, 0)
    parts: list[Part] = []
    for places in itertools.product(*map(range, repeats)):
        place = contiguous(output_shape(node))
        for axis, (number, size) in enumerate(zip(places, shape, strict=True)):
            place = place.sliced(axis, number * size, size)
        parts.append(Part(0, place))
    return Parts(tuple(parts))
