"""Operands whose innermost elements do not lie side by side: copied before, or afterwards.

Convolutions and poolings go through vectors of channels (or filters). Where an operand has them
apart, as NCHW has, the kernel works on a copy in the work space that has them together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from math import prod

from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.specs import (
    Argument,
    Call,
    LoopSpec,
    Lowered,
    Operand,
    Step,
    Store,
)
from workbench.core.codegen.target import ITEM_BYTES, Target

_ALIGNMENT = 64


@dataclass(frozen=True)
class Place:
    """An operand of a kernel: the extents of its dimensions, and whether it is read and written."""

    shape: tuple[int, ...]
    read: bool
    written: bool


def is_together(operand: Operand, shape: Sequence[int]) -> bool:
    """Whether the innermost elements lie side by side, or are one.

    >>> is_together(Operand("float32", (64, 4, 1, 16)), (2, 4, 4, 4))
    False
    """
    return shape[-1] == 1 or operand.strides[-1] in (0, 1)


def with_copies(
    operands: Sequence[Operand],
    places: Sequence[Place],
    apart: Collection[int],
    lower: Callable[[tuple[Operand, ...]], Lowered],
    target: Target,
) -> Lowered:
    """The kernel that `lower` makes, with copies of the operands `apart`."""
    if not apart:
        return lower(tuple(operands))
    kernel_operands = list(operands)
    offsets: dict[int, int] = {}
    size = 0
    for number in sorted(apart):
        # A dimension in which all places share the element stays one.
        shape = _distinct(operands[number], places[number])
        kernel_operands[number] = Operand(operands[number].dtype, _contiguous(shape))
        offsets[number] = size
        size += _aligned(prod(shape) * ITEM_BYTES[operands[number].dtype])
    kernel = lower(tuple(kernel_operands))
    begin = _aligned(kernel.workspace)
    moved = {
        Argument("operand", number): Argument("workspace", begin + offset)
        for number, offset in offsets.items()
    }
    before: list[Call] = []
    after: list[Call] = []
    copied = 0.0
    for number in sorted(apart):
        operand, place = operands[number], places[number]
        shape = _distinct(operand, place)
        pair = (operand, kernel_operands[number])
        ends = (Argument("operand", number), moved[Argument("operand", number)])
        if place.read:
            before += _copy(shape, pair, ends, target)
        if place.written:
            after += _copy(shape, pair[::-1], ends[::-1], target)
        copied += 2.0 * prod(shape) * ITEM_BYTES[operand.dtype]
    calls = [
        replace(call, arguments=tuple(moved.get(a, a) for a in call.arguments))
        for call in kernel.calls
    ]
    return replace(
        kernel,
        calls=(*before, *calls, *after),
        workspace=begin + size,
        bytes=kernel.bytes + copied,
        notes={**kernel.notes, "copied operands": sorted(apart)},
    )


def _copy(
    shape: tuple[int, ...],
    operands: tuple[Operand, ...],
    ends: tuple[Argument, ...],
    target: Target,
) -> tuple[Call, ...]:
    steps = (Step("load", (), operands[0].dtype, 0),)
    loop = lower_loop(LoopSpec(shape, operands, steps, (Store(0, 1),)), target)
    assert not loop.workspace
    return tuple(
        replace(
            call,
            arguments=tuple(
                ends[argument.value] if argument.kind == "operand" else argument
                for argument in call.arguments
            ),
        )
        for call in loop.calls
    )


def _distinct(operand: Operand, place: Place) -> tuple[int, ...]:
    return tuple(
        size if stride else 1 for size, stride in zip(place.shape, operand.strides, strict=True)
    )


def _contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides in elements; 0 where there is one place."""
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step if size > 1 else 0)
        step *= size
    return tuple(reversed(strides))


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
