"""The operations of readers: each once for handles that are references, once for resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.compressed import checked_compression
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare
from workbench.core.ops.queues.queue_ops import queue_of
from workbench.core.ops.readers import formats
from workbench.core.ops.readers.resource import NextWork, ReaderResource

_PLACE = "container: string = '', shared_name: string = ''"


def _shared(
    context: Any,
    kind: str,
    opened: formats.Opener,
    container: str,
    shared_name: str,
    is_single: bool = False,
) -> ReaderResource:
    """The reader of that name in the session."""
    name = shared_name or context.name
    found = context.resource(
        lambda: ReaderResource(kind, name, opened, is_single), container, shared_name, is_own=True
    )
    if getattr(found, "kind", None) != kind or not isinstance(found, ReaderResource):
        raise invalid(f"There is another resource under the name {name!r}, which is no {kind}")
    return found


def _text_line(
    *, skip_header_lines: int, container: str, shared_name: str, context: Any
) -> ReaderResource:
    if skip_header_lines < 0:
        raise invalid(f"skip_header_lines must be >= 0 not {skip_header_lines}")
    opened = formats.text_lines(skip_header_lines)
    return _shared(context, "TextLineReader", opened, container, shared_name)


def _whole_file(*, container: str, shared_name: str, context: Any) -> ReaderResource:
    opened = formats.whole_files
    return _shared(context, "WholeFileReader", opened, container, shared_name, is_single=True)


def _identity(*, container: str, shared_name: str, context: Any) -> ReaderResource:
    opened = formats.identities
    return _shared(context, "IdentityReader", opened, container, shared_name, is_single=True)


def _tf_record(
    *, container: str, shared_name: str, compression_type: str, context: Any
) -> ReaderResource:
    opened = formats.framed_records(checked_compression(compression_type))
    return _shared(context, "TFRecordReader", opened, container, shared_name)


def _fixed_length(
    header_bytes: int,
    record_bytes: int,
    footer_bytes: int,
    hop_bytes: int,
    encoding: str,
    container: str,
    shared_name: str,
    context: Any,
) -> ReaderResource:
    for name, value in (
        ("header_bytes", header_bytes),
        ("footer_bytes", footer_bytes),
        ("hop_bytes", hop_bytes),
    ):
        if value < 0:
            raise invalid(f"{name} must be >= 0 not {value}")
    if record_bytes < 1:
        raise invalid(f"record_bytes must be > 0 not {record_bytes}")
    opened = formats.fixed_lengths(
        header_bytes,
        record_bytes,
        footer_bytes,
        hop_bytes or record_bytes,
        checked_compression(encoding),
    )
    return _shared(context, "FixedLengthRecordReader", opened, container, shared_name)


def _fixed_length_v1(
    *,
    header_bytes: int,
    record_bytes: int,
    footer_bytes: int,
    hop_bytes: int,
    container: str,
    shared_name: str,
    context: Any,
) -> ReaderResource:
    sizes = (header_bytes, record_bytes, footer_bytes, hop_bytes)
    return _fixed_length(*sizes, "", container, shared_name, context)


def _fixed_length_v2(
    *,
    header_bytes: int,
    record_bytes: int,
    footer_bytes: int,
    hop_bytes: int,
    container: str,
    shared_name: str,
    encoding: str,
    context: Any,
) -> ReaderResource:
    sizes = (header_bytes, record_bytes, footer_bytes, hop_bytes)
    return _fixed_length(*sizes, encoding, container, shared_name, context)


# -- kernels -------------------------------------------------------------------------------------


def reader_of(handle: Any) -> ReaderResource:
    """The reader that a handle stands for."""
    found = handle.item() if isinstance(handle, np.ndarray) else handle
    if not isinstance(found, ReaderResource):
        raise invalid(f"The handle of a reader is wanted, but got {found!r}")
    return found


def _work_of(handle: Any, context: Any) -> NextWork:
    """Takes work items from a queue of strings."""
    queue = queue_of(handle)
    types = queue.components.types
    if len(types) != 1 or not types[0].hasobject:
        raise invalid(
            f"Expected queue with single string component; {queue.machine.title} has components "
            f"of types {[t.name for t in types]}"
        )

    def next_work() -> bytes:
        (component,) = queue.dequeue(context)
        work = as_array(component)
        if work.size != 1:
            raise invalid(
                f"Expected to dequeue a one-element string tensor, got shape {list(work.shape)}"
            )
        name: bytes = work.reshape(()).item()
        return name

    return next_work


def _read(reader_handle: Any, queue_handle: Any, *, context: Any) -> tuple[bytes, bytes]:
    return reader_of(reader_handle).read(_work_of(queue_handle, context))


def _read_up_to(
    reader_handle: Any, queue_handle: Any, num_records: Any, *, context: Any
) -> tuple[Any, Any]:
    count = int(as_array(num_records).reshape(()))
    records = reader_of(reader_handle).read_up_to(count, _work_of(queue_handle, context))
    columns = np.empty((2, len(records)), object)
    for place, record in enumerate(records):
        columns[:, place] = record
    return columns[0], columns[1]


def _records_produced(reader_handle: Any) -> np.int64:
    return np.int64(reader_of(reader_handle).produced)


def _units_completed(reader_handle: Any) -> np.int64:
    return np.int64(reader_of(reader_handle).finished)


def _serialize(reader_handle: Any) -> bytes:
    return reader_of(reader_handle).serialized()


def _restore(reader_handle: Any, state: Any) -> None:
    reader_of(reader_handle).deserialize(as_array(state).reshape(()).item())


def _reset(reader_handle: Any) -> None:
    reader_of(reader_handle).reset()


# -- declarations --------------------------------------------------------------------------------


def _handle_shape(op: Any) -> list[Any]:
    return [() if op.type.endswith("V2") else (2,)]


def _declare_reader(
    type_name: str,
    attrs: str,
    kernel: Callable[..., Any],
    second: tuple[str, Callable[..., Any]] | None = None,
) -> None:
    versions = (
        ("", "Ref(string)", attrs, kernel),
        ("V2", "resource", *(second or (attrs, kernel))),
    )
    for suffix, handle, own_attrs, own_kernel in versions:
        declare(
            f"{type_name}{suffix}",
            outputs=f"reader_handle: {handle}",
            attrs=own_attrs,
            shape=_handle_shape,
            kernel=own_kernel,
            stateful=True,
        )


_declare_reader("TextLineReader", f"skip_header_lines: int = 0, {_PLACE}", _text_line)
_declare_reader("WholeFileReader", _PLACE, _whole_file)
_declare_reader("IdentityReader", _PLACE, _identity)
_declare_reader("TFRecordReader", f"{_PLACE}, compression_type: string = ''", _tf_record)
_SIZES = (
    f"header_bytes: int = 0, record_bytes: int, footer_bytes: int = 0, hop_bytes: int = 0, {_PLACE}"
)
_declare_reader(
    "FixedLengthRecordReader",
    _SIZES,
    _fixed_length_v1,
    (f"{_SIZES}, encoding: string = ''", _fixed_length_v2),
)


def _state_shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[1].entries, 0, "state")
    return []


def _declare_both(
    type_name: str, inputs: str, outputs: str, shape: Any, kernel: Any, waits: bool = False
) -> None:
    for suffix, handle in (("", "Ref(string)"), ("V2", "resource")):
        declare(
            f"{type_name}{suffix}",
            inputs=inputs.replace("HANDLE", handle),
            outputs=outputs,
            shape=shape,
            kernel=kernel,
            stateful=True,
            expensive=waits,
            blocking=waits,
        )


_READER = "reader_handle: HANDLE"
_declare_both(
    "ReaderRead",
    f"{_READER}, queue_handle: HANDLE",
    "key: string, value: string",
    shape_rules.scalar,
    _read,
    waits=True,
)
_declare_both(
    "ReaderReadUpTo",
    f"{_READER}, queue_handle: HANDLE, num_records: int64",
    "keys: string, values: string",
    shape_rules.vector,
    _read_up_to,
    waits=True,
)
for _name, _output, _kernel in (
    ("ReaderNumRecordsProduced", "records_produced: int64", _records_produced),
    ("ReaderNumWorkUnitsCompleted", "units_completed: int64", _units_completed),
    ("ReaderSerializeState", "state: string", _serialize),
):
    _declare_both(_name, _READER, _output, shape_rules.scalar, _kernel)
_declare_both("ReaderRestoreState", f"{_READER}, state: string", "", _state_shape, _restore)
_declare_both("ReaderReset", _READER, "", shape_rules.no_outputs, _reset)
