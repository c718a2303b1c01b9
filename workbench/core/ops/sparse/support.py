"""What the operations on sparse tensors share."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.constants import constant_entries
from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules


def as_sparse(value: Any) -> SparseTensor:
    """The SparseTensor for a SparseTensor or a SparseTensorValue; TypeError for anything else."""
    from workbench.core.graph.composite import SparseTensorValue

    if isinstance(value, SparseTensorValue):
        return SparseTensor.from_value(value)
    if not isinstance(value, SparseTensor):
        raise TypeError(f"Input must be a SparseTensor, got {type(value).__name__}: {value!r}")
    return value


def parts(sparse: SparseTensor, *names: str) -> dict[str, Tensor]:
    """Indices, values and dense shape under the names that an operation gives them."""
    return dict(zip(names, sparse, strict=True))


def check(op: Any, start: int = 0) -> tuple[Entry, Entry]:
    """The number of entries and the rank of the sparse tensor whose parts begin at `start`."""
    indices, values, shape = op.inputs[start : start + 3]
    rows, rank = shape_rules.with_rank(indices.entries, 2, "indices")
    (count,) = shape_rules.with_rank(values.entries, 1, "values")
    (length,) = shape_rules.with_rank(shape.entries, 1, "shape")
    entries = shape_rules.equal_sizes(rows, count, "one value for each position")
    return entries, shape_rules.equal_sizes(rank, length, "one coordinate for each axis")


def unknown_parts(rank: Entry) -> list[Entries]:
    """The shapes of a sparse tensor's parts when the number of entries is not known."""
    return [(None, rank), (None,), (rank,)]


def dense_entries(shape: Tensor) -> Entries:
    """What is known of the dense shape a tensor holds."""
    return constant_entries(shape)
