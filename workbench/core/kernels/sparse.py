"""Arithmetic with sparse tensors: indices (n, rank), values (n,), and the dense shape (rank,)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.segment import scatter_rows
from workbench.core.kernels.sparse_positions import bounded, flat_positions, unflatten
from workbench.core.kernels.support import invalid, spelled, widen

Array = np.ndarray[Any, Any]


def sparse_to_dense(
    sparse_indices: Array,
    output_shape: Array,
    sparse_values: Array,
    default_value: Array,
    *,
    validate_indices: bool = True,
) -> Array:
    """A dense array of ``default_value`` with the values at their positions.

    >>> sparse_to_dense(np.array([[0], [2]]), np.array([3]), np.array([5, 6]), np.array(0))
    array([5, 0, 6])
    """
    if np.ndim(output_shape) != 1:
        raise invalid(f"output_shape should be a vector, got shape {list(np.shape(output_shape))}")
    if np.ndim(default_value):
        raise invalid(
            f"default_value should be a scalar, got shape {list(np.shape(default_value))}"
        )
    shape = tuple(np.asarray(output_shape).tolist())
    indices = np.asarray(sparse_indices)
    positions = indices.reshape(-1, 1) if indices.ndim < 2 else indices
    if positions.shape[1] != len(shape):
        raise invalid(
            f"output_shape has {len(shape)} elements, but sparse_indices have "
            f"{positions.shape[1]} coordinates each"
        )
    values = as_array(sparse_values)
    if values.ndim and values.shape != positions.shape[:1]:
        raise invalid(
            f"sparse_values has incorrect shape {spelled(values.shape)}, should be [] or "
            f"[{len(positions)}]"
        )
    flat = flat_positions(positions, shape, "indices")
    if validate_indices:
        _check_order(flat, positions)
    result = np.empty(int(np.prod(shape, dtype=np.int64)), values.dtype)
    result.fill(as_array(default_value)[()])
    result[flat] = values
    return result.reshape(shape)


def _check_order(flat: Array, positions: Array) -> None:
    steps = np.diff(flat)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0)) + 1
        problem = "is repeated" if steps[at - 1] == 0 else "is out of order"
        raise invalid(
            f"indices[{at}] = {positions[at].tolist()} {problem}. Many sparse ops require sorted "
            "indices: use tf.sparse_reorder to create a correctly ordered copy."
        )


def sparse_tensor_dense_mat_mul(
    a_indices: Array,
    a_values: Array,
    a_shape: Array,
    b: Array,
    *,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
) -> Array:
    """The product of a sparse and a dense matrix, either of them as its adjoint.

    >>> sparse_tensor_dense_mat_mul(
    ...     np.array([[0, 1]]), np.array([2.0]), np.array([1, 2]), np.array([[1.0], [3.0]])
    ... )
    array([[6.]])
    """
    indices, values = np.asarray(a_indices), np.asarray(a_values)
    rows, columns = np.asarray(a_shape).tolist()
    _check_coordinates(indices, (rows, columns), adjoint_a)
    if adjoint_a:
        indices, values, rows, columns = indices[:, ::-1], np.conj(values), columns, rows
    dense = np.conj(np.asarray(b).T) if adjoint_b else np.asarray(b)
    if dense.shape[0] != columns:
        raise invalid(
            f"Cannot multiply A and B because inner dimension does not match: {columns} vs. "
            f"{dense.shape[0]}"
        )
    terms = widen(values)[:, np.newaxis] * widen(dense)[indices[:, 1]]
    total = scatter_rows(np.add, 0, indices[:, 0], terms, rows)
    return total.astype(values.dtype, copy=False)


def _check_coordinates(indices: Array, shape: tuple[int, int], adjoint: bool) -> None:
    """Raises where an entry is outside of the matrix: m counts the product's rows, k its terms."""
    for axis, size in enumerate(shape):
        wrong = (indices[:, axis] < 0) | (indices[:, axis] >= size)
        if wrong.any():
            at = int(wrong.argmax())
            letter = "m" if (axis == 0) is not adjoint else "k"
            raise invalid(
                f"{letter} ({indices[at, axis]}) from index[{at},{axis}] out of bounds (>={size})"
            )


def _union(
    a_indices: Array, b_indices: Array, shape: tuple[int, ...]
) -> tuple[Array, Array, Array]:
    """The positions of both, in order, and where those of each one are among them."""
    flat_a = flat_positions(a_indices, shape, "a_indices")
    flat_b = flat_positions(b_indices, shape, "b_indices")
    union, places = np.unique(np.concatenate([flat_a, flat_b]), return_inverse=True)
    places = places.reshape(-1)
    return union, places[: len(flat_a)], places[len(flat_a) :]


def _same_shape(a_shape: Array, b_shape: Array) -> tuple[int, ...]:
    shape = tuple(np.asarray(a_shape).tolist())
    other = tuple(np.asarray(b_shape).tolist())
    if len(shape) != len(other):
        raise invalid(f"Operands do not have the same ranks; operand shapes: {shape} and {other}")
    if shape != other:
        raise invalid(f"Operands' shapes do not match: got {shape} and {other}")
    return shape


