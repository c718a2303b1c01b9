"""One-hot vectors of numbers."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype, float32
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import gathering as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


def _one_hot_shape(op: Any) -> list[Any]:
    entries, depth = op.inputs[0].entries, constant_value(op.inputs[1])
    if entries is None:
        return [None]
    at = op.attrs["axis"]
    at = len(entries) if at == -1 else shape_rules.normalise_axis(at, len(entries) + 1)
    return [(*entries[:at], None if depth is None else int(depth), *entries[at:])]


declare(
    "OneHot",
    inputs="indices: TI, depth: int32, on_value: T, off_value: T",
    outputs="output: T",
    attrs="axis: int = -1, T: type, TI: {uint8, int32, int64} = DT_INT64",
    shape=_one_hot_shape,
    kernel=kernels.one_hot,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([0, 2], 3, 1.0, 0.0, want=[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
        sample([1, -1], 2, 5.0, 7.0, axis=0, want=[[7.0, 7.0], [5.0, 7.0]]),
    ],
)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """`on_value` (1) at each index along a new axis of size `depth`, `off_value` (0) elsewhere.

    The new axis is the last one, or `axis`. Indices outside [0, depth) give no `on_value`. Without
    values and `dtype` the result is float32; TypeError where they disagree.

    >>> import workbench as tf
    >>> tf.one_hot([0, 2], 3).eval().tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    given = [on_value, off_value, depth]
    with name_scope(name, "one_hot", [indices, *given]) as scope:
        wanted = None if dtype is None else as_dtype(dtype).base_dtype
        values: list[Any] = []
        for value, label, default in ((on_value, "on_value", 1), (off_value, "off_value", 0)):
            if value is not None:
                preferred = None if dtype is None or hasattr(value, "dtype") else wanted
                tensor = convert_to_tensor(value, name=label, preferred_dtype=preferred)
                if wanted is not None and tensor.dtype.base_dtype is not wanted:
                    beside = "dtype parameter" if dtype is not None else "on_value's dtype"
                    raise TypeError(
                        f"dtype {tensor.dtype.base_dtype.name} of {label} does not match "
                        f"{beside} {wanted.name}"
                    )
                if dtype is None:
                    wanted = tensor.dtype.base_dtype
                values.append(tensor)
            else:
                values.append(default)
        wanted = wanted or float32
        on, off = (
            value
            if isinstance(value, Tensor)
            else convert_to_tensor(bool(value) if wanted.is_bool else value, wanted, name=label)
            for value, label in zip(values, ("on_value", "off_value"), strict=True)
        )
        return call(
            "OneHot", scope, indices=indices, depth=depth, on_value=on, off_value=off, axis=axis
        )
