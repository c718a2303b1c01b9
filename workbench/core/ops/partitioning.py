"""Sending rows to several tensors by number, and merging them again."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import gathering as kernels
from workbench.core.ops import api
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import equal_shapes, reshape_like


def _partition_shape(op: Any) -> list[Any]:
    data, partitions = (t.entries for t in op.inputs)
    count = op.attrs["num_partitions"]
    if data is None or partitions is None:
        return [None] * count
    equal_shapes(data[: len(partitions)], partitions)
    return [(None, *data[len(partitions) :])] * count


def _partition_gradient(op: Any, *grads: Any) -> list[Any]:
    data, partitions = op.inputs
    numbers = reshape_like(api.range(api.size(partitions)), partitions)
    sources = dynamic_partition(numbers, partitions, op.attrs["num_partitions"])
    return [reshape_like(dynamic_stitch(sources, list(grads)), data), None]


declare(
    "DynamicPartition",
    inputs="data: T, partitions: int32",
    outputs="outputs: num_partitions * T",
    attrs="num_partitions: int >= 1, T: type",
    shape=_partition_shape,
    kernel=kernels.dynamic_partition,
    gradient=_partition_gradient,
    samples=[
        sample([1.0, 2.0, 3.0], [1, 0, 1], num_partitions=2, want=([2.0], [1.0, 3.0])),
        sample([[1.0, 2.0]], [[0, 0]], num_partitions=2, want=([1.0, 2.0], [])),
    ],
)


def _stitch_shape(op: Any) -> list[Any]:
    count = op.attrs["N"]
    rest: Entries = None
    rows: Entry = 0
    for index, data in zip(op.inputs[:count], op.inputs[count:], strict=True):
        if index.entries is not None and data.entries is not None:
            equal_shapes(data.entries[: len(index.entries)], index.entries)
            rest = equal_shapes(rest, data.entries[len(index.entries) :])
        numbers = constant_value(index)
        if numbers is None:
            rows = None
        elif isinstance(rows, int) and numbers.size:
            rows = max(rows, int(numbers.max()) + 1)
    return [None if rest is None else (rows, *rest)]


def _stitch_gradient(op: Any, grad: Any) -> list[Any]:
    count = op.attrs["N"]
    return [*[None] * count, *(api.gather(grad, index) for index in op.inputs[:count])]


_PIECES = (([0, 2], [1]), ([[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0]]))
for _type in ("DynamicStitch", "ParallelDynamicStitch"):
    declare(
        _type,
        inputs="indices: N * int32, data: N * T",
        outputs="merged: T",
        attrs="N: int >= 1, T: type",
        shape=_stitch_shape,
        kernel=kernels.dynamic_stitch,
        gradient=_stitch_gradient,
        samples=[sample(*_PIECES, want=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])],
    )


def dynamic_partition(
    data: Any, partitions: Any, num_partitions: int, name: str | None = None
) -> list[Tensor]:
    """The elements of `data` sent to `num_partitions` tensors by their number in `partitions`.

    `partitions` has the shape of `data` or of its first axes.

    >>> import workbench as tf
    >>> parts = tf.dynamic_partition([10, 20, 30], [1, 0, 1], num_partitions=2)
    >>> [p.eval().tolist() for p in parts]
    [[20], [10, 30]]
    """
    op = create(
        "DynamicPartition", name, data=data, partitions=partitions, num_partitions=num_partitions
    )
    return list(op.outputs)


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """One tensor of several: row `indices[m][i]` is `data[m][i]`; later pieces win.

    >>> import workbench as tf
    >>> tf.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]).eval().tolist()
    [10, 20, 30]
    """
    return call("DynamicStitch", name, indices=indices, data=data)


def parallel_dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """As `dynamic_stitch`, where which piece wins for a repeated row is left open."""
    return call("ParallelDynamicStitch", name, indices=indices, data=data)
