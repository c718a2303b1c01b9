"""Reductions of rows by the number of their segment, in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import segment as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import equal_shapes


def _unsorted_shape(op: Any) -> list[Any]:
    data, ids, number = op.inputs
    shape_rules.with_rank(number.entries, 0, "num_segments")
    if data.entries is None or ids.entries is None:
        return [None]
    equal_shapes(data.entries[: len(ids.entries)], ids.entries)
    count = constant_value(number)
    rows: Entry = None if count is None else int(count)
    return [(rows, *data.entries[len(ids.entries) :])]


def _gather_or_zero(params: Tensor, ids: Tensor, like: Tensor) -> tuple[Any, Any]:
    """The rows of `params` at `ids`, zeros for dropped ones; and which were not dropped."""
    rows = api.gather(params, api.maximum(ids, api.zeros_like(ids)))
    kept = api.greater_equal(ids, 0)
    if ids.shape.ndims != like.shape.ndims or ids.shape.ndims is None:
        extra = (
            [1] * (like.shape.ndims - ids.shape.ndims)
            if like.shape.ndims is not None and ids.shape.ndims is not None
            else api.fill(api.reshape(api.rank(rows) - api.rank(ids), [1]), 1)
        )
        kept = api.reshape(kept, api.concat([api.shape(ids), extra], 0))
        kept = api.logical_and(kept, api.ones_like(rows, dtype="bool"))
    return api.where(kept, rows, api.zeros_like(rows)), kept


def _unsorted_sum_gradient(op: Any, grad: Any) -> list[Any]:
    return [_gather_or_zero(grad, op.inputs[1], op.inputs[0])[0], None, None]


def _unsorted_extreme_gradient(op: Any, grad: Any) -> list[Any]:
    data, ids, number = op.inputs
    extreme, kept = _gather_or_zero(op.outputs[0], ids, data)
    chosen = api.logical_and(api.equal(data, extreme), kept)
    hits = unsorted_segment_sum(api.cast(chosen, grad.dtype), ids, number)
    hits = api.maximum(hits, api.ones_like(hits))
    shares, _ = _gather_or_zero(grad / hits, ids, data)
    return [api.where(chosen, shares, api.zeros_like(shares)), None, None]


def _unsorted_prod_gradient(op: Any, grad: Any) -> list[Any]:
    """Each row's share is the product of the others: by division where no factor is zero."""
    data, ids, number = op.inputs
    is_zero = api.equal(data, 0)
    zeros = unsorted_segment_sum(api.cast(is_zero, "int32"), ids, number)
    grad = api.where(api.greater(zeros, 1), api.zeros_like(grad), grad)
    others = unsorted_segment_prod(api.where(is_zero, api.ones_like(data), data), ids, number)
    product, _ = _gather_or_zero(op.outputs[0], ids, data)
    without, _ = _gather_or_zero(others, ids, data)
    divisor = api.where(is_zero, api.ones_like(data), data)
    partial = api.where(is_zero, without, product / divisor)
    incoming, _ = _gather_or_zero(grad, ids, data)
    return [incoming * partial, None, None]


def _declare(
    kind: str,
    kernel: Callable[..., Any],
    gradient: Callable[..., Any],
    types: str,
    rows: list[list[float]],
    elements: list[float],
) -> None:
    declare(
        f"UnsortedSegment{kind}",
        inputs="data: T, segment_ids: Tindices, num_segments: Tnumsegments",
        outputs="output: T",
        attrs=(
            f"T: {{{types}}}, Tindices: {{int32, int64}}, Tnumsegments: {{int32, int64}} = DT_INT32"
        ),
        shape=_unsorted_shape,
        kernel=kernel,
        gradient=gradient,
        samples=[
            sample([[1.0, 2.0], [3.0, 4.5], [5.0, -6.0]], [1, -1, 0], 2, want=rows),
            sample([[4.0, 2.0], [3.0, -1.0]], [[0, 1], [1, 0]], 2, want=elements),
        ],
    )


#: One row for each segment, so that all reductions agree.
_PICKED = [[5.0, -6.0], [1.0, 2.0]]
_declare(
    "Sum",
    kernels.unsorted_segment_sum,
    _unsorted_sum_gradient,
    "number",
    _PICKED,
    [3.0, 5.0],
)
_declare(
    "Prod",
    kernels.unsorted_segment_prod,
    _unsorted_prod_gradient,
    "number",
    _PICKED,
    [-4.0, 6.0],
)
_declare(
    "Max",
    kernels.unsorted_segment_max,
    _unsorted_extreme_gradient,
    "real",
    _PICKED,
    [4.0, 3.0],
)
_declare(
    "Min",
    kernels.unsorted_segment_min,
    _unsorted_extreme_gradient,
    "real",
    _PICKED,
    [-1.0, 2.0],
)


def _unsorted(kind: str, data: Any, ids: Any, number: Any, name: str | None) -> Tensor:
    return call(f"UnsortedSegment{kind}", name, data=data, segment_ids=ids, num_segments=number)


def unsorted_segment_sum(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The sum of the rows of each of `num_segments` segments; rows of negative ones are dropped.

    `segment_ids` has the shape of `data` or of its first axes.

    >>> import workbench as tf
    >>> tf.unsorted_segment_sum([1, 2, 4], [1, -1, 1], 3).eval().tolist()
    [0, 5, 0]
    """
    return _unsorted("Sum", data, segment_ids, num_segments, name)


def unsorted_segment_max(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The largest row of each segment; an empty segment gives the dtype's lowest value."""
    return _unsorted("Max", data, segment_ids, num_segments, name)


def unsorted_segment_min(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The smallest row of each segment; an empty segment gives the dtype's highest value."""
    return _unsorted("Min", data, segment_ids, num_segments, name)


def unsorted_segment_prod(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The product of the rows of each segment; an empty segment gives one."""
    return _unsorted("Prod", data, segment_ids, num_segments, name)


def _rows_in_segments(total: Tensor, ids: Any, number: Any) -> Any:
    """How many rows each segment has, no less than 1, in a shape that divides their total."""
    ids = convert_to_tensor(ids, name="segment_ids")
    ones = api.ones_like(ids, dtype=total.dtype.base_dtype)
    counts = api.maximum(unsorted_segment_sum(ones, ids, number), 1)
    extra = api.rank(total) - 1
    return api.reshape(counts, api.concat([api.shape(counts), api.fill([extra], 1)], 0))


def unsorted_segment_mean(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The mean of the rows of each segment; an empty segment gives zero.

    >>> import workbench as tf
    >>> tf.unsorted_segment_mean([1.0, 2.0, 4.0], [1, -1, 1], 3).eval().tolist()
    [0.0, 2.5, 0.0]
    """
    with name_scope(name, "UnsortedSegmentMean", [data, segment_ids, num_segments]) as scope:
        total = unsorted_segment_sum(data, segment_ids, num_segments)
        counts = _rows_in_segments(total, segment_ids, num_segments)
        result: Tensor = api.truediv(total, counts, name=scope)
        return result


def unsorted_segment_sqrt_n(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The sum of the rows of each segment, over the root of how many there are."""
    with name_scope(name, "UnsortedSegmentSqrtN", [data, segment_ids, num_segments]) as scope:
        total = unsorted_segment_sum(data, segment_ids, num_segments)
        counts = _rows_in_segments(total, segment_ids, num_segments)
        result: Tensor = api.truediv(total, api.sqrt(counts), name=scope)
        return result
