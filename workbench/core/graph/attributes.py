"""Attribute values of operations, and their protocol buffer form.

Inside, attributes are plain Python: int, float, bool, str (bytes where it is not text), DType,
TensorShape, numpy arrays for tensors, `FunctionName` for functions, lists of those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.shapes import TensorShape

if TYPE_CHECKING:
    from workbench.core.ops.schema import Schema


class FunctionName(NamedTuple):
    """A function attribute: a name and the attributes it is called with."""

    name: str
    attrs: tuple[tuple[str, Any], ...] = ()


#: Field of AttrValue that holds each declared attribute type.
_FIELDS = {
    "int": "i",
    "float": "f",
    "bool": "b",
    "string": "s",
    "type": "type",
    "shape": "shape",
    "tensor": "tensor",
    "func": "func",
}


def text(value: bytes) -> str | bytes:
    """The bytes as str where they are UTF-8 text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def from_attr_value(proto: Any) -> Any:
    """The plain value of an AttrValue protocol buffer."""
    from workbench.core.graph.tensor_proto import make_ndarray

    which = proto.WhichOneof("value")
    if which is None:
        return None
    if which == "s":
        return text(proto.s)
    if which == "type":
        return as_dtype(proto.type)
    if which == "shape":
        return TensorShape(proto.shape)
    if which == "tensor":
        return make_ndarray(proto.tensor)
    if which == "func":
        attrs = sorted((k, from_attr_value(v)) for k, v in proto.func.attr.items())
        return FunctionName(proto.func.name, tuple(attrs))
    if which != "list":
        return getattr(proto, which)
    values = proto.list
    if values.s:
        return [text(s) for s in values.s]
    if values.type:
        return [as_dtype(t) for t in values.type]
    if values.shape:
        return [TensorShape(s) for s in values.shape]
    if values.tensor:
        return [make_ndarray(t) for t in values.tensor]
    if values.func:
        return [FunctionName(f.name) for f in values.func]
    return list(values.i) or list(values.f) or list(values.b)


def to_attr_value(value: Any, declared: str | None = None, dtype: DType | None = None) -> Any:
    """The AttrValue protocol buffer of a plain value; `declared` is the schema's type for it.

    `dtype` is that of a tensor, whose array does not tell quantised integers from others.
    """
    from workbench.core.protos import AttrValue

    proto = AttrValue()
    if isinstance(value, (list, tuple)) and not isinstance(value, FunctionName):
        proto.list.SetInParent()
        kind = declared[5:-1] if declared and declared.startswith("list(") else None
        for item in value:
            _put(proto.list, kind or _kind(item), item, repeated=True)
    else:
        _put(proto, declared or _kind(value), value, repeated=False, dtype=dtype)
    return proto


def _kind(value: Any) -> str:
    for types, kind in (
        ((bool, np.bool_), "bool"),
        ((int, np.integer), "int"),
        ((float, np.floating), "float"),
        ((str, bytes), "string"),
        (DType, "type"),
        (TensorShape, "shape"),
        (np.ndarray, "tensor"),
        (FunctionName, "func"),
    ):
        if isinstance(value, types):
            return kind
    raise TypeError(f"{value!r} cannot be an operation's attribute")


def _put(proto: Any, kind: str, value: Any, repeated: bool, dtype: DType | None = None) -> None:
    from workbench.core.graph.tensor_proto import make_constant_proto

    field = _FIELDS[kind]
    if kind in ("shape", "tensor", "func"):
        if kind == "shape":
            message = TensorShape(value).as_proto()
        elif kind == "tensor":
            message = make_constant_proto(value, dtype)
        else:
            message = _function(value)
        target = getattr(proto, field)
        (target.add() if repeated else target).CopyFrom(message)
        return
    plain: Any = value
    if kind == "string":
        plain = value.encode() if isinstance(value, str) else value
    elif kind == "type":
        plain = as_dtype(value).as_datatype_enum
    elif kind == "int":
        plain = int(value)
    elif kind == "float":
        plain = float(value)
    elif kind == "bool":
        plain = bool(value)
    if repeated:
        getattr(proto, field).append(plain)
    else:
        setattr(proto, field, plain)


def _function(value: FunctionName) -> Any:
    from workbench.core.protos import NameAttrList

    message = NameAttrList(name=value.name)
    for key, attr in value.attrs:
        message.attr[key].CopyFrom(to_attr_value(attr))
    return message


def public_value(value: Any, dtype: DType | None = None) -> Any:
    """The value as TensorFlow's `get_attr` gives it: bytes, and protocol buffers for messages.

    `dtype` is that of a tensor.
    """
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, TensorShape):
        return value.as_proto()
    if isinstance(value, np.ndarray):
        return to_attr_value(value, "tensor", dtype).tensor
    if isinstance(value, FunctionName):
        return to_attr_value(value, "func").func
    if isinstance(value, (list, tuple)):
        return [public_value(v) for v in value]
    return value


def node_attributes(node: Any, schema: Schema) -> dict[str, Any]:
    """The attributes of a NodeDef, with the defaults of those that it does not give."""
    attrs = {a.name: a.default for a in schema.attributes.values() if a.has_default}
    attrs.update((key, from_attr_value(value)) for key, value in node.attr.items())
    return attrs
