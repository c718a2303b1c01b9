"""The message classes, made from compact tables at their first use.

The messages are TensorFlow's: same names, field numbers and types, so that what is written here is
read by TensorFlow, TensorBoard and Netron, and the other way round. They live in a pool of their
own, because a pool holds each name once and another library in the process may bring its copy.

One table is a text. A line at the margin names a message (``Outer.Inner`` for a nested one) or,
after ``enum``, an enumeration; the indented lines below list its fields or values::

    enum Colour
        RED 0, GREEN 1
    Box
        name string 1, sides float* 2, colour Colour 3, labels string->string 4,
        weight float 5 @measure, volume float 6 @measure

A field is its name, its type and its number; ``*`` says repeated, ``->`` a map, and ``@measure``
that at most one of the fields marked so is set.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import enum_type_wrapper

PACKAGE = "tensorflow"

# In this order: a table may use what the tables before it declare.
TABLES = ("framework", "summary", "meta_graph", "config", "trace", "example", "projector")

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "double": _Field.TYPE_DOUBLE,
    "float": _Field.TYPE_FLOAT,
    "int64": _Field.TYPE_INT64,
    "uint64": _Field.TYPE_UINT64,
    "int32": _Field.TYPE_INT32,
    "fixed32": _Field.TYPE_FIXED32,
    "fixed64": _Field.TYPE_FIXED64,
    "bool": _Field.TYPE_BOOL,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "uint32": _Field.TYPE_UINT32,
}


class Declaration(NamedTuple):
    """One message or enumeration of a table: its dotted name and what it lists."""

    name: str
    is_enumeration: bool
    entries: list[list[str]]


def declarations(table: str) -> Iterator[Declaration]:
    """The messages and enumerations of a table, in its order.

    >>> [point] = declarations("Point\\n    x float 1,\\n    y float 2\\n")
    >>> point.name, point.entries
    ('Point', [['x', 'float', '1'], ['y', 'float', '2']])
    """
    name = ""
    listed: list[str] = []
    for line in [*table.strip().splitlines(), ""]:
        if line.startswith(" "):
            listed.append(line)
            continue
        if name:
            entries = [entry.split() for entry in "".join(listed).split(",")]
            yield Declaration(name.removeprefix("enum "), name.startswith("enum "), entries)
        name, listed = line, []


class _FileMaker:
    """Turns the declarations of one table into one file of descriptors."""

    def __init__(self, name: str, dependencies: list[str], enumerations: set[str]) -> None:
        self.file = descriptor_pb2.FileDescriptorProto(
            name=name, package=PACKAGE, syntax="proto3", dependency=dependencies
        )
        self._enumerations = enumerations
        self._messages: dict[str, descriptor_pb2.DescriptorProto] = {}

    def add_enumeration(self, dotted: str, values: list[list[str]]) -> None:
        outer, _, short = dotted.rpartition(".")
        holder = self._message(outer).enum_type if outer else self.file.enum_type
        enumeration = holder.add(name=short)
        for name, number in values:
            enumeration.value.add(name=name, number=int(number))

    def add_message(self, dotted: str, fields: list[list[str]]) -> None:
        owner = self._message(dotted)
        groups: list[str] = []
        for name, kind, number, *group in fields:
            field = owner.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
            if "->" in kind:
                kind = self._add_map_entry(dotted, name, kind) + "*"
            if kind.endswith("*"):
                field.label = _Field.LABEL_REPEATED
            self._set_type(field, kind.rstrip("*"))
            if group:
                if group[0] not in groups:
                    groups.append(group[0])
                    owner.oneof_decl.add(name=group[0].removeprefix("@"))
                field.oneof_index = groups.index(group[0])

    def _add_map_entry(self, dotted: str, field_name: str, kind: str) -> str:
        """A map is a repeated message of keys and values, with this name and mark."""
        short = "".join(word.capitalize() for word in field_name.split("_")) + "Entry"
        entry = self._message(dotted).nested_type.add(name=short)
        entry.options.map_entry = True
        key, _, value = kind.partition("->")
        self._set_type(entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL), key)
        self._set_type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), value)
        return f"{dotted}.{short}"

    def _message(self, dotted: str) -> descriptor_pb2.DescriptorProto:
        if dotted not in self._messages:
            outer, _, short = dotted.rpartition(".")
            siblings = self._message(outer).nested_type if outer else self.file.message_type
            self._messages[dotted] = siblings.add(name=short)
        return self._messages[dotted]

    def _set_type(self, field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
        if kind in _SCALARS:
            field.type = _SCALARS[kind]
            return
        field.type = _Field.TYPE_ENUM if kind in self._enumerations else _Field.TYPE_MESSAGE
        field.type_name = f".{kind}" if kind.startswith("google.") else f".{PACKAGE}.{kind}"


class MessagePool:
    """Top-level message classes and enumerations by name, one table after the other.

    A table is read when a name is asked for that the tables before it do not have, so a graph
    definition costs no more than the first table.
    """

    def __init__(self) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        self._pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
        self._files: list[str] = [any_pb2.DESCRIPTOR.name]
        self._enumerations: set[str] = set()
        self._waiting = list(TABLES)
        self._found: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Any:
        """The message class or enumeration called ``name``.

        Raises:
          KeyError: no table declares it.
        """
        with self._lock:
            while name not in self._found and self._waiting:
                self._add_table(self._waiting.pop(0))
            return self._found[name]

    def names(self) -> list[str]:
        """All names that the tables declare."""
        with self._lock:
            while self._waiting:
                self._add_table(self._waiting.pop(0))
            return sorted(self._found)

    def _add_table(self, table: str) -> None:
        text: str = import_module(f"workbench.core.protos.{table}").TABLE
        declared = list(declarations(text))
        self._enumerations.update(each.name for each in declared if each.is_enumeration)
        maker = _FileMaker(f"workbench/{table}.proto", self._files, self._enumerations)
        for name, is_enumeration, entries in declared:
            add = maker.add_enumeration if is_enumeration else maker.add_message
            add(name, entries)
        self._pool.AddSerializedFile(maker.file.SerializeToString())
        file = self._pool.FindFileByName(maker.file.name)
        self._files.append(maker.file.name)
        for name, enumeration in file.enum_types_by_name.items():
            self._found[name] = enum_type_wrapper.EnumTypeWrapper(enumeration)
        for name, message in file.message_types_by_name.items():
            message_class = message_factory.GetMessageClass(message)
            message_class.__module__ = "workbench.core.protos"
            self._found[name] = message_class


# One pool in a process: messages of classes that were made twice would not mix.
POOL = MessagePool()
