"""Errors on their way from one task to another: what failed, where, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core import errors
from workbench.core.runtime.failures import make_error

#: What Python's own errors are in TensorFlow's terms; others are a fault of the task's.
_CODES = (
    ((ValueError, TypeError), errors.INVALID_ARGUMENT),
    # A graph of another program may have operations that are not known here.
    (NotImplementedError, errors.UNIMPLEMENTED),
)
#: An error's message is sent up to this length.
_MOST_CHARACTERS = 1 << 16


class NamedOperation:
    """An operation of another process, of which the name is known."""

    def __init__(self, name: str) -> None:
        self.name = name


def to_fields(error: BaseException) -> dict[str, Any]:
    """What is sent of an error."""
    if isinstance(error, errors.OpError):
        name = getattr(error.op, "name", "") or ""
        message = _short(error.message)
        return {"code": error.error_code, "message": message, "operation": name}
    code = next((code for kinds, code in _CODES if isinstance(error, kinds)), errors.INTERNAL)
    message = f"{type(error).__name__}: {error}"
    return {"code": code, "message": _short(message), "operation": ""}


def _short(text: str) -> str:
    """A message in a length that may be sent: it may have words of whoever asked."""
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}... ({len(text) - _MOST_CHARACTERS} characters more)"


def from_fields(fields: Mapping[str, Any], where: str) -> errors.OpError:
    """The error of what was sent; its `op` has the name of the operation, if there is one."""
    code, name = fields.get("code"), fields.get("operation")
    kind: type[errors.OpError] = errors.UnknownError
    if type(code) is int and 0 < code <= errors.UNAUTHENTICATED:
        kind = errors.exception_type_from_error_code(code)
    op: Any = NamedOperation(name) if isinstance(name, str) and name else None
    message = str(fields.get("message", ""))
    if where not in message:
        message = f"{message}\n    on {where}"
    return make_error(kind, op, message)
