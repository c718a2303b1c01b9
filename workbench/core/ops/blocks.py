"""Trading space for batch or depth in blocks, and patches of images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import blocks as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample

# -- space and batch -----------------------------------------------------------------------------


def _divided(entry: Entry, by: int) -> Entry:
    if not isinstance(entry, int):
        return entry if by == 1 else None
    if entry % by:
        raise ValueError(f"Dimension size must be evenly divisible by {by} but is {entry}")
    return entry // by


def _block_shape(op: Any, to_batch: bool) -> list[Any]:
    """The shape of (Space|Batch)To(Batch|Space)ND."""
    source, blocks, edges = op.inputs
    (count,) = shape_rules.with_rank(blocks.entries, 1, "block_shape")
    rows, columns = shape_rules.with_rank(edges.entries, 2, "paddings or crops")
    shape_rules.equal_sizes(columns, 2, "paddings and crops have two columns")
    shape_rules.equal_sizes(rows, count, "paddings and crops have one row for each block size")
    entries = source.entries
    if entries is None:
        return [None]
    if not isinstance(count, int):
        return [(None,) * len(entries)]
    shape_rules.at_least_rank(entries, count + 1, "the input")
    sizes = constant_value(blocks)
    if sizes is None:
        return [(*(None,) * (count + 1), *entries[count + 1 :])]
    return [_moved(entries, [int(b) for b in sizes], constant_value(edges), to_batch)]


def _square_shape(op: Any, to_batch: bool) -> list[Any]:
    """The shape of SpaceToBatch and BatchToSpace, of images with a square block."""
    entries = shape_rules.with_rank(op.inputs[0].entries, 4, "the input")
    size = op.attrs["block_size"]
    return [_moved(entries, [size, size], constant_value(op.inputs[1]), to_batch)]


def _moved(entries: tuple[Entry, ...], blocks: list[int], edges: Any, to_batch: bool) -> Entries:
    if min(blocks, default=1) < 1:
        raise ValueError(f"block_shape must be positive, got {blocks}")
    if edges is not None and (edges < 0).any():
        raise ValueError(f"paddings and crops cannot be negative, got {edges.tolist()}")
    area = int(np.prod(blocks, dtype=np.int64))
    batch = entries[0]
    if to_batch:
        batch = batch * area if isinstance(batch, int) else (batch if area == 1 else None)
    else:
        batch = _divided(batch, area)
    result: list[Entry] = [batch]
    for axis, block in enumerate(blocks, 1):
        entry = entries[axis]
        if edges is None:
            result.append(None)
            continue
        width = int(np.sum(edges[axis - 1]))
        if not isinstance(entry, int):
            result.append(entry if block == 1 and width == 0 else None)
        elif to_batch:
            result.append(_divided(entry + width, block))
        elif entry * block < width:
            raise ValueError(f"crops take {width} of {entry * block} elements of axis {axis}")
        else:
            result.append(entry * block - width)
    return (*result, *entries[len(blocks) + 1 :])


def _nd_gradient(type_name: str, edges: str) -> Callable[..., Any]:
    def gradient(op: Any, grad: Any) -> list[Any]:
        inputs = {"input": grad, "block_shape": op.inputs[1], edges: op.inputs[2]}
        return [call(type_name, None, **inputs), None, None]

    return gradient


def _square_gradient(type_name: str, edges: str) -> Callable[..., Any]:
    def gradient(op: Any, grad: Any) -> list[Any]:
        inputs = {"input": grad, edges: op.inputs[1], "block_size": op.attrs["block_size"]}
        return [call(type_name, None, **inputs), None]

    return gradient


_IMAGE = [[[[1.0], [2.0]], [[3.0], [4.0]]]]
_BATCH = [[[[1.0]]], [[[2.0]]], [[[3.0]]], [[[4.0]]]]
_NONE = [[0, 0], [0, 0]]
declare(
    "SpaceToBatchND",
    inputs="input: T, block_shape: Tblock_shape, paddings: Tpaddings",
    outputs="output: T",
    attrs=(
        "T: type, Tblock_shape: {int32, int64} = DT_INT32, Tpaddings: {int32, int64} = DT_INT32"
    ),
    shape=lambda op: _block_shape(op, True),
    kernel=kernels.space_to_batch_nd,
    gradient=_nd_gradient("BatchToSpaceND", "crops"),
    aliases_input=True,
    samples=[
        sample(_IMAGE, [2, 2], _NONE, want=_BATCH),
        sample([[1.0, 2.0, 3.0]], [2], [[1, 0]], want=[[0.0, 2.0], [1.0, 3.0]]),
    ],
)
declare(
    "BatchToSpaceND",
    inputs="input: T, block_shape: Tblock_shape, crops: Tcrops",
    outputs="output: T",
    attrs="T: type, Tblock_shape: {int32, int64} = DT_INT32, Tcrops: {int32, int64} = DT_INT32",
    shape=lambda op: _block_shape(op, False),
    kernel=kernels.batch_to_space_nd,
    gradient=_nd_gradient("SpaceToBatchND", "paddings"),
    aliases_input=True,
    samples=[
        sample(_BATCH, [2, 2], _NONE, want=_IMAGE),
        sample([[0.0, 2.0], [1.0, 3.0]], [2], [[1, 0]], want=[[1.0, 2.0, 3.0]]),
    ],
)
declare(
    "SpaceToBatch",
    inputs="input: T, paddings: Tpaddings",
    outputs="output: T",
    attrs="T: type, Tpaddings: {int32, int64} = DT_INT32, block_size: int >= 2",
    shape=lambda op: _square_shape(op, True),
    kernel=kernels.space_to_batch,
    gradient=_square_gradient("BatchToSpace", "crops"),
    aliases_input=True,
    samples=[sample(_IMAGE, _NONE, block_size=2, want=_BATCH)],
)
declare(
    "BatchToSpace",
    inputs="input: T, crops: Tidx",
    outputs="output: T",
    attrs="T: type, block_size: int >= 2, Tidx: {int32, int64} = DT_INT32",
    shape=lambda op: _square_shape(op, False),
    kernel=kernels.batch_to_space,
    gradient=_square_gradient("SpaceToBatch", "paddings"),
    aliases_input=True,
    samples=[sample(_BATCH, _NONE, block_size=2, want=_IMAGE)],
)

# -- space and depth -----------------------------------------------------------------------------


def _depth_shape(op: Any, to_depth: bool) -> list[Any]:
    entries = shape_rules.with_rank(op.inputs[0].entries, 4, "the input")
    size = op.attrs["block_size"]
    channels = 3 if op.attrs["data_format"] == "NHWC" else 1
    result: list[Entry] = []
    for axis, entry in enumerate(entries):
        if axis == 0:
            result.append(entry)
        elif (axis == channels) is to_depth:
            factor = size * size if axis == channels else size
            result.append(entry * factor if isinstance(entry, int) else None)
        else:
            result.append(_divided(entry, size * size if axis == channels else size))
    return [tuple(result)]


def _depth_gradient(type_name: str) -> Callable[..., Any]:
    def gradient(op: Any, grad: Any) -> Any:
        size, layout = op.attrs["block_size"], op.attrs["data_format"]
        return call(type_name, None, input=grad, block_size=size, data_format=layout)

    return gradient


_DEPTH_ATTRS = (
    "T: type, block_size: int >= 2, data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'"
)
_DEEP = [[[[1.0, 2.0, 3.0, 4.0]]]]
_CHANNELS_FIRST = ([[[[1.0, 2.0], [3.0, 4.0]]]], [[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]])
declare(
    "SpaceToDepth",
    inputs="input: T",
    outputs="output: T",
    attrs=_DEPTH_ATTRS,
    shape=lambda op: _depth_shape(op, True),
    kernel=kernels.space_to_depth,
    gradient=_depth_gradient("DepthToSpace"),
    aliases_input=True,
    samples=[
        sample(_IMAGE, block_size=2, want=_DEEP),
        sample(_CHANNELS_FIRST[0], block_size=2, data_format="NCHW", want=_CHANNELS_FIRST[1]),
    ],
)
declare(
    "DepthToSpace",
    inputs="input: T",
    outputs="output: T",
    attrs=_DEPTH_ATTRS,
    shape=lambda op: _depth_shape(op, False),
    kernel=kernels.depth_to_space,
    gradient=_depth_gradient("SpaceToDepth"),
    aliases_input=True,
    samples=[
        sample(_DEEP, block_size=2, want=_IMAGE),
        sample(_CHANNELS_FIRST[1], block_size=2, data_format="NCHW", want=_CHANNELS_FIRST[0]),
    ],
)


def space_to_batch_nd(
    input: Any, block_shape: Any, paddings: Any, name: str | None = None
) -> Tensor:
    """`input` padded along the axes after the first, the elements of each block in the batch.

    >>> import workbench as tf
    >>> tf.space_to_batch_nd([[1, 2, 3, 4]], [2], [[0, 0]]).eval().tolist()
    [[1, 3], [2, 4]]
    """
    return call(
        "SpaceToBatchND",
        name,
        input=input,
        block_shape=_integers(block_shape),
        paddings=_integers(paddings),
    )


def _integers(values: Any) -> Any:
    """An array without elements has no type of its own: it counts as one of integers."""
    if isinstance(values, np.ndarray) and not values.size:
        return values.astype(np.int32)
    return values


def batch_to_space_nd(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """The inverse of `space_to_batch_nd`: blocks put together from the batch, then cropped."""
    return call(
        "BatchToSpaceND",
        name,
        input=input,
        block_shape=_integers(block_shape),
        crops=_integers(crops),
    )


def space_to_batch(input: Any, paddings: Any, block_size: int, name: str | None = None) -> Tensor:
    """`space_to_batch_nd` of images [batch, height, width, depth] with a square block."""
    block = np.array([block_size, block_size], np.int64)
    result = space_to_batch_nd(input, block, paddings, name)
    result.set_shape(result.shape.with_rank(4))
    return result


def batch_to_space(input: Any, crops: Any, block_size: int, name: str | None = None) -> Tensor:
    """`batch_to_space_nd` of images [batch, height, width, depth] with a square block."""
    block = np.array([block_size, block_size], np.int64)
    result = batch_to_space_nd(input, block, crops, name)
    result.set_shape(result.shape.with_rank(4))
    return result


def space_to_depth(
    input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC"
) -> Tensor:
    """Square blocks of pixels moved into the depth of images [batch, height, width, depth].

    >>> import workbench as tf
    >>> tf.space_to_depth([[[[1], [2]], [[3], [4]]]], 2).eval().tolist()
    [[[[1, 2, 3, 4]]]]
    """
    return call("SpaceToDepth", name, input=input, block_size=block_size, data_format=data_format)


def depth_to_space(
    input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC"
) -> Tensor:
    """The inverse of `space_to_depth`."""
    return call("DepthToSpace", name, input=input, block_size=block_size, data_format=data_format)


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Paddings that make `input_shape` a multiple of `block_shape`, and the crops that undo them.

    `base_paddings` is the least padding. Both results are integers [n, 2]; constants where the
    arguments are.

    >>> import workbench as tf
    >>> paddings, crops = tf.required_space_to_batch_paddings([5], [2])
    >>> paddings.eval().tolist(), crops.eval().tolist()
    ([[0, 1]], [[0, 1]])
    """
    with name_scope(name, "required_space_to_batch_paddings", [input_shape, block_shape]):
        sizes = convert_to_tensor(input_shape, "int32", "input_shape")
        blocks = convert_to_tensor(block_shape, "int32", "block_shape")
        (count,) = shape_rules.with_rank(blocks.entries, 1, "block_shape")
        if not isinstance(count, int):
            raise ValueError("The length of block_shape must be known before a run")
        if count == 0:
            empty = api.zeros([0, 2], "int32")
            return empty, empty
        sizes.shape.assert_is_compatible_with([count])
        if base_paddings is None:
            base_paddings = np.zeros((count, 2), np.int32)
        base = convert_to_tensor(base_paddings, "int32", "base_paddings")
        base.shape.assert_is_compatible_with([count, 2])
        known = [v for v in map(constant_value, (sizes, blocks, base)) if v is not None]
        if len(known) < 3:
            return _paddings(sizes, blocks, base, api.stack)
        paddings, crops = _paddings(known[0], known[1], known[2], np.stack)
        return convert_to_tensor(paddings, name="paddings"), convert_to_tensor(crops, name="crops")


def _paddings(sizes: Any, blocks: Any, base: Any, stack: Callable[..., Any]) -> tuple[Any, Any]:
    before, after = base[:, 0], base[:, 1]
    extra = (blocks - (sizes + before + after) % blocks) % blocks
    zeros = before - before
    return stack([before, after + extra], 1), stack([zeros, extra], 1)
