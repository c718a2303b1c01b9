"""Readers: `tf.TextLineReader` and its siblings."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int64, string
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import call, create
from workbench.core.ops.readers import reader_ops as reader_ops


class ReaderBase:
    """Gives records out of work items (names of files, mostly) that come from a queue.

    A reader lives in a session, with its place in the current file.
    """

    def __init__(self, reader_ref: Tensor, supports_serialize: bool = False) -> None:
        self._reader_ref = reader_ref
        self._supports_serialize = supports_serialize

    @property
    def reader_ref(self) -> Tensor:
        """The tensor that stands for the reader."""
        return self._reader_ref

    @property
    def supports_serialize(self) -> bool:
        """True where `serialize_state` and `restore_state` are known to TensorFlow, too."""
        return self._supports_serialize

    def read(self, queue: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
        """Key and value of the next record, string scalars, anew in each run.

        `queue` (a queue of strings, or its `queue_ref`) is asked for the next work item whenever
        one has ended. A run waits for it, and fails with OutOfRangeError when the queue is closed
        and empty.
        """
        op = self._create("ReaderRead", name, queue_handle=_queue_ref(queue))
        return op.outputs[0], op.outputs[1]

    def read_up_to(
        self, queue: Any, num_records: Any, name: str | None = None
    ) -> tuple[Tensor, Tensor]:
        """Keys and values of the next records, vectors of strings.

        They are up to `num_records`, and fewer where a work item ends.
        """
        count = convert_to_tensor(num_records, dtype=int64, name="num_records")
        ref = _queue_ref(queue)
        op = self._create("ReaderReadUpTo", name, queue_handle=ref, num_records=count)
        return op.outputs[0], op.outputs[1]

    def num_records_produced(self, name: str | None = None) -> Tensor:
        """How many records were read, an int64 scalar."""
        return self._create("ReaderNumRecordsProduced", name).outputs[0]

    def num_work_units_completed(self, name: str | None = None) -> Tensor:
        """How many work items were read to their end, an int64 scalar."""
        return self._create("ReaderNumWorkUnitsCompleted", name).outputs[0]

    def serialize_state(self, name: str | None = None) -> Tensor:
        """The reader's place and its counts, a string scalar."""
        return self._create("ReaderSerializeState", name).outputs[0]

    def restore_state(self, state: Any, name: str | None = None) -> Operation:
        """An operation that brings the reader to a place that `serialize_state` gave.

        It fails with InvalidArgumentError for any other string.
        """
        return self._create(
            "ReaderRestoreState", name, state=convert_to_tensor(state, dtype=string, name="state")
        )

    def reset(self, name: str | None = None) -> Operation:
        """An operation that forgets the current work item and all counts."""
        return self._create("ReaderReset", name)

    def _create(self, type_name: str, name: str | None, **arguments: Any) -> Operation:
        """An operation on this reader, of the version that its handle asks for."""
        suffix = "V2" if self._reader_ref.dtype.name == "resource" else ""
        return create(f"{type_name}{suffix}", name, reader_handle=self._reader_ref, **arguments)


def _queue_ref(queue: Any) -> Tensor:
    ref: Tensor = queue if isinstance(queue, Tensor) else queue.queue_ref
    return ref


class TextLineReader(ReaderBase):
    """Gives the lines of text files, without their ends; keys are "file:line".

    `skip_header_lines` lines at the beginning of each file are left out.

    >>> import os, tempfile, workbench as tf
    >>> path = os.path.join(tempfile.mkdtemp(), "a.txt")
    >>> with open(path, "w") as file:
    ...     written = file.write("title\\nfirst\\nsecond\\n")
    >>> names = tf.FIFOQueue(1, tf.string, shapes=[[]])
    >>> key, value = tf.TextLineReader(skip_header_lines=1).read(names)
    >>> with tf.Session() as session:
    ...     session.run(names.enqueue(path))
    ...     session.run(value), session.run(value)
    (b'first', b'second')
    """

    def __init__(self, skip_header_lines: int | None = None, name: str | None = None) -> None:
        super().__init__(call("TextLineReaderV2", name, skip_header_lines=skip_header_lines))


class WholeFileReader(ReaderBase):
    """Gives the content of files; keys are their names."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(call("WholeFileReaderV2", name), supports_serialize=True)


class IdentityReader(ReaderBase):
    """Gives the work items themselves, as keys and as values."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(call("IdentityReaderV2", name), supports_serialize=True)


class TFRecordReader(ReaderBase):
    """Gives the records of TFRecord files; keys are "file:position".

    `options` (`tf.python_io.TFRecordOptions`) say how the files are compressed. A damaged file
    fails a run with DataLossError, after all records before the damage.
    """

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        from workbench.core.platform.python_io import TFRecordOptions

        kind = TFRecordOptions.get_compression_type_string(options)
        super().__init__(call("TFRecordReaderV2", name, compression_type=kind))


class FixedLengthRecordReader(ReaderBase):
    """Gives the pieces of `record_bytes` bytes of files; keys are "file:number".

    They lie between a header and a footer to leave out, `hop_bytes` bytes from one to the next
    (without, one after the other). `encoding` is "", "ZLIB" or "GZIP".
    """

    def __init__(
        self,
        record_bytes: int,
        header_bytes: int | None = None,
        footer_bytes: int | None = None,
        hop_bytes: int | None = None,
        name: str | None = None,
        encoding: str | None = None,
    ) -> None:
        super().__init__(
            call(
                "FixedLengthRecordReaderV2",
                name,
                record_bytes=record_bytes,
                header_bytes=header_bytes,
                footer_bytes=footer_bytes,
                hop_bytes=hop_bytes,
                encoding=encoding,
            )
        )
