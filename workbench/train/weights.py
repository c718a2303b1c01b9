"""Weights of losses and metrics: which shapes they may have, and how they spread over values."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.context import control_dependencies, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api

_PREFIX = "weights can not be broadcast to values."


def assert_broadcastable(weights: Tensor, values: Tensor) -> Operation | None:
    """Checks that weights are scalars, or of the values' rank and in each axis 1 or their size.

    Raises ValueError where the static shapes say that they do not. Gives an operation that checks
    the shapes in a run where the static ones do not tell, else None.
    """
    own, other = weights.shape, values.shape
    if own.ndims == 0:
        return None
    if own.ndims is not None and other.ndims is not None:
        if own.ndims != other.ndims:
            raise ValueError(
                f"{_PREFIX} values.rank={other.ndims}. weights.rank={own.ndims}. "
                f"values.shape={other}. weights.shape={own}."
            )
        pairs = list(zip(own.as_list(), other.as_list(), strict=True))
        for axis, (w, v) in enumerate(pairs):
            if w is not None and v is not None and w not in (1, v):
                raise ValueError(
                    f"{_PREFIX} Mismatch at dim {axis}. values.shape={other}, weights.shape={own}."
                )
        if all(w == 1 or (w is not None and v is not None) for w, v in pairs):
            return None
    return _checked_in_a_run(weights, values)


def _checked_in_a_run(weights: Tensor, values: Tensor) -> Operation:
    with name_scope("assert_broadcastable"):
        own, other = api.shape(weights), api.shape(values)
        rank, other_rank = api.size(own), api.size(other)
        # Sizes are compared as far as both go, so that the comparison itself always works.
        both = api.minimum(rank, other_rank)
        sizes, other_sizes = own[:both], other[:both]
        fit = api.reduce_all(api.logical_or(api.equal(sizes, 1), api.equal(sizes, other_sizes)))
        same_rank = api.logical_and(api.equal(rank, other_rank), fit)
        data = [_PREFIX, "weights.shape=", own, "values.shape=", other]
        check: Operation = api.Assert(api.logical_or(api.equal(rank, 0), same_rank), data)
        return check


def broadcast_weights(given: Any, values: Any) -> Tensor:
    """The weights in the shape and dtype of the values."""
    with name_scope("broadcast_weights"):
        values = convert_to_tensor(values, name="values")
        weights: Tensor = convert_to_tensor(given, name="weights")
        if weights.dtype.base_dtype is not values.dtype.base_dtype:
            weights = api.cast(weights, values.dtype.base_dtype)
        own, other = weights.shape, values.shape
        if own.is_fully_defined() and other.is_fully_defined() and own == other:
            return weights
        check = assert_broadcastable(weights, values)
        with control_dependencies([] if check is None else [check]):
            spread: Tensor = api.multiply(weights, api.ones_like(values))
            return spread


def weights_of_rank(weights: Tensor, values: Tensor, expands: bool = True) -> Tensor:
    """Weights without a last axis of size 1 that is one too many for the rank of the values.

    Where they lack one axis, `expands` gives them one. Scalars stay as they are.
    """
    own, wanted = weights.shape.ndims, values.shape.ndims
    if own == 0:
        return weights
    if own is None or wanted is None:
        return _of_rank_in_a_run(weights, values, expands)
    if own == wanted + 1:
        weights = api.squeeze(weights, [-1])
    elif own == wanted - 1 and expands:
        weights = api.expand_dims(weights, -1)
    return weights


def _of_rank_in_a_run(weights: Tensor, values: Tensor, expands: bool) -> Tensor:
    sizes = api.shape(weights)
    rank = api.size(sizes)
    surplus = rank - api.rank(values)
    # Only an axis of size 1 may go; what has another stays, and fails where it is used.
    ones = api.equal(api.concat([[0], sizes], 0)[-1], 1)
    dropped = api.logical_and(api.equal(surplus, 1), ones)
    shape = sizes[: rank - api.cast(dropped, dtypes.int32)]
    if expands:
        missing = api.logical_and(api.equal(surplus, -1), api.greater(rank, 0))
        shape = api.concat([shape, api.ones([api.cast(missing, dtypes.int32)], dtypes.int32)], 0)
    result: Tensor = api.reshape(weights, shape)
    return result
