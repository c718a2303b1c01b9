"""Reads what messages ask for. InvalidArgumentError for what is not of the right kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.cluster.shown import shown
from workbench.cluster.wire.message import Message
from workbench.core.errors import InvalidArgumentError
from workbench.core.plan.partition.parts import Part


def text(fields: Mapping[str, Any], key: str) -> str:
    """A string."""
    value = fields.get(key)
    if not isinstance(value, str):
        raise _wrong(key, "a string", value)
    return value


def optional_text(fields: Mapping[str, Any], key: str) -> str | None:
    """A string, or nothing."""
    return None if fields.get(key) is None else text(fields, key)


def number(fields: Mapping[str, Any], key: str) -> int:
    """A whole number."""
    value = fields.get(key)
    if type(value) is not int:
        raise _wrong(key, "a number", value)
    return value


def optional_number(fields: Mapping[str, Any], key: str) -> int | None:
    """A whole number, or nothing."""
    return None if fields.get(key) is None else number(fields, key)


def names(fields: Mapping[str, Any], key: str) -> list[str]:
    """A list of strings; empty where there is none."""
    value = fields.get(key, [])
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _wrong(key, "a list of names", value)
    return value


def seconds(fields: Mapping[str, Any]) -> float | None:
    """For how long something may go on, or nothing."""
    value = fields.get("seconds")
    if value is not None and type(value) not in (int, float):
        raise _wrong("seconds", "a number", value)
    return value


def config(message: Message) -> Any:
    """The `ConfigProto` of a session, in the first blob; None where there is none."""
    if not message.blobs or not message.blobs[0]:
        return None
    from google.protobuf.message import DecodeError

    from workbench.core.protos import ConfigProto

    found = ConfigProto()
    try:
        found.ParseFromString(message.blobs[0])
    except DecodeError as error:
        raise InvalidArgumentError(None, None, f"This is no ConfigProto: {error}") from None
    return found


def part(description: Any, graph: bytes) -> Part:
    """A part of a step."""
    try:
        return Part.of(description, graph)
    except ValueError as error:
        raise InvalidArgumentError(None, None, str(error)) from None


def _wrong(key: str, wanted: str, value: Any) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, f"{key} must be {wanted}, not {shown(value)}")
