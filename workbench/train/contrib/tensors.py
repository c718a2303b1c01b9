"""Small functions on tensors: `tf.contrib.framework`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import get_default_graph, graph_of
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.bitwise import invert
from workbench.core.ops.state.variables import Variable

_DIRECTIONS = ("ASCENDING", "DESCENDING")


def is_tensor(x: Any) -> bool:
    """Whether a value is a tensor, SparseTensor or variable.

    >>> import workbench as tf
    >>> is_tensor(tf.constant(1)), is_tensor(1)
    (True, False)
    """
    return isinstance(x, (Tensor, SparseTensor, Variable))


def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """The values in order along an axis; `direction` is "ASCENDING" or "DESCENDING".

    Raises:
      ValueError: the direction is none, or the axis is not known.

    >>> import workbench as tf
    >>> sort(tf.constant([3, 1, 2])).eval().tolist()
    [1, 2, 3]
    """
    with api.name_scope(name, "sort"):
        return _ordered(values, axis, direction)[0]


def argsort(
    values: Any,
    axis: Any = -1,
    direction: str = "ASCENDING",
    stable: bool = False,
    name: str | None = None,
) -> Any:
    """Where the values in order come from; equal ones stay in their order, `stable` or not.

    >>> import workbench as tf
    >>> argsort(tf.constant([3, 1, 2])).eval().tolist()
    [1, 2, 0]
    """
    with api.name_scope(name, "argsort"):
        return _ordered(values, axis, direction)[1]


def _ordered(values: Any, axis: Any, direction: str) -> tuple[Any, Any]:
    """Values in order, and where they come from."""
    if direction not in _DIRECTIONS:
        raise ValueError(f"{direction} should be one of {', '.join(_DIRECTIONS)}")
    known = constant_value(convert_to_tensor(axis, name="axis"))
    if known is None or known.ndim:
        raise ValueError("axis must be a constant scalar")
    tensor = convert_to_tensor(values, name="values")
    rank = tensor.shape.ndims
    if rank is None or not -rank <= int(known) < rank:
        raise ValueError(f"There is no axis {known} to sort along: the shape is {tensor.shape}")
    order = list(range(rank))
    # The axis and the last one change places, and back again.
    order[int(known)], order[-1] = order[-1], order[int(known)]
    is_last = order == sorted(order)
    rows = tensor if is_last else api.transpose(tensor, order)
    is_ascending = direction == "ASCENDING"
    found, places = api.top_k(_mirrored(rows) if is_ascending else rows, api.shape(rows)[-1])
    found = _mirrored(found) if is_ascending else found
    if is_last:
        return found, places
    return api.transpose(found, order), api.transpose(places, order)


def _mirrored(values: Any) -> Any:
    """Values in the opposite order, nothing lost: integers have one more below 0 than above."""
    return -values if values.dtype.is_floating else invert(values)


def reduce_sum_n(tensors: Sequence[Any], name: str | None = None) -> Any:
    """The sum of the elements of all tensors.

    Raises:
      ValueError: there are none.
    """
    if not tensors:
        raise ValueError("No tensors provided.")
    with api.name_scope(name, "reduce_sum_n"):
        return api.add_n([api.reduce_sum(tensor) for tensor in tensors])


def get_name_scope() -> str:
    """The name scope that is open, such as "tower/layer"."""
    return get_default_graph().unique_name("x", mark_as_used=False).rpartition("/")[0]


def get_graph_from_inputs(op_input_list: Sequence[Any], graph: Any = None) -> Any:
    """The graph of tensors, which is `graph` where that is given; the default one of none.

    Raises:
      ValueError: they are of several graphs.
    """
    return graph_of(list(op_input_list), graph)