def sparse_add(
    a_indices: Array,
    a_values: Array,
    a_shape: Array,
    b_indices: Array,
    b_values: Array,
    b_shape: Array,
    thresh: Array,
) -> tuple[Array, Array, Array]:
    """The sum of two sparse tensors, without the sums of two entries smaller than ``thresh``.

    >>> sparse_add(
    ...     np.array([[0]]),
    ...     np.array([1.0]),
    ...     np.array([3]),
    ...     np.array([[0], [2]]),
    ...     np.array([2.0, 4.0]),
    ...     np.array([3]),
    ...     np.array(0.0),
    ... )[1]
    array([3., 4.])
    """
    shape = _same_shape(a_shape, b_shape)
    # Positions outside of the shape are added like the others, as TensorFlow does.
    reach = [np.max(i, axis=0, initial=-1) + 1 for i in (a_indices, b_indices)]
    space = tuple(np.maximum(np.array(shape, np.int64), np.maximum(*reach)).tolist())
    union, for_a, for_b = _union(a_indices, b_indices, space)
    values = np.asarray(a_values)
    total = np.zeros(len(union), values.dtype)
    np.add.at(total, for_a, values)
    np.add.at(total, for_b, b_values)
    once = np.bincount(for_a, minlength=len(union)) + np.bincount(for_b, minlength=len(union)) < 2
    kept = once | (np.abs(total) >= thresh)
    return unflatten(union[kept], space), total[kept], np.array(shape, np.int64)


def sparse_add_grad(
    backprop_val_grad: Array, a_indices: Array, b_indices: Array, sum_indices: Array
) -> tuple[Array, Array]:
    """The gradients of the values of ``sparse_add``'s inputs: zero where a sum was dropped."""
    parts = [np.asarray(i) for i in (a_indices, b_indices, sum_indices)]
    shape = tuple(np.concatenate(parts).max(axis=0, initial=0) + 1)
    known = flat_positions(parts[2], shape, "sum_indices")
    order = np.argsort(known)
    gradients = []
    for indices in parts[:2]:
        flat = flat_positions(indices, shape, "indices")
        found = np.zeros(len(flat), backprop_val_grad.dtype)
        if known.size:
            places = order[np.searchsorted(known, flat, sorter=order).clip(max=known.size - 1)]
            hit = known[places] == flat
            found[hit] = backprop_val_grad[places[hit]]
        gradients.append(found)
    return gradients[0], gradients[1]


def _extreme(choose: np.ufunc) -> Callable[..., tuple[Array, Array]]:
    def kernel(
        a_indices: Array,
        a_values: Array,
        a_shape: Array,
        b_indices: Array,
        b_values: Array,
        b_shape: Array,
    ) -> tuple[Array, Array]:
        shape = _same_shape(a_shape, b_shape)
        union, for_a, for_b = _union(a_indices, b_indices, shape)
        dense_a = np.zeros(len(union), np.asarray(a_values).dtype)
        dense_b = dense_a.copy()
        dense_a[for_a], dense_b[for_b] = a_values, b_values
        return unflatten(union, shape), choose(dense_a, dense_b)

    return kernel


#: The larger and the smaller of two sparse tensors, where what is not stored is zero.
sparse_sparse_maximum = _extreme(np.maximum)
sparse_sparse_minimum = _extreme(np.minimum)


def sparse_tensor_dense_add(a_indices: Array, a_values: Array, a_shape: Array, b: Array) -> Array:
    """The dense sum of a sparse and a dense tensor of one shape.

    >>> sparse_tensor_dense_add(np.array([[1]]), np.array([5]), np.array([3]), np.array([1, 1, 1]))
    array([1, 6, 1])
    """
    shape = _same_shape(a_shape, np.array(np.shape(b)))
    flat = flat_positions(a_indices, shape, "a_indices")
    result = np.array(b)
    np.add.at(result.reshape(-1), flat, a_values)
    return result


def _beside(sp_indices: Array, sp_shape: Array, dense: Array) -> Array:
    """The dense element that stands, broadcast, at each sparse position."""
    shape = np.asarray(sp_shape).tolist()
    sizes = dense.shape
    if len(sizes) > len(shape) or any(
        d not in (1, s) for d, s in zip(reversed(sizes), reversed(shape), strict=False)
    ):
        raise invalid(
            "SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: "
            f"[{shape}] vs. [{list(sizes)}]"
        )
    indices = np.asarray(sp_indices)
    bounded(indices, tuple(shape), "sp_indices")
    lead = len(shape) - len(sizes)
    index = tuple(0 if size == 1 else indices[:, lead + axis] for axis, size in enumerate(sizes))
    return np.broadcast_to(dense[index], indices.shape[:1])


