"""Making operations from Python arguments, as their declarations say."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from workbench.core.graph.attributes import FunctionName
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.elements import misplaced
from workbench.core.graph.function_graph import FunctionGraph
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import as_shape
from workbench.core.graph.source import capture, user_line
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.ops import registry
from workbench.core.ops.schema import Argument, Attribute, Schema


def call(type_name: str, name: str | None = None, /, **arguments: Any) -> Tensor:
    """Makes an operation and returns its only output."""
    return create(type_name, name, **arguments).outputs[0]


def create(type_name: str, name: str | None = None, /, **arguments: Any) -> Operation:
    """Makes an operation: `arguments` are its inputs and attributes by their declared names.

    Inputs are converted to tensors (numbers take the dtype of a tensor beside them), attributes
    are checked. Raises TypeError for wrong dtypes, ValueError for shapes that do not fit.
    """
    schema = registry.get(type_name).schema
    graph = _graph(schema, arguments)
    if graph is not get_default_graph():
        with graph.as_default():
            return _create(graph, schema, name, arguments)
    return _create(graph, schema, name, arguments)


def _graph(schema: Schema, arguments: dict[str, Any]) -> Graph:
    default = get_default_graph()
    if isinstance(default, FunctionGraph):
        # The body of a function captures what it uses from outside.
        return default
    for argument in schema.inputs:
        value = arguments[argument.name]
        if isinstance(value, Tensor):
            return _usable(value, value.op.graph)
        if isinstance(value, (list, tuple)):
            for item in value:
                if isinstance(item, TensorLike):
                    return _usable(item, item.graph)  # type: ignore[attr-defined]
        elif isinstance(value, TensorLike):
            return _usable(value, value.graph)  # type: ignore[attr-defined]
    return default


def _usable(value: Any, graph: Graph) -> Graph:
    """The graph of a value, where it may grow: bodies of conditionals and loops are closed."""
    if graph.place:
        raise ValueError(_line() + misplaced(value if isinstance(value, Tensor) else value.op))
    return graph


def _create(graph: Graph, schema: Schema, name: str | None, arguments: dict[str, Any]) -> Operation:
    full = graph.full_name(name or schema.type)
    attrs = _given_attributes(schema, arguments)
    tensors: list[Tensor] = []
    changed: list[Operation] = []
    scopes = graph.scopes
    outer, scopes.name = scopes.name, full
    try:
        for argument in schema.inputs:
            made = _input(schema, argument, arguments, attrs)
            tensors.extend(made)
            if argument.is_reference:
                changed.extend(tensor.op for tensor in made)
    finally:
        scopes.name = outer
    for attribute in schema.attributes.values():
        if attribute.name not in attrs:
            if not attribute.has_default:
                raise TypeError(f"{schema.type} needs a value for {attribute.name!r}")
            attrs[attribute.name] = attribute.default
        if attribute.allowed is not None or attribute.minimum is not None:
            _check_attribute(schema, attribute, attrs)
    types = schema.output_types(attrs)
    if not changed:
        return graph.add_operation(schema.type, full, tuple(tensors), types, attrs)
    # What changes a variable has its place beside it.
    with contextlib.ExitStack() as places:
        for op in changed:
            places.enter_context(graph.colocate_with(op))
        return graph.add_operation(schema.type, full, tuple(tensors), types, attrs)


def _given_attributes(schema: Schema, arguments: dict[str, Any]) -> dict[str, Any]:
    attrs: dict[str, Any] = {}
    for name, attribute in schema.attributes.items():
        value = arguments.get(name)
        if value is not None:
            attrs[name] = _attribute_value(schema, attribute, value)
    return attrs


def _attribute_value(schema: Schema, attribute: Attribute, value: Any) -> Any:
    """The attribute's plain form; TypeError where the value does not fit its type."""
    kind = attribute.type
    if kind.startswith("list("):
        if not isinstance(value, (list, tuple, np.ndarray)):
            raise TypeError(
                f"Expected list for attr {attribute.name} of {schema.type}, got {value!r}"
            )
        return [_one(schema, attribute, kind[5:-1], v) for v in value]
    return _one(schema, attribute, kind, value)


