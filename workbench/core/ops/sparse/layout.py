"""Sparse tensors joined, reordered, reshaped and transposed."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import sparse_layout as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.sparse.support import as_sparse, check, parts
from workbench.core.ops.static_shapes import equal_shapes

_MIXED = ([[1, 0], [0, 1]], [5.0, 6.0], [2, 2])
_INPUT = ("input_indices", "input_values", "input_shape")


def _reorder_shape(op: Any) -> list[Any]:
    count, rank = check(op)
    return [(count, rank), (count,)]


def _reorder_gradient(op: Any, for_indices: Any, for_values: Any) -> list[Any]:
    """The gradients go back by the same reordering, applied to the entries' numbers."""
    indices, values, shape = op.inputs
    numbers = api.range(api.shape(values)[0])
    went = create(
        "SparseReorder", None, input_indices=indices, input_values=numbers, input_shape=shape
    ).outputs[1]
    return [None, api.gather(for_values, api.invert_permutation(went)), None]


declare(
    "SparseReorder",
    inputs="input_indices: int64, input_values: T, input_shape: int64",
    outputs="output_indices: int64, output_values: T",
    attrs="T: type",
    shape=_reorder_shape,
    kernel=kernels.sparse_reorder,
    gradient=_reorder_gradient,
    samples=[sample(*_MIXED, want=([[0, 1], [1, 0]], [6.0, 5.0]))],
)


def _reshape_shape(op: Any) -> list[Any]:
    count, _ = shape_rules.with_rank(op.inputs[0].entries, 2, "input_indices")
    (rank,) = shape_rules.with_rank(op.inputs[2].entries, 1, "new_shape")
    return [(count, rank), (rank,)]


declare(
    "SparseReshape",
    inputs="input_indices: int64, input_shape: int64, new_shape: int64",
    outputs="output_indices: int64, output_shape: int64",
    shape=_reshape_shape,
    kernel=kernels.sparse_reshape,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([[1, 0]], [2, 3], [3, -1], want=([[1, 1]], [3, 2]))],
)


def _concat_shape(op: Any) -> list[Any]:
    number = op.attrs["N"]
    rank = None
    counts = []
    for indices, values in zip(op.inputs[:number], op.inputs[number : 2 * number], strict=True):
        rows, _ = shape_rules.with_rank(indices.entries, 2, "indices")
        (count,) = shape_rules.with_rank(values.entries, 1, "values")
        counts.append(shape_rules.equal_sizes(rows, count, "one value for each position"))
    known = [c for c in counts if isinstance(c, int)]
    total = sum(known) if len(known) == number else None
    for shape in op.inputs[2 * number :]:
        rank = shape_rules.equal_sizes(
            rank, shape_rules.with_rank(shape.entries, 1, "shapes")[0], "all have one rank"
        )
    return [(total, rank), (total,), (rank,)]


declare(
    "SparseConcat",
    inputs="indices: N * int64, values: N * T, shapes: N * int64",
    outputs="output_indices: int64, output_values: T, output_shape: int64",
    attrs="concat_dim: int, N: int >= 2, T: type",
    shape=_concat_shape,
    kernel=kernels.sparse_concat,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            ([[0, 1]], [[1, 0]]),
            ([5.0], [6.0]),
            ([2, 2], [2, 3]),
            concat_dim=1,
            want=([[0, 1], [1, 2]], [5.0, 6.0], [2, 5]),
        )
    ],
)


