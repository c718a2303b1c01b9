"""The kinds of parameters a message may have: checks from what JSON holds to what we use.

A kind is a function that returns the value it accepts, or raises `Problem` with what it would have
accepted: "text of at most 200 characters".
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Problem(Exception):
    """What a parameter must be."""


Kind = Callable[[Any], Any]


class Parameter(NamedTuple):
    """One parameter of a method."""

    kind: Kind
    required: bool
    default: Any = None

    def fresh_default(self) -> Any:
        """The default, which the caller may change."""
        return copy.copy(self.default)


def required(kind: Kind) -> Parameter:
    """A parameter that must be there."""
    return Parameter(kind, True)


def optional(kind: Kind, default: Any = None) -> Parameter:
    """A parameter that may be missing or null."""
    return Parameter(kind, False, default)


def text(maximum: int) -> Kind:
    """Text of 1 to `maximum` characters, none of them a control character."""

    def check(value: Any) -> str:
        if isinstance(value, str) and 0 < len(value) <= maximum and value.isprintable():
            return value
        raise Problem(f"text of 1 to {maximum} printable characters")

    return check


def integer(low: int, high: int) -> Kind:
    """A whole number in a range; 3.0 is one, as JavaScript writes it either way."""

    def check(value: Any) -> int:
        whole = type(value) is int or (type(value) is float and value.is_integer())
        if whole and low <= value <= high:
            return int(value)
        raise Problem(f"a whole number from {low} to {high}")

    return check


def number(low: float = -math.inf, high: float = math.inf) -> Kind:
    """A finite number in a range."""

    def check(value: Any) -> float:
        if type(value) in (int, float) and low <= value <= high:
            try:
                finite = math.isfinite(value)
            except OverflowError:
                finite = False
            if finite:
                return float(value)
        bounds = "" if math.isinf(low) else f" from {low:g} to {high:g}"
        raise Problem(f"a finite number{bounds}")

    return check


def boolean(value: Any) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise Problem("true or false")


def scalar(value: Any) -> Any:
    """A hyperparameter's value: a finite number, true or false, or a short text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 1000:
        return value
    if type(value) is int and abs(value) <= 2**63:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    raise Problem("a finite number, true or false, or a short text")


def choice(*names: str) -> Kind:
    """One of a few names."""

    def check(value: Any) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise Problem(f"one of {', '.join(names)}")

    return check


def list_of(kind: Kind, maximum: int, minimum: int = 0, distinct: bool = False) -> Kind:
    """A list whose items are all of one kind."""

    def check(value: Any) -> list[Any]:
        if not isinstance(value, list) or not minimum <= len(value) <= maximum:
            raise Problem(f"a list of {minimum} to {maximum} items")
        items = [kind(item) for item in value]
        return list(dict.fromkeys(items)) if distinct else items

    return check


def mapping(maximum: int, kind: Kind | None = None) -> Kind:
    """An object with at most `maximum` names, its values of one kind where that is given."""

    def check(value: Any) -> dict[str, Any]:
        if (
            not isinstance(value, Mapping)
            or len(value) > maximum
            or not all(isinstance(key, str) and 0 < len(key) <= 200 for key in value)
        ):
            raise Problem(f"an object of at most {maximum} names")
        return {key: kind(item) if kind else item for key, item in value.items()}

    return check
