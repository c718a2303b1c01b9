"""Datasets of what files hold: lines, records, pieces of a fixed length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.compressed import checked_compression
from workbench.core.files import local_path, translated_errors
from workbench.core.graph import dtypes
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.kernels.scalars import as_array
from workbench.core.ops.data.dataset import Dataset, int64_input, scalar_input
from workbench.core.ops.data.pipeline import Element, Pipeline
from workbench.core.ops.readers.formats import blocks_of, lines_of

#: How much is read at once where the user does not say.
_BUFFER_BYTES = 1 << 18


class _FileDataset(Dataset):
    """Strings out of files, one file after the other."""

    def __init__(self, filenames: Any, buffer_size: Any, *further: Any) -> None:
        names = convert_to_tensor(filenames, dtype=dtypes.string, name="filenames")
        if names.shape.ndims not in (None, 0, 1):
            raise ValueError(
                f"`filenames` must be a scalar or a vector of strings, got shape {names.shape}"
            )
        size = int64_input(_BUFFER_BYTES if buffer_size is None else buffer_size, "buffer_size")
        super().__init__(dtypes.string, TensorShape([]), inputs=[names, size, *further])

    def _names(self, pipeline: Pipeline) -> list[str]:
        names = np.atleast_1d(np.asarray(pipeline.value(self._inputs[0]), dtype=object))
        return [name.decode() for name in names]

    def _buffer_size(self, pipeline: Pipeline) -> int:
        size = int(pipeline.value(self._inputs[1]))
        if size < 0:
            raise errors.InvalidArgumentError(
                None, None, f"`buffer_size` must be >= 0 (0 is the default), got {size}"
            )
        return size or _BUFFER_BYTES


def _compression(value: Any) -> str:
    return checked_compression(as_array(value).item().decode())


class TextLineDataset(_FileDataset):
    """The lines of text files, without their ends.

    `filenames` is a string or a vector of strings, `compression_type` "", "ZLIB" or "GZIP".

    >>> import os, tempfile
    >>> import workbench as tf
    >>> path = os.path.join(tempfile.mkdtemp(), "lines.txt")
    >>> with open(path, "w") as file:
    ...     written = file.write("first\\nsecond\\n")
    >>> line = tf.data.TextLineDataset(path).make_one_shot_iterator().get_next()
    >>> with tf.Session() as session:
    ...     session.run(line), session.run(line)
    (b'first', b'second')
    """

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None
    ) -> None:
        kind = scalar_input(
            "" if compression_type is None else compression_type, dtypes.string, "compression_type"
        )
        super().__init__(filenames, buffer_size, kind)

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        size = self._buffer_size(pipeline)
        kind = _compression(pipeline.value(self._inputs[2]))
        for name in self._names(pipeline):
            for line in lines_of(blocks_of(name, kind, size)):
                yield (line,)


class TFRecordDataset(_FileDataset):
    """The records of TFRecord files, as strings.

    `filenames` is a string or a vector of strings, `compression_type` "", "ZLIB" or "GZIP". Getting
    a damaged record raises DataLossError.
    """

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None
    ) -> None:
        kind = scalar_input(
            "" if compression_type is None else compression_type, dtypes.string, "compression_type"
        )
        super().__init__(filenames, buffer_size, kind)

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        from workbench.core.records import read_records

        kind = _compression(pipeline.value(self._inputs[2]))
        for name in self._names(pipeline):
            for record in read_records(name, kind):
                yield (record,)


class FixedLengthRecordDataset(_FileDataset):
    """The pieces of `record_bytes` bytes of files, between a header and a footer to leave out.

    A run fails with InvalidArgumentError for a file that does not divide into pieces.
    """

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
    ) -> None:
        sizes = [
            int64_input(0 if value is None else value, name)
            for value, name in (
                (record_bytes, "record_bytes"),
                (header_bytes, "header_bytes"),
                (footer_bytes, "footer_bytes"),
            )
        ]
        super().__init__(filenames, buffer_size, *sizes)

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        record, header, footer = (int(pipeline.value(t)) for t in self._inputs[2:])
        if record < 1:
            raise errors.InvalidArgumentError(
                None, None, f"`record_bytes` must be > 0, got {record}"
            )
        for what, value in (("header_bytes", header), ("footer_bytes", footer)):
            if value < 0:
                raise errors.InvalidArgumentError(None, None, f"`{what}` must be >= 0, got {value}")
        for name in self._names(pipeline):
            yield from _pieces(name, record, header, footer)


def _pieces(name: str, record: int, header: int, footer: int) -> Iterator[Element]:
    target = local_path(name)
    with translated_errors(target), open(target, "rb") as file:
        body = file.seek(0, 2) - header - footer
        if body < 0 or body % record:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Excluding the header ({header} bytes) and footer ({footer} bytes), input file "
                f'"{name}" has body length {body} bytes, which is not an exact multiple of the '
                f"record length ({record} bytes).",
            )
        file.seek(header)
        for _ in range(body // record):
            yield (file.read(record),)
