"""Reductions of rows that carry the number of their segment, sorted or not, and their gradients."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from workbench.core.kernels.support import invalid, position, spelled, widen

#: Rows at least this wide are added one row at a time per segment, if no segment has many rows.
_WIDE_ROW, _MOST_ROUNDS = 32, 24


def segment_sum(data: np.ndarray, segment_ids: np.ndarray) -> np.ndarray:
    """The sum of the rows of each segment; ``segment_ids`` are sorted, and gaps give zeros.

    >>> segment_sum(np.array([1.0, 2.0, 4.0]), np.array([0, 0, 2]))
    array([3., 0., 4.])
    """
    return _segment(np.add, 0, data, segment_ids)


def segment_prod(data: np.ndarray, segment_ids: np.ndarray) -> np.ndarray:
    """The product of the rows of each segment; gaps give ones."""
    return _segment(np.multiply, 1, data, segment_ids)


def segment_min(data: np.ndarray, segment_ids: np.ndarray) -> np.ndarray:
    """The least value of each segment and column; gaps give zeros."""
    return _segment(np.minimum, _extremes(data)[1], data, segment_ids, gap=0)


def segment_max(data: np.ndarray, segment_ids: np.ndarray) -> np.ndarray:
    """The greatest value of each segment and column; gaps give zeros."""
    return _segment(np.maximum, _extremes(data)[0], data, segment_ids, gap=0)


def segment_mean(data: np.ndarray, segment_ids: np.ndarray) -> np.ndarray:
    """The mean of the rows of each segment; gaps give zeros.

    >>> segment_mean(np.array([1.0, 2.0, 4.0]), np.array([0, 0, 1]))
    array([1.5, 4. ])
    """
    data, ids = np.asarray(data), np.asarray(segment_ids)
    count = _sorted_count(data, ids)
    total = scatter_rows(np.add, 0, ids, widen(data), count)
    return _divided(total, ids, count, data.dtype, root=False)


def unsorted_segment_sum(
    data: np.ndarray, segment_ids: np.ndarray, num_segments: np.ndarray
) -> np.ndarray:
    """Sums by segment in any order; rows with a negative segment are dropped, empty ones are zero.

    ``segment_ids`` has the shape of ``data`` or of its first dimensions.

    >>> unsorted_segment_sum(np.array([1.0, 2.0, 4.0]), np.array([1, -1, 1]), np.array(3))
    array([0., 5., 0.])
    """
    return _unsorted(np.add, 0, data, segment_ids, num_segments)


def unsorted_segment_prod(
    data: np.ndarray, segment_ids: np.ndarray, num_segments: np.ndarray
) -> np.ndarray:
    """Products by segment in any order; empty segments are one."""
    return _unsorted(np.multiply, 1, data, segment_ids, num_segments)


def unsorted_segment_max(
    data: np.ndarray, segment_ids: np.ndarray, num_segments: np.ndarray
) -> np.ndarray:
    """Greatest values by segment in any order; empty segments are the dtype's lowest value."""
    return _unsorted(np.maximum, _limits(data)[0], data, segment_ids, num_segments)


def unsorted_segment_min(
    data: np.ndarray, segment_ids: np.ndarray, num_segments: np.ndarray
) -> np.ndarray:
    """Least values by segment in any order; empty segments are the dtype's highest value."""
    return _unsorted(np.minimum, _limits(data)[1], data, segment_ids, num_segments)


def sparse_segment_sum(
    data: np.ndarray,
    indices: np.ndarray,
    segment_ids: np.ndarray,
    num_segments: np.ndarray | None = None,
) -> np.ndarray:
    """``segment_sum`` of the rows of ``data`` at ``indices``.

    There are ``num_segments`` segments, or as many as the last of the ids says.

    >>> sparse_segment_sum(np.array([1.0, 2.0, 4.0]), np.array([2, 0, 2]), np.array([0, 0, 1]))
    array([5., 4.])
    """
    total, _, _ = _sparse_total(data, indices, segment_ids, num_segments)
    return total.astype(np.asarray(data).dtype, copy=False)


def sparse_segment_mean(
    data: np.ndarray,
    indices: np.ndarray,
    segment_ids: np.ndarray,
    num_segments: np.ndarray | None = None,
) -> np.ndarray:
    """``segment_mean`` of the rows of ``data`` at ``indices``."""
    total, ids, count = _sparse_total(data, indices, segment_ids, num_segments)
    return _divided(total, ids, count, np.asarray(data).dtype, root=False)


def sparse_segment_sqrt_n(
    data: np.ndarray,
    indices: np.ndarray,
    segment_ids: np.ndarray,
    num_segments: np.ndarray | None = None,
) -> np.ndarray:
    """Sums of the rows at ``indices`` by segment, over the root of the count of rows."""
    total, ids, count = _sparse_total(data, indices, segment_ids, num_segments)
    return _divided(total, ids, count, np.asarray(data).dtype, root=True)