def _one(schema: Schema, attribute: Attribute, kind: str, value: Any) -> Any:
    try:
        if kind == "bool":
            if isinstance(value, (bool, np.bool_)):
                return bool(value)
        elif kind == "int":
            if hasattr(value, "__index__") and not isinstance(value, (bool, TensorLike)):
                return int(value)
        elif kind == "float":
            if isinstance(value, (int, float, np.number)):
                return float(value)
        elif kind == "string":
            if isinstance(value, bytes):
                return value.decode()
            if isinstance(value, str):
                return value
        elif kind == "type":
            return as_dtype(value).base_dtype
        elif kind == "shape":
            return as_shape(value)
        elif kind == "tensor":
            return value if isinstance(value, np.ndarray) else np.asarray(value)
        elif kind == "func":
            return value if isinstance(value, FunctionName) else FunctionName(str(value))
    except UnicodeDecodeError:
        return value
    raise TypeError(
        f"Expected {kind} for argument {attribute.name!r} of {schema.type}, got {value!r} of type "
        f"{type(value).__name__!r}"
    )


def _check_attribute(schema: Schema, attribute: Attribute, attrs: dict[str, Any]) -> None:
    value = attrs[attribute.name]
    values = value if attribute.type.startswith("list(") else [value]
    if attribute.minimum is not None:
        measure = len(value) if attribute.type.startswith("list(") else value
        if measure < attribute.minimum:
            raise ValueError(
                f"Attr {attribute.name!r} of {schema.type!r} Op passed {measure} less than minimum "
                f"{attribute.minimum}."
            )
    if attribute.allowed is None:
        return
    for item in values:
        if item not in attribute.allowed:
            if isinstance(item, DType):
                which = next(
                    (a.name for a in schema.inputs if a.type_attr == attribute.name), attribute.name
                )
                names = ", ".join(t.name for t in attribute.allowed)
                raise TypeError(
                    f"{_line()}Value passed to parameter {which!r} of {schema.type} has DataType "
                    f"{item.name} not in list of allowed values: {names}"
                )
            names = ", ".join(repr(t) for t in attribute.allowed)
            raise ValueError(
                f"{_line()}Value for attr {attribute.name!r} of {schema.type} is {item!r}, not in "
                f"the list of allowed values: {names}"
            )


def _line() -> str:
    line = user_line(capture(1))
    return f"{line}\n  " if line else ""


# -- inputs --------------------------------------------------------------------------------------


def _input(
    schema: Schema, argument: Argument, arguments: dict[str, Any], attrs: dict[str, Any]
) -> list[Tensor]:
    value = arguments[argument.name]
    if argument.is_type_list or argument.number_attr:
        if isinstance(value, TensorLike) or not hasattr(value, "__iter__"):
            raise TypeError(
                f"{_line()}Expected list for {argument.name!r} argument to {schema.type!r} Op, not "
                f"{value!r}."
            )
        return _input_list(schema, argument, list(value), arguments, attrs)
    dtype = argument.dtype or attrs.get(argument.type_attr or "")
    if isinstance(value, Tensor):
        tensor = value
    else:
        if dtype is None:
            dtype = _neighbour_dtype(schema, argument, value, arguments)
        tensor = _convert(schema, argument, value, dtype)
    actual = tensor.dtype.base_dtype
    if argument.type_attr is None:
        if actual is not dtype:
            raise TypeError(
                f"{_line()}Input {argument.name!r} of {schema.type!r} Op has type {actual.name} "
                f"that does not match expected type of {argument.dtype}.{_made(tensor)}"
            )
    else:
        known = attrs.setdefault(argument.type_attr, actual)
        if known is not actual:
            raise TypeError(_type_clash(schema, argument, tensor, known, arguments))
    if argument.is_reference and not tensor.dtype._is_ref_dtype:
        raise TypeError(
            f"{_line()}{schema.type!r} Op requires that input {argument.name!r} be a mutable "
            f"tensor (e.g.: a tf.Variable), got {tensor.name!r}"
        )
    return [tensor]


def _convert(schema: Schema, argument: Argument, value: Any, dtype: DType | None) -> Tensor:
    if value is None:
        raise ValueError(
            f"{_line()}None values are not supported: argument {argument.name!r} of {schema.type}"
        )
    try:
        return convert_to_tensor(value, dtype, argument.name, as_ref=argument.is_reference)
    except (TypeError, ValueError) as error:
        if isinstance(value, TensorLike) and dtype is not None:
            actual = value.dtype.base_dtype.name  # type: ignore[attr-defined]
            raise TypeError(
                f"{_line()}Input {argument.name!r} of {schema.type!r} Op has type {actual} that "
                f"does not match type {dtype.name} expected of it."
            ) from None
        message = f"{_line()}{error} (argument {argument.name!r} of {schema.type})"
        raise type(error)(message) from None


