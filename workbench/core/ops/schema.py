"""Schemas: the inputs, outputs and attributes of an operation, parsed from their text form."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.dtypes import DType, as_dtype

#: Names for sets of types that many operations share.
TYPE_SETS: dict[str, str] = {
    "floating": "half bfloat16 float double",
    "complex": "complex64 complex128",
    "differentiable": "half bfloat16 float double complex64 complex128",
    "integer": "uint8 uint16 uint32 uint64 int8 int16 int32 int64",
    "real": "half bfloat16 float double uint8 uint16 uint32 uint64 int8 int16 int32 int64",
    "number": (
        "half bfloat16 float double uint8 uint16 uint32 uint64 int8 int16 int32 int64 "
        "complex64 complex128"
    ),
    "index": "int32 int64",
}
_ARGUMENT = re.compile(r"\s*(\w+)\s*:\s*(?:(\w+)\s*\*\s*)?(Ref\(\s*(\w+)\s*\)|\w+)\s*$")
_ATTRIBUTE = re.compile(
    r"\s*(\w+)\s*:\s*(list\(.*?\)|\{.*?\}|\w+)\s*(?:>=\s*(-?\d+)\s*)?(?:=\s*(.*))?$", re.DOTALL
)


class Argument(NamedTuple):
    """One input or output of an operation."""

    name: str
    #: The attribute that holds the type (or the list of types), or None where it is fixed.
    type_attr: str | None
    #: The fixed type, or None where an attribute holds it.
    dtype: DType | None
    #: The attribute that holds how many tensors there are, or None.
    number_attr: str | None
    #: True when `type_attr` is a list(type): one tensor for each type.
    is_type_list: bool
    #: True when the argument is a variable, not its value.
    is_reference: bool


class Attribute(NamedTuple):
    """One attribute of an operation."""

    name: str
    #: int, float, bool, string, type, shape, tensor, func, or list(...) of one of them.
    type: str
    #: The types or strings that are allowed, or None for all.
    allowed: tuple[Any, ...] | None
    default: Any
    has_default: bool
    minimum: int | None


class Schema:
    """The inputs, outputs and attributes of an operation."""

    def __init__(
        self,
        type_name: str,
        inputs: tuple[Argument, ...],
        outputs: tuple[Argument, ...],
        attributes: dict[str, Attribute],
    ) -> None:
        self.type = type_name
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes

    @cached_property
    def inferred(self) -> frozenset[str]:
        """The attributes that the inputs determine."""
        names = {a.type_attr for a in self.inputs} | {a.number_attr for a in self.inputs}
        return frozenset(n for n in names if n)

    @cached_property
    def has_references(self) -> bool:
        """True when an input is a variable."""
        return any(a.is_reference for a in self.inputs)

    def output_types(self, attrs: dict[str, Any]) -> tuple[DType, ...]:
        """The dtypes of the outputs for given attributes."""
        types: list[DType] = []
        for argument in self.outputs:
            if argument.is_type_list and argument.type_attr:
                types.extend(as_dtype(t) for t in attrs[argument.type_attr])
                continue
            dtype = argument.dtype or as_dtype(attrs[argument.type_attr or ""])
            if argument.is_reference:
                dtype = dtype._as_ref
            types.extend([dtype] * (attrs[argument.number_attr] if argument.number_attr else 1))
        return tuple(types)

    def output_counts(self, attrs: dict[str, Any]) -> list[tuple[str, int]]:
        """The name of each output with the number of tensors it has."""
        counts: list[tuple[str, int]] = []
        for argument in self.outputs:
            if argument.number_attr:
                counts.append((argument.name, int(attrs[argument.number_attr])))
            elif argument.is_type_list and argument.type_attr:
                counts.append((argument.name, len(attrs[argument.type_attr])))
            else:
                counts.append((argument.name, 1))
        return counts

    def split_inputs(self, attrs: dict[str, Any], count: int) -> list[tuple[Argument, int]]:
        """Each input argument with the number of tensors it takes."""
        parts: list[tuple[Argument, int]] = []
        for argument in self.inputs:
            if argument.number_attr:
                parts.append((argument, int(attrs[argument.number_attr])))
            elif argument.is_type_list and argument.type_attr:
                parts.append((argument, len(attrs[argument.type_attr])))
            else:
                parts.append((argument, 1))
        if sum(n for _, n in parts) != count:
            raise ValueError(f"{self.type} takes {parts} tensors, got {count}")
        return parts


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no bracket and no quotes."""
    parts: list[str] = []
    depth, quote, current = 0, "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "{[(":
            depth += 1
        elif character in "}])":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(current)
            current = ""
            continue
        current += character
    parts.append(current)
    return [p.strip() for p in parts if p.strip()]


def parse_schema(type_name: str, inputs: str, outputs: str, attrs: str) -> Schema:
    """The schema written as in TensorFlow's OpDef; ValueError where the text is not one."""
    attributes = {a.name: a for a in map(_attribute, _split(attrs))}
    return Schema(
        type_name,
        tuple(_argument(p, attributes) for p in _split(inputs)),
        tuple(_argument(p, attributes) for p in _split(outputs)),
        attributes,
    )


def _argument(text: str, attributes: dict[str, Attribute]) -> Argument:
    match = _ARGUMENT.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not an argument: write 'name: type'")
    name, number, whole, referred = match.groups()
    type_name = referred or whole
    if type_name in attributes:
        is_list = attributes[type_name].type == "list(type)"
        return Argument(name, type_name, None, number, is_list, bool(referred))
    return Argument(name, None, as_dtype(type_name), number, False, bool(referred))


def _attribute(text: str) -> Attribute:
    match = _ATTRIBUTE.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not an attribute: write 'name: type = default'")
    name, kind, minimum, default = match.groups()
    in_list = kind.startswith("list(")
    if in_list:
        kind = kind[5:-1].strip()
    allowed: tuple[Any, ...] | None = None
    if kind in TYPE_SETS:
        allowed, kind = tuple(as_dtype(t) for t in TYPE_SETS[kind].split()), "type"
    elif kind.startswith("{"):
        items = _split(kind[1:-1])
        if items[0][0] in "'\"":
            allowed, kind = tuple(ast.literal_eval(i) for i in items), "string"
        else:
            names = [t for i in items for t in TYPE_SETS.get(i, i).split()]
            allowed, kind = tuple(as_dtype(t) for t in names), "type"
    value = None if default is None else _default(default.strip(), kind, in_list)
    return Attribute(
        name,
        f"list({kind})" if in_list else kind,
        allowed,
        value,
        default is not None,
        None if minimum is None else int(minimum),
    )


def _default(text: str, kind: str, in_list: bool) -> Any:
    if in_list:
        return [_default(t, kind, False) for t in _split(text[1:-1])]
    if kind == "type":
        return as_dtype(text.removeprefix("DT_").lower())
    if kind == "bool":
        return text.lower() == "true"
    if kind == "shape":
        from workbench.core.graph.shapes import TensorShape

        return TensorShape(None if text in ("None", "?") else ast.literal_eval(text))
    if kind == "tensor":
        dtype, _, values = text.partition(" ")
        return np.array(ast.literal_eval(values), as_dtype(dtype).as_numpy_dtype)
    return ast.literal_eval(text)
