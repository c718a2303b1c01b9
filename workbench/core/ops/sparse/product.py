"""Products of a sparse and a dense matrix."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import sparse as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.sparse.support import as_sparse, check, dense_entries, parts

_B = ([[0, 0], [0, 1]], [3.0, 4.0], [2, 2])


def _product_shape(op: Any) -> list[Any]:
    _, rank = check(op)
    shape_rules.equal_sizes(rank, 2, "a must be a matrix")
    a = dense_entries(op.inputs[2]) or (None, None)
    b = shape_rules.with_rank(op.inputs[3].entries, 2, "b")
    rows, inner = a[::-1] if op.attrs["adjoint_a"] else a
    other, columns = b[::-1] if op.attrs["adjoint_b"] else b
    if isinstance(inner, int) and isinstance(other, int) and inner != other:
        raise ValueError(f"Dimensions must be equal, but are {inner} and {other}")
    return [(rows, columns)]


def _product_gradient(op: Any, grad: Any) -> list[Any]:
    indices, values, shape, dense = op.inputs
    adjoint_a, adjoint_b = op.attrs["adjoint_a"], op.attrs["adjoint_b"]
    for_dense = call(
        "SparseTensorDenseMatMul",
        None,
        a_indices=indices,
        a_values=values,
        a_shape=shape,
        b=grad,
        adjoint_a=not adjoint_a,
    )
    if adjoint_b:
        for_dense = api.transpose(for_dense, conjugate=True)
        dense = api.transpose(dense, conjugate=True)
    rows, columns = indices[:, 0], indices[:, 1]
    if adjoint_a:
        rows, columns = columns, rows
    # With the adjoint of a, its values enter conjugated, and so does their gradient.
    pairs = api.gather(grad, rows) * api.conj(api.gather(dense, columns))
    for_values = api.reduce_sum(api.conj(pairs) if adjoint_a else pairs, 1)
    return [None, for_values, None, for_dense]


_DENSE = [[1.0, 2.0], [3.0, -1.0]]
declare(
    "SparseTensorDenseMatMul",
    inputs="a_indices: Tindices, a_values: T, a_shape: int64, b: T",
    outputs="product: T",
    attrs=(
        "T: type, Tindices: {int32, int64} = DT_INT64, adjoint_a: bool = false, "
        "adjoint_b: bool = false"
    ),
    shape=_product_shape,
    kernel=kernels.sparse_tensor_dense_mat_mul,
    gradient=_product_gradient,
    expensive=True,
    samples=[
        sample(*_B, _DENSE, want=[[15.0, 2.0], [0.0, 0.0]]),
        sample(*_B, _DENSE, adjoint_a=True, want=[[3.0, 6.0], [4.0, 8.0]]),
        sample(*_B, _DENSE, adjoint_b=True, want=[[11.0, 5.0], [0.0, 0.0]]),
        sample(*_B, _DENSE, adjoint_a=True, adjoint_b=True, want=[[3.0, 9.0], [4.0, 12.0]]),
    ],
)


def sparse_tensor_dense_matmul(
    sp_a: Any,
    b: Any,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of a sparse and a dense matrix, either of them as its adjoint.

    >>> import workbench as tf
    >>> a = tf.SparseTensor([[0, 1]], [2.0], [1, 2])
    >>> tf.sparse_tensor_dense_matmul(a, [[1.0], [3.0]]).eval().tolist()
    [[6.0]]
    """
    sparse = as_sparse(sp_a)
    with name_scope(name, "SparseTensorDenseMatMul", [*sparse, b]) as scope:
        b = convert_to_tensor(b, name="b")
        return call(
            "SparseTensorDenseMatMul",
            scope,
            **parts(sparse, "a_indices", "a_values", "a_shape"),
            b=b,
            adjoint_a=adjoint_a,
            adjoint_b=adjoint_b,
        )
