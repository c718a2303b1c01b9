"""Features crossed: every combination of what the columns of an example hold."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.fingerprint import farm_fingerprint
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.sparse_positions import bounded
from workbench.core.kernels.support import invalid, spelled

Array = np.ndarray[Any, Any]
_SEPARATOR = b"_X_"
_MULTIPLIER = 0xC6A4A7935BD1E995
_BITS = (1 << 64) - 1


def sparse_cross(
    indices: Sequence[Any],
    values: Sequence[Any],
    shapes: Sequence[Any],
    dense_inputs: Sequence[Any],
    *,
    hashed_output: bool,
    num_buckets: int,
    hash_key: int,
) -> tuple[Array, Array, Array]:
    """The combinations of all columns' features, example by example, as strings or as buckets."""
    batch = _batch_size(shapes, dense_inputs)
    columns = [
        *(
            _sparse_column(i, *parts, batch, hashed_output)
            for i, parts in enumerate(zip(indices, values, shapes, strict=True))
        ),
        *(_dense_column(i, column, batch, hashed_output) for i, column in enumerate(dense_inputs)),
    ]
    places: list[tuple[int, int]] = []
    crosses: list[Any] = []
    for example in range(batch):
        found = list(itertools.product(*(column[example] for column in columns)))
        places += [(example, number) for number in range(len(found))]
        crosses += found
    if hashed_output:
        limit = num_buckets if num_buckets > 0 else np.iinfo(np.int64).max
        made = np.array([_joined_hash(hash_key, c) % limit for c in crosses], np.int64)
    else:
        made = np.empty(len(crosses), object)
        made[:] = [_SEPARATOR.join(c) for c in crosses]
    rows = np.array(places, np.int64).reshape(-1, 2)
    most = int(rows[:, 1].max(initial=-1)) + 1
    return rows, made, np.array([batch, most], np.int64)


def _batch_size(shapes: Sequence[Any], dense_inputs: Sequence[Any]) -> int:
    if shapes:
        first = as_array(shapes[0])
        return int(first.reshape(-1)[0]) if first.size else 0
    return as_array(dense_inputs[0]).shape[0] if dense_inputs else 0


def _sparse_column(
    i: int, indices: Any, values: Any, shape: Any, batch: int, hashed: bool
) -> list[list[Any]]:
    places, found, sizes = as_array(indices), as_array(values), as_array(shape)
    if places.ndim != 2 or places.shape[1] != 2:
        raise invalid(
            f"Input indices should be a matrix with 2 columns but received shape "
            f"{spelled(places.shape)} at position {i}"
        )
    if found.shape != places.shape[:1]:
        raise invalid(
            f"Expected size of values to be {len(places)} got {found.size} at position {i}"
        )
    if sizes.shape != (2,):
        raise invalid(
            f"shape should imply a 2D tensor, but got {spelled(sizes.shape)} at position {i}"
        )
    if sizes[0] != batch:
        raise invalid(f"Expected batch size {batch} got {sizes[0]} at position {i}")
    bounded(places, tuple(sizes.tolist()), "indices")
    rows: list[list[Any]] = [[] for _ in range(batch)]
    for example, value in zip(places[:, 0].tolist(), _features(found, hashed), strict=True):
        rows[example].append(value)
    return rows


def _dense_column(i: int, column: Any, batch: int, hashed: bool) -> list[list[Any]]:
    array = as_array(column)
    if array.ndim != 2:
        raise invalid(
            f"Dense inputs should be a matrix but received shape {spelled(array.shape)} at "
            f"position {i}"
        )
    if len(array) != batch:
        raise invalid(f"Expected batch size {batch} got {len(array)} at dense tensor {i}")
    return [_features(row, hashed) for row in array]


def _features(values: Array, hashed: bool) -> list[Any]:
    """The values as what is joined: texts, or numbers of 64 bits without a sign."""
    if not hashed:
        return [v if isinstance(v, bytes) else b"%d" % v for v in values.tolist()]
    numbers = farm_fingerprint(values) if values.dtype.kind == "O" else values
    return [int(number) & _BITS for number in numbers.tolist()]


def _joined_hash(key: int, parts: Sequence[int]) -> int:
    result = key & _BITS
    for part in parts:
        result = _concatenated(result, part)
    return result


def _mixed(value: int) -> int:
    return value ^ (value >> 47)


def _concatenated(first: int, second: int) -> int:
    """The fingerprint of two pieces from those of each."""
    result = first ^ _MULTIPLIER
    result ^= _mixed(second * _MULTIPLIER & _BITS) * _MULTIPLIER & _BITS
    result = result * _MULTIPLIER & _BITS
    result = _mixed(result) * _MULTIPLIER & _BITS
    return _mixed(result)
