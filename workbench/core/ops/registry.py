"""The registry of declarations."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.core.graph.shapes import Entries, TensorShape, format_entries
from workbench.core.graph.source import user_line

if TYPE_CHECKING:
    from workbench.core.graph.operation import Operation
    from workbench.core.ops.declaration import Declaration

_declarations: dict[str, Declaration] = {}
_all_loaded = False
_lock = threading.RLock()


def register(declaration: Declaration) -> None:
    """Adds a declaration; ValueError when its type is taken."""
    if declaration.type in _declarations:
        raise ValueError(f"Operation type {declaration.type!r} is declared twice")
    _declarations[declaration.type] = declaration


def lookup(type_name: str) -> Declaration | None:
    """The declaration of an operation type, or None."""
    found = _declarations.get(type_name)
    if found is None and not _all_loaded:
        load_all()
        found = _declarations.get(type_name)
    return found


def get(type_name: str) -> Declaration:
    """The declaration of an operation type; ValueError with the nearest names without one."""
    found = lookup(type_name)
    if found is None:
        import difflib

        near = difflib.get_close_matches(type_name, _declarations, n=3)
        hint = f": the nearest are {', '.join(near)}" if near else ""
        raise ValueError(f"There is no operation type {type_name!r}{hint}")
    return found


def all_declarations() -> dict[str, Declaration]:
    """Every declaration by type."""
    load_all()
    return dict(_declarations)


def load_all() -> None:
    """Imports every family module, so that all operation types are known."""
    import importlib
    import pkgutil

    global _all_loaded
    with _lock:
        if _all_loaded:
            return
        package = importlib.import_module("workbench.core.ops")
        for module in pkgutil.walk_packages(package.__path__, "workbench.core.ops."):
            importlib.import_module(module.name)
        _all_loaded = True


def infer_shapes(op: Operation) -> None:
    """Sets the static shapes of an operation's outputs; ValueError in the user's terms."""
    declaration = _declarations.get(op.type) or lookup(op.type)
    if declaration is None:
        return
    try:
        shapes = declaration.shape(op)
    except ValueError as error:
        raise ValueError(explain_inputs(op, str(error))) from None
    for output, shape in zip(op.outputs, shapes, strict=True):
        output.entries = shape.entries if isinstance(shape, TensorShape) else shape


def explain_inputs(op: Operation, problem: str) -> str:
    """An error about a new operation: the user's line, the problem, and where its inputs are from.

    The wording of the middle line is TensorFlow's, so that code that reads it goes on working.
    """
    line = user_line(op.frames)
    shapes = ", ".join(_bracketed(t.entries) for t in op.inputs)
    text = f"{line}\n  " if line else ""
    text += f"{problem} for '{op.name}' (op: '{op.type}') with input shapes: {shapes}."
    for name, tensor in zip(input_names(op), op.inputs, strict=True):
        made = user_line(tensor.op.frames)
        text += (
            f"\n    {name}: {tensor.name!r} {tensor.dtype.name} {format_entries(tensor.entries)}"
        )
        if made:
            text += f", made at {made}"
    return text


def _bracketed(entries: Entries) -> str:
    if entries is None:
        return "<unknown>"
    return "[" + ",".join("?" if e is None else str(e) for e in entries) + "]"


def input_names(op: Operation) -> Sequence[str]:
    """The name of the argument each input tensor stands for."""
    declaration = lookup(op.type)
    plain = [f"input {i}" for i in range(len(op.inputs))]
    if declaration is None:
        return plain
    try:
        parts: Any = declaration.schema.split_inputs(op.attrs, len(op.inputs))
    except (ValueError, KeyError):
        return plain
    return [
        argument.name if count == 1 else f"{argument.name}[{i}]"
        for argument, count in parts
        for i in range(count)
    ]