def sparse_segment_sum_grad(
    grad: np.ndarray, indices: np.ndarray, segment_ids: np.ndarray, output_dim0: np.ndarray
) -> np.ndarray:
    """The gradient of ``sparse_segment_sum`` with respect to its data of ``output_dim0`` rows."""
    return _sparse_grad(grad, indices, segment_ids, output_dim0, 0.0)


def sparse_segment_mean_grad(
    grad: np.ndarray, indices: np.ndarray, segment_ids: np.ndarray, output_dim0: np.ndarray
) -> np.ndarray:
    """The gradient of ``sparse_segment_mean`` with respect to its data of ``output_dim0`` rows."""
    return _sparse_grad(grad, indices, segment_ids, output_dim0, 1.0)


def sparse_segment_sqrt_n_grad(
    grad: np.ndarray, indices: np.ndarray, segment_ids: np.ndarray, output_dim0: np.ndarray
) -> np.ndarray:
    """The gradient of ``sparse_segment_sqrt_n`` with respect to its data."""
    return _sparse_grad(grad, indices, segment_ids, output_dim0, 0.5)


def scatter_rows(
    operation: np.ufunc, initial: Any, ids: np.ndarray, rows: np.ndarray, count: int
) -> np.ndarray:
    """``result[ids[i]] = operation(result[ids[i]], rows[i])`` in order, from ``initial``.

    ``ids`` (flat, in [0, count)) may repeat; the result has ``count`` rows of the shape and dtype
    of those of ``rows``.

    >>> scatter_rows(np.add, 0, np.array([1, 1]), np.array([[1, 2], [3, 4]]), 2)
    array([[0, 0],
           [4, 6]])
    """
    result = np.full((count, *rows.shape[1:]), initial, rows.dtype)
    width = int(np.prod(rows.shape[1:]))
    if not rows.size:
        return result
    flat = result.reshape(count, width)
    rows = rows.reshape(-1, width)
    if width >= _WIDE_ROW and _scatter_in_rounds(operation, flat, ids, rows):
        return result
    # NumPy's ufunc.at is fast for one-dimensional targets only.
    target = ids.astype(np.intp)
    if width > 1:
        target = (target * width)[:, np.newaxis] + np.arange(width)
    with np.errstate(over="ignore", invalid="ignore"):
        operation.at(flat.reshape(-1), target.reshape(-1), rows.reshape(-1))
    return result


