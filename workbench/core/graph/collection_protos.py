"""How the members of collections are written in a meta graph, and read from one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from workbench.core.graph.keys import GraphKeys

#: The collections that hold variables, written as `VariableDef` messages.
VARIABLE_COLLECTIONS = frozenset(
    {
        GraphKeys.GLOBAL_VARIABLES,
        GraphKeys.LOCAL_VARIABLES,
        GraphKeys.MODEL_VARIABLES,
        GraphKeys.TRAINABLE_VARIABLES,
        GraphKeys.METRIC_VARIABLES,
        GraphKeys.MOVING_AVERAGE_VARIABLES,
        GraphKeys.CONCATENATED_VARIABLES,
        GraphKeys.GLOBAL_STEP,
    }
)


class ProtoFunctions(NamedTuple):
    """The message class of a collection, and the functions to it and from it."""

    proto_type: Any
    to_proto: Callable[..., Any] | None
    from_proto: Callable[..., Any] | None


_registered: dict[str, ProtoFunctions] = {}


def register_proto_function(
    collection_name: str,
    proto_type: Any = None,
    to_proto: Callable[..., Any] | None = None,
    from_proto: Callable[..., Any] | None = None,
) -> None:
    """Registers how the members of a collection become messages and back.

    Args:
      collection_name: the collection.
      proto_type: the message class, or its name in `workbench.core.protos`.
      to_proto: `to_proto(member, export_scope=...)`; None for a member that is left out.
      from_proto: `from_proto(message, import_scope=...)`.

    Raises:
      TypeError: a function cannot be called.
      ValueError: the collection has functions already.
    """
    for function in (to_proto, from_proto):
        if function is not None and not callable(function):
            raise TypeError(f"{function!r} must be callable.")
    if collection_name in _registered:
        raise ValueError(f"Collection {collection_name!r} has proto functions already")
    _registered[collection_name] = ProtoFunctions(proto_type, to_proto, from_proto)


def proto_functions(collection_name: str) -> ProtoFunctions | None:
    """The functions of a collection, or None where its members are no messages."""
    found = _registered.get(collection_name)
    if found is None and collection_name in VARIABLE_COLLECTIONS:
        from workbench.core.ops.state.variables import Variable
        from workbench.core.protos import VariableDef

        return ProtoFunctions(VariableDef, _variable_message, Variable.from_proto)
    if found is not None and isinstance(found.proto_type, str):
        from workbench.core import protos

        return found._replace(proto_type=getattr(protos, found.proto_type))
    return found


def _variable_message(variable: Any, export_scope: str | None = None) -> Any:
    """The message of a variable; tensors that stand for one are no members to write."""
    if not hasattr(variable, "to_proto"):
        raise TypeError(f"{variable!r} is no variable")
    return variable.to_proto(export_scope=export_scope)
