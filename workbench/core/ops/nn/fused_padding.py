"""Convolution of images that are padded by mirrors, and resized, on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.kernels import convolution, resizing
from workbench.core.kernels.padding import mirror_pad
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.image.resizing import resized_entries
from workbench.core.ops.nn import window_shapes
from workbench.core.ops.nn.convolution_rules import naive, numbers

_ATTRS = "mode: {'REFLECT', 'SYMMETRIC'}, strides: list(int), padding: {'SAME', 'VALID'}"


def _pad_conv(
    input: Any, paddings: Any, filter: Any, *, mode: str, strides: Any, padding: str
) -> Any:
    padded = mirror_pad(np.asarray(input), np.asarray(paddings), mode=mode)
    return convolution.conv2d(padded, np.asarray(filter), strides=strides, padding=padding)


def _fused_pad(
    input: Any, paddings: Any, filter: Any, *, mode: str, strides: Any, padding: str
) -> Any:
    return _pad_conv(input, paddings, filter, mode=mode, strides=strides, padding=padding)


def _fused_resize(
    input: Any,
    size: Any,
    paddings: Any,
    filter: Any,
    *,
    resize_align_corners: bool,
    mode: str,
    strides: Any,
    padding: str,
) -> Any:
    resized = resizing.resize_bilinear(
        np.asarray(input), np.asarray(size), align_corners=resize_align_corners
    )
    return _pad_conv(resized, paddings, filter, mode=mode, strides=strides, padding=padding)


def _convolved(op: Any, entries: Any) -> list[Any]:
    """The shape of the convolution of images of a shape, padded."""
    image = shape_rules.with_rank(entries, 4, "input")
    bank = shape_rules.with_rank(op.inputs[-1].entries, 4, "filter")
    shape_rules.equal_sizes(image[3], bank[2], "channels of the input and of the filter")
    widths = constant_value(op.inputs[-2])
    sizes: list[Any] = [None, None]
    if widths is not None:
        added = widths.sum(axis=1).tolist()
        sizes = [
            image[axis] + added[axis] if isinstance(image[axis], int) else None for axis in (1, 2)
        ]
    spatial = [
        window_shapes.output_size(size, taps, op.attrs["strides"][axis], 1, op.attrs["padding"])
        for size, taps, axis in zip(sizes, bank, (1, 2), strict=False)
    ]
    return [(image[0], *spatial, bank[3])]


_BANK = numbers(2, 2, 2, 3)
_STRIDES = [1, 1, 1, 1]


def _plain(x: Any, paddings: Any, bank: Any) -> Any:
    """Padded by NumPy, where the edge is not repeated, and correlated window by window."""
    return naive(np.pad(x, paddings, mode="reflect"), bank)


declare(
    "FusedPadConv2D",
    inputs="input: T, paddings: int32, filter: T",
    outputs="output: T",
    attrs=f"T: {{float}}, {_ATTRS}",
    shape=lambda op: _convolved(op, op.inputs[0].entries),
    kernel=_fused_pad,
    gradient=NOT_DIFFERENTIABLE,
    expensive=True,
    samples=[
        sample(
            numbers(1, 3, 4, 2),
            [[0, 0], [1, 2], [0, 1], [0, 0]],
            _BANK,
            mode="REFLECT",
            strides=_STRIDES,
            padding="VALID",
            want=_plain,
        )
    ],
)
declare(
    "FusedResizeAndPadConv2D",
    inputs="input: T, size: int32, paddings: int32, filter: T",
    outputs="output: T",
    attrs=f"T: {{float}}, resize_align_corners: bool = false, {_ATTRS}",
    shape=lambda op: _convolved(op, resized_entries(op.inputs[0].entries, op.inputs[1])[0]),
    kernel=_fused_resize,
    gradient=NOT_DIFFERENTIABLE,
    expensive=True,
    samples=[
        sample(
            [[[[0.0], [2.0]], [[4.0], [6.0]]]],
            [3, 3],
            [[0, 0], [0, 0], [0, 0], [0, 0]],
            [[[[1.0]]]],
            resize_align_corners=True,
            mode="SYMMETRIC",
            strides=_STRIDES,
            padding="VALID",
            want=[[[[0.0], [1.0], [2.0]], [[2.0], [3.0], [4.0]], [[4.0], [5.0], [6.0]]]],
        )
    ],
)
