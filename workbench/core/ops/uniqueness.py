"""Distinct values, and the difference of two lists."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import listing as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


class Unique(NamedTuple):
    """The distinct values, and which of them each element is."""

    y: Tensor
    idx: Tensor


class UniqueWithCounts(NamedTuple):
    """The distinct values, which of them each element is, and how often each occurs."""

    y: Tensor
    idx: Tensor
    count: Tensor  # type: ignore[assignment]


class ListDiff(NamedTuple):
    """The values that remain, and where they were."""

    out: Tensor
    idx: Tensor


def _unique_shape(op: Any) -> list[Any]:
    entries = shape_rules.with_rank(op.inputs[0].entries, 1, "x")
    return [(None,), entries, (None,)][: len(op.outputs)]


_ATTRS = "T: type, out_idx: {int32, int64} = DT_INT32"
declare(
    "Unique",
    inputs="x: T",
    outputs="y: T, idx: out_idx",
    attrs=_ATTRS,
    shape=_unique_shape,
    kernel=kernels.unique,
    gradient=None,
    samples=[
        sample([4, 1, 4, 2], want=([4, 1, 2], [0, 1, 0, 2])),
        sample([b"b", b"a", b"b"], out_idx="int64", want=([b"b", b"a"], [0, 1, 0])),
    ],
)
declare(
    "UniqueWithCounts",
    inputs="x: T",
    outputs="y: T, idx: out_idx, count: out_idx",
    attrs=_ATTRS,
    shape=_unique_shape,
    kernel=kernels.unique_with_counts,
    gradient=None,
    samples=[sample([4, 1, 4], want=([4, 1], [0, 1, 0], [2, 1]))],
)


declare(
    "ListDiff",
    inputs="x: T, y: T",
    outputs="out: T, idx: out_idx",
    attrs=_ATTRS,
    shape=lambda op: [(None,), (None,)],
    kernel=kernels.list_diff,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([1, 2, 3, 2], [2], want=([1, 3], [0, 2])),
        sample([b"a", b"b"], [b"a"], want=([b"b"], [1])),
    ],
)


def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> Unique:
    """The distinct values of a vector in the order they are first met, and each one's number.

    >>> import workbench as tf
    >>> y, idx = tf.unique([7, 5, 7])
    >>> y.eval().tolist(), idx.eval().tolist()
    ([7, 5], [0, 1, 0])
    """
    return Unique(*create("Unique", name, x=x, out_idx=out_idx).outputs)


def unique_with_counts(x: Any, out_idx: Any = "int32", name: str | None = None) -> UniqueWithCounts:
    """As `unique`, with how often each distinct value occurs."""
    return UniqueWithCounts(*create("UniqueWithCounts", name, x=x, out_idx=out_idx).outputs)


def setdiff1d(x: Any, y: Any, index_dtype: Any = "int32", name: str | None = None) -> ListDiff:
    """The values of `x` that are not in `y`, in their order, and where they were.

    >>> import workbench as tf
    >>> out, idx = tf.setdiff1d([1, 2, 3, 4], [2, 4])
    >>> out.eval().tolist(), idx.eval().tolist()
    ([1, 3], [0, 2])
    """
    return ListDiff(*create("ListDiff", name, x=x, y=y, out_idx=index_dtype).outputs)
