"""Summaries of tensors and collections: `tf.contrib.layers`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

from workbench.core.graph.context import get_collection
from workbench.core.graph.dtypes import bool as bool_type
from workbench.core.graph.dtypes import float32, string
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops import api, summary

#: Activations of which it is told how much is cut off at 0.
_CUT_AT_ZERO = ("Relu", "Softplus", "Relu6")


def summarize_tensor(tensor: Any, tag: str | None = None) -> Any:
    """A summary of a number, or a histogram of a tensor; None of strings and bools.

    >>> import workbench as tf
    >>> summarize_tensor(tf.constant(1.0, name="loss")).op.type
    'ScalarSummary'
    """
    if tensor.dtype.base_dtype in (string, bool_type):
        return None
    name = tag or f"{tensor.op.name}_summary"
    if tensor.get_shape().ndims == 0:
        return summary.scalar(name, tensor)
    return summary.histogram(name, tensor)


def summarize_activation(op: Any) -> Any:
    """A histogram of an activation, and of some which part is cut off, too."""
    operation = op.op
    if operation.type in _CUT_AT_ZERO:
        before = operation.inputs[0]
        _share(api.less(before, api.cast(0.0, before.dtype)), f"{operation.name}/zeros")
        if operation.type == "Relu6":
            _share(api.greater(before, api.cast(6.0, before.dtype)), f"{operation.name}/sixes")
    return summary.histogram(f"{operation.name}/activation", op)


def _share(condition: Any, tag: str) -> None:
    summary.scalar(tag, api.reduce_mean(api.cast(condition, float32)))


def summarize_tensors(
    tensors: Iterable[Any], summarizer: Callable[[Any], Any] = summarize_tensor
) -> list[Any]:
    """The summaries of tensors."""
    return [summarizer(tensor) for tensor in tensors]


def summarize_collection(
    collection: Any,
    name_filter: str | None = None,
    summarizer: Callable[[Any], Any] = summarize_tensor,
) -> list[Any]:
    """The summaries of the tensors of a collection whose names match `name_filter`."""
    tensors = [
        tensor
        for tensor in get_collection(collection)
        if name_filter is None or re.match(name_filter, tensor.op.name)
    ]
    return summarize_tensors(tensors, summarizer)


summarize_variables = functools.partial(summarize_collection, GraphKeys.GLOBAL_VARIABLES)
summarize_weights = functools.partial(summarize_collection, GraphKeys.WEIGHTS)
summarize_biases = functools.partial(summarize_collection, GraphKeys.BIASES)


def summarize_activations(
    name_filter: str | None = None, summarizer: Callable[[Any], Any] = summarize_activation
) -> list[Any]:
    """The summaries of the collection ACTIVATIONS."""
    return summarize_collection(GraphKeys.ACTIVATIONS, name_filter, summarizer)
