"""What is different about an operation of two graphs, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.graph.body import Body
from workbench.core.graph.body_signature import body_signature
from workbench.core.graph.function_graph import FunctionGraph

if TYPE_CHECKING:
    from workbench.core.graph.operation import Operation


def changes_of(op: Operation, before: Operation, back: dict[Operation, Operation]) -> Iterator[str]:
    """What is other about an operation than about its counterpart, in words."""
    if op.name != before.name and not _is_argument(op):
        yield f"renamed from {before.name}"
    if op.type != before.type:
        yield f"type {before.type} -> {op.type}"
    if op.device != before.device:
        yield f"device {before.device or 'none'} -> {op.device or 'none'}"
    yield from _changed_attributes(op, before)
    for i in range(max(len(op.outputs), len(before.outputs))):
        now, then = (_described(each, i) for each in (op, before))
        if now != then:
            yield f"output {i} {then} -> {now}"
    inputs = [(t.op, t.value_index) for t in op.inputs]
    if inputs != [(back.get(t.op), t.value_index) for t in before.inputs]:
        yield f"inputs {_names(before)} -> {_names(op)}"
    waits = set(op._control_inputs)
    if waits != {back.get(each) for each in before._control_inputs}:
        now, then = (
            ", ".join(sorted(each.name for each in side._control_inputs)) or "nothing"
            for side in (op, before)
        )
        yield f"waits for {then} -> {now}"


def _is_argument(op: Operation) -> bool:
    """True for arguments of bodies: a name of theirs is nobody's choice."""
    return op.type == "Placeholder" and isinstance(op.graph, FunctionGraph)


def _changed_attributes(op: Operation, before: Operation) -> Iterator[str]:
    for name in sorted({*op.attrs, *before.attrs}):
        # Names that start so are notes for the importer, such as where it is colocated.
        if name.startswith("_"):
            continue
        if name not in before.attrs:
            yield f"{name} none -> {_text(op.attrs[name])}"
        elif name not in op.attrs:
            yield f"{name} {_text(before.attrs[name])} -> none"
        elif not _equal(op.attrs[name], before.attrs[name]):
            now, then = _text(op.attrs[name]), _text(before.attrs[name])
            yield f"{name} {then} -> {now}" if now != then else f"{name} has other values"


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        if a is b or a.shape != b.shape or a.dtype != b.dtype:
            return a is b
        if a.dtype == object:
            return bool(a.tolist() == b.tolist())
        # By bytes: NaN is the same as itself.
        return bool(a.tobytes() == b.tobytes())
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Body) and isinstance(b, Body):
        return body_signature(a) == body_signature(b)
    if hasattr(a, "entries") and hasattr(b, "entries"):
        # Shapes that are not fully known are equal to none, not even to themselves.
        return bool(a.entries == b.entries)
    return bool(a == b)


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        if value.size <= 8:
            return " ".join(str(value.tolist()).split())
        return f"{value.dtype} values of shape {value.shape}"
    if hasattr(value, "entries"):
        return _shape(value.entries)
    if isinstance(value, Body):
        return f"{len(value.graph.get_operations())} operations"
    if hasattr(value, "name"):
        return str(value.name)
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value[:8]))}{', ...' if len(value) > 8 else ''}]"
    return str(value)


def _shape(entries: Any) -> str:
    if entries is None:
        return "unknown"
    return f"[{','.join('?' if entry is None else str(entry) for entry in entries)}]"


def _described(op: Operation, index: int) -> str:
    if index >= len(op.outputs):
        return "none"
    tensor = op.outputs[index]
    shape = "" if tensor.entries is None else _shape(tensor.entries)
    return tensor.dtype.name + shape


def _names(op: Operation) -> str:
    return f"({', '.join(tensor.name for tensor in op.inputs)})"
