"""Sequences of numbers and grids of them: range, linspace, meshgrid."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph import dtypes
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

#: The types of a range, each holding the ones before it.
_RANGE_TYPES = (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64)


def _range_size(start: Any, limit: Any, delta: Any) -> int:
    """How many numbers a range has; ValueError where it has no end."""
    first, last, step = (v.item() for v in (start, limit, delta))
    if step == 0:
        raise ValueError("Requires delta != 0: a range needs steps that lead somewhere")
    if step > 0 and first > last:
        raise ValueError(f"Requires start <= limit when delta > 0: {first}/{last}")
    if step < 0 and first < last:
        raise ValueError(f"Requires start >= limit when delta < 0: {first}/{last}")
    if isinstance(step, int):
        return len(builtins.range(first, last, step))
    # In the range's own type: in float32, 1 / 1e-5 is 100000 and no more.
    return math.ceil(abs(float((limit - start) / delta)))


def _range_kernel(start: Any, limit: Any, delta: Any) -> Any:
    start, limit, delta = (np.asarray(v) for v in (start, limit, delta))
    for value, name in ((start, "start"), (limit, "limit"), (delta, "delta")):
        if value.ndim:
            raise InvalidArgumentError(
                None, None, f"{name} must be a scalar, not shape {list(value.shape)}"
            )
    try:
        count = _range_size(start, limit, delta)
    except ValueError as error:
        raise InvalidArgumentError(None, None, str(error)) from None
    if start.dtype.kind in "iu":
        return np.arange(count, dtype=start.dtype) * delta + start
    # In float64, so that the last number of a long float32 range is not off by many steps.
    steps = np.arange(count, dtype=np.float64)
    return (steps * float(delta) + float(start)).astype(start.dtype)


def _range_shape(op: Any) -> list[Any]:
    for tensor, what in zip(op.inputs, ("start", "limit", "delta"), strict=True):
        shape_rules.with_rank(tensor.entries, 0, what)
    values = [constant_value(t) for t in op.inputs]
    known = [v for v in values if v is not None]
    return [(_range_size(*known),)] if len(known) == 3 else [(None,)]


declare(
    "Range",
    inputs="start: Tidx, limit: Tidx, delta: Tidx",
    outputs="output: Tidx",
    attrs="Tidx: {bfloat16, float, double, int32, int64} = DT_INT32",
    shape=_range_shape,
    kernel=_range_kernel,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(3, 18, 3, want=[3, 6, 9, 12, 15]),
        sample(3, 1, -1, want=[3, 2]),
        sample(0.0, 1.0, 0.25, want=[0.0, 0.25, 0.5, 0.75]),
    ],
)


def _lin_space(start: Any, stop: Any, num: Any) -> Any:
    count = int(num)
    if count < 1:
        raise InvalidArgumentError(None, None, f"Requires num > 0: {count}")
    return np.linspace(float(start), float(stop), count).astype(np.asarray(start).dtype)


def _lin_space_shape(op: Any) -> list[Any]:
    for tensor, what in zip(op.inputs, ("start", "stop", "num"), strict=True):
        shape_rules.with_rank(tensor.entries, 0, what)
    num = constant_value(op.inputs[2])
    if num is not None and num <= 0:
        raise ValueError(f"Requires num > 0: {int(num)}")
    return [(None if num is None else int(num),)]


declare(
    "LinSpace",
    inputs="start: T, stop: T, num: Tidx",
    outputs="output: T",
    attrs="T: {bfloat16, float, double}, Tidx: {int32, int64} = DT_INT32",
    shape=_lin_space_shape,
    kernel=_lin_space,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(10.0, 12.0, 3, want=[10.0, 11.0, 12.0]),
        sample(5.0, 7.0, 1, want=[5.0]),
    ],
)


def linspace(start: Any, stop: Any, num: Any, name: str | None = None) -> Tensor:
    """`num` numbers at equal distances from `start` to `stop`, both of them included.

    `start` and `stop` are float32 or float64.

    >>> import workbench as tf
    >>> tf.linspace(0.0, 1.0, 5).eval().tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    return call("LinSpace", name, start=start, stop=stop, num=num)


lin_space = linspace


def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """The coordinates of a grid: one tensor for each of the vectors given, all of one shape.

    `indexing="xy"` (the default) exchanges the first two axes, "ij" does not; `name` names it.

    >>> import workbench as tf
    >>> x, y = tf.meshgrid([1, 2, 3], [4, 5])
    >>> x.eval().tolist(), y.eval().tolist()
    ([[1, 2, 3], [1, 2, 3]], [[4, 4, 4], [5, 5, 5]])
    """
    indexing, name = kwargs.pop("indexing", "xy"), kwargs.pop("name", "meshgrid")
    if kwargs:
        raise TypeError(f"{next(iter(kwargs))!r} is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing parameter must be either 'xy' or 'ij'")
    with name_scope(name, "meshgrid", args):
        tensors = [convert_to_tensor(a) for a in args]
        sizes = [api.size(t) for t in tensors]
        axes = list(builtins.range(len(tensors)))
        if indexing == "xy" and len(tensors) > 1:
            axes[:2] = [1, 0]
            sizes[:2] = [sizes[1], sizes[0]]
        shape = api.stack(sizes) if sizes else []
        grids = []
        for axis, tensor in zip(axes, tensors, strict=True):
            line = [1] * len(tensors)
            line[axis] = -1
            grids.append(api.broadcast_to(api.reshape(tensor, line), shape))
        return grids


def range(
    start: Any,
    limit: Any = None,
    delta: Any = 1,
    dtype: Any = None,
    name: str | None = "range",
) -> Tensor:
    """The numbers from `start` (0) up to, not with, `limit` in steps of `delta`.

    `dtype` is the widest of the arguments' types when it is not given.

    >>> import workbench as tf
    >>> tf.range(3).eval().tolist(), tf.range(1, 7, 3).eval().tolist()
    ([0, 1, 2], [1, 4])
    """
    if limit is None:
        start, limit = 0, start
    with name_scope(name, "Range", [start, limit, delta]) as scope:
        tensors = [
            convert_to_tensor(value, dtype, label)
            for value, label in ((start, "start"), (limit, "limit"), (delta, "delta"))
        ]
        if dtype is None:
            kinds = [t.dtype.base_dtype for t in tensors]
            for kind in kinds:
                if kind not in _RANGE_TYPES:
                    names = ", ".join(t.name for t in _RANGE_TYPES)
                    raise TypeError(f"tf.range needs numbers of {names}, got {kind.name}")
            widest = max(kinds, key=_RANGE_TYPES.index)
            tensors = [t if t.dtype.base_dtype is widest else api.cast(t, widest) for t in tensors]
        return call("Range", scope, start=tensors[0], limit=tensors[1], delta=tensors[2])
