"""Sums of sparse tensors, and element-wise operations on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.composite import SparseTensor, SparseTensorValue
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.kernels import sparse as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.sparse.support import as_sparse, check, dense_entries, parts, unknown_parts
from workbench.core.ops.static_shapes import equal_shapes

_A = ([[0, 0], [1, 1]], [1.0, 2.0], [2, 2])
_B = ([[0, 0], [0, 1]], [3.0, 4.0], [2, 2])
_PAIR = (
    "a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, b_shape: int64"
)


def _add_gradient(op: Any, for_indices: Any, for_values: Any, for_shape: Any) -> list[Any]:
    a_gradient, b_gradient = create(
        "SparseAddGrad",
        None,
        backprop_val_grad=for_values,
        a_indices=op.inputs[0],
        b_indices=op.inputs[3],
        sum_indices=op.outputs[0],
    ).outputs
    a_gradient.set_shape(op.inputs[1].shape)
    b_gradient.set_shape(op.inputs[4].shape)
    return [None, a_gradient, None, None, b_gradient, None, None]


declare(
    "SparseAdd",
    inputs=f"{_PAIR}, thresh: Treal",
    outputs="sum_indices: int64, sum_values: T, sum_shape: int64",
    attrs="T: {number}, Treal: {real}",
    shape=lambda op: unknown_parts(
        shape_rules.equal_sizes(check(op)[1], check(op, 3)[1], "both have one rank")
    ),
    kernel=kernels.sparse_add,
    gradient=_add_gradient,
    samples=[
        sample(
            *_A,
            *_B,
            0.0,
            gradient=(0, 1),
            want=([[0, 0], [0, 1], [1, 1]], [4.0, 4.0, 2.0], [2, 2]),
        )
    ],
)
declare(
    "SparseAddGrad",
    inputs="backprop_val_grad: T, a_indices: int64, b_indices: int64, sum_indices: int64",
    outputs="a_val_grad: T, b_val_grad: T",
    attrs="T: {number}",
    shape=lambda op: [(shape_rules.with_rank(t.entries, 2, "indices")[0],) for t in op.inputs[1:3]],
    kernel=kernels.sparse_add_grad,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [10.0, 20.0, 30.0],
            _A[0],
            _B[0],
            [[0, 0], [0, 1], [1, 1]],
            want=([10.0, 30.0], [10.0, 20.0]),
        )
    ],
)


def _dense_add_gradient(op: Any, grad: Any) -> list[Any]:
    return [None, api.gather_nd(grad, op.inputs[0]), None, grad]


declare(
    "SparseTensorDenseAdd",
    inputs="a_indices: Tindices, a_values: T, a_shape: Tindices, b: T",
    outputs="output: T",
    attrs="T: {number}, Tindices: {int32, int64}",
    shape=lambda op: [equal_shapes(dense_entries(op.inputs[2]), op.inputs[3].entries)],
    kernel=kernels.sparse_tensor_dense_add,
    gradient=_dense_add_gradient,
    samples=[sample(*_A, [[1.0, 1.0], [1.0, 1.0]], want=[[2.0, 1.0], [1.0, 3.0]])],
)


def _positions_beside(op: Any) -> Any:
    """For each sparse position, that of the element of the dense tensor broadcast to it."""
    indices, _, shape, dense = op.inputs
    sizes = api.shape(dense, out_type="int64")
    lead = api.reshape(api.size(shape) - api.size(sizes), [1])
    wide = api.concat([api.ones(lead, "int64"), sizes], 0)
    scaled = indices // (shape // api.maximum(wide, 1))
    return api.slice(scaled, api.concat([[0], lead], 0), [-1, -1])


def _cwise_gradient(kind: str) -> Callable[..., Any]:
    def gradient(op: Any, grad: Any) -> list[Any]:
        values, dense = op.inputs[1], op.inputs[3]
        positions = _positions_beside(op)
        if kind == "Add":
            for_values, shares = grad, grad
        else:
            beside = api.gather_nd(dense, positions)
            if kind == "Mul":
                for_values, shares = grad * beside, grad * values
            else:
                for_values, shares = grad / beside, -grad * values / api.square(beside)
        shape = api.shape(dense, out_type="int64")
        return [None, for_values, None, api.scatter_nd(positions, shares, shape)]

    return gradient


for _kind, _kernel, _want in (
    ("Add", kernels.sparse_dense_cwise_add, [11.0, 22.0]),
    ("Mul", kernels.sparse_dense_cwise_mul, [10.0, 40.0]),
    ("Div", kernels.sparse_dense_cwise_div, [0.1, 0.1]),
):
    declare(
        f"SparseDenseCwise{_kind}",
        inputs="sp_indices: int64, sp_values: T, sp_shape: int64, dense: T",
        outputs="output: T",
        attrs="T: {number}",
        shape=lambda op: [(check(op)[0],)],
        kernel=_kernel,
        gradient=_cwise_gradient(_kind),
        samples=[sample(*_A, [10.0, 20.0], want=_want)],
    )
for _kind, _extreme, _want in (
    ("Maximum", kernels.sparse_sparse_maximum, [3.0, 4.0, 2.0]),
    ("Minimum", kernels.sparse_sparse_minimum, [1.0, 0.0, 0.0]),
):
    declare(
        f"SparseSparse{_kind}",
        inputs=_PAIR,
        outputs="output_indices: int64, output_values: T",
        attrs="T: {real}",
        shape=lambda op: unknown_parts(check(op)[1])[:2],
        kernel=_extreme,
        gradient=NOT_DIFFERENTIABLE,
        samples=[sample(*_A, *_B, want=([[0, 0], [0, 1], [1, 1]], _want))],
    )


def _is_sparse(value: Any) -> bool:
    return isinstance(value, (SparseTensor, SparseTensorValue))


def sparse_add(a: Any, b: Any, thresh: Any = 0) -> Any:
    """The sum of two tensors of which at least one is sparse.

    Two sparse ones give a SparseTensor, without entries smaller than `thresh`; a sparse and a
    dense one give a dense tensor.

    >>> import workbench as tf
    >>> a = tf.SparseTensor([[0]], [1], [2])
    >>> tf.sparse_add(a, [10, 20]).eval().tolist()
    [11, 20]
    """
    if not _is_sparse(a) and not _is_sparse(b):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if _is_sparse(a) and _is_sparse(b):
        left, right = as_sparse(a), as_sparse(b)
        threshold = convert_to_tensor(thresh, dtype=left.dtype.real_dtype, name="thresh")
        op = create(
            "SparseAdd",
            None,
            **parts(left, "a_indices", "a_values", "a_shape"),
            **parts(right, "b_indices", "b_values", "b_shape"),
            thresh=threshold,
        )
        indices, values, shape = op.outputs
        shape.set_shape(left.dense_shape.shape.merge_with(right.dense_shape.shape))
        # Both have one shape: where it is known, so is that of the sum.
        known = left.get_shape().is_fully_defined()
        return SparseTensor(indices, values, left.dense_shape if known else shape)
    sparse, dense = (as_sparse(a), b) if _is_sparse(a) else (as_sparse(b), a)
    return call(
        "SparseTensorDenseAdd", None, **parts(sparse, "a_indices", "a_values", "a_shape"), b=dense
    )


def _with_dense(kind: str, sparse: Any, dense: Any, name: str | None) -> SparseTensor:
    x = as_sparse(sparse)
    values = call(
        f"SparseDenseCwise{kind}",
        name,
        **parts(x, "sp_indices", "sp_values", "sp_shape"),
        dense=dense,
    )
    return SparseTensor(x.indices, values, x.dense_shape)


def sparse_dense_cwise_add(sp_input: Any, dense: Any, name: str | None = None) -> SparseTensor:
    """The stored values plus those of a dense tensor, broadcast, at the same positions."""
    return _with_dense("Add", sp_input, dense, name)


def sparse_dense_cwise_mul(sp_input: Any, dense: Any, name: str | None = None) -> SparseTensor:
    """The stored values times those of a dense tensor, broadcast, at the same positions."""
    return _with_dense("Mul", sp_input, dense, name)


def sparse_dense_cwise_div(sp_input: Any, dense: Any, name: str | None = None) -> SparseTensor:
    """The stored values divided by those of a dense tensor, broadcast, at the same positions."""
    return _with_dense("Div", sp_input, dense, name)


def sparse_dense_truediv(sp_input: Any, dense: Any, name: str | None = None) -> SparseTensor:
    """As `sparse_dense_cwise_div`, with integers cast to float64 (short ones to float32) first."""
    x: Any = as_sparse(sp_input)
    kind = x.dtype.base_dtype
    dense = convert_to_tensor(dense, dtype=kind, name="dense")
    if kind.is_integer:
        quotient = "float32" if kind.size < 4 else "float64"
        x = SparseTensor(x.indices, api.cast(x.values, quotient), x.dense_shape)
        dense = api.cast(dense, quotient)
    return _with_dense("Div", x, dense, name)


def _extreme_of(kind: str, sp_a: Any, sp_b: Any, name: str | None) -> SparseTensor:
    a, b = as_sparse(sp_a), as_sparse(sp_b)
    with name_scope(name, f"SparseSparse{kind}", [*a, *b]) as scope:
        op = create(
            f"SparseSparse{kind}",
            scope,
            **parts(a, "a_indices", "a_values", "a_shape"),
            **parts(b, "b_indices", "b_values", "b_shape"),
        )
        indices, values = op.outputs
    return SparseTensor(indices, values, a.dense_shape)


def sparse_maximum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The larger of two sparse tensors, element by element; what is not stored is zero."""
    return _extreme_of("Maximum", sp_a, sp_b, name)


def sparse_minimum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The smaller of two sparse tensors, element by element; what is not stored is zero."""
    return _extreme_of("Minimum", sp_a, sp_b, name)
