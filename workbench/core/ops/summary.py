"""Summaries: what a run shows in TensorBoard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.context import get_default_graph, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import summaries as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.platform import logging

_A_IS_ONE = b"\n\x08\n\x01a\x15\x00\x00\x80?"
_B_IS_TWO = b"\n\x08\n\x01b\x15\x00\x00\x00@"

declare(
    "ScalarSummary",
    inputs="tags: string, values: T",
    outputs="summary: string",
    attrs="T: {real}",
    shape=shape_rules.scalar,
    kernel=kernels.scalar_summary,
    samples=[
        sample(b"a", 1.0, want=_A_IS_ONE),
        sample([b"a", b"b"], [1, 2], want=_A_IS_ONE + _B_IS_TWO),
    ],
)
declare(
    "HistogramSummary",
    inputs="tag: string, values: T",
    outputs="summary: string",
    attrs="T: {real} = DT_FLOAT",
    shape=shape_rules.scalar,
    kernel=kernels.histogram_summary,
    samples=[sample(b"a", [[1.0, 2.0], [2.0, -3.0]]), sample(b"a", [1, 2])],
)
declare(
    "ImageSummary",
    inputs="tag: string, tensor: T",
    outputs="summary: string",
    attrs="max_images: int >= 1 = 3, T: {uint8, float, half, double} = DT_FLOAT, "
    "bad_color: tensor = uint8 [255, 0, 0, 255]",
    shape=shape_rules.scalar,
    kernel=kernels.image_summary,
    samples=[sample(b"a", [[[[1.0], [2.0]]]]), sample(b"a", [[[[1], [2]]]], dtype="uint8")],
)
declare(
    "AudioSummaryV2",
    inputs="tag: string, tensor: float, sample_rate: float",
    outputs="summary: string",
    attrs="max_outputs: int >= 1 = 3",
    shape=shape_rules.scalar,
    kernel=kernels.audio_summary_v2,
    samples=[sample(b"a", [[0.0, 0.5]], 8000.0)],
)
declare(
    "AudioSummary",
    inputs="tag: string, tensor: float",
    outputs="summary: string",
    attrs="sample_rate: float, max_outputs: int >= 1 = 3",
    shape=shape_rules.scalar,
    kernel=kernels.audio_summary,
    samples=[sample(b"a", [[[0.0], [0.5]]], sample_rate=8000.0)],
)
declare(
    "TensorSummaryV2",
    inputs="tag: string, tensor: T, serialized_summary_metadata: string",
    outputs="summary: string",
    attrs="T: type",
    shape=shape_rules.scalar,
    kernel=kernels.tensor_summary_v2,
    samples=[
        sample(
            b"a",
            1,
            b"\x12\x01n",
            want=b"\n\x11\n\x01aB\x07\x08\x03\x12\x00:\x01\x01J\x03\x12\x01n",
        )
    ],
)
declare(
    "TensorSummary",
    inputs="tensor: T",
    outputs="summary: string",
    attrs="T: type, description: string = '', labels: list(string) = [], display_name: string = ''",
    shape=shape_rules.scalar,
    kernel=kernels.tensor_summary,
    stateful=True,
    samples=[sample([1.0, 2.0])],
)
declare(
    "MergeSummary",
    inputs="inputs: N * string",
    outputs="summary: string",
    attrs="N: int >= 1",
    shape=shape_rules.scalar,
    kernel=kernels.merge_summary,
    samples=[sample([_A_IS_ONE, _B_IS_TWO], want=_A_IS_ONE + _B_IS_TWO)],
)


def _clean(name: str | None) -> str | None:
    """A name without what names of operations must not have."""
    if name is None:
        return None
    cleaned = re.sub(r"[^-/\w.]", "_", name, flags=re.ASCII).lstrip("/")
    if cleaned != name:
        logging.info("Summary name %s is illegal; using %s instead.", name, cleaned)
    return cleaned


@contextmanager
def summary_scope(
    name: str, family: str | None = None, default_name: str | None = None, values: Any = None
) -> Iterator[tuple[str, str]]:
    """A scope for a summary; yields its tag and the operation's name."""
    cleaned, group = _clean(name), _clean(family)
    base = cleaned if group is None else f"{group}/{cleaned}"
    with name_scope(base, default_name, values=values) as scope:
        tag = scope.rstrip("/")
        # The family stands first, whatever scopes are open: TensorBoard groups by it.
        yield (tag if group is None else f"{group}/{tag}"), scope


def _collect(summary: Tensor, collections: Iterable[Any] | None, default: list[str]) -> Tensor:
    for key in default if collections is None else collections:
        get_default_graph().add_to_collection(key, summary)
    return summary


def scalar(
    name: str, tensor: Any, collections: Iterable[Any] | None = None, family: str | None = None
) -> Tensor:
    """A summary of one number.

    Args:
      name: what TensorBoard calls it, after the name scopes that are open.
      tensor: a real number.
      collections: the collections to add the summary to; that of `merge_all` where it is None.
      family: a group to show it in, instead of the outermost name scope.

    >>> import workbench as tf
    >>> loss = tf.summary.scalar("loss", tf.constant(0.5))
    >>> tf.Summary.FromString(loss.eval()).value[0].simple_value
    0.5
    """
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        summary = call("ScalarSummary", scope, tags=tag, values=tensor)
        return _collect(summary, collections, [GraphKeys.SUMMARIES])


