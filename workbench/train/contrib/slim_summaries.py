"""Summaries of tensors under their own names: `slim.summaries`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.core.graph.context import add_to_collection
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops import api, summary


def _name(tensor: Any, name: str | None, prefix: str | None, postfix: str | None = None) -> str:
    return "/".join(part for part in (prefix, name or tensor.op.name, postfix) if part)


def _printed(made: Any, tensor: Any, name: str) -> Any:
    """A summary that also prints the tensor where it is computed."""
    printing = api.Print(made, [tensor], name)
    add_to_collection(GraphKeys.SUMMARIES, printing)
    return printing


def add_histogram_summary(tensor: Any, name: str | None = None, prefix: str | None = None) -> Any:
    """A histogram of a tensor."""
    return summary.histogram(_name(tensor, name, prefix), tensor)


def add_image_summary(
    tensor: Any, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> Any:
    """A summary of images."""
    title = _name(tensor, name, prefix)
    made = summary.image(title, tensor, collections=[] if print_summary else None)
    return _printed(made, tensor, title) if print_summary else made


def add_scalar_summary(
    tensor: Any, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> Any:
    """A summary of a number."""
    title = _name(tensor, name, prefix)
    made = summary.scalar(title, tensor, collections=[] if print_summary else None)
    return _printed(made, tensor, title) if print_summary else made


def add_zero_fraction_summary(
    tensor: Any, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> Any:
    """A summary of which part of a tensor is 0."""
    title = _name(tensor, name, prefix, "Fraction of Zero Values")
    return add_scalar_summary(api.zero_fraction(tensor), title, print_summary=print_summary)


def add_histogram_summaries(tensors: Iterable[Any], prefix: str | None = None) -> list[Any]:
    """Histograms of tensors."""
    return [add_histogram_summary(tensor, prefix=prefix) for tensor in tensors]


def add_image_summaries(tensors: Iterable[Any], prefix: str | None = None) -> list[Any]:
    """Summaries of images."""
    return [add_image_summary(tensor, prefix=prefix) for tensor in tensors]


def add_scalar_summaries(
    tensors: Iterable[Any], prefix: str | None = None, print_summary: bool = False
) -> list[Any]:
    """Summaries of numbers."""
    return [
        add_scalar_summary(tensor, prefix=prefix, print_summary=print_summary) for tensor in tensors
    ]


def add_zero_fraction_summaries(tensors: Iterable[Any], prefix: str | None = None) -> list[Any]:
    """Summaries of which parts of tensors are 0."""
    return [add_zero_fraction_summary(tensor, prefix=prefix) for tensor in tensors]
