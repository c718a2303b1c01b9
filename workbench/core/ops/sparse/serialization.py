"""Sparse tensors as strings, so that queues and batches can hold them."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import sparse_bytes as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.sparse.support import as_sparse, check, dense_entries, parts, unknown_parts

_NAMES = ("sparse_indices", "sparse_values", "sparse_shape")
_INPUTS = "sparse_indices: int64, sparse_values: T, sparse_shape: int64"
_INDICES = b'\x08\t\x12\x08\x12\x02\x08\x01\x12\x02\x08\x01"\x08\x01' + bytes(7)
_VALUES = b'\x08\x01\x12\x04\x12\x02\x08\x01"\x04\x00\x00\x80?'
_SHAPE = b'\x08\t\x12\x04\x12\x02\x08\x01"\x08\x05' + bytes(7)


def _serialized_shape(op: Any) -> list[Any]:
    check(op)
    return [(3,)]


declare(
    "SerializeSparse",
    inputs=_INPUTS,
    outputs="serialized_sparse: out_type",
    attrs="T: type, out_type: {string, variant} = string",
    shape=_serialized_shape,
    kernel=kernels.serialize_sparse,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([[1]], [1.0], [5], want=[_INDICES, _VALUES, _SHAPE])],
)


def _many_shape(op: Any) -> list[Any]:
    check(op)
    entries = dense_entries(op.inputs[2])
    return [(entries[0] if entries else None, 3)]


declare(
    "SerializeManySparse",
    inputs=_INPUTS,
    outputs="serialized_sparse: out_type",
    attrs="T: type, out_type: {string, variant} = string",
    shape=_many_shape,
    kernel=kernels.serialize_many_sparse,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[1, 1]],
            [1.0],
            [2, 5],
            want=[
                [b"\x08\t\x12\x06\x12\x00\x12\x02\x08\x01", b"\x08\x01\x12\x02\x12\x00", _SHAPE],
                [_INDICES, _VALUES, _SHAPE],
            ],
        )
    ],
)


def _deserialized_shape(op: Any) -> list[Any]:
    _, columns = shape_rules.with_rank(op.inputs[0].entries, 2, "serialized_sparse")
    shape_rules.equal_sizes(columns, 3, "indices, values and shape of each sparse tensor")
    return unknown_parts(None)


declare(
    "DeserializeManySparse",
    inputs="serialized_sparse: string",
    outputs="sparse_indices: int64, sparse_values: dtype, sparse_shape: int64",
    attrs="dtype: type",
    shape=_deserialized_shape,
    kernel=kernels.deserialize_many_sparse,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[_INDICES, _VALUES, _SHAPE]] * 2,
            dtype="float32",
            want=([[0, 1], [1, 1]], [1.0, 1.0], [2, 5]),
        )
    ],
)


def _general_shape(op: Any) -> list[Any]:
    entries = op.inputs[0].entries
    if entries is not None:
        shape_rules.at_least_rank(entries, 1, "serialized_sparse")
        shape_rules.equal_sizes(entries[-1], 3, "indices, values and shape of each sparse tensor")
    return unknown_parts(None)


declare(
    "DeserializeSparse",
    inputs="serialized_sparse: Tserialized",
    outputs="sparse_indices: int64, sparse_values: dtype, sparse_shape: int64",
    attrs="dtype: type, Tserialized: {string, variant} = string",
    shape=_general_shape,
    kernel=kernels.deserialize_sparse,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([_INDICES, _VALUES, _SHAPE], dtype="float32", want=([[1]], [1.0], [5])),
        sample(
            [[[_INDICES, _VALUES, _SHAPE]], [[_INDICES, _VALUES, _SHAPE]]],
            dtype="float32",
            want=([[0, 0, 1], [1, 0, 1]], [1.0, 1.0], [2, 1, 5]),
        ),
    ],
)


def serialize_sparse(sp_input: Any, name: str | None = None, out_type: Any = "string") -> Tensor:
    """A SparseTensor as three strings (or variants): its indices, its values and its dense shape.

    >>> import workbench as tf
    >>> tf.serialize_sparse(tf.SparseTensor([[1]], [7], [5])).shape.as_list()
    [3]
    """
    return call("SerializeSparse", name, **parts(as_sparse(sp_input), *_NAMES), out_type=out_type)


def serialize_many_sparse(
    sp_input: Any, name: str | None = None, out_type: Any = "string"
) -> Tensor:
    """Each row along the first axis of a SparseTensor as three strings (or variants).

    The SparseTensor has rank 2 or more, and its entries are in the order of their rows.
    """
    return call(
        "SerializeManySparse", name, **parts(as_sparse(sp_input), *_NAMES), out_type=out_type
    )


def deserialize_many_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """The SparseTensor with a row for each row of strings [n, 3], of the largest shape of all.

    `dtype` is that of the values, `rank` the rank of the result where it is known.
    InvalidArgumentError where strings hold another type, or tensors of several ranks.

    >>> import workbench as tf
    >>> rows = tf.serialize_many_sparse(tf.SparseTensor([[0, 2], [1, 0]], [7, 8], [2, 3]))
    >>> tf.deserialize_many_sparse(rows, tf.int32).eval().indices.tolist()
    [[0, 2], [1, 0]]
    """
    return _deserialized("DeserializeManySparse", serialized_sparse, dtype, rank, name)


def deserialize_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """The SparseTensor of strings or variants [..., 3]: the outer axes become its first ones."""
    return _deserialized("DeserializeSparse", serialized_sparse, dtype, rank, name)


def _deserialized(
    type_name: str, serialized_sparse: Any, dtype: Any, rank: int | None, name: str | None
) -> SparseTensor:
    indices, values, shape = create(
        type_name, name, serialized_sparse=serialized_sparse, dtype=dtype
    ).outputs
    indices.set_shape([None, rank])
    shape.set_shape([rank])
    return SparseTensor(indices, values, shape)