def histogram(
    name: str, values: Any, collections: Iterable[Any] | None = None, family: str | None = None
) -> Tensor:
    """A summary of how the elements of `values` are distributed; see `scalar` for the rest."""
    with summary_scope(name, family, default_name="HistogramSummary", values=[values]) as names:
        summary = call("HistogramSummary", names[1], tag=names[0], values=values)
        return _collect(summary, collections, [GraphKeys.SUMMARIES])


def image(
    name: str,
    tensor: Any,
    max_outputs: int = 3,
    collections: Iterable[Any] | None = None,
    family: str | None = None,
) -> Tensor:
    """A summary of the first `max_outputs` images of a batch; see `scalar` for the rest.

    `tensor` is [images, height, width, channels], with 1 channel (grey), 3 (RGB) or 4 (RGBA). It
    holds bytes, or numbers that are scaled: to 0..255 where none is negative, else so that 0 is
    128. Pixels that are not finite are red.
    """
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        summary = call("ImageSummary", scope, tag=tag, tensor=tensor, max_images=max_outputs)
        return _collect(summary, collections, [GraphKeys.SUMMARIES])


def audio(
    name: str,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int = 3,
    collections: Iterable[Any] | None = None,
    family: str | None = None,
) -> Tensor:
    """A summary of the first `max_outputs` clips of a batch; see `scalar` for the rest.

    `tensor` is [clips, frames] or [clips, frames, channels], float32 from -1 to 1; `sample_rate`
    is in Hertz.
    """
    with summary_scope(name, family=family, values=[tensor]) as (tag, scope):
        rate = convert_to_tensor(sample_rate, dtype=dtypes.float32, name="sample_rate")
        summary = call(
            "AudioSummaryV2",
            scope,
            tag=tag,
            tensor=tensor,
            sample_rate=rate,
            max_outputs=max_outputs,
        )
        return _collect(summary, collections, [GraphKeys.SUMMARIES])


def tensor_summary(
    name: str,
    tensor: Any,
    summary_description: str | None = None,
    collections: Iterable[Any] | None = None,
    summary_metadata: Any = None,
    family: str | None = None,
    display_name: str | None = None,
) -> Tensor:
    """A summary of a tensor as it is; `summary_metadata` says who shows it, and how."""
    from workbench.core.protos import SummaryMetadata
    from workbench.core.protos.reading import as_message, serialize

    metadata = SummaryMetadata()
    if summary_metadata is not None:
        metadata.CopyFrom(as_message(SummaryMetadata, summary_metadata, "summary_metadata"))
    if summary_description is not None:
        metadata.summary_description = summary_description
    if display_name is not None:
        metadata.display_name = display_name
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        summary = call(
            "TensorSummaryV2",
            scope,
            tag=tag,
            tensor=tensor,
            serialized_summary_metadata=serialize(metadata),
        )
        return _collect(summary, collections, [GraphKeys.SUMMARIES])


def text(name: str, tensor: Any, collections: Iterable[Any] | None = None) -> Tensor:
    """A summary of a text, or of an array of texts: TensorBoard shows Markdown and tables.

    Raises:
      ValueError: `tensor` holds no strings.
    """
    from workbench.core.protos import SummaryMetadata

    tensor = convert_to_tensor(tensor)
    if tensor.dtype is not dtypes.string:
        raise ValueError(
            f"Expected tensor {tensor.name} to have dtype string, got {tensor.dtype.name}"
        )
    metadata = SummaryMetadata(plugin_data={"plugin_name": "text"})
    return tensor_summary(name, tensor, summary_metadata=metadata, collections=collections)


def merge(
    inputs: Iterable[Any], collections: Iterable[Any] | None = None, name: str | None = None
) -> Tensor:
    """One summary of several, so that a step fetches one string.

    Raises InvalidArgumentError in the run where two of them have one tag.
    """
    parts = list(inputs)
    cleaned = _clean(name)
    with name_scope(cleaned, "Merge", parts):
        return _collect(call("MergeSummary", cleaned, inputs=parts), collections, [])


def merge_all(key: str = GraphKeys.SUMMARIES, scope: str | None = None) -> Tensor | None:
    """One summary of all in a collection of the default graph, or None where it is empty.

    >>> import workbench as tf
    >>> with tf.Graph().as_default():
    ...     tf.summary.merge_all() is None
    True
    """
    found = get_default_graph().get_collection(key, scope)
    return merge(found) if found else None


def get_summary_description(node_def: Any) -> Any:
    """The `SummaryDescription` of a `TensorSummary` node.

    Raises:
      ValueError: the node is none.
    """
    from google.protobuf import json_format

    from workbench.core.protos import SummaryDescription

    if node_def.op != "TensorSummary":
        raise ValueError(f"Can't get_summary_description on {node_def.op}")
    description = SummaryDescription()
    json_format.Parse(node_def.attr["description"].s.decode() or "{}", description)
    return description
