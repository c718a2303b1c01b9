"""Reductions of sparse tensors, and the softmax of their rows."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import sparse as kernels
from workbench.core.ops import api
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.sparse.arithmetic import sparse_dense_cwise_add
from workbench.core.ops.sparse.support import as_sparse, check, dense_entries, parts

_INPUT = ("input_indices", "input_values", "input_shape")


def _reduced_shape(op: Any) -> list[Any]:
    check(op)
    entries, axes = dense_entries(op.inputs[2]), constant_value(op.inputs[3])
    if entries is None or axes is None:
        return [None]
    rank = len(entries)
    reduced = {int(a) % rank for a in axes.reshape(-1)} if axes.size else set(range(rank))
    if op.attrs["keep_dims"]:
        return [tuple(1 if i in reduced else e for i, e in enumerate(entries))]
    return [tuple(e for i, e in enumerate(entries) if i not in reduced)]


def _sum_gradient(op: Any, grad: Any) -> list[Any]:
    """Each entry takes the gradient of the sum it went into."""
    indices, _, shape, axes = op.inputs
    rank = api.size(shape)
    reduced = api.reshape(api.floormod(axes, rank), [-1])
    ones = api.cast(api.ones_like(reduced), shape.dtype)
    # Sizes of the result with the reduced axes kept, as 1.
    kept = api.dynamic_stitch([api.range(rank), reduced], [shape, ones])
    scaled = indices // api.maximum(shape // api.maximum(kept, 1), 1)
    return [None, api.gather_nd(api.reshape(grad, kept), scaled), None, None]


_ENTRIES = ([[0, 0], [0, 2], [1, 1]], [1.0, 2.0, -3.0], [2, 3])
_INPUTS = "input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32"
declare(
    "SparseReduceSum",
    inputs=_INPUTS,
    outputs="output: T",
    attrs="keep_dims: bool = false, T: {number}",
    shape=_reduced_shape,
    kernel=kernels.sparse_reduce_sum,
    gradient=_sum_gradient,
    samples=[
        sample(*_ENTRIES, [1], want=[3.0, -3.0]),
        sample(*_ENTRIES, [0], keep_dims=True, want=[[1.0, -3.0, 2.0]]),
        sample(*_ENTRIES, [-1], keep_dims=True, want=[[3.0], [-3.0]]),
    ],
)
declare(
    "SparseReduceMax",
    inputs=_INPUTS,
    outputs="output: T",
    attrs="keep_dims: bool = false, T: {real}",
    shape=_reduced_shape,
    kernel=kernels.sparse_reduce_max,
    gradient=None,
    samples=[sample(*_ENTRIES, [1], want=[2.0, -3.0]), sample(*_ENTRIES, [0, 1], want=2.0)],
)


def _sparse_shape(op: Any) -> list[Entries]:
    _, rank = check(op)
    axes = constant_value(op.inputs[3])
    if op.attrs["keep_dims"]:
        kept = rank
    elif isinstance(rank, int) and axes is not None:
        kept = rank - len({int(a) % rank for a in axes.reshape(-1)}) if axes.size else 0
    else:
        kept = None
    return [(None, kept), (None,), (kept,)]


for _kind, _kernel, _types, _want in (
    ("Sum", kernels.sparse_reduce_sum_sparse, "number", [3.0, -3.0]),
    ("Max", kernels.sparse_reduce_max_sparse, "real", [2.0, -3.0]),
):
    declare(
        f"SparseReduce{_kind}Sparse",
        inputs=_INPUTS,
        outputs="output_indices: int64, output_values: T, output_shape: int64",
        attrs=f"keep_dims: bool = false, T: {{{_types}}}",
        shape=_sparse_shape,
        kernel=_kernel,
        gradient=None,
        samples=[
            sample(*_ENTRIES, [1], want=([[0], [1]], _want, [2])),
            sample(*_ENTRIES, [1], keep_dims=True, want=([[0, 0], [1, 0]], _want, [2, 1])),
        ],
    )


def _softmax_gradient(op: Any, grad: Any) -> list[Any]:
    indices, _, shape = op.inputs
    softmax = op.outputs[0]
    weighted = SparseTensor(indices, softmax * grad, shape)
    totals: Any = sparse_reduce_sum(weighted, [-1], keep_dims=True)
    centred = sparse_dense_cwise_add(SparseTensor(indices, grad, shape), -totals)
    return [None, centred.values * softmax, None]


declare(
    "SparseSoftmax",
    inputs="sp_indices: int64, sp_values: T, sp_shape: int64",
    outputs="output: T",
    attrs="T: {float, double}",
    shape=lambda op: [(check(op)[0],)],
    kernel=kernels.sparse_softmax,
    gradient=_softmax_gradient,
    samples=[
        sample(
            [[0, 0], [0, 2], [1, 1]],
            [0.0, 0.6931471805599453, 5.0],
            [2, 3],
            want=[1 / 3, 2 / 3, 1.0],
        )
    ],
)


def _axes(axis: Any, reduction_axes: Any, sparse: SparseTensor) -> Any:
    chosen = axis if reduction_axes is None else reduction_axes
    if chosen is None:
        rank = sparse.dense_shape.shape.as_list()[0] if sparse.dense_shape.shape.ndims else None
        return api.range(api.size(sparse.dense_shape) if rank is None else rank)
    return api.reshape(api.cast(api.convert_to_tensor(chosen), "int32"), [-1])


def _dense(kind: str, sp_input: Any, axis: Any, keep_dims: bool, reduction_axes: Any) -> Tensor:
    sparse = as_sparse(sp_input)
    return call(
        f"SparseReduce{kind}",
        None,
        **parts(sparse, *_INPUT),
        reduction_axes=_axes(axis, reduction_axes, sparse),
        keep_dims=bool(keep_dims),
    )


def _sparse(
    kind: str, sp_input: Any, axis: Any, keep_dims: bool, reduction_axes: Any
) -> SparseTensor:
    sparse = as_sparse(sp_input)
    op = create(
        f"SparseReduce{kind}Sparse",
        None,
        **parts(sparse, *_INPUT),
        reduction_axes=_axes(axis, reduction_axes, sparse),
        keep_dims=bool(keep_dims),
    )
    return SparseTensor(*op.outputs)


def sparse_reduce_sum(
    sp_input: Any, axis: Any = None, keep_dims: bool = False, reduction_axes: Any = None
) -> Tensor:
    """The sum of a SparseTensor over some axes (all of them by default), as a dense tensor.

    >>> import workbench as tf
    >>> x = tf.SparseTensor([[0, 0], [0, 2]], [1, 2], [2, 3])
    >>> tf.sparse_reduce_sum(x, 1).eval().tolist()
    [3, 0]
    """
    return _dense("Sum", sp_input, axis, keep_dims, reduction_axes)


def sparse_reduce_max(
    sp_input: Any, axis: Any = None, keep_dims: bool = False, reduction_axes: Any = None
) -> Tensor:
    """The largest stored values over some axes, as a dense tensor; zero where none is stored."""
    return _dense("Max", sp_input, axis, keep_dims, reduction_axes)


def sparse_reduce_sum_sparse(
    sp_input: Any, axis: Any = None, keep_dims: bool = False, reduction_axes: Any = None
) -> SparseTensor:
    """As `sparse_reduce_sum`, with a SparseTensor as the result."""
    return _sparse("Sum", sp_input, axis, keep_dims, reduction_axes)


def sparse_reduce_max_sparse(
    sp_input: Any, axis: Any = None, keep_dims: bool = False, reduction_axes: Any = None
) -> SparseTensor:
    """As `sparse_reduce_max`, with a SparseTensor as the result."""
    return _sparse("Max", sp_input, axis, keep_dims, reduction_axes)


def sparse_softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The softmax over the stored values of each row; rows run along the last axis."""
    sparse = as_sparse(sp_input)
    with name_scope(name, "SparseSoftmax", list(sparse)) as scope:
        values = call(
            "SparseSoftmax", scope, **parts(sparse, "sp_indices", "sp_values", "sp_shape")
        )
    return SparseTensor(sparse.indices, values, sparse.dense_shape)
