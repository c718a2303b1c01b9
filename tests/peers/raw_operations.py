"""Operations by their generated names, and operations a test makes up."""

from __future__ import annotations

import importlib
import inspect
import types
from collections.abc import Callable
from typing import Any


def message(engine: Any, name: str) -> Any:
    """A protocol buffer message of the engine, or None."""
    try:
        protos = importlib.import_module(f"{engine.__name__}.core.protos")
    except ModuleNotFoundError:
        return None
    return getattr(protos, name, None)


def register_op_list(engine: Any) -> Callable[[Any], None]:
    """Operations that a test makes up, without shapes or kernels."""
    package = f"{engine.__name__}.core"
    registry = importlib.import_module(f"{package}.ops.registry")
    declare = importlib.import_module(f"{package}.ops.declaration").declare

    def argument(each: Any) -> str:
        kind = each.type_attr or each.type_list_attr or _type_name(engine, each.type)
        kind = f"Ref({kind})" if each.is_ref else kind
        return f"{each.name}: {each.number_attr + ' * ' if each.number_attr else ''}{kind}"

    def register(operations: Any) -> None:
        for each in operations.op:
            if registry.lookup(each.name) is None:
                declare(
                    each.name,
                    ", ".join(map(argument, each.input_arg)),
                    ", ".join(map(argument, each.output_arg)),
                    ", ".join(_attribute(engine, attribute) for attribute in each.attr),
                    shape=lambda op: [None] * len(op.outputs),
                    kernel=None,
                    stateful=each.is_stateful,
                )

    return register


def _type_name(engine: Any, number: int) -> str:
    """The name of a type in the text of a declaration."""
    return str(engine.as_dtype(number).name)


def _attribute(engine: Any, attribute: Any) -> str:
    """An attribute as the text of a declaration."""
    kind = attribute.type
    if attribute.HasField("allowed_values"):
        numbers = attribute.allowed_values.list.type
        kind = "{" + ", ".join(_type_name(engine, number) for number in numbers) + "}"
        if not numbers:
            kind = "{" + ", ".join(repr(s.decode()) for s in attribute.allowed_values.list.s) + "}"
        kind = f"list({kind})" if attribute.type.startswith("list(") else kind
    text = f"{attribute.name}: {kind}"
    if attribute.has_minimum:
        text += f" >= {attribute.minimum}"
    if not attribute.HasField("default_value"):
        return text
    value = attribute.default_value
    which = value.WhichOneof("value")
    shown = {
        "s": lambda: repr(value.s.decode()),
        "type": lambda: _type_name(engine, value.type),
        "b": lambda: str(value.b).lower(),
        "list": lambda: "[]",
    }.get(which, lambda: repr(getattr(value, which)))()
    return f"{text} = {shown}"


def find(engine: Any, name: str) -> Callable[..., Any] | None:
    """The function that only creates the operation, as TensorFlow's `gen_*_ops` have one."""
    wanted = name.replace("_", "").lower()
    if engine.__name__ == "tensorflow":
        for kind in dir(engine.raw_ops):
            if kind.lower() == wanted:
                return _raw_oracle_operation(getattr(engine.raw_ops, kind))
        return None
    try:
        registry = importlib.import_module(f"{engine.__name__}.core.ops.registry")
        creation = importlib.import_module(f"{engine.__name__}.core.ops.creation")
    except ModuleNotFoundError:
        return None
    for kind, declaration in registry.all_declarations().items():
        if kind.lower() == wanted:
            return _raw_declared_operation(creation, kind, declaration.schema)
    return None


def _raw_oracle_operation(function: Callable[..., Any]) -> Callable[..., Any]:
    names = [name for name in inspect.signature(function).parameters if name != "name"]

    def operation(*values: Any, **keywords: Any) -> Any:
        return function(**dict(zip(names, values, strict=False)), **keywords)

    return operation


def _raw_declared_operation(
    creation: types.ModuleType, kind: str, schema: Any
) -> Callable[..., Any]:
    free = [each for each in schema.attributes.values() if each.name not in schema.inferred]
    names = [each.name for each in schema.inputs]
    names += [each.name for each in free if not each.has_default]
    names += [each.name for each in free if each.has_default]

    def operation(*values: Any, name: str | None = None, **keywords: Any) -> Any:
        if len(values) == len(names) + 1:
            *values, name = values  # type: ignore[assignment]
        made = creation.create(kind, name, **dict(zip(names, values, strict=False)), **keywords)
        outputs = made.outputs
        if not outputs:
            return made
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    return operation