def _neighbour_dtype(
    schema: Schema, argument: Argument, value: Any, arguments: dict[str, Any]
) -> DType | None:
    """The dtype that Python numbers take from a tensor or array that must have the same."""
    if isinstance(value, (TensorLike, np.ndarray, np.generic)):
        return None
    if argument.type_attr is None:
        return None
    for other in schema.inputs:
        if other.type_attr == argument.type_attr and other is not argument:
            beside = arguments[other.name]
            if isinstance(beside, (list, tuple)) and other.number_attr:
                beside = next((b for b in beside if isinstance(b, TensorLike)), None)
            if isinstance(beside, TensorLike) and hasattr(beside, "dtype"):
                dtype: DType = beside.dtype.base_dtype
                return dtype if _fits(value, dtype) else None
    attribute = schema.attributes[argument.type_attr]
    if attribute.has_default and _fits(value, attribute.default):
        return as_dtype(attribute.default)
    return None


def _fits(value: Any, dtype: DType) -> bool:
    """True when a Python number, or nested list of them, can be of `dtype` without loss."""
    if isinstance(value, (list, tuple)):
        return all(_fits(v, dtype) for v in value)
    if isinstance(value, bool):
        return dtype.is_bool
    if isinstance(value, int):
        return dtype.is_integer or dtype.is_floating or dtype.is_complex
    if isinstance(value, float):
        return dtype.is_floating or dtype.is_complex
    return True


def _input_list(
    schema: Schema,
    argument: Argument,
    values: list[Any],
    arguments: dict[str, Any],
    attrs: dict[str, Any],
) -> list[Tensor]:
    if argument.is_type_list:
        types = attrs.get(argument.type_attr or "")
        if types is not None and len(types) != len(values):
            raise ValueError(
                f"{_line()}{schema.type} takes {len(types)} tensors as {argument.name!r}, got "
                f"{len(values)}"
            )
        tensors = [
            _convert(schema, argument, v, None if types is None else types[i])
            for i, v in enumerate(values)
        ]
        attrs.setdefault(argument.type_attr or "", [t.dtype.base_dtype for t in tensors])
        return tensors
    count = attrs.setdefault(argument.number_attr or "", len(values))
    if count != len(values):
        raise ValueError(
            f"{_line()}List argument {argument.name!r} to {schema.type!r} Op with length "
            f"{len(values)} must have length {count}."
        )
    dtype = argument.dtype or attrs.get(argument.type_attr or "")
    if dtype is None:
        known = next((v for v in values if isinstance(v, TensorLike)), None)
        dtype = getattr(known, "dtype", None)
        dtype = None if dtype is None else dtype.base_dtype
    if dtype is None:
        dtype = _neighbour_dtype(schema, argument, values, arguments)
    tensors = []
    for value in values:
        tensor = _convert(schema, argument, value, None if isinstance(value, Tensor) else dtype)
        dtype = dtype or tensor.dtype.base_dtype
        if tensor.dtype.base_dtype is not dtype:
            found = ", ".join(
                v.dtype.base_dtype.name if isinstance(v, Tensor) else type(v).__name__
                for v in values
            )
            raise TypeError(
                f"{_line()}Tensors in list passed to {argument.name!r} of {schema.type!r} Op have "
                f"types [{found}] that don't all match."
            )
        tensors.append(tensor)
    if argument.type_attr:
        if dtype is None:
            dtype = schema.attributes[argument.type_attr].default
        if dtype is not None:
            attrs.setdefault(argument.type_attr, dtype)
    return tensors


def _made(tensor: Tensor) -> str:
    line = user_line(tensor.op.frames)
    return f"\n    {tensor.name!r} was made at {line}" if line else ""


def _type_clash(
    schema: Schema,
    argument: Argument,
    tensor: Tensor,
    known: DType,
    arguments: dict[str, Any],
) -> str:
    """Both sides of a dtype clash, each with the line that made it."""
    other = next(
        (a for a in schema.inputs if a.type_attr == argument.type_attr and a is not argument), None
    )
    text = (
        f"{_line()}Input {argument.name!r} of {schema.type!r} Op has type "
        f"{tensor.dtype.base_dtype.name} that does not match type {known.name}"
    )
    if other is None:
        return f"{text} of attribute {argument.type_attr!r}.{_made(tensor)}"
    beside = arguments.get(other.name)
    text += f" of argument {other.name!r}.{_made(tensor)}"
    return text + (_made(beside) if isinstance(beside, Tensor) else "")
