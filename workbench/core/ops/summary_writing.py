"""Operations that write summaries to files while they run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.tensor_proto import make_tensor_proto
from workbench.core.kernels import summaries
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare
from workbench.core.runtime.summary_writer import SummaryWriter


def _make(*, shared_name: str, container: str, context: Any) -> SummaryWriter:
    found: SummaryWriter = context.resource(SummaryWriter, container, shared_name)
    return found


declare(
    "SummaryWriter",
    outputs="writer: resource",
    attrs="shared_name: string = '', container: string = ''",
    shape=shape_rules.scalar,
    kernel=_make,
    stateful=True,
)


def _declare(type_name: str, inputs: str, kernel: Callable[..., None], attrs: str = "") -> None:
    """Declares an operation on a writer, which gives nothing."""
    declare(
        type_name,
        inputs=f"writer: resource{inputs}",
        attrs=attrs,
        shape=shape_rules.no_outputs,
        kernel=kernel,
        stateful=True,
        expensive=True,
    )


def _text(value: Any) -> str:
    return os.fsdecode(as_array(value).item())


def _open(
    writer: SummaryWriter, logdir: Any, max_queue: Any, flush_millis: Any, filename_suffix: Any
) -> None:
    writer.open(_text(logdir), int(max_queue), int(flush_millis), _text(filename_suffix))


_declare(
    "CreateSummaryFileWriter",
    ", logdir: string, max_queue: int32, flush_millis: int32, filename_suffix: string",
    _open,
)
_declare("FlushSummaryWriter", "", lambda writer: writer.flush())
_declare("CloseSummaryWriter", "", lambda writer: writer.close())

_STEP = ", step: int64"


def _write(writer: SummaryWriter, step: Any, tensor: Any, tag: Any, summary_metadata: Any) -> None:
    from workbench.core.protos import Summary

    summary = Summary()
    value = summary.value.add(tag=_text(tag))
    value.tensor.CopyFrom(make_tensor_proto(as_array(tensor)))
    value.metadata.ParseFromString(as_array(summary_metadata).item())
    writer.add(int(step), summary)


_declare(
    "WriteSummary",
    f"{_STEP}, tensor: T, tag: string, summary_metadata: string",
    _write,
    "T: type",
)


def _write_scalar(writer: SummaryWriter, step: Any, tag: Any, value: Any) -> None:
    writer.add(int(step), summaries.scalar_summary(tag, value))


_declare("WriteScalarSummary", f"{_STEP}, tag: string, value: T", _write_scalar, "T: {real}")


def _write_histogram(writer: SummaryWriter, step: Any, tag: Any, values: Any) -> None:
    writer.add(int(step), summaries.histogram_summary(tag, values))


_declare(
    "WriteHistogramSummary",
    f"{_STEP}, tag: string, values: T",
    _write_histogram,
    "T: {real} = DT_FLOAT",
)


def _write_image(
    writer: SummaryWriter, step: Any, tag: Any, tensor: Any, bad_color: Any, *, max_images: int
) -> None:
    colour = np.asarray(bad_color)
    writer.add(
        int(step), summaries.image_summary(tag, tensor, max_images=max_images, bad_color=colour)
    )


_declare(
    "WriteImageSummary",
    f"{_STEP}, tag: string, tensor: T, bad_color: uint8",
    _write_image,
    "max_images: int >= 1 = 3, T: {uint8, float, half} = DT_FLOAT",
)


def _write_audio(
    writer: SummaryWriter, step: Any, tag: Any, tensor: Any, sample_rate: Any, *, max_outputs: int
) -> None:
    made = summaries.audio_summary_v2(tag, tensor, sample_rate, max_outputs=max_outputs)
    writer.add(int(step), made)


_declare(
    "WriteAudioSummary",
    f"{_STEP}, tag: string, tensor: float, sample_rate: float",
    _write_audio,
    "max_outputs: int >= 1 = 3",
)
