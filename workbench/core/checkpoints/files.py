"""The tensors of a checkpoint in one file, written whole or not at all and checked when read.

The file is a safetensors file, so other tools read it too. Types that format or its readers lack
are stored as numbers of another type; the file's metadata says what they are, and holds a checksum
of each tensor. A file without that metadata, from another program, is read for what it is.
"""

from __future__ import annotations

import glob
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.files import atomic_file, local_path, remove_leftovers, translated_errors

SUFFIX = ".safetensors"
META_GRAPH_SUFFIX = ".meta"

#: Where our description of the tensors stands in the file's metadata, and its version.
METADATA_KEY = "workbench"
METADATA_VERSION = 1

#: The format's name of each type that can be written as it is.
NATIVE = {
    "bool": "BOOL",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
}
#: Other types, and what their bytes are stored as (a complex number is two numbers).
STORED_AS: dict[str, str] = {
    "bfloat16": "uint16",
    "complex64": "float32",
    "complex128": "float64",
}


def checkpoint_path(prefix: str | os.PathLike[str]) -> str:
    """The file that holds the tensors of the checkpoint ``prefix``.

    >>> checkpoint_path("run/model.ckpt-10")
    'run/model.ckpt-10.safetensors'
    """
    path = local_path(prefix)
    return path if path.endswith(SUFFIX) else path + SUFFIX


def checkpoint_prefix(path: str | os.PathLike[str]) -> str:
    """The name of a checkpoint, given that or one of its files.

    >>> checkpoint_prefix("run/model.ckpt-10.safetensors")
    'run/model.ckpt-10'
    """
    return local_path(path).removesuffix(SUFFIX)


def remove_checkpoint(prefix: str | os.PathLike[str]) -> None:
    """Remove the files of a checkpoint, in TensorFlow's format too; missing ones are no error."""
    name = checkpoint_prefix(prefix)
    parts = glob.glob(f"{glob.escape(name)}.data-?????-of-?????")
    # What says that there is a checkpoint goes first.
    for path in (checkpoint_path(prefix), f"{name}.index", *parts, name + META_GRAPH_SUFFIX):
        with translated_errors(path):
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue


def _as_strings(name: str, array: np.ndarray[Any, Any]) -> list[bytes]:
    strings = []
    for value in array.reshape(-1).tolist():
        if isinstance(value, str):
            value = value.encode("utf-8")
        if not isinstance(value, bytes):
            raise InvalidArgumentError(
                None,
                None,
                f"Tensor {name!r} cannot be saved: an object array must hold bytes or str, but it "
                f"holds {value!r:.80} of type {type(value).__name__!r}",
            )
        strings.append(value)
    return strings


def _encoded(name: str, value: Any) -> tuple[np.ndarray[Any, Any], str, list[int]]:
    """The numbers to store for a tensor, and the type and shape it really has."""
    array = np.asarray(value)
    shape = list(array.shape)
    if array.dtype.kind in "SUO":
        strings = _as_strings(name, array)
        lengths = np.array([len(string) for string in strings], "<u8").tobytes()
        return np.frombuffer(lengths + b"".join(strings), np.uint8), "string", shape
    kind = array.dtype.name
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    flat = np.ascontiguousarray(array).reshape(shape)
    if kind in NATIVE:
        return flat, kind, shape
    if kind not in STORED_AS:
        raise InvalidArgumentError(
            None,
            None,
            f"Tensor {name!r} cannot be saved: its type {array.dtype} is none of "
            f"{', '.join([*NATIVE, *STORED_AS, 'string'])}",
        )
    parts = flat.reshape(*shape, 1).view(STORED_AS[kind])
    return (parts.reshape(shape) if parts.shape[-1] == 1 else parts), kind, shape


def checksum(name: str, kind: str, shape: Iterable[int], content: Any) -> int:
    """A number that changes with the tensor's bytes, name, type or shape."""
    # The description is in the sum: a damaged header must not turn one tensor into another.
    start = zlib.crc32(f"{name}|{kind}|{list(shape)}".encode())
    return zlib.crc32(content, start)


def write_tensors(
    prefix: str | os.PathLike[str],
    tensors: Mapping[str, Any],
    metadata: Mapping[str, str] | None = None,
) -> str:
    """Write the arrays as the checkpoint ``prefix``; its file's name is returned.

    The file appears when it is complete and on the disk; until then an older one of this name
    stays. The arrays must not change meanwhile.

    Args:
      prefix: the name of the checkpoint, such as ``run/model.ckpt-10``.
      tensors: arrays of numbers, bools or strings (object arrays of bytes), by name.
      metadata: short texts to keep with them.

    Raises:
      InvalidArgumentError: an array is of a type that cannot be saved.
      OpError: as the operating system's error demands.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_tensors(folder + "/model", {"w": np.arange(3), "s": np.array(b"text")})
    ...     os.path.basename(path)
    'model.safetensors'
    """
    path = checkpoint_path(prefix)
    described: dict[str, Any] = {}
    stored: list[tuple[str, np.ndarray[Any, Any]]] = []
    for name, value in tensors.items():
        array, kind, shape = _encoded(name, value)
        content = array.reshape(-1).view(np.uint8)
        crc = checksum(name, kind, shape, content)
        described[name] = {"dtype": kind, "shape": shape, "crc32": crc}
        stored.append((name, array))
    # Wide elements first keeps every tensor aligned, as the format's readers want it.
    stored.sort(key=lambda item: (-item[1].itemsize, item[0]))
    ours = json.dumps({"version": METADATA_VERSION, "tensors": described})
    header: dict[str, Any] = {"__metadata__": {**(metadata or {}), METADATA_KEY: ours}}
    offset = 0
    for name, array in stored:
        header[name] = {
            "dtype": NATIVE[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    remove_leftovers(os.path.dirname(path))
    with atomic_file(path) as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for _, array in stored:
            file.write(array.reshape(-1).view(np.uint8).data)
    return path
