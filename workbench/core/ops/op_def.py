"""Declarations as OpDef protocol buffers."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.attributes import to_attr_value
from workbench.core.ops import registry
from workbench.core.ops.schema import Argument, Attribute


def op_def(type_name: str) -> Any:
    """The OpDef of an operation type; None for types that are not declared."""
    from workbench.core.protos import OpDef

    declaration = registry.lookup(type_name)
    if declaration is None:
        return None
    schema = declaration.schema
    definition = OpDef(name=type_name, is_stateful=declaration.stateful)
    definition.is_commutative = declaration.commutative
    for argument in schema.inputs:
        _fill_argument(definition.input_arg.add(), argument)
    for argument in schema.outputs:
        _fill_argument(definition.output_arg.add(), argument)
    for attribute in schema.attributes.values():
        _fill_attribute(definition.attr.add(), attribute)
    return definition


def _fill_argument(proto: Any, argument: Argument) -> None:
    proto.name = argument.name
    proto.is_ref = argument.is_reference
    if argument.dtype is not None:
        proto.type = argument.dtype.as_datatype_enum
    elif argument.is_type_list:
        proto.type_list_attr = argument.type_attr or ""
    else:
        proto.type_attr = argument.type_attr or ""
    if argument.number_attr:
        proto.number_attr = argument.number_attr


def _fill_attribute(proto: Any, attribute: Attribute) -> None:
    proto.name = attribute.name
    proto.type = attribute.type
    if attribute.has_default:
        proto.default_value.CopyFrom(to_attr_value(attribute.default, attribute.type))
    if attribute.allowed is not None:
        kind = "list(type)" if attribute.type.endswith(("type", "type)")) else "list(string)"
        proto.allowed_values.CopyFrom(to_attr_value(list(attribute.allowed), kind))
    if attribute.minimum is not None:
        proto.has_minimum = True
        proto.minimum = attribute.minimum
