"""Choosing by truth: where, boolean masks, sequence masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.dtypes import bool as bool_type
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import listing
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.static_shapes import equal_shapes

declare(
    "Where",
    inputs="input: T",
    outputs="index: int64",
    attrs="T: {number, bool} = DT_BOOL",
    shape=lambda op: [(None, None if op.inputs[0].entries is None else len(op.inputs[0].entries))],
    kernel=listing.where,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([[True, False], [False, True]], want=[[0, 0], [1, 1]])],
)


def _per_row(condition: Any, rank: int) -> Any:
    """The condition with axes of size 1 behind, so that a vector chooses whole rows."""
    array = np.asarray(condition)
    return array.reshape(array.shape + (1,) * (rank - array.ndim)) if array.ndim else array


def _select(condition: Any, t: Any, e: Any) -> Any:
    if not np.ndim(condition):
        # The result is one of the two as a whole.
        chosen = as_array(t if condition else e)
        return chosen.copy() if chosen.ndim else chosen[()]
    return np.where(_per_row(condition, np.ndim(t)), as_array(t), as_array(e))


def _select_shape(op: Any) -> list[Any]:
    condition, t, e = (tensor.entries for tensor in op.inputs)
    entries = equal_shapes(t, e)
    if condition is None or condition == ():
        return [entries]
    if entries is None:
        return [None if len(condition) == 1 else condition]
    if len(condition) == 1 and len(entries) >= 1:
        rows = shape_rules.equal_sizes(condition[0], entries[0], "condition chooses rows")
        return [(rows, *entries[1:])]
    return [equal_shapes(condition, entries)]


def _select_gradient(op: Any, grad: Any) -> list[Any]:
    condition = op.inputs[0]
    zeros = api.zeros_like(op.inputs[1])
    return [None, where(condition, grad, zeros), where(condition, zeros, grad)]


_CHOICE = ([True, False], [[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]])
declare(
    "Select",
    inputs="condition: bool, t: T, e: T",
    outputs="output: T",
    attrs="T: type",
    shape=_select_shape,
    kernel=_select,
    gradient=_select_gradient,
    samples=[
        sample(*_CHOICE, want=[[1.0, 2.0], [7.0, 8.0]]),
        sample([True, False], [1.0, 2.0], [3.0, 4.0], want=[1.0, 4.0]),
        sample(False, *_CHOICE[1:], want=[[5.0, 6.0], [7.0, 8.0]]),
    ],
)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """The positions where `condition` is true; or, with `x` and `y`, `x` there and `y` elsewhere.

    Alone: int64 [n, rank], in row-major order. With `x` and `y` of one shape, `condition` is a
    scalar, a vector that chooses rows, or of that shape too.

    >>> import workbench as tf
    >>> tf.where([True, False, True]).eval().tolist()
    [[0], [2]]
    >>> tf.where([True, False], [1, 2], [3, 4]).eval().tolist()
    [1, 4]
    """
    if x is None and y is None:
        with name_scope(name, "Where", [condition]) as scope:
            condition = convert_to_tensor(condition, name="condition", preferred_dtype=bool_type)
            return call("Where", scope, input=condition)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return call("Select", name, condition=condition, t=x, e=y)


def boolean_mask(
    tensor: Any, mask: Any, name: str | None = "boolean_mask", axis: int | None = None
) -> Tensor:
    """The elements of `tensor` where `mask` is true, along the axes that the mask covers.

    The mask covers the first axes, or those from `axis` on; its rank must be known.

    >>> import workbench as tf
    >>> tf.boolean_mask([[1, 2], [3, 4], [5, 6]], [True, False, True]).eval().tolist()
    [[1, 2], [5, 6]]
    """
    with name_scope(name, "boolean_mask", [tensor, mask]):
        tensor = convert_to_tensor(tensor, name="tensor")
        mask = convert_to_tensor(mask, name="mask")
        covered = mask.shape.ndims
        if covered == 0:
            raise ValueError("mask cannot be scalar.")
        if covered is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None. "
                "E.g. shape=[None] is ok, but shape=None is not."
            )
        start = 0 if axis is None else int(axis)
        if start < 0 and tensor.shape.ndims is not None:
            start += tensor.shape.ndims
        shape = tensor.shape
        shape[start : start + covered].assert_is_compatible_with(mask.shape)
        if covered > 1:
            sizes = api.shape(tensor)
            tensor = api.reshape(
                tensor, api.concat([sizes[:start], [-1], sizes[start + covered :]], 0)
            )
            if shape.ndims is not None:
                count = shape[start : start + covered].num_elements()
                tensor.set_shape(TensorShape([*shape[:start], count, *shape[start + covered :]]))
            mask = api.reshape(mask, [-1])
        chosen = api.squeeze(where(mask), [1])
        result: Tensor = api.gather(tensor, chosen, axis=start)
        return result


def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: Any = bool_type, name: str | None = None
) -> Tensor:
    """Rows that start with as many True as each of `lengths` says, `maxlen` entries long.

    `maxlen` is the greatest length when it is not given; `dtype` may be a number's type.

    >>> import workbench as tf
    >>> tf.sequence_mask([1, 3], dtype=tf.int32).eval().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    with name_scope(name, "SequenceMask", [lengths, maxlen]):
        lengths = convert_to_tensor(lengths, name="lengths")
        if maxlen is None:
            maxlen = api.maximum(api.reduce_max(lengths), 0)
        else:
            maxlen = convert_to_tensor(maxlen, name="maxlen")
        if maxlen.shape.ndims not in (None, 0):
            raise ValueError("maxlen must be scalar for sequence_mask")
        columns = api.expand_dims(lengths, -1)
        if columns.dtype.base_dtype is not maxlen.dtype.base_dtype:
            columns = api.cast(columns, maxlen.dtype.base_dtype)
        mask = api.less(api.range(maxlen), columns)
        wanted = bool_type if dtype is None else as_dtype(dtype).base_dtype
        result: Tensor = mask if wanted is bool_type else api.cast(mask, wanted)
        return result
