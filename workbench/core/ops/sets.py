"""`tf.sets`: the rows of tensors as sets."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.convert import convert_to_tensor_or_sparse_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import sets as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.sparse.support import check, parts, unknown_parts

_TYPES = "T: {int8, int16, int32, int64, uint8, uint16, string}"
_ALLOWED = frozenset(
    {
        *(dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64),
        *(dtypes.uint8, dtypes.uint16, dtypes.string),
    }
)
_OPERATION = f"set_operation: string, validate_indices: bool = true, {_TYPES}"
_RESULT = "result_indices: int64, result_values: T, result_shape: int64"


def _size_shape(op: Any) -> list[Any]:
    check(op)
    return [None]


declare(
    "SetSize",
    inputs="set_indices: int64, set_values: T, set_shape: int64",
    outputs="size: int32",
    attrs=f"validate_indices: bool = true, {_TYPES}",
    shape=_size_shape,
    kernel=kernels.set_size,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([[0, 0], [0, 1], [2, 0]], [5, 5, 6], [3, 2], want=[1, 0, 1])],
)


def _dense_rank(op: Any, number: int) -> Any:
    entries = op.inputs[number].entries
    shape_rules.at_least_rank(entries, 2, f"set{number + 1}")
    return None if entries is None else len(entries)


def _sparse_rank(op: Any, start: int) -> Any:
    _, rank = check(op, start)
    if isinstance(rank, int) and rank < 2:
        raise ValueError(f"Input {0 if start == 0 else 1}, expected rank >= 2, got {rank}.")
    return rank


def _dense_dense_shape(op: Any) -> list[Any]:
    first, second = op.inputs[0].entries, op.inputs[1].entries
    rank = shape_rules.equal_sizes(_dense_rank(op, 0), _dense_rank(op, 1), "both have one rank")
    if first is not None and second is not None:
        for a, b in zip(first[:-1], second[:-1], strict=True):
            shape_rules.equal_sizes(a, b, "all but the last axis are those of the sets")
    return unknown_parts(rank)


declare(
    "DenseToDenseSetOperation",
    inputs="set1: T, set2: T",
    outputs=_RESULT,
    attrs=_OPERATION,
    shape=_dense_dense_shape,
    kernel=kernels.dense_to_dense_set_operation,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[1, 2], [3, 3]],
            [[2, 9], [4, 5]],
            set_operation="union",
            want=(
                [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]],
                [1, 2, 9, 3, 4, 5],
                [2, 3],
            ),
        ),
        sample(
            [[b"a", b"b"]], [[b"b"]], set_operation="intersection", want=([[0, 0]], [b"b"], [1, 1])
        ),
    ],
)
declare(
    "DenseToSparseSetOperation",
    inputs="set1: T, set2_indices: int64, set2_values: T, set2_shape: int64",
    outputs=_RESULT,
    attrs=_OPERATION,
    shape=lambda op: unknown_parts(
        shape_rules.equal_sizes(_dense_rank(op, 0), _sparse_rank(op, 1), "both have one rank")
    ),
    kernel=kernels.dense_to_sparse_set_operation,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[1, 2], [3, 3]],
            [[0, 0]],
            [2],
            [2, 1],
            set_operation="a-b",
            want=([[0, 0], [1, 0]], [1, 3], [2, 1]),
        )
    ],
)
declare(
    "SparseToSparseSetOperation",
    inputs=(
        "set1_indices: int64, set1_values: T, set1_shape: int64, set2_indices: int64, "
        "set2_values: T, set2_shape: int64"
    ),
    outputs=_RESULT,
    attrs=_OPERATION,
    shape=lambda op: unknown_parts(
        shape_rules.equal_sizes(_sparse_rank(op, 0), _sparse_rank(op, 3), "both have one rank")
    ),
    kernel=kernels.sparse_to_sparse_set_operation,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[0, 0], [0, 1]],
            [1, 2],
            [1, 2],
            [[0, 3], [0, 4]],
            [2, 7],
            [1, 5],
            set_operation="b-a",
            want=([[0, 0]], [7], [1, 1]),
        )
    ],
)


def set_size(a: Any, validate_indices: bool = True) -> Tensor:
    """How many different values the rows of a SparseTensor have along its last axis, int32.

    `validate_indices` demands that the positions are in order and occur once.

    >>> import workbench as tf
    >>> tf.sets.set_size(tf.SparseTensor([[0, 0], [0, 1]], [5, 5], [2, 2])).eval().tolist()
    [1, 0]
    """
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if not isinstance(a, SparseTensor):
        raise TypeError(f"Expected `SparseTensor`, got {a!r}.")
    if a.values.dtype.base_dtype not in _ALLOWED:
        raise TypeError(f"Invalid dtype {a.values.dtype.name}: sets hold integers or strings.")
    return call(
        "SetSize",
        None,
        **parts(a, "set_indices", "set_values", "set_shape"),
        validate_indices=validate_indices,
    )


def _converted(a: Any, b: Any) -> tuple[Any, Any, bool]:
    """Both as tensors, a dense one first; whether they had to change places for that."""
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if a.dtype.base_dtype not in _ALLOWED:
        raise TypeError(f"'a' invalid dtype {a.dtype.name}: sets hold integers or strings.")
    b = convert_to_tensor_or_sparse_tensor(b, name="b")
    if b.dtype.base_dtype != a.dtype.base_dtype:
        raise TypeError(f"Types don't match, {a.dtype.name} vs {b.dtype.name}.")
    if isinstance(a, SparseTensor) and not isinstance(b, SparseTensor):
        return b, a, True
    return a, b, False


def _operation(a: Any, b: Any, set_operation: str, validate_indices: bool) -> SparseTensor:
    options = {"set_operation": set_operation, "validate_indices": validate_indices}
    second = {}
    if isinstance(b, SparseTensor):
        second = parts(b, "set2_indices", "set2_values", "set2_shape")
    if isinstance(a, SparseTensor):
        first = parts(a, "set1_indices", "set1_values", "set1_shape")
        op = create("SparseToSparseSetOperation", None, **first, **second, **options)
    elif second:
        op = create("DenseToSparseSetOperation", None, set1=a, **second, **options)
    else:
        op = create("DenseToDenseSetOperation", None, set1=a, set2=b, **options)
    return SparseTensor(*op.outputs)


def set_intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What the rows of `a` and `b` have in common along the last axis, each value once, in order.

    Both are tensors or SparseTensors of integers or strings, of the same shape but for the last
    axis.

    >>> import workbench as tf
    >>> tf.sets.set_intersection([[1, 2, 3]], [[3, 1, 7]]).eval().values.tolist()
    [1, 3]
    """
    a, b, _ = _converted(a, b)
    return _operation(a, b, "intersection", validate_indices)


def set_difference(
    a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True
) -> SparseTensor:
    """What the rows of `a` have along the last axis and those of `b` have not.

    With `aminusb=False` what `b` has and `a` has not.

    >>> import workbench as tf
    >>> tf.sets.set_difference([[1, 2, 3]], [[3, 1, 7]]).eval().values.tolist()
    [2]
    """
    a, b, flipped = _converted(a, b)
    return _operation(a, b, "a-b" if aminusb != flipped else "b-a", validate_indices)


def set_union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What the rows of `a` or those of `b` have along the last axis, each value once, in order.

    >>> import workbench as tf
    >>> tf.sets.set_union([[1, 2, 3]], [[3, 1, 7]]).eval().values.tolist()
    [1, 2, 3, 7]
    """
    a, b, _ = _converted(a, b)
    return _operation(a, b, "union", validate_indices)
