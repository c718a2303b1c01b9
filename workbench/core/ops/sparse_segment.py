"""Reductions by segment of rows that are picked first, as embeddings are combined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import segment as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import equal_shapes


def _sparse_shape(op: Any) -> list[Any]:
    data, indices, ids, *number = op.inputs
    equal_shapes(indices.entries, ids.entries)
    shape_rules.with_rank(indices.entries, 1, "indices")
    numbers, rows = constant_value(ids), None
    if number:
        shape_rules.with_rank(number[0].entries, 0, "num_segments")
        given = constant_value(number[0])
        rows = None if given is None else int(given)
        if rows is not None and rows < 0:
            raise ValueError(f"Cannot specify a negative value for num_segments, got {rows}")
    elif numbers is not None:
        rows = int(numbers[-1]) + 1 if numbers.size else 0
    if data.entries is None:
        return [None]
    return [(rows, *shape_rules.at_least_rank(data.entries, 1, "data")[1:])]  # type: ignore[index]


def _sparse_gradient_shape(op: Any) -> list[Any]:
    grad, rows = op.inputs[0].entries, constant_value(op.inputs[3])
    rest: Entries = None if grad is None else grad[1:]
    return [None if rest is None else (None if rows is None else int(rows), *rest)]


def _sparse_sum_gradient(op: Any, grad: Any) -> list[Any]:
    data, indices, ids, *number = op.inputs
    total = api.unsorted_segment_sum(api.gather(grad, ids), indices, api.shape(data)[0])
    return [total, None, None, *[None for _ in number]]


def _sparse_gradient_of(type_name: str) -> Callable[..., Any]:
    def gradient(op: Any, grad: Any) -> list[Any]:
        data, indices, ids, *number = op.inputs
        result = call(
            type_name,
            None,
            grad=grad,
            indices=indices,
            segment_ids=ids,
            output_dim0=api.shape(data)[0],
        )
        return [result, None, None, *[None for _ in number]]

    return gradient


def _declare(
    kind: str, kernel: Callable[..., Any], backward: Callable[..., Any], types: str, share: float
) -> None:
    gradient_type = f"SparseSegment{kind}Grad"
    gradient = _sparse_sum_gradient if kind == "Sum" else _sparse_gradient_of(gradient_type)
    declare(
        f"SparseSegment{kind}WithNumSegments",
        inputs="data: T, indices: Tidx, segment_ids: int32, num_segments: Tnumsegments",
        outputs="output: T",
        attrs=(
            f"T: {{{types}}}, Tidx: {{int32, int64}} = DT_INT32, "
            "Tnumsegments: {int32, int64} = DT_INT32"
        ),
        shape=_sparse_shape,
        kernel=kernel,
        gradient=gradient,
        samples=[
            sample(
                [[1.0, 2.0], [3.0, 4.0]],
                [1, 0, 1],
                [0, 0, 2],
                4,
                want=[[4.0 * share, 6.0 * share], [0.0, 0.0], [3.0, 4.0], [0.0, 0.0]],
            )
        ],
    )
    declare(
        f"SparseSegment{kind}",
        inputs="data: T, indices: Tidx, segment_ids: int32",
        outputs="output: T",
        attrs=f"T: {{{types}}}, Tidx: {{int32, int64}} = DT_INT32",
        shape=_sparse_shape,
        kernel=kernel,
        gradient=gradient,
        samples=[
            sample(
                [[1.0, 2.0], [3.0, 4.0]],
                [1, 0, 1],
                [0, 0, 1],
                want=[[4.0 * share, 6.0 * share], [3.0, 4.0]],
            )
        ],
    )
    declare(
        gradient_type,
        inputs="grad: T, indices: Tidx, segment_ids: int32, output_dim0: int32",
        outputs="output: T",
        attrs="T: {floating}, Tidx: {int32, int64} = DT_INT32",
        shape=_sparse_gradient_shape,
        kernel=backward,
        gradient=None,
        samples=[
            sample(
                [[4.0, 6.0], [3.0, 4.0]],
                [1, 0, 1],
                [0, 0, 1],
                2,
                want=[[4.0 * share, 6.0 * share], [4.0 * share + 3.0, 6.0 * share + 4.0]],
            )
        ],
    )


_declare("Sum", kernels.sparse_segment_sum, kernels.sparse_segment_sum_grad, "real", 1.0)
_declare("Mean", kernels.sparse_segment_mean, kernels.sparse_segment_mean_grad, "floating", 0.5)
_declare(
    "SqrtN",
    kernels.sparse_segment_sqrt_n,
    kernels.sparse_segment_sqrt_n_grad,
    "floating",
    0.5**0.5,
)


def _sparse(kind: str, data: Any, indices: Any, ids: Any, name: str | None, number: Any) -> Tensor:
    inputs = {"data": data, "indices": indices, "segment_ids": ids}
    if number is None:
        return call(f"SparseSegment{kind}", name, **inputs)
    return call(f"SparseSegment{kind}WithNumSegments", name, **inputs, num_segments=number)


def sparse_segment_sum(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """`segment_sum` of the rows of `data` at `indices`.

    There are as many segments as the last of the sorted `segment_ids` says, or `num_segments`.

    >>> import workbench as tf
    >>> tf.sparse_segment_sum([1, 2, 4], [2, 0, 2], [0, 0, 1], num_segments=3).eval().tolist()
    [5, 4, 0]
    """
    return _sparse("Sum", data, indices, segment_ids, name, num_segments)


def sparse_segment_mean(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """`segment_mean` of the rows of `data` at `indices`; see `sparse_segment_sum`."""
    return _sparse("Mean", data, indices, segment_ids, name, num_segments)


def sparse_segment_sqrt_n(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """The sum of the rows at `indices` by segment, over the root of how many there are.

    See `sparse_segment_sum`.
    """
    return _sparse("SqrtN", data, indices, segment_ids, name, num_segments)


def _backward(kind: str) -> Callable[..., Tensor]:
    def gradient(
        grad: Any, indices: Any, segment_ids: Any, output_dim0: Any, name: str | None = None
    ) -> Tensor:
        return call(
            f"SparseSegment{kind}Grad",
            name,
            grad=grad,
            indices=indices,
            segment_ids=segment_ids,
            output_dim0=output_dim0,
        )

    gradient.__doc__ = f"The gradient of SparseSegment{kind} for its data of `output_dim0` rows."
    return gradient


sparse_segment_mean_grad = _backward("Mean")
sparse_segment_sqrt_n_grad = _backward("SqrtN")
