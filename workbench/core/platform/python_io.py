"""Files of records under the names of ``tf.python_io``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, ClassVar

from workbench.core.records import RecordWriter, read_records


class TFRecordCompressionType:
    """How a file of records is compressed."""

    NONE = 0
    ZLIB = 1
    GZIP = 2


class TFRecordOptions:
    """How to read or write a file of records.

    >>> TFRecordOptions.get_compression_type_string(TFRecordOptions(TFRecordCompressionType.GZIP))
    'GZIP'
    """

    compression_type_map: ClassVar[dict[int, str]] = {
        TFRecordCompressionType.NONE: "",
        TFRecordCompressionType.ZLIB: "ZLIB",
        TFRecordCompressionType.GZIP: "GZIP",
    }

    def __init__(self, compression_type: int | str) -> None:
        self.compression_type = compression_type

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """The name of the compression: of options, of a number, or of None."""
        kind = getattr(options, "compression_type", options)
        if kind is None:
            return ""
        return kind if isinstance(kind, str) else cls.compression_type_map[kind]


class TFRecordWriter(RecordWriter):
    """Writes records to a new file; one that exists is replaced."""

    def __init__(
        self, path: str | bytes | os.PathLike[str], options: TFRecordOptions | None = None
    ) -> None:
        super().__init__(path, TFRecordOptions.get_compression_type_string(options))


def tf_record_iterator(
    path: str | bytes | os.PathLike[str], options: TFRecordOptions | None = None
) -> Iterator[bytes]:
    """The records of a file, one after the other.

    Raises:
      NotFoundError: there is no such file.
      DataLossError: a record is truncated or damaged.
    """
    return read_records(path, TFRecordOptions.get_compression_type_string(options))
