"""Reductions of rows by the number of their segment, which are in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import segment as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _segment_shape(op: Any) -> list[Any]:
    data, ids = (t.entries for t in op.inputs[:2])
    (count,) = shape_rules.with_rank(ids, 1, "segment_ids")
    if data is None:
        return [None]
    shape_rules.at_least_rank(data, 1, "data")
    shape_rules.equal_sizes(data[0], count, "segment_ids has one number for each row of data")
    numbers = constant_value(op.inputs[1])
    rows = None if numbers is None else (int(numbers[-1]) + 1 if numbers.size else 0)
    return [(rows, *data[1:])]


def _per_segment(counts: Tensor, like: Tensor) -> Any:
    """A vector of one number per row, with axes of size 1 to meet the rows of `like`."""
    rank = like.shape.ndims
    if rank is not None:
        return api.reshape(counts, [-1] + [1] * (rank - 1))
    ones = api.fill(api.reshape(api.rank(like) - 1, [1]), 1)
    return api.reshape(counts, api.concat([[-1], ones], 0))


def _segment_mean_gradient(op: Any, grad: Any) -> list[Any]:
    data, ids = op.inputs
    ones = api.fill(api.reshape(api.size(ids), [1]), api.constant(1, grad.dtype))
    counts = segment_sum(ones, ids)
    # A gap holds no rows: its gradient is never gathered, but must not divide by zero.
    counts = api.maximum(counts, api.ones_like(counts))
    return [api.gather(grad / _per_segment(counts, data), ids), None]


def _extreme_gradient(op: Any, grad: Any) -> list[Any]:
    """The gradient goes in equal parts to all rows that reach the extreme of their segment."""
    data, ids = op.inputs
    chosen = api.equal(data, api.gather(op.outputs[0], ids))
    zeros = api.zeros_like(data)
    hits = segment_sum(api.cast(chosen, grad.dtype), ids)
    hits = api.maximum(hits, api.ones_like(hits))
    return [api.where(chosen, api.gather(grad / hits, ids), zeros), None]


def _declare(
    kind: str, kernel: Callable[..., Any], gradient: Any, types: str, want: list[list[float]]
) -> None:
    declare(
        f"Segment{kind}",
        inputs="data: T, segment_ids: Tindices",
        outputs="output: T",
        attrs=f"T: {{{types}}}, Tindices: {{int32, int64}}",
        shape=_segment_shape,
        kernel=kernel,
        gradient=gradient,
        samples=[sample([[1.0, 2.0], [3.0, 4.5], [5.0, -6.0]], [0, 0, 2], want=want)],
    )


_GAP, _LAST = [0.0, 0.0], [5.0, -6.0]
_declare(
    "Sum",
    kernels.segment_sum,
    lambda op, grad: [api.gather(grad, op.inputs[1]), None],
    "number",
    [[4.0, 6.5], _GAP, _LAST],
)
_declare("Mean", kernels.segment_mean, _segment_mean_gradient, "number", [[2.0, 3.25], _GAP, _LAST])
_declare("Prod", kernels.segment_prod, None, "number", [[3.0, 9.0], [1.0, 1.0], _LAST])
_declare("Min", kernels.segment_min, _extreme_gradient, "real", [[1.0, 2.0], _GAP, _LAST])
_declare("Max", kernels.segment_max, _extreme_gradient, "real", [[3.0, 4.5], _GAP, _LAST])


def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The sum of the rows of each segment; `segment_ids` is sorted.

    >>> import workbench as tf
    >>> tf.segment_sum([[1, 2], [3, 4], [5, 6]], [0, 0, 1]).eval().tolist()
    [[4, 6], [5, 6]]
    """
    return call("SegmentSum", name, data=data, segment_ids=segment_ids)


def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The mean of the rows of each segment; `segment_ids` is sorted."""
    return call("SegmentMean", name, data=data, segment_ids=segment_ids)


def segment_prod(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The product of the rows of each segment; `segment_ids` is sorted."""
    return call("SegmentProd", name, data=data, segment_ids=segment_ids)


def segment_min(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The smallest of the rows of each segment; `segment_ids` is sorted."""
    return call("SegmentMin", name, data=data, segment_ids=segment_ids)


def segment_max(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The largest of the rows of each segment; `segment_ids` is sorted."""
    return call("SegmentMax", name, data=data, segment_ids=segment_ids)
