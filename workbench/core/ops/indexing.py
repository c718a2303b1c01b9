"""`tensor[...]`: Python's indexing syntax turned into strided slices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32, int64
from workbench.core.graph.shapes import Dimension
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.ops import api
from workbench.core.ops.constant import constant
from workbench.core.ops.slicing import strided_slice

_INDEX_TYPES = (int32, int64)
_ALLOWED = (
    "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar "
    "tf.int32/tf.int64 tensors are valid indices"
)
#: Inserts an axis of size 1 where it stands in an index.
newaxis = None


@dataclass
class _Bounds:
    """The bounds and masks of a strided slice, position by position."""

    begin: list[Any] = field(default_factory=list)
    end: list[Any] = field(default_factory=list)
    strides: list[Any] = field(default_factory=list)
    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0

    def add(self, begin: Any, end: Any, stride: Any) -> None:
        """Appends one position."""
        self.begin.append(begin)
        self.end.append(end)
        self.strides.append(stride)


def index_bounds(key: Any) -> _Bounds:
    """The bounds and masks that an index stands for; TypeError for what cannot be an index."""
    bounds = _Bounds()
    for position, item in enumerate(key if isinstance(key, (list, tuple)) else (key,)):
        bit = 1 << position
        if isinstance(item, slice):
            bounds.begin_mask |= bit if item.start is None else 0
            bounds.end_mask |= bit if item.stop is None else 0
            bounds.add(
                *(
                    default if part is None else _checked(part)
                    for part, default in ((item.start, 0), (item.stop, 0), (item.step, 1))
                )
            )
        elif item is Ellipsis:
            bounds.ellipsis_mask |= bit
            bounds.add(0, 0, 1)
        elif item is newaxis:
            bounds.new_axis_mask |= bit
            bounds.add(0, 0, 1)
        else:
            index = _checked(item)
            bounds.shrink_axis_mask |= bit
            bounds.add(index, index + 1, 1)
    return bounds


def _checked(item: Any) -> Any:
    """An index as an int or an integer tensor; TypeError for anything else."""
    if isinstance(item, TensorLike) or hasattr(item, "_as_tensor"):
        tensor = convert_to_tensor(item)
        if tensor.dtype.base_dtype not in _INDEX_TYPES:
            raise TypeError(
                f"Value passed to parameter 'begin' has DataType {tensor.dtype.base_dtype.name} "
                f"not in list of allowed values: int32, int64. {_ALLOWED}, got {item!r}"
            )
        if tensor.entries in ((), None):
            return tensor
    elif isinstance(item, Dimension) or (
        hasattr(item, "__index__")
        and not isinstance(item, (bool, np.bool_))
        and getattr(item, "shape", ()) == ()
    ):
        return int(item)
    raise TypeError(f"{_ALLOWED}, got {item!r}")


def pack_bounds(parts: list[Any]) -> Any:
    """The begins, ends or strides as one tensor: a constant where all of them are numbers."""
    if not any(isinstance(p, Tensor) for p in parts):
        array = np.array(parts, np.int64)
        limits = np.iinfo(np.int32)
        if not parts or (array.min() >= limits.min and array.max() <= limits.max):
            array = array.astype(np.int32)
        return constant(array, name="stack")
    kinds = {p.dtype.base_dtype.name for p in parts if isinstance(p, Tensor)}
    kind = "int32" if kinds == {"int32"} else "int64"
    return api.stack(
        [api.cast(p, kind) if isinstance(p, Tensor) and p.dtype != kind else p for p in parts]
    )


def _is_mask(key: Any) -> bool:
    if isinstance(key, np.ndarray):
        return bool(key.dtype == np.bool_)
    return isinstance(key, TensorLike) and getattr(key, "dtype", None) == "bool"


def getitem(x: Any, key: Any) -> Any:
    """`x[key]`: integers, slices, Ellipsis, tf.newaxis, scalar tensors, or a mask of bools.

    >>> import workbench as tf
    >>> x = tf.constant([[1, 2, 3], [4, 5, 6]])
    >>> x[1, ::2].eval().tolist(), x[..., tf.newaxis].shape.as_list()
    ([4, 6], [2, 3, 1])
    """
    if isinstance(x, SparseTensor):
        raise TypeError("A SparseTensor cannot be indexed: use tf.sparse_slice")
    if _is_mask(key):
        return api.boolean_mask(x, key)
    source, x = x, convert_to_tensor(x)
    with name_scope(None, "strided_slice", [x]) as scope:
        bounds = index_bounds(key)
        packed = [pack_bounds(p) for p in (bounds.begin, bounds.end, bounds.strides)]
        kinds = {p.dtype.base_dtype.name for p in packed}
        if len(kinds) > 1:
            packed = [api.cast(p, "int64") for p in packed]
        begin, end, strides = packed
        return strided_slice(
            x,
            begin,
            end,
            strides,
            bounds.begin_mask,
            bounds.end_mask,
            bounds.ellipsis_mask,
            bounds.new_axis_mask,
            bounds.shrink_axis_mask,
            var=source,
            name=scope,
        )
