"""A number for what a body computes: the same as long as the body is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from workbench.core.graph.body import Body
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor


def body_signature(body: Body) -> int:
    """A number of 32 bits: equal for bodies with the same operations, names, shapes and results.

    What stands around the operation that has the body makes no difference.

    >>> import workbench as tf
    >>> def loop():
    ...     with tf.Graph().as_default() as graph:
    ...         tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0], name="count")
    ...     return graph.get_operation_by_name("count/While").attrs["body"]
    >>> body_signature(loop()) == body_signature(loop())
    True
    """
    value = 0
    for part in _parts(body):
        value = zlib.crc32(part.encode(), value)
    return value


def _parts(body: Body) -> Iterator[str]:
    """What makes a body what it is; arguments go by their places, operations by their names."""
    names = {tensor.op: f"argument {i}" for i, tensor in enumerate(body.arguments)}
    operations = [op for op in body.graph.get_operations() if op not in names]
    for op in sorted(operations, key=lambda op: op.name):
        inputs = [f"{names.get(t.op, t.op.name)}:{t.value_index}" for t in op.inputs]
        waits = sorted(names.get(waited, waited.name) for waited in op._control_inputs)
        yield f"{op.name} {op.type} {inputs} {waits} {op._device} {_shapes(op.outputs)}"
        yield from (f"{name} {_text(op, name)}" for name in sorted(op.attrs) if name[0] != "_")
    yield _shapes(body.arguments)
    yield f"{[f'{names.get(t.op, t.op.name)}:{t.value_index}' for t in body.results]}"


def _shapes(tensors: Sequence[Tensor]) -> str:
    return str([(tensor.dtype.name, tensor.entries) for tensor in tensors])


def _text(op: Operation, name: str) -> str:
    value: Any = op.attrs[name]
    if isinstance(value, Body):
        return str(body_signature(value))
    if hasattr(value, "tobytes"):
        # Arrays of objects have bytes that mean nothing.
        elements = value.tolist() if value.dtype == object else zlib.crc32(value.tobytes())
        return f"{value.dtype} {value.shape} {elements}"
    if hasattr(value, "entries"):
        return str(value.entries)
    return str(value)
