"""What is known of tensors' values while the graph is built.

Shape rules ask for it: the result of a reshape depends on the value of its second input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor

#: Operations that shapes and axes are computed with; they are evaluated when inputs are known.
_EVALUATED = frozenset(
    """
    Shape Size Rank ShapeN Range Cast ConcatV2 Concat Pack Unpack Fill Reshape
    ExpandDims Squeeze StridedSlice Slice Gather GatherV2 Identity Add Sub Mul
    FloorDiv FloorMod RealDiv Div Maximum Minimum Neg Prod Sum Max Min Tile
    ReverseV2 InvertPermutation Equal NotEqual Less LessEqual Greater GreaterEqual
    LogicalAnd LogicalOr LogicalNot Select ZerosLike OnesLike Mod Transpose
    BroadcastArgs BroadcastGradientArgs Where DynamicStitch ConcatOffset Split SplitV
    """.split()
)
#: Those of them whose results' sizes follow from values: they are no larger than the inputs say.
_OF_ANY_SIZE = frozenset({"Range", "Where", "BroadcastGradientArgs"})
_MAXIMUM_ELEMENTS = 4096


def constant_value(tensor: Any, depth: int = 24) -> np.ndarray[Any, Any] | None:
    """The value of a tensor that does not depend on anything of a run, or None.

    >>> import workbench as tf
    >>> from workbench.core.graph.constants import constant_value
    >>> constant_value(tf.shape(tf.zeros([2, 3])) * 2).tolist()
    [4, 6]
    """
    if not isinstance(tensor, Tensor):
        return None if tensor is None else np.asarray(tensor)
    op = tensor.op
    kind = op.type
    if kind == "Const":
        value: np.ndarray[Any, Any] = op.attrs["value"]
        return value
    if kind == "Placeholder" and op.graph.place:
        # What a body has of the graph around it.
        outside = op.graph.outside(tensor)
        return None if outside is None else constant_value(outside, depth - 1)
    if depth <= 0 or kind not in _EVALUATED:
        return None
    if kind in ("Shape", "Size", "Rank", "ShapeN"):
        return _of_shape(tensor)
    inputs = []
    for source in op.inputs:
        value_of = constant_value(source, depth - 1)
        if value_of is None or value_of.size > _MAXIMUM_ELEMENTS:
            return None
        inputs.append(value_of)
    elements = tensor.shape.num_elements()
    if (elements is None or elements > _MAXIMUM_ELEMENTS) and kind not in _OF_ANY_SIZE:
        return None
    return _evaluate(tensor, inputs)


def _of_shape(tensor: Tensor) -> np.ndarray[Any, Any] | None:
    op = tensor.op
    entries = op.inputs[tensor.value_index if op.type == "ShapeN" else 0].entries
    if entries is None:
        return None
    if op.type == "Rank":
        return np.array(len(entries), np.int32)
    if not all(isinstance(e, int) for e in entries):
        return None
    sizes = np.array(entries, tensor.dtype.as_numpy_dtype)
    return sizes.prod(dtype=sizes.dtype) if op.type == "Size" else sizes


def _evaluate(tensor: Tensor, inputs: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any] | None:
    from workbench.core.ops.kernel_binding import bind_kernel

    op = tensor.op
    kernel = bind_kernel(op.type, op.attrs, len(op.inputs))
    if kernel is None:
        return None
    try:
        with np.errstate(all="ignore"):
            result = kernel(*inputs)
    except Exception:
        return None
    if len(op.outputs) > 1:
        result = result[tensor.value_index]
    elif isinstance(result, tuple):
        result = result[0]
    return np.asarray(result)


def constant_entries(tensor: Any, depth: int = 24) -> Entries:
    """The shape that a shape-like tensor holds: what is known of its elements, None for others.

    Handles partly known shapes: the shape of a tensor with unknown sizes, packed, sliced or
    concatenated with known numbers. -1 stands for an unknown size and becomes None.
    """
    value = constant_value(tensor, depth)
    if value is not None:
        if value.ndim == 0:
            return None
        return tuple(int(v) if v >= 0 else None for v in value.reshape(-1))
    op = tensor.op
    kind = op.type
    if kind == "Shape":
        entries: Entries = op.inputs[0].entries
        return entries
    if kind == "Pack":
        return tuple(_scalar(t, depth - 1) for t in op.inputs)
    if kind == "ConcatV2":
        parts = [constant_entries(t, depth - 1) for t in op.inputs[:-1]]
        if any(p is None for p in parts):
            return _unknown(tensor)
        return tuple(e for p in parts for e in p or ())
    if kind == "StridedSlice":
        return _sliced(tensor, depth)
    if kind in ("Cast", "Identity"):
        return constant_entries(op.inputs[0], depth - 1)
    return _unknown(tensor)


def _unknown(tensor: Tensor) -> Entries:
    entries = tensor.entries
    if entries is None or len(entries) != 1 or not isinstance(entries[0], int):
        return None
    return (None,) * entries[0]


def _scalar(tensor: Tensor, depth: int) -> Entry:
    value = constant_value(tensor, depth)
    if value is not None:
        return int(value) if value.size == 1 and int(value) >= 0 else None
    if tensor.op.type == "StridedSlice" and tensor.op.attrs.get("shrink_axis_mask") == 1:
        source = constant_entries(tensor.op.inputs[0], depth - 1)
        index = constant_value(tensor.op.inputs[1], depth - 1)
        if source is not None and index is not None and index.size == 1:
            position = int(index.reshape(-1)[0])
            if -len(source) <= position < len(source):
                return source[position]
    return None


def _sliced(tensor: Tensor, depth: int) -> Entries:
    op = tensor.op
    source = constant_entries(op.inputs[0], depth - 1)
    bounds = [constant_value(t, depth - 1) for t in op.inputs[1:4]]
    if source is None or any(b is None or b.size != 1 for b in bounds):
        return _unknown(tensor)
    attrs = op.attrs
    if attrs.get("shrink_axis_mask") or attrs.get("new_axis_mask") or attrs.get("ellipsis_mask"):
        return _unknown(tensor)
    begin, end, step = (int(b.reshape(-1)[0]) for b in bounds if b is not None)
    first = None if attrs.get("begin_mask", 0) & 1 else begin
    last = None if attrs.get("end_mask", 0) & 1 else end
    return source[first:last:step]
