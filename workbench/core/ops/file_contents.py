"""Files as tensors, and tensors as strings."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from workbench.core.errors import DataLossError, OpError
from workbench.core.files import read_bytes, translated_errors
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample


def _path(value: Any, what: str) -> str:
    array = as_array(value)
    if array.ndim:
        raise invalid(f"{what} must be a single string, got shape {list(array.shape)}")
    return os.fsdecode(array.item())


def _read(filename: Any) -> bytes:
    return read_bytes(_path(filename, "filename"))


def _write(filename: Any, contents: Any) -> None:
    from workbench.core.files import atomic_write, local_path

    path = local_path(_path(filename, "filename"))
    with translated_errors(path):
        os.makedirs(os.path.dirname(path) or os.curdir, exist_ok=True)
    atomic_write(path, as_array(contents).item())


def _matching(pattern: Any) -> np.ndarray[Any, Any]:
    from workbench.core.platform.file_io import get_matching_files

    patterns = [os.fsdecode(each) for each in as_array(pattern).reshape(-1).tolist()]
    names = [os.fsencode(name) for name in get_matching_files(patterns)]
    return np.array(names, dtype=object)


def _single(op: Operation) -> list[Any]:
    for tensor in op.inputs:
        shape_rules.with_rank(tensor.entries, 0, tensor.op.name)
    return [()] * len(op.outputs)


declare(
    "ReadFile",
    inputs="filename: string",
    outputs="contents: string",
    shape=_single,
    kernel=_read,
    stateful=True,
    expensive=True,
)
declare(
    "WriteFile",
    inputs="filename: string, contents: string",
    shape=_single,
    kernel=_write,
    stateful=True,
    expensive=True,
)
declare(
    "MatchingFiles",
    inputs="pattern: string",
    outputs="filenames: string",
    shape=shape_rules.vector,
    kernel=_matching,
    stateful=True,
    expensive=True,
)


def _serialize(tensor: Any) -> bytes:
    from workbench.core.graph.tensor_proto import make_tensor_proto
    from workbench.core.protos.reading import serialize

    return serialize(make_tensor_proto(as_array(tensor)))


def _parse(serialized: Any, *, out_type: np.dtype[Any]) -> Any:
    from workbench.core.graph.tensor_proto import make_ndarray
    from workbench.core.protos import TensorProto
    from workbench.core.protos.reading import parse_message

    given = as_array(serialized)
    if given.ndim:
        raise invalid(f"Expected `serialized` to be a scalar, got shape: {list(given.shape)}")
    content = given.item()
    try:
        array = make_ndarray(parse_message(TensorProto, content, "serialized"))
    except (DataLossError, TypeError) as error:
        reason = error.message if isinstance(error, OpError) else error
        shown = repr(content[:80])[1:]
        raise invalid(f"Could not parse `serialized` as TensorProto: {shown}; {reason}") from None
    if array.dtype != out_type:
        raise invalid(
            f"Type mismatch between parsed tensor ({as_dtype(array.dtype).name}) and dtype "
            f"({as_dtype(out_type).name})"
        )
    return array if array.ndim else array[()]


_ONE_AND_TWO = b'\x08\x01\x12\x04\x12\x02\x08\x02"\x08\x00\x00\x80?\x00\x00\x00@'

declare(
    "SerializeTensor",
    inputs="tensor: T",
    outputs="serialized: string",
    attrs="T: type",
    shape=shape_rules.scalar,
    kernel=_serialize,
    samples=[
        sample([1.0, 2.0], want=_ONE_AND_TWO),
        sample([b"a"], want=b"\x08\x07\x12\x04\x12\x02\x08\x01B\x01a"),
    ],
)
declare(
    "ParseTensor",
    inputs="serialized: string",
    outputs="output: out_type",
    attrs="out_type: type",
    shape=shape_rules.unknown,
    kernel=_parse,
    samples=[sample(_ONE_AND_TWO, out_type="float32", want=[1.0, 2.0])],
)


def read_file(filename: Any, name: str | None = None) -> Tensor:
    """The content of a file as a string, read in each run; NotFoundError where there is none."""
    return call("ReadFile", name, filename=filename)


def write_file(filename: Any, contents: Any, name: str | None = None) -> Operation:
    """Makes a file with this content, and the folders it is in; it appears whole or not at all.

    >>> import tempfile, workbench as tf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tf.write_file(folder + "/a/b.txt", "text").run()
    ...     tf.read_file(folder + "/a/b.txt").eval()
    b'text'
    """
    return create("WriteFile", name, filename=filename, contents=contents)


def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """The names of the files that match a pattern (or one of several), sorted.

    In a name, `*` stands for any characters and `?` for one; not in the names of the folders.
    """
    return call("MatchingFiles", name, pattern=pattern)


def serialize_tensor(tensor: Any, name: str | None = None) -> Tensor:
    """A tensor as the bytes of a `TensorProto`."""
    return call("SerializeTensor", name, tensor=tensor)


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Tensor:
    """The tensor of a `TensorProto` in bytes; InvalidArgumentError where it is of another type.

    >>> import workbench as tf
    >>> tf.parse_tensor(tf.serialize_tensor([1, 2]), tf.int32).eval().tolist()
    [1, 2]
    """
    return call("ParseTensor", name, serialized=serialized, out_type=out_type)
