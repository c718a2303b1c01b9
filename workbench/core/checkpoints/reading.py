"""Reading checkpoints: the index, and chosen tensors."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import ml_dtypes
import numpy as np

from workbench.core.checkpoints.bundle_files import index_path
from workbench.core.checkpoints.files import (
    METADATA_KEY,
    METADATA_VERSION,
    NATIVE,
    STORED_AS,
    checkpoint_path,
    checksum,
)
from workbench.core.errors import DataLossError, NotFoundError
from workbench.core.files import local_path, translated_errors

if TYPE_CHECKING:
    from workbench.core.checkpoints.bundle_reading import Bundle

_NUMPY_TYPES = {"bfloat16": ml_dtypes.bfloat16}


class TensorEntry(NamedTuple):
    """What the index of a checkpoint says of one tensor. Strings have the type ``object``."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class _OpenCheckpoint:
    """A checkpoint file that was opened, and what its metadata says."""

    def __init__(self, path: str, file: Any) -> None:
        self.path = path
        self._file = file
        stored = set(file.keys())
        described = self._described(file.metadata() or {})
        if described is not None and set(described) != stored:
            raise self.damaged("its list of tensors does not match its metadata")
        self._described_tensors = described
        self.names = sorted(stored)
        self.metadata: dict[str, str] = file.metadata() or {}

    def damaged(self, reason: str) -> DataLossError:
        return DataLossError(None, None, f"{self.path}: the checkpoint is damaged: {reason}")

    def _described(self, metadata: Mapping[str, str]) -> dict[str, Any] | None:
        if METADATA_KEY not in metadata:
            # Another program's file has no description; ours under a damaged key is not that.
            if any('"crc32"' in value for value in metadata.values()):
                raise self.damaged("its metadata cannot be found")
            return None
        try:
            ours = json.loads(metadata[METADATA_KEY])
            version = int(ours["version"])
            described: dict[str, Any] = {
                name: (str(each["dtype"]), tuple(map(int, each["shape"])), int(each["crc32"]))
                for name, each in ours["tensors"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self.damaged("its metadata cannot be read") from None
        if version > METADATA_VERSION:
            raise DataLossError(
                None,
                None,
                f"{self.path}: the checkpoint was written by a newer version (its format is "
                f"{version}, the newest known here is {METADATA_VERSION})",
            )
        return described

    def _description(self, name: str) -> tuple[str, tuple[int, ...], int | None]:
        if self._described_tensors is not None:
            kind, shape, crc = self._described_tensors[name]
            return kind, shape, crc
        view = self._file.get_slice(name)
        by_code = {code: kind for kind, code in NATIVE.items()} | {"C64": "complex64"}
        kind = by_code.get(view.get_dtype(), view.get_dtype())
        return kind, tuple(view.get_shape()), None

    def entry(self, name: str) -> TensorEntry:
        kind, shape, _ = self._description(name)
        if kind == "string":
            return TensorEntry(np.dtype(object), shape)
        if kind not in NATIVE and kind not in STORED_AS:
            raise self.damaged(f"tensor {name!r} is of unknown type {kind}")
        return TensorEntry(np.dtype(_NUMPY_TYPES.get(kind, kind)), shape)

    def tensor(self, name: str) -> np.ndarray[Any, Any]:
        kind, shape, crc = self._description(name)
        dtype = self.entry(name).dtype
        array: np.ndarray[Any, Any] = np.ascontiguousarray(self._file.get_tensor(name))
        content = array.reshape(-1).view(np.uint8)
        if crc is not None and checksum(name, kind, shape, content) != crc:
            raise self.damaged(f"the checksum of tensor {name!r} does not match its values")
        try:
            if kind == "string":
                return _strings(content.tobytes(), shape)
            result = content.view(dtype).reshape(shape)
        except ValueError:
            raise self.damaged(f"the size of tensor {name!r} does not match its shape") from None
        return result if result.flags.writeable else result.copy()


def _strings(content: bytes, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    result = np.empty(shape, dtype=object)
    flat = result.reshape(-1)
    lengths = np.frombuffer(content, "<u8", count=flat.size)
    start = lengths.nbytes
    for index, length in enumerate(lengths.tolist()):
        flat[index] = content[start : start + length]
        start += length
    return flat.reshape(shape)


@contextmanager
def _opened(prefix: str | os.PathLike[str]) -> Iterator[_OpenCheckpoint | Bundle]:
    """The checkpoint, open; every way in which it can be wrong is one of our errors.

    It may be in TensorFlow's own format too.
    """
    import safetensors

    path = checkpoint_path(prefix)
    if not os.path.isfile(path):
        whole = local_path(prefix)
        if os.path.isfile(index_path(whole)):
            from workbench.core.checkpoints.bundle_reading import Bundle

            yield Bundle(whole)
            return
        if not os.path.isfile(whole):
            hint = (
                "; it is a folder, whose latest checkpoint tf.train.latest_checkpoint names"
                if os.path.isdir(whole)
                else ""
            )
            raise NotFoundError(
                None,
                None,
                # The second half is what TensorFlow says.
                f"There is no checkpoint {whole}: {path} is missing{hint} (Unsuccessful "
                f"TensorSliceReader constructor: Failed to find any matching files for {whole})",
            )
        path = whole
    try:
        with translated_errors(path), safetensors.safe_open(path, framework="numpy") as file:
            yield _OpenCheckpoint(path, file)
    except safetensors.SafetensorError as error:
        size = os.path.getsize(path)
        raise DataLossError(
            None,
            None,
            f"{path}: the checkpoint's {size} bytes are truncated, damaged or not a safetensors "
            f"file ({error})",
        ) from None


def read_index(prefix: str | os.PathLike[str]) -> dict[str, TensorEntry]:
    """The types and shapes of all tensors of the checkpoint ``prefix``, by name, in name order.

    No value is loaded.

    Raises:
      NotFoundError: there is no such checkpoint.
      DataLossError: the file is truncated, damaged or of another kind; the error names it.
    """
    with _opened(prefix) as checkpoint:
        return {name: checkpoint.entry(name) for name in checkpoint.names}


def read_metadata(prefix: str | os.PathLike[str]) -> dict[str, str]:
    """The short texts that were written with the checkpoint ``prefix``.

    Raises:
      NotFoundError, DataLossError: as :func:`read_index`.
    """
    with _opened(prefix) as checkpoint:
        found = checkpoint.metadata
    return {key: value for key, value in found.items() if key != METADATA_KEY}


def read_tensors(
    prefix: str | os.PathLike[str], names: Iterable[str] | None = None
) -> dict[str, np.ndarray[Any, Any]]:
    """The values of tensors of the checkpoint ``prefix``: all that were asked for, or an error.

    Args:
      prefix: the name of the checkpoint.
      names: the tensors to read; all of them where it is None.

    Raises:
      NotFoundError: there is no such checkpoint, or it lacks one of the names; the error lists
        all that it lacks, with the nearest names it has.
      DataLossError: the file is truncated, damaged or of another kind.
    """
    with _opened(prefix) as checkpoint:
        wanted = checkpoint.names if names is None else list(names)
        missing = sorted(set(wanted) - set(checkpoint.names))
        if missing:
            raise NotFoundError(None, None, _missing_message(checkpoint, missing))
        return {name: checkpoint.tensor(name) for name in wanted}


def _missing_message(checkpoint: _OpenCheckpoint | Bundle, missing: list[str]) -> str:
    lines = []
    for name in missing[:20]:
        near = difflib.get_close_matches(name, checkpoint.names, n=3)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        lines.append(f"Key {name} not found in checkpoint {checkpoint.path}{hint}")
    if len(missing) > 20:
        lines.append(f"and {len(missing) - 20} more")
    return "\n".join(lines)
