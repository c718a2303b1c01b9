"""Tensors surrounded by zeros, values or mirror images, and tensors repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import padding as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.static_shapes import check_listed, known_elements, sizes_or_none

_PAD_ATTRS = "T: type, Tpaddings: {int32, int64} = DT_INT32"


def _padded(entries: Entries, paddings: Tensor, sign: int) -> Entries:
    """The shape with the paddings added (sign 1) or taken away (-1)."""
    pairs = shape_rules.with_rank(paddings.entries, 2, "paddings")
    shape_rules.equal_sizes(pairs[1], 2, "paddings has two columns")
    rank = pairs[0] if isinstance(pairs[0], int) else None
    widths = known_elements(paddings)
    if widths is not None and any(w is not None and w < 0 for w in widths.reshape(-1)):
        raise ValueError(f"Paddings must be non-negative: {widths.tolist()}")
    if entries is None:
        return None if rank is None else (None,) * rank
    check_listed(rank, len(entries), "paddings has one row for each axis")
    if widths is None:
        return (None,) * len(entries)
    return tuple(
        None if None in pair else _wider(entry, sign * int(sum(pair)))
        for entry, pair in zip(entries, widths.reshape(-1, 2).tolist(), strict=True)
    )


def _wider(entry: Entry, by: int) -> Entry:
    if by == 0 or not isinstance(entry, int):
        return entry if by == 0 else None
    if entry + by < 0:
        raise ValueError(f"The paddings are wider than the padded axis, which has size {entry}")
    return entry + by


def _inner(grad: Any, op: Any) -> Any:
    """The part of the gradient that belongs to the padded tensor."""
    source, paddings = op.inputs[:2]
    widths, sizes = constant_value(paddings), sizes_or_none(source)
    if widths is not None and sizes is not None:
        return api.slice(grad, np.ascontiguousarray(widths[:, 0]), sizes)
    return api.slice(grad, paddings[:, 0], api.shape(source, out_type=paddings.dtype))


_AROUND = [[1, 0], [0, 2]]
declare(
    "Pad",
    inputs="input: T, paddings: Tpaddings",
    outputs="output: T",
    attrs=_PAD_ATTRS,
    shape=lambda op: [_padded(op.inputs[0].entries, op.inputs[1], 1)],
    kernel=kernels.pad,
    gradient=lambda op, grad: [_inner(grad, op), None],
    aliases_input=True,
    samples=[
        sample([[1.0, 2.0]], _AROUND, want=[[0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 0.0, 0.0]]),
        sample([b"a"], [[0, 1]], want=[b"a", b""]),
    ],
)


def _pad_v2_gradient(op: Any, grad: Any) -> list[Any]:
    inner = _inner(grad, op)
    return [inner, None, api.reduce_sum(grad) - api.reduce_sum(inner)]


declare(
    "PadV2",
    inputs="input: T, paddings: Tpaddings, constant_values: T",
    outputs="output: T",
    attrs=_PAD_ATTRS,
    shape=lambda op: [_padded(op.inputs[0].entries, op.inputs[1], 1)],
    kernel=kernels.pad_v2,
    gradient=_pad_v2_gradient,
    aliases_input=True,
    samples=[sample([[1.0, 2.0]], _AROUND, 9.0, want=[[9.0] * 4, [1.0, 2.0, 9.0, 9.0]])],
)


def _mirror_gradient(type_name: str) -> Any:
    def gradient(op: Any, grad: Any) -> list[Any]:
        paddings, mode = op.inputs[1], op.attrs["mode"]
        folded = call(type_name, None, input=grad, paddings=paddings, mode=mode)
        return [folded, None]

    return gradient


_MIRROR_ATTRS = f"{_PAD_ATTRS}, mode: {{'REFLECT', 'SYMMETRIC'}}"
_LINE = ([1.0, 2.0, 3.0], [[2, 1]])
declare(
    "MirrorPad",
    inputs="input: T, paddings: Tpaddings",
    outputs="output: T",
    attrs=_MIRROR_ATTRS,
    shape=lambda op: [_padded(op.inputs[0].entries, op.inputs[1], 1)],
    kernel=kernels.mirror_pad,
    gradient=_mirror_gradient("MirrorPadGrad"),
    samples=[
        sample(*_LINE, mode="REFLECT", want=[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]),
        sample(*_LINE, mode="SYMMETRIC", want=[2.0, 1.0, 1.0, 2.0, 3.0, 3.0]),
    ],
)
declare(
    "MirrorPadGrad",
    inputs="input: T, paddings: Tpaddings",
    outputs="output: T",
    attrs=_MIRROR_ATTRS,
    shape=lambda op: [_padded(op.inputs[0].entries, op.inputs[1], -1)],
    kernel=kernels.mirror_pad_grad,
    gradient=_mirror_gradient("MirrorPad"),
    samples=[
        sample([1.0, 2.0, 4.0, 8.0, 16.0], [[0, 2]], mode="SYMMETRIC", want=[1.0, 18.0, 12.0])
    ],
)


def _tiled(entries: Entries, multiples: Tensor) -> Entries:
    (rank,) = shape_rules.with_rank(multiples.entries, 1, "multiples")
    if entries is None:
        return (None,) * rank if isinstance(rank, int) else None
    check_listed(len(entries), rank, "multiples has one number for each axis")
    counts = known_elements(multiples)
    if counts is None:
        return (None,) * len(entries)
    return tuple(_repeated(e, c) for e, c in zip(entries, counts, strict=True))


def _repeated(entry: Entry, count: int | None) -> Entry:
    if count is None:
        return None
    if count < 0:
        raise ValueError(f"Expected all multiples to be non-negative, got {count}")
    if count == 0 or isinstance(entry, int):
        return entry * count if isinstance(entry, int) else 0
    return entry if count == 1 else None


def _tile_gradient(op: Any, grad: Any) -> list[Any]:
    """The sum over the repetitions: a reduction of the gradient cut into (count, size) pairs."""
    source, multiples = op.inputs
    counts, sizes = constant_value(multiples), sizes_or_none(source)
    if counts is not None and sizes is not None:
        split: Any = [int(n) for pair in zip(counts, sizes, strict=True) for n in pair]
        repeated = [2 * i for i, c in enumerate(counts) if c != 1]
        if not repeated:
            return [grad, None]
        return [api.reshape(api.reduce_sum(api.reshape(grad, split), repeated), sizes), None]
    shape = api.shape(source, out_type=multiples.dtype)
    split = api.reshape(api.stack([multiples, shape], 1), [-1])
    axes = api.range(0, api.size(split), 2)
    return [api.reshape(api.reduce_sum(api.reshape(grad, split), axes), shape), None]


declare(
    "Tile",
    inputs="input: T, multiples: Tmultiples",
    outputs="output: T",
    attrs="T: type, Tmultiples: {int32, int64} = DT_INT32",
    shape=lambda op: [_tiled(op.inputs[0].entries, op.inputs[1])],
    kernel=kernels.tile,
    gradient=_tile_gradient,
    aliases_input=True,
    samples=[
        sample([[1.0, 2.0]], [2, 2], want=[[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]),
        sample([b"a", b"b"], [2], want=[b"a", b"b", b"a", b"b"]),
        sample([[1.0, 2.0]], [1, 1], want=[[1.0, 2.0]]),
    ],
)


def _tile_grad_shape(op: Any) -> list[Any]:
    entries, counts = op.inputs[0].entries, constant_value(op.inputs[1])
    if entries is None or counts is None:
        return [None if entries is None else (None,) * len(entries)]
    return [
        tuple(
            e // int(c) if isinstance(e, int) and c else None
            for e, c in zip(entries, counts, strict=True)
        )
    ]


declare(
    "TileGrad",
    inputs="input: T, multiples: int32",
    outputs="output: T",
    attrs="T: type",
    shape=_tile_grad_shape,
    kernel=kernels.tile_grad,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([1.0, 2.0, 3.0, 4.0], [2], want=[4.0, 6.0])],
)


def pad(
    tensor: Any,
    paddings: Any,
    mode: str = "CONSTANT",
    name: str | None = None,
    constant_values: Any = 0,
) -> Tensor:
    """`tensor` with `paddings[d]` = (before, after) elements added around each axis d.

    `mode` is "CONSTANT" (`constant_values`, 0), "REFLECT" (the mirror image without the border)
    or "SYMMETRIC" (with it), in either case of letters.

    >>> import workbench as tf
    >>> tf.pad([[1, 2]], [[1, 0], [0, 2]]).eval().tolist()
    [[0, 0, 0, 0], [1, 2, 0, 0]]
    >>> tf.pad([1, 2, 3], [[1, 1]], "REFLECT").eval().tolist()
    [2, 1, 2, 3, 2]
    """
    kind = mode.upper()
    if kind == "CONSTANT":
        if isinstance(constant_values, (int, float)) and constant_values == 0:
            return call("Pad", name, input=tensor, paddings=paddings)
        return call("PadV2", name, input=tensor, paddings=paddings, constant_values=constant_values)
    if kind not in ("REFLECT", "SYMMETRIC"):
        raise ValueError(f"Unknown padding mode: {mode}")
    return call("MirrorPad", name, input=tensor, paddings=paddings, mode=kind)


def tile(input: Any, multiples: Sequence[int] | Any, name: str | None = None) -> Tensor:
    """`input` repeated `multiples[d]` times along each axis d.

    >>> import workbench as tf
    >>> tf.tile([[1, 2]], [2, 2]).eval().tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    return call("Tile", name, input=input, multiples=multiples)
