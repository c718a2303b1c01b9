"""Adding up the gradients of a tensor that is used several times."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import IndexedSlices, ListSlices
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops import api


class AggregationMethod:
    """How gradients are added up. All give the same sum; the names exist for TensorFlow's code."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def aggregate(gradients: list[Any]) -> Any:
    """The sum of gradients: sparse where all are, dense otherwise; None without any."""
    terms = [g for g in gradients if g is not None]
    if len(terms) <= 1:
        return terms[0] if terms else None
    if all(isinstance(g, IndexedSlices) for g in terms):
        return _join(terms)
    slices = [g for g in terms if isinstance(g, ListSlices)]
    if slices:
        return _add_to_list([g for g in terms if not isinstance(g, ListSlices)], slices)
    dense = [convert_to_tensor(g) for g in terms]
    return api.add_n(dense)


def _add_to_list(lists: list[Any], slices: list[ListSlices]) -> Any:
    """The lists and what is to be added to elements of them; slices alone stay slices."""
    if not lists:
        return ListSlices(slices[0].source, tuple(item for s in slices for item in s.items))
    from workbench.core.ops.lists.slices import add_slices

    return add_slices(lists[0] if len(lists) == 1 else api.add_n(lists), slices)


def _join(slices: list[IndexedSlices]) -> IndexedSlices:
    """The rows of all: repeated rows add up by the meaning of IndexedSlices."""
    indices = [s.indices for s in slices]
    if len({i.dtype for i in indices}) > 1:
        indices = [api.cast(i, "int64") for i in indices]
    return IndexedSlices(
        api.concat([s.values for s in slices], 0), api.concat(indices, 0), slices[0].dense_shape
    )
