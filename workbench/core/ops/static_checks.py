"""Assertions about the ranks and types of tensors, decided while the graph is built if possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.control import no_op, with_dependencies
from workbench.core.ops.printing import Assert

_OK = "static_checks_determined_all_ok"


def _check_ranks(
    x: Tensor,
    ranks: Sequence[Tensor],
    wording: str,
    agrees: Callable[[int, list[int]], Any],
    condition: Callable[[Any, Sequence[Any]], Any],
    data: Any,
    summarize: int | None,
    message: str,
) -> Operation:
    """Decides what is known now, and makes an operation for what is not."""
    static = [constant_value(rank) for rank in ranks]
    for rank, value in zip(ranks, static, strict=True):
        assert_type(rank, dtypes.int32)
        if (value is not None and value.ndim) or (rank.shape.ndims or 0) > 0:
            raise ValueError(f"Rank must be a scalar, got shape {rank.shape}")
    known = [int(v) for v in static if v is not None]
    actual = x.shape.ndims
    if len(known) == len(ranks) and actual is not None:
        if not agrees(actual, known):
            wanted = known[0] if len(ranks) == 1 and "in" not in wording else tuple(known)
            raise ValueError(
                f"{message}.  Tensor {x.name} must have rank {wording}{wanted}.  "
                f"Received rank {actual}, shape {x.shape}"
            )
        return no_op(_OK)
    if data is None:
        start = f"Tensor {x.name} must have rank {wording}".rstrip()
        data = [message, start, *ranks, "Received shape: ", api.shape(x)]
    holds = condition(api.rank(x), ranks)
    for rank, value in zip(ranks, static, strict=True):
        if value is None:
            scalar = Assert(
                api.equal(api.rank(rank), 0), ["Rank must be a scalar. Received rank: ", rank]
            )
            holds = with_dependencies([scalar], holds)
    return Assert(holds, data, summarize=summarize)


def assert_rank(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that fails unless `x` has `rank`; ValueError at once where that is known.

    >>> import workbench as tf
    >>> tf.assert_rank(tf.zeros([2, 3], name="grid"), 1, message="a vector")
    Traceback (most recent call last):
    ValueError: a vector.  Tensor grid:0 must have rank 1.  Received rank 2, shape (2, 3)
    """
    with name_scope(name, "assert_rank", [x, *(data or [])]):
        return _check_ranks(
            convert_to_tensor(x, name="x"),
            [convert_to_tensor(rank, name="rank")],
            "",
            lambda actual, known: actual == known[0],
            lambda actual, ranks: api.equal(actual, ranks[0]),
            data,
            summarize,
            message or "",
        )


def assert_rank_at_least(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that fails unless `x` has `rank` or a higher one; see `assert_rank`."""
    with name_scope(name, "assert_rank_at_least", [x, *(data or [])]):
        return _check_ranks(
            convert_to_tensor(x, name="x"),
            [convert_to_tensor(rank, name="rank")],
            "at least ",
            lambda actual, known: actual >= known[0],
            lambda actual, ranks: api.greater_equal(actual, ranks[0]),
            data,
            summarize,
            message or "",
        )


def assert_rank_in(
    x: Any,
    ranks: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that fails unless `x` has one of `ranks`; see `assert_rank`."""
    with name_scope(name, "assert_rank_in", [x, *ranks, *(data or [])]):
        return _check_ranks(
            convert_to_tensor(x, name="x"),
            [convert_to_tensor(rank, name="rank") for rank in ranks],
            "in ",
            lambda actual, known: actual in known,
            lambda actual, ranks: reduce(api.logical_or, [api.equal(actual, r) for r in ranks]),
            data,
            summarize,
            message or "",
        )


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Raises TypeError unless `x` has an integer type."""
    with name_scope(name, "assert_integer", [x]):
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_integer:
            raise TypeError(
                f'{message or ""}  Expected "x" to be integer type.  Found: {x.dtype.name}'
            )
        return no_op("statically_determined_was_integer")


def assert_type(
    tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None
) -> Operation:
    """Raises TypeError unless `tensor` has the type."""
    with name_scope(name, "assert_type", [tensor]):
        tensor = convert_to_tensor(tensor, name="tensor")
        wanted = as_dtype(tf_type)
        if tensor.dtype.base_dtype is not wanted.base_dtype:
            raise TypeError(f"{message or ''}  {tensor.op.name} must be of type {wanted}")
        return no_op("statically_determined_correct_type")


def assert_scalar(tensor: Any, name: str | None = None) -> Tensor:
    """`tensor`; ValueError unless it is known to be a scalar."""
    with name_scope(name, "assert_scalar", [tensor]):
        scalar = convert_to_tensor(tensor, name="tensor")
        if scalar.shape.ndims != 0:
            raise ValueError(f"Expected scalar shape for {scalar.name}, saw shape: {scalar.shape}.")
        return scalar


def assert_proper_iterable(values: Any) -> None:
    """Raises TypeError for what is no iterable, and for tensors, arrays and strings."""
    if isinstance(values, (Tensor, SparseTensor, np.ndarray, str, bytes)):
        raise TypeError(
            f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}'
        )
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')


def is_numeric_tensor(tensor: Any) -> bool:
    """True for a Tensor of numbers; False for strings, bools and what is no Tensor.

    >>> import workbench as tf
    >>> tf.is_numeric_tensor(tf.constant(1)), tf.is_numeric_tensor(tf.constant("1"))
    (True, False)
    """
    if not isinstance(tensor, Tensor):
        return False
    dtype = tensor.dtype
    return dtype.is_integer or dtype.is_floating or dtype.is_complex or dtype.is_quantized


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> DType:
    """The one floating type of all tensors that are not None, float32 where there is none.

    Raises ValueError when they differ from each other or from `dtype`, or are not floating.
    """
    chosen = None if dtype is None else as_dtype(dtype).base_dtype
    given = chosen
    for tensor in tensors or ():
        if tensor is None:
            continue
        own = tensor.dtype.base_dtype
        if chosen is None:
            chosen = own
        elif own is not chosen:
            asked = "the others" if given is None else "asked for"
            raise ValueError(
                f"{tensor.name}, type={own.name}, must be of the same type ({chosen.name}) as "
                f"{asked}."
            )
    if chosen is None:
        return dtypes.float32
    if not chosen.is_floating:
        raise ValueError(f"Expected floating point type, got {chosen.name}.")
    return chosen