def sparse_reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The entries of a SparseTensor in row-major order, which many operations expect."""
    sparse = as_sparse(sp_input)
    indices, values = create("SparseReorder", name, **parts(sparse, *_INPUT)).outputs
    return SparseTensor(indices, values, api.identity(sparse.dense_shape))


def sparse_reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """The same elements in another dense shape, of which one size may be -1.

    >>> import workbench as tf
    >>> x = tf.SparseTensor([[1, 0]], [5], [2, 3])
    >>> tf.sparse_tensor_to_dense(tf.sparse_reshape(x, [-1])).eval().tolist()
    [0, 0, 0, 5, 0, 0]
    """
    sparse = as_sparse(sp_input)
    target = _int64(shape)
    with name_scope(name, "SparseReshape", list(sparse)) as scope:
        indices, dense_shape = create(
            "SparseReshape",
            scope,
            input_indices=sparse.indices,
            input_shape=sparse.dense_shape,
            new_shape=target,
        ).outputs
        known, old = constant_value(target), sparse.get_shape()
        if known is not None and old.is_fully_defined():
            total = old.num_elements() or 0
            _check_reshape(known.tolist(), total)
            sizes = [int(s) for s in known.tolist()]
            rest = int(np.prod([s for s in sizes if s != -1], dtype=np.int64))
            whole = [total // max(1, rest) if s == -1 else s for s in sizes]
            dense_shape = convert_to_tensor(np.array(whole, np.int64), name="shape")
    return SparseTensor(indices, api.identity(sparse.values), dense_shape)


def _int64(shape: Any) -> Tensor:
    tensor = convert_to_tensor(shape, preferred_dtype="int64")
    cast: Tensor = tensor if tensor.dtype.base_dtype == "int64" else api.cast(tensor, "int64")
    return cast


def _check_reshape(target: list[int], total: int) -> None:
    if target.count(-1) > 1:
        raise ValueError(f"At most one dimension can be inferred (-1). Found: {target}")
    known = 1
    for size in target:
        known *= size if size != -1 else 1
    fits = (known != 0 and total % known == 0) if -1 in target else known == total
    if not fits:
        raise ValueError(
            f"Cannot reshape a tensor with {total} elements to shape {target} ({known} elements)."
        )


def sparse_concat(
    axis: int,
    sp_inputs: Any,
    name: str | None = None,
    expand_nonconcat_dim: bool = False,
    concat_dim: int | None = None,
) -> SparseTensor:
    """SparseTensors one after the other along an axis (`concat_dim` is its old name).

    With `expand_nonconcat_dim` the other axes may differ: the largest size counts.
    """
    axis = axis if concat_dim is None else concat_dim
    inputs = [as_sparse(s) for s in sp_inputs]
    if len(inputs) == 1:
        return inputs[0]
    shapes: list[Any] = [s.dense_shape for s in inputs]
    if expand_nonconcat_dim:
        largest = api.reduce_max(api.stack(shapes), 0)
        rank = inputs[0].dense_shape.shape.as_list()[0]
        if rank is None:
            raise ValueError("expand_nonconcat_dim needs tensors of known rank")
        at = shape_rules.normalise_axis(axis, rank)
        shapes = [api.concat([largest[:at], s[at : at + 1], largest[at + 1 :]], 0) for s in shapes]
    op = create(
        "SparseConcat",
        name,
        indices=[s.indices for s in inputs],
        values=[s.values for s in inputs],
        shapes=shapes,
        concat_dim=axis,
    )
    return SparseTensor(*op.outputs)


def sparse_transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor with its axes in the order `perm`, reversed when it is not given."""
    sparse: Any = as_sparse(sp_input)
    with name_scope(name, "SparseTranspose", list(sparse)):
        if perm is None:
            rank = api.size(sparse.dense_shape)
            perm = (rank - 1) - api.range(rank)
        indices = api.gather(sparse.indices, perm, axis=1)
        shape = api.gather(sparse.dense_shape, perm)
        old, order = sparse.get_shape(), constant_value(convert_to_tensor(perm))
        if old.ndims is not None and order is not None:
            shape.set_shape([old.ndims])
        return sparse_reorder(SparseTensor(indices, sparse.values, shape))


def sparse_reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """A SparseTensor with another dense shape, or with the smallest that holds its entries.

    No size of `new_shape` may be smaller than the old one.
    """
    sparse: Any = as_sparse(sp_input)
    indices = api.identity(sparse.indices)
    values = api.identity(sparse.values)
    if new_shape is None:
        low = api.reduce_max(indices, 0) + 1
        # Without entries the largest index is the lowest integer: the shape is then all zeros.
        tight: Tensor = api.maximum(api.constant(0, "int64"), low)
        return SparseTensor(indices, values, tight)
    target = _int64(new_shape)
    equal_shapes(target.entries, sparse.dense_shape.entries)
    known, old = constant_value(target), sparse.get_shape()
    if known is not None and old.is_fully_defined():
        if any(n < o for n, o in zip(known.tolist(), old.as_list(), strict=True)):
            raise ValueError(
                f"Requested new_shape should have dimension sizes >= sp_input.shape. Found "
                f"new_shape {known.tolist()}, sp_input.shape {old.as_list()}"
            )
        return SparseTensor(indices, values, target)
    same_rank = api.assert_equal(api.shape(sparse.dense_shape), api.shape(target))
    with api.control_dependencies([same_rank]):
        no_smaller = api.assert_less_equal(sparse.dense_shape, target)
    with api.control_dependencies([no_smaller]):
        return SparseTensor(indices, values, api.identity(target))
