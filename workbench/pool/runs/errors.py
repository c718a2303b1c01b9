"""What a run refuses or fails with, on its way from a worker to whoever asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.cluster.remote_errors import NamedOperation, from_fields, to_fields
from workbench.core.errors import InternalError, OpError
from workbench.core.graph.graph import Graph
from workbench.core.graph.source import user_line
from workbench.core.runtime.failures import make_error
from workbench.live.errors import NoWayBackError, RunEndedError

#: Errors that keep their type; others become `InternalError`.
_KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        ArithmeticError,
        AttributeError,
        IndexError,
        KeyError,
        LookupError,
        MemoryError,
        NoWayBackError,
        NotImplementedError,
        OSError,
        OverflowError,
        RunEndedError,
        RuntimeError,
        TimeoutError,
        TypeError,
        ValueError,
        ZeroDivisionError,
    )
}


def error_fields(error: BaseException) -> dict[str, Any]:
    """What is sent of an error.

    >>> error_fields(KeyError("x"))
    {'kind': 'KeyError', 'message': 'x'}
    """
    if isinstance(error, OpError):
        return {"kind": "OpError", **to_fields(error)}
    for kind in type(error).__mro__:
        if kind.__name__ in _KINDS:
            text = error.args[0] if isinstance(error, KeyError) and error.args else error
            return {"kind": kind.__name__, "message": str(text)}
    return {"kind": "", "message": f"{type(error).__name__}: {error}"}


def error_of(fields: Mapping[str, Any], graph: Graph | None = None) -> Exception:
    """The error of what was sent, about the operation and the line of the graph that is given."""
    kind = _KINDS.get(str(fields.get("kind")))
    if kind is not None:
        return kind(str(fields.get("message", "")))
    if fields.get("kind") != "OpError":
        return InternalError(None, None, str(fields.get("message", "")))
    error = from_fields(fields, "")
    return error if graph is None else _in_users_terms(error, graph)


def _in_users_terms(error: OpError, graph: Graph) -> OpError:
    name = error.op.name if isinstance(error.op, NamedOperation) else None
    if name is None:
        return error
    try:
        op = graph.get_operation_by_name(name)
    except KeyError:
        return error
    line = user_line(op.frames)
    message = f"{line}\n  {error.message}" if line is not None else error.message
    return make_error(type(error), op, message)
