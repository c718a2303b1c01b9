"""Summaries under the names of TensorFlow before 1.0: they take their tags as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import call
from workbench.core.ops.summary import _collect, merge, merge_all


def scalar_summary(
    tags: Any, values: Any, collections: Iterable[Any] | None = None, name: str | None = None
) -> Tensor:
    """A summary of one number, or of several with a tag for each."""
    summary = call("ScalarSummary", name, tags=tags, values=values)
    return _collect(summary, collections, [GraphKeys.SUMMARIES])


def histogram_summary(
    tag: Any, values: Any, collections: Iterable[Any] | None = None, name: str | None = None
) -> Tensor:
    """A summary of how the elements of `values` are distributed."""
    summary = call("HistogramSummary", name, tag=tag, values=values)
    return _collect(summary, collections, [GraphKeys.SUMMARIES])


def image_summary(
    tag: Any,
    tensor: Any,
    max_images: int = 3,
    collections: Iterable[Any] | None = None,
    name: str | None = None,
) -> Tensor:
    """A summary of the first `max_images` images of a batch."""
    summary = call("ImageSummary", name, tag=tag, tensor=tensor, max_images=max_images)
    return _collect(summary, collections, [GraphKeys.SUMMARIES])


def audio_summary(
    tag: Any,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int = 3,
    collections: Iterable[Any] | None = None,
    name: str | None = None,
) -> Tensor:
    """A summary of the first `max_outputs` clips of a batch."""
    rate = convert_to_tensor(sample_rate, dtype=dtypes.float32)
    summary = call(
        "AudioSummaryV2", name, tag=tag, tensor=tensor, sample_rate=rate, max_outputs=max_outputs
    )
    return _collect(summary, collections, [GraphKeys.SUMMARIES])


def merge_summary(
    inputs: Iterable[Any], collections: Iterable[Any] | None = None, name: str | None = None
) -> Tensor:
    """One summary of several."""
    return merge(inputs, collections, name)


def merge_all_summaries(key: str = GraphKeys.SUMMARIES) -> Tensor | None:
    """One summary of all in a collection, or None where it is empty."""
    return merge_all(key)
