"""The largest elements of rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import ranking as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample


def _top_k_entries(entries: Entries, k: Entry) -> list[Entries]:
    shape_rules.at_least_rank(entries, 1, "the input")
    if isinstance(k, int) and k < 0:
        raise ValueError(f"Need k >= 0, got {k}")
    if entries is None:
        return [None, None]
    last = entries[-1]
    if isinstance(last, int) and isinstance(k, int) and last < k:
        raise ValueError(f"input must have last dimension >= k = {k} but is {last}")
    return [(*entries[:-1], k), (*entries[:-1], k)]


def _scalar_value(tensor: Any) -> int | None:
    shape_rules.with_rank(tensor.entries, 0, "k")
    value = constant_value(tensor)
    return None if value is None else int(value)


def _top_k_gradient(op: Any, dy: Tensor, unused: Any) -> Any:
    """Each gradient goes to where its value came from."""
    x, indices = op.inputs[0], op.outputs[1]
    width = _last_size(x)
    flat: Any = api.reshape(indices, [-1])
    # The start of the row that each index belongs to.
    rows = api.range(api.size(flat)) // _last_size(indices)
    places = api.cast(flat, "int32") + rows * width
    spread = api.scatter_nd(
        api.expand_dims(places, -1), api.reshape(dy, [-1]), api.reshape(api.size(x), [1])
    )
    by_input = api.reshape(spread, api.shape(x))
    return by_input if len(op.inputs) == 1 else (by_input, None)


def _last_size(tensor: Tensor) -> Any:
    entry = None if tensor.entries is None else tensor.entries[-1]
    return entry if isinstance(entry, int) else api.shape(tensor)[-1]


def _in_top_k_shape(op: Any) -> list[Entries]:
    (rows, _) = shape_rules.with_rank(op.inputs[0].entries, 2, "the predictions")
    (count,) = shape_rules.with_rank(op.inputs[1].entries, 1, "the targets")
    return [(shape_rules.equal_sizes(rows, count, "rows of predictions and number of targets"),)]


_ROWS = [[1.0, 5.0, 3.0], [9.0, 7.0, 8.0]]

declare(
    "TopK",
    inputs="input: T",
    outputs="values: T, indices: int32",
    attrs="k: int >= 0, sorted: bool = true, T: {real}",
    shape=lambda op: _top_k_entries(op.inputs[0].entries, op.attrs["k"]),
    kernel=kernels.top_k,
    gradient=_top_k_gradient,
    samples=[sample(_ROWS, k=2, want=([[5.0, 3.0], [9.0, 8.0]], [[1, 2], [0, 2]]))],
)
declare(
    "TopKV2",
    inputs="input: T, k: int32",
    outputs="values: T, indices: int32",
    attrs="sorted: bool = true, T: {real}",
    shape=lambda op: _top_k_entries(op.inputs[0].entries, _scalar_value(op.inputs[1])),
    kernel=kernels.top_k_v2,
    gradient=_top_k_gradient,
    samples=[
        sample(_ROWS, 2, want=([[5.0, 3.0], [9.0, 8.0]], [[1, 2], [0, 2]])),
        sample([4, 6, 6, 1], 3, want=([6, 6, 4], [1, 2, 0])),
        sample([[[0.5, 2.5]]], 1, want=([[[2.5]]], [[[1]]])),
    ],
)
_PREDICTIONS = [[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.4, 0.4, 0.2]]

declare(
    "InTopK",
    inputs="predictions: float, targets: T",
    outputs="precision: bool",
    attrs="k: int, T: {int32, int64} = DT_INT32",
    shape=_in_top_k_shape,
    kernel=kernels.in_top_k,
    samples=[sample(_PREDICTIONS, [2, 1, 1], k=1, want=[False, False, True])],
)
declare(
    "InTopKV2",
    inputs="predictions: float, targets: T, k: T",
    outputs="precision: bool",
    attrs="T: {int32, int64} = DT_INT32",
    shape=_in_top_k_shape,
    kernel=kernels.in_top_k_v2,
    samples=[
        sample(_PREDICTIONS, [2, 1, 1], 2, want=[True, False, True]),
        sample([[0.1, float("inf")], [0.1, 0.2]], [0, 9], 2, want=[False, False]),
    ],
)


class TopKV2(NamedTuple):
    """The largest elements, and where they are."""

    values: Tensor
    indices: Tensor


def top_k(
    input: Any,
    k: Any = 1,
    sorted: bool = True,
    name: str | None = None,
) -> TopKV2:
    """The `k` largest elements along the last axis in falling order, and their indices (int32).

    Of equal elements the one with the lower index comes first. `sorted` is accepted; the result is
    always in order. Raises ValueError where there are fewer than `k` elements.

    >>> import workbench as tf
    >>> found = tf.nn.top_k([3.0, 9.0, 5.0], k=2)
    >>> found.values.eval().tolist(), found.indices.eval().tolist()
    ([9.0, 5.0], [1, 2])
    """
    return TopKV2(*create("TopKV2", name, input=input, k=k, sorted=sorted).outputs)


def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether each of the classes `targets` [n] is among the `k` largest of `predictions` [n, c].

    Equal predictions at the border are all in. False where a prediction is not finite.

    >>> import workbench as tf
    >>> tf.nn.in_top_k([[0.1, 0.7, 0.2]], [2], k=2).eval().tolist()
    [True]
    """
    with name_scope(name, "in_top_k") as scope:
        return call("InTopKV2", scope, predictions=predictions, targets=targets, k=k)