def _scatter_in_rounds(
    operation: np.ufunc, flat: np.ndarray, ids: np.ndarray, rows: np.ndarray
) -> bool:
    """The first row of every segment at once, then all the second ones...; False if too many."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.diff(starts, append=ids.size)
    if counts.max() > _MOST_ROUNDS:
        return False
    segments = ordered[starts]
    with np.errstate(over="ignore", invalid="ignore"):
        for turn in range(int(counts.max())):
            taken = counts > turn
            target = segments[taken]
            flat[target] = operation(flat[target], rows[order[starts[taken] + turn]])
    return True


def _segment(
    operation: np.ufunc,
    initial: Any,
    data: np.ndarray,
    segment_ids: np.ndarray,
    gap: Any = None,
) -> np.ndarray:
    data, ids = np.asarray(data), np.asarray(segment_ids)
    count = _sorted_count(data, ids)
    result = scatter_rows(operation, initial, ids, widen(data), count)
    result = result.astype(data.dtype, copy=False)
    if gap is not None:
        result[_gaps(ids, count)] = gap
    return result


def _gaps(ids: np.ndarray, count: int) -> np.ndarray:
    empty = np.ones(count, np.bool_)
    empty[ids] = False
    return empty


def _unsorted(
    operation: np.ufunc,
    initial: Any,
    data: np.ndarray,
    segment_ids: np.ndarray,
    num_segments: np.ndarray,
) -> np.ndarray:
    if np.ndim(num_segments):
        raise invalid(f"num_segments should be a scalar, not shape {list(np.shape(num_segments))}")
    data, ids, count = np.asarray(data), np.asarray(segment_ids), int(num_segments)
    if ids.shape != data.shape[: ids.ndim]:
        raise invalid(
            f"data.shape = {spelled(data.shape)} does not start with segment_ids.shape = "
            f"{spelled(ids.shape)}"
        )
    if count < 0:
        raise invalid(f"Input num_segments == {count} must not be negative.")
    flat = ids.reshape(-1)
    if flat.size and flat.max() >= count:
        where = int(flat.argmax())
        raise invalid(
            f"segment_ids{position(ids.shape, where)} = {flat[where]} is out of range [0, {count})"
        )
    rows = widen(data).reshape(flat.size, *data.shape[ids.ndim :])
    if flat.size and flat.min() < 0:
        kept = flat >= 0
        flat, rows = flat[kept], rows[kept]
    return scatter_rows(operation, initial, flat, rows, count).astype(data.dtype, copy=False)


def _sparse_total(
    data: np.ndarray,
    indices: np.ndarray,
    segment_ids: np.ndarray,
    num_segments: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, int]:
    data, indices, ids = np.asarray(data), np.asarray(indices), np.asarray(segment_ids)
    if indices.shape != ids.shape:
        raise invalid(
            "segment_ids and indices should have same size, got shapes "
            f"{spelled(ids.shape)} and {spelled(indices.shape)}"
        )
    wrong = _outside(indices, data.shape[0])
    if wrong is not None:
        raise invalid(f"indices[{wrong}] == {indices[wrong]} out of range [0, {data.shape[0]})")
    rows = widen(data.take(indices, axis=0, mode="clip"))
    count = _sorted_count(rows, ids)
    if num_segments is not None:
        if count > num_segments:
            raise invalid(
                f"segment ids must be < num_segments, but segment_ids[{ids.size - 1}] = {ids[-1]} "
                f"and num_segments = {num_segments}"
            )
        count = int(num_segments)
    return scatter_rows(np.add, 0, ids, rows, count), ids, count


def _sparse_grad(
    grad: np.ndarray,
    indices: np.ndarray,
    segment_ids: np.ndarray,
    output_dim0: np.ndarray,
    power: float,
) -> np.ndarray:
    grad, indices, ids = np.asarray(grad), np.asarray(indices), np.asarray(segment_ids)
    count = int(output_dim0)
    wrong = _outside(indices, count)
    if wrong is not None:
        raise invalid(f"Index {indices[wrong]} out of range [0, {count}): indices[{wrong}]")
    wrong = _outside(ids, grad.shape[0])
    if wrong is not None:
        raise invalid(
            f"Segment id {ids[wrong]} out of range [0, {grad.shape[0]}): segment_ids[{wrong}]"
        )
    wide = widen(grad)
    if power:
        sizes = np.maximum(np.bincount(ids, minlength=grad.shape[0]), 1).astype(wide.dtype)
        wide = wide / (sizes**power).reshape(-1, *[1] * (grad.ndim - 1))
    result = scatter_rows(np.add, 0, indices, wide.take(ids, axis=0, mode="clip"), count)
    return result.astype(grad.dtype, copy=False)


def _divided(
    total: np.ndarray, ids: np.ndarray, count: int, dtype: np.dtype[Any], *, root: bool
) -> np.ndarray:
    sizes = np.maximum(np.bincount(ids, minlength=count), 1)
    divisors = (np.sqrt(sizes) if root else sizes).reshape(-1, *[1] * (total.ndim - 1))
    if np.issubdtype(total.dtype, np.integer):
        # Towards zero, as the division of integers of TensorFlow's kernels.
        return np.asarray(np.sign(total) * (np.abs(total) // divisors), dtype)
    return np.asarray(total / divisors.astype(total.dtype), dtype)


def _sorted_count(data: np.ndarray, ids: np.ndarray) -> int:
    """The number of segments, having checked that ``ids`` are sorted and fit ``data``."""
    if ids.ndim != 1:
        raise invalid(f"segment_ids should be a vector, got shape {spelled(ids.shape)}")
    if data.ndim == 0 or ids.size != data.shape[0]:
        raise invalid(
            "segment_ids should be the same size as dimension 0 of input: got "
            f"{ids.size} of them for data of shape {spelled(data.shape)}"
        )
    if not ids.size:
        return 0
    count = int(ids[-1]) + 1
    if count < 1:
        raise invalid(f"segment ids must be >= 0, but segment_ids[{ids.size - 1}] = {ids[-1]}")
    if ids[0] >= 0 and not (ids[1:] < ids[:-1]).any():
        return count
    # The last one counts the segments. Named is the first that falls, or that lies beyond these.
    falls = np.flatnonzero(ids[1:] < ids[:-1])
    beyond = _outside(ids, count)
    if beyond is None or (falls.size and (ids[beyond : falls[0] + 1] == ids[falls[0]]).all()):
        where = int(falls[0]) + 1
        raise invalid(
            f"segment ids are not increasing: segment_ids[{where}] = {ids[where]} follows "
            f"{ids[where - 1]}"
        )
    raise invalid(
        f"Segment id {ids[beyond]} out of range [0, {count}), possibly because 'segment_ids' "
        f"input is not sorted. It is segment_ids[{beyond}]"
    )


def _outside(indices: np.ndarray, size: int) -> int | None:
    """The place of the first index that is not in [0, size), if there is one."""
    wrong = np.flatnonzero((indices < 0) | (indices >= size))
    return int(wrong[0]) if wrong.size else None


def _limits(data: np.ndarray) -> tuple[Any, Any]:
    """The lowest and highest finite values of a dtype."""
    dtype = np.asarray(data).dtype
    if np.issubdtype(dtype, np.integer):
        integers = np.iinfo(dtype)
        return integers.min, integers.max
    floats = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    return floats.min, floats.max


def _extremes(data: np.ndarray) -> tuple[Any, Any]:
    """The least and greatest values of a dtype, infinities included."""
    if np.issubdtype(np.asarray(data).dtype, np.integer):
        return _limits(data)
    return -np.inf, np.inf