def _with_dense(combine: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    def kernel(sp_indices: Array, sp_values: Array, sp_shape: Array, dense: Array) -> Array:
        return combine(np.asarray(sp_values), _beside(sp_indices, sp_shape, np.asarray(dense)))

    return kernel


def _quotient(x: Array, y: Array) -> Array:
    if x.dtype.kind in "iu":
        if not np.all(y):
            raise invalid("Integer division by zero")
        return x // y
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Array = np.divide(x, y)
        return result


#: Values of a sparse tensor combined with a dense one that is broadcast to it.
sparse_dense_cwise_add = _with_dense(np.add)
sparse_dense_cwise_mul = _with_dense(np.multiply)
sparse_dense_cwise_div = _with_dense(_quotient)


def _groups(indices: Array, shape: tuple[int, ...], axes: list[int]) -> tuple[Array, Array, Array]:
    """The group of each entry where some axes are reduced: their positions and numbers."""
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    bounded(indices, shape, "input_indices")
    sizes = tuple(shape[axis] for axis in kept)
    flat = flat_positions(indices[:, kept], sizes, "input_indices")
    groups, numbers = np.unique(flat, return_inverse=True)
    return unflatten(groups, sizes), groups, numbers.reshape(-1)


def _reduced(
    operation: np.ufunc, indices: Array, values: Array, shape: Array, axes: Array
) -> tuple[Array, Array, Array, list[int], tuple[int, ...]]:
    sizes = tuple(np.asarray(shape).tolist())
    rank = len(sizes)
    wanted = np.asarray(axes).reshape(-1).tolist()
    for axis in wanted:
        if not -rank <= axis < rank:
            raise invalid(f"Invalid reduction dimension {axis}, for input with {rank} dimensions.")
    reduced = sorted({axis % rank for axis in wanted}) if wanted else list(range(rank))
    positions, groups, numbers = _groups(np.asarray(indices), sizes, reduced)
    values = np.asarray(values)
    start: Any = 0
    if operation is np.maximum:
        start = -np.inf if values.dtype.kind not in "iu" else np.iinfo(values.dtype).min
    wide = widen(values)
    result = scatter_rows(operation, start, numbers, wide, len(groups))
    return positions, groups, result.astype(values.dtype, copy=False), reduced, sizes


def _dense_reduction(operation: np.ufunc) -> Callable[..., Array]:
    def kernel(
        input_indices: Array,
        input_values: Array,
        input_shape: Array,
        reduction_axes: Array,
        *,
        keep_dims: bool = False,
    ) -> Array:
        _, groups, values, reduced, sizes = _reduced(
            operation, input_indices, input_values, input_shape, reduction_axes
        )
        kept = tuple(s for axis, s in enumerate(sizes) if axis not in reduced)
        result = np.zeros(int(np.prod(kept, dtype=np.int64)), values.dtype)
        result[groups] = values
        if keep_dims:
            kept = tuple(1 if axis in reduced else s for axis, s in enumerate(sizes))
        return result.reshape(kept)

    return kernel


def _sparse_reduction(operation: np.ufunc) -> Callable[..., tuple[Array, Array, Array]]:
    def kernel(
        input_indices: Array,
        input_values: Array,
        input_shape: Array,
        reduction_axes: Array,
        *,
        keep_dims: bool = False,
    ) -> tuple[Array, Array, Array]:
        positions, _, values, reduced, sizes = _reduced(
            operation, input_indices, input_values, input_shape, reduction_axes
        )
        if not keep_dims:
            kept = [s for axis, s in enumerate(sizes) if axis not in reduced]
            return positions, values, np.array(kept, np.int64)
        whole = np.zeros((len(positions), len(sizes)), np.int64)
        whole[:, [axis for axis in range(len(sizes)) if axis not in reduced]] = positions
        kept = [1 if axis in reduced else s for axis, s in enumerate(sizes)]
        return whole, values, np.array(kept, np.int64)

    return kernel


#: Reductions over some axes (all of them without any); where nothing is stored they give zero.
sparse_reduce_sum = _dense_reduction(np.add)
sparse_reduce_max = _dense_reduction(np.maximum)
sparse_reduce_sum_sparse = _sparse_reduction(np.add)
sparse_reduce_max_sparse = _sparse_reduction(np.maximum)


def sparse_softmax(sp_indices: Array, sp_values: Array, sp_shape: Array) -> Array:
    """The softmax over the stored values of each row, rows running along the last axis.

    >>> sparse_softmax(np.array([[0, 0], [0, 2]]), np.array([1.0, 1.0]), np.array([1, 3]))
    array([0.5, 0.5])
    """
    shape = tuple(np.asarray(sp_shape).tolist())
    if len(shape) < 2:
        raise invalid(f"Input should have rank >= 2, but received shape {list(shape)}")
    values = np.asarray(sp_values)
    _, groups, numbers = _groups(np.asarray(sp_indices), shape, [len(shape) - 1])
    largest = scatter_rows(np.maximum, -np.inf, numbers, values, len(groups))
    powers = np.exp(values - largest[numbers])
    totals = scatter_rows(np.add, 0, numbers, powers, len(groups))
    result: Array = powers / totals[numbers]
    return result
