"""Reading checkpoints in TensorFlow's own format."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from workbench.core.checkpoints.bundle_files import (
    PRODUCER,
    data_path,
    index_path,
    string_bytes,
)
from workbench.core.checkpoints.reading import TensorEntry
from workbench.core.checkpoints.slice_keys import slice_key
from workbench.core.checkpoints.sorted_table import read_table, read_varint
from workbench.core.checksums import masked_crc32c
from workbench.core.errors import DataLossError
from workbench.core.files import local_path, read_bytes, translated_errors
from workbench.core.graph.dtypes import as_dtype, string


class Bundle:
    """A checkpoint whose index has been read; values are read when they are asked for.

    Raises:
      NotFoundError: there is no such checkpoint.
      DataLossError: its index is truncated, damaged or of a newer format.
    """

    def __init__(self, prefix: str | os.PathLike[str]) -> None:
        from workbench.core.protos import BundleEntryProto, BundleHeaderProto

        self.path = index_path(prefix)
        self._prefix = local_path(prefix)
        table = dict(read_table(read_bytes(self.path), self.path))
        header = self._message(BundleHeaderProto, table.pop(b"", None))
        if header.version.min_consumer > PRODUCER:
            raise self.damaged("it was written by a newer version")
        if header.endianness != BundleHeaderProto.LITTLE:
            raise self.damaged("its numbers are big-endian, which is not supported")
        self._shards = header.num_shards
        self._entries = {
            key: self._message(BundleEntryProto, value) for key, value in table.items()
        }
        # The parts of tensors have keys that no name begins like.
        self.names = sorted(key.decode() for key in self._entries if not key.startswith(b"\0"))
        self.metadata: dict[str, str] = {}

    def damaged(self, reason: str) -> DataLossError:
        """The error that says so."""
        return DataLossError(None, None, f"{self.path}: the checkpoint is damaged: {reason}")

    def _message(self, kind: Any, content: bytes | None) -> Any:
        from google.protobuf.message import DecodeError

        try:
            return kind.FromString(content or b"")
        except DecodeError:
            raise self.damaged("an entry of its index cannot be read") from None

    def entry(self, name: str) -> TensorEntry:
        """What the index says of a tensor."""
        entry = self._entries[name.encode()]
        return TensorEntry(self._dtype(entry, name), tuple(dim.size for dim in entry.shape.dim))

    def _dtype(self, entry: Any, name: str) -> np.dtype[Any]:
        try:
            kind: np.dtype[Any] = np.dtype(as_dtype(entry.dtype).as_numpy_dtype)
        except (TypeError, ValueError, KeyError):
            raise self.damaged(f"tensor {name!r} is of unknown type {entry.dtype}") from None
        return kind

    def tensor(self, name: str) -> np.ndarray[Any, Any]:
        """The value of a tensor."""
        entry = self._entries[name.encode()]
        dtype, shape = self.entry(name)
        if not entry.slices:
            return self._value(entry, name, dtype, shape)
        whole = np.empty(shape, dtype)
        for part in entry.slices:
            extents = [
                (each.start, each.length if each.HasField("length") else None)
                for each in part.extent
            ]
            found = self._entries.get(slice_key(name, extents))
            if found is None:
                raise self.damaged(f"a part of tensor {name!r} is missing")
            region = tuple(
                slice(start, size if length is None else start + length)
                for (start, length), size in zip(extents, shape, strict=True)
            )
            part_shape = tuple(dim.size for dim in found.shape.dim)
            if whole[region].shape != part_shape:
                raise self.damaged(f"a part of tensor {name!r} has another shape than its place")
            whole[region] = self._value(found, name, dtype, part_shape)
        return whole

    def _value(
        self, entry: Any, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> np.ndarray[Any, Any]:
        content = self._content(entry, name)
        if as_dtype(entry.dtype) is string:
            return self._strings(content, entry, name, shape)
        if masked_crc32c(content) != entry.crc32c:
            raise self.damaged(f"the checksum of tensor {name!r} does not match its values")
        try:
            return np.frombuffer(content, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
        except ValueError:
            raise self.damaged(f"the size of tensor {name!r} does not match its shape") from None

    def _content(self, entry: Any, name: str) -> bytes:
        path = data_path(self._prefix, entry.shard_id, self._shards)
        with translated_errors(path), open(path, "rb") as file:
            file.seek(entry.offset)
            content = file.read(entry.size)
        if len(content) != entry.size:
            raise self.damaged(f"{path} ends within tensor {name!r}")
        return content

    def _strings(
        self, content: bytes, entry: Any, name: str, shape: tuple[int, ...]
    ) -> np.ndarray[Any, Any]:
        result = np.empty(shape, object)
        flat = result.reshape(-1)
        at, lengths = 0, []
        try:
            for _ in range(flat.size):
                length, at = read_varint(content, at)
                lengths.append(length)
        except IndexError:
            raise self.damaged(f"the lengths of tensor {name!r} cannot be read") from None
        at += 4
        for index, length in enumerate(lengths):
            flat[index] = content[at : at + length]
            at += length
        stored, checked = string_bytes(flat.tolist())
        if stored != content or masked_crc32c(checked) != entry.crc32c:
            raise self.damaged(f"the checksum of tensor {name!r} does not match its values")
        return flat.reshape(shape)
