"""Checkpoints in TensorFlow's own format: the names of their files, and writing them.

A table (`PREFIX.index`) says of each tensor its type, its shape and where its bytes stand in one of
the files `PREFIX.data-00000-of-00001` and so on.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.core.checkpoints.sorted_table import table_bytes, varint
from workbench.core.checksums import masked_crc32c
from workbench.core.errors import InvalidArgumentError
from workbench.core.files import atomic_file, atomic_write, local_path
from workbench.core.graph.dtypes import as_dtype

INDEX_SUFFIX = ".index"
#: The version of the format that is written, and the oldest reader it is for.
PRODUCER = 1
MIN_CONSUMER = 0


def index_path(prefix: str | os.PathLike[str]) -> str:
    """The file that says what a checkpoint holds.

    >>> index_path("variables/variables")
    'variables/variables.index'
    """
    return local_path(prefix) + INDEX_SUFFIX


def data_path(prefix: str | os.PathLike[str], shard: int = 0, shards: int = 1) -> str:
    """The file that holds a part of its values.

    >>> data_path("variables/variables")
    'variables/variables.data-00000-of-00001'
    """
    return f"{local_path(prefix)}.data-{shard:05d}-of-{shards:05d}"


def write_bundle(prefix: str | os.PathLike[str], tensors: Mapping[str, Any]) -> None:
    """Writes arrays as a checkpoint that TensorFlow reads; the index comes last.

    Args:
      prefix: the name of the checkpoint. A reader finds nothing until all of it is there; one of
        this name that is there already must not be read meanwhile.
      tensors: arrays of numbers, bools or strings (object arrays of bytes), by name.

    Raises:
      InvalidArgumentError: an array is of a type that cannot be saved.
      OpError: as the operating system's error demands.
    """
    from workbench.core.protos import BundleEntryProto, BundleHeaderProto

    header = BundleHeaderProto(num_shards=1)
    header.version.producer = PRODUCER
    header.version.min_consumer = MIN_CONSUMER
    entries = [(b"", header.SerializeToString())]
    offset = 0
    with atomic_file(data_path(prefix)) as file:
        for name in sorted(tensors, key=str.encode):
            array = np.asarray(tensors[name])
            number, content, crc = _encoded(name, array)
            entry = BundleEntryProto(dtype=number, offset=offset, size=len(content), crc32c=crc)
            entry.shape.SetInParent()
            for size in array.shape:
                entry.shape.dim.add(size=size)
            entries.append((name.encode(), entry.SerializeToString()))
            file.write(content)
            offset += len(content)
    atomic_write(index_path(prefix), table_bytes(entries))


def _encoded(name: str, array: np.ndarray[Any, Any]) -> tuple[int, bytes, int]:
    """The number of a tensor's type, its bytes and their checksum."""
    if array.dtype.kind in "SUO":
        content, checked = string_bytes(_strings(name, array))
        return as_dtype("string").as_datatype_enum, content, masked_crc32c(checked)
    try:
        number = as_dtype(array.dtype).as_datatype_enum
    except TypeError:
        raise InvalidArgumentError(
            None, None, f"Tensor {name!r} cannot be saved: its type is {array.dtype}"
        ) from None
    content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return number, content, masked_crc32c(content)


def _strings(name: str, array: np.ndarray[Any, Any]) -> list[bytes]:
    values = array.reshape(-1).tolist()
    strings = [value.encode() if isinstance(value, str) else value for value in values]
    for value in strings:
        if not isinstance(value, bytes):
            raise InvalidArgumentError(
                None,
                None,
                f"Tensor {name!r} cannot be saved: an object array must hold bytes or str, but it "
                f"holds {value!r:.80} of type {type(value).__name__!r}",
            )
    return strings


def string_bytes(strings: list[bytes]) -> tuple[bytes, bytes]:
    """How strings are stored, and what their checksum is made of.

    First come the lengths, then a checksum of those, then the strings. What is summed up holds
    the lengths as plain numbers instead.
    """
    lengths = b"".join(struct.pack("<I", len(each)) for each in strings)
    rest = struct.pack("<I", masked_crc32c(lengths)) + b"".join(strings)
    return b"".join(varint(len(each)) for each in strings) + rest, lengths + rest
