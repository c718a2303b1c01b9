"""Command-line flags of a script, as ``tf.app.flags`` has them.

>>> DEFINE_integer("doctest_steps", 100, "How long to train.")
>>> FLAGS.doctest_steps
100
>>> del FLAGS.doctest_steps
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workbench.core.platform import logging
from workbench.core.platform.flag_values import Definition, FlagValues

FLAGS = FlagValues()

#: What TensorFlow 1.0 to 1.4 called the arguments of a definition.
_OLD_NAMES = {"flag_name": "name", "default_value": "default", "docstring": "help"}


def _with_old_names(define: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(define)
    def with_old_names(*args: Any, **kwargs: Any) -> None:
        define(*args, **{_OLD_NAMES.get(key, key): value for key, value in kwargs.items()})

    return with_old_names


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in ("true", "t", "1", "yes", "y"):
        return True
    if lowered in ("false", "f", "0", "no", "n"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def _number(
    number: Callable[[str], Any], lower: float | None, upper: float | None
) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = number(text)
        if (lower is not None and value < lower) or (upper is not None and value > upper):
            low, high = ("" if bound is None else bound for bound in (lower, upper))
            raise argparse.ArgumentTypeError(f"{text} is not within {low}..{high}")
        return value

    # The error for text that is no number at all names its reader.
    read.__name__ = getattr(number, "__name__", "number")
    return read


def _one_of(choices: Iterable[str]) -> Callable[[str], str]:
    accepted = list(choices)

    def read(text: str) -> str:
        if text not in accepted:
            raise argparse.ArgumentTypeError(f"{text!r} is none of: {', '.join(accepted)}")
        return text

    return read


def _comma_separated(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []


def _define(
    name: str,
    kind: str,
    default: Any,
    help: str | None,
    read: Callable[[str], Any],
    flag_values: FlagValues | None,
    required: bool,
    is_repeated: bool = False,
) -> None:
    if is_repeated and default is not None:
        default = [default] if isinstance(default, (str, int, float)) else list(default)
    elif isinstance(default, str):
        # A default may be written as on the command line.
        try:
            default = read(default)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise ValueError(f"The default of the flag --{name}: {error}") from None
    definition = Definition(name, kind, default, help or "", read, is_repeated)
    (FLAGS if flag_values is None else flag_values)._define(definition, required)


@_with_old_names
def DEFINE_string(
    name: str,
    default: str | None = None,
    help: str | None = "",
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that holds text."""
    _define(name, "string", default, help, str, flag_values, required)


@_with_old_names
def DEFINE_integer(
    name: str,
    default: int | str | None = None,
    help: str | None = "",
    lower_bound: int | None = None,
    upper_bound: int | None = None,
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that holds an integer, within bounds where they are given."""
    read = _number(int, lower_bound, upper_bound)
    _define(name, "integer", default, help, read, flag_values, required)


@_with_old_names
def DEFINE_float(
    name: str,
    default: float | str | None = None,
    help: str | None = "",
    lower_bound: float | None = None,
    upper_bound: float | None = None,
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that holds a number, within bounds where they are given."""
    read = _number(float, lower_bound, upper_bound)
    _define(name, "float", default, help, read, flag_values, required)


@_with_old_names
def DEFINE_boolean(
    name: str,
    default: bool | str | None = None,
    help: str | None = "",
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that is given as ``--name``, ``--name=false`` or ``--noname``."""
    _define(name, "boolean", default, help, _boolean, flag_values, required)


DEFINE_bool = DEFINE_boolean


@_with_old_names
def DEFINE_enum(
    name: str,
    default: str | None,
    enum_values: Sequence[str],
    help: str | None = "",
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that holds one of several texts."""
    _define(name, "enum", default, help, _one_of(enum_values), flag_values, required)


@_with_old_names
def DEFINE_list(
    name: str,
    default: Sequence[str] | str | None = None,
    help: str | None = "",
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that holds texts, given with commas between them."""
    _define(name, "list", default, help, _comma_separated, flag_values, required)


@_with_old_names
def DEFINE_spaceseplist(
    name: str,
    default: Sequence[str] | str | None = None,
    help: str | None = "",
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that holds texts, given with blanks between them."""
    _define(name, "list", default, help, str.split, flag_values, required)


@_with_old_names
def DEFINE_multi_string(
    name: str,
    default: Sequence[str] | str | None = None,
    help: str | None = "",
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that may be given several times and holds a list of texts."""
    _define(name, "strings", default, help, str, flag_values, required, True)


@_with_old_names
def DEFINE_multi_integer(
    name: str,
    default: Sequence[int] | int | None = None,
    help: str | None = "",
    lower_bound: int | None = None,
    upper_bound: int | None = None,
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that may be given several times and holds a list of integers."""
    read = _number(int, lower_bound, upper_bound)
    _define(name, "integers", default, help, read, flag_values, required, True)


@_with_old_names
def DEFINE_multi_float(
    name: str,
    default: Sequence[float] | float | None = None,
    help: str | None = "",
    lower_bound: float | None = None,
    upper_bound: float | None = None,
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that may be given several times and holds a list of numbers."""
    read = _number(float, lower_bound, upper_bound)
    _define(name, "floats", default, help, read, flag_values, required, True)


@_with_old_names
def DEFINE_multi_enum(
    name: str,
    default: Sequence[str] | str | None,
    enum_values: Sequence[str],
    help: str | None = "",
    flag_values: FlagValues | None = None,
    required: bool = False,
) -> None:
    """Define a flag that may be given several times and holds a list of some of several texts."""
    read = _one_of(enum_values)
    _define(name, "enums", default, help, read, flag_values, required, True)


def mark_flag_as_required(flag_name: str, flag_values: FlagValues | None = None) -> None:
    """Make it an error that a flag has no value when the flags are parsed.

    Raises:
      AttributeError: there is no such flag.
    """
    values = FLAGS if flag_values is None else flag_values
    definition = values._definitions.get(flag_name)
    if definition is None:
        raise values._no_such_flag(flag_name)
    if definition.default is not None:
        logging.warning(
            "Flag %s has a non-None default value; therefore, mark_flag_as_required will pass "
            "even if flag is not specified in the command line!",
            flag_name,
        )
    values._add_required_flag(flag_name)


def mark_flags_as_required(
    flag_names: Iterable[str], flag_values: FlagValues | None = None
) -> None:
    """Make it an error that one of these flags has no value when the flags are parsed.

    Raises:
      AttributeError: there is no such flag.
    """
    for flag_name in flag_names:
        mark_flag_as_required(flag_name, flag_values)
