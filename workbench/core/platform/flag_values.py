"""The table behind ``tf.app.flags``: definitions, the command line, and the values."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

_UNSET: Any = object()


class Definition(NamedTuple):
    """What a flag is called, what it holds, and how the text of it is read."""

    name: str
    kind: str
    default: Any
    help: str
    read: Callable[[str], Any]
    is_repeated: bool = False


class FlagHolder(NamedTuple):
    """One flag, as ``FLAGS["name"]`` gives it."""

    name: str
    value: Any
    default: Any
    help: str


class _Repeated(argparse.Action):
    """Collects the values of a flag that may be given several times."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        given = getattr(namespace, self.dest, _UNSET)
        setattr(namespace, self.dest, [values] if given is _UNSET else [*given, values])


class FlagValues:
    """The flags of a program. Their values are attributes; the first access parses ``sys.argv``.

    What no flag claims is left alone, so that a notebook's kernel or a test runner may have
    arguments of its own.

    Raises (at an access):
      AttributeError: there is no flag of that name, or a required flag has no value.
      SystemExit: the command line gives a flag a value that it cannot have.
    """

    def __init__(self) -> None:
        # Attributes are flags, so what belongs to the object itself is kept under names that no
        # flag can have; scripts that print all flags read "__flags".
        self.__dict__["__flags"] = {}
        self.__dict__["__parsed"] = False
        self.__dict__["__required_flags"] = set()
        self.__dict__["__definitions"] = {}
        self.__dict__["__assigned"] = set()
        self.__dict__["__arguments"] = None

    @property
    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = self.__dict__["__flags"]
        return values

    @property
    def _definitions(self) -> dict[str, Definition]:
        definitions: dict[str, Definition] = self.__dict__["__definitions"]
        return definitions

    def _define(self, definition: Definition, required: bool = False) -> None:
        name = definition.name
        known = self._definitions.get(name)
        if known is not None and known.kind != definition.kind:
            raise ValueError(
                f"The flag --{name} is defined twice: as {known.kind} and as {definition.kind}"
            )
        # A notebook's cell that defines flags may run again: the last definition holds.
        self._definitions[name] = definition
        self._values[name] = definition.default
        self.__dict__["__assigned"].discard(name)
        self.__dict__["__parsed"] = False
        if required:
            self._add_required_flag(name)

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(argument_default=_UNSET)
        for name, definition in self._definitions.items():
            known: dict[str, Any] = {
                "dest": name,
                "type": definition.read,
                "help": definition.help.replace("%", "%%"),
            }
            if definition.kind == "boolean":
                parser.add_argument(f"--{name}", nargs="?", const=True, **known)
                parser.add_argument(
                    f"--no{name}",
                    dest=name,
                    action="store_const",
                    const=False,
                    help=argparse.SUPPRESS,
                )
            elif definition.is_repeated:
                parser.add_argument(f"--{name}", action=_Repeated, **known)
            else:
                parser.add_argument(f"--{name}", **known)
        return parser

    def _parse_flags(self, args: Sequence[str] | None = None) -> list[str]:
        """Parse the arguments (those of the program where None); what is left is returned."""
        if args is not None:
            self.__dict__["__arguments"] = list(args)
        given, left = self._parser().parse_known_args(self.__dict__["__arguments"])
        self.__dict__["__parsed"] = True
        for name, value in vars(given).items():
            if value is not _UNSET and name not in self.__dict__["__assigned"]:
                self._values[name] = value
        for name in sorted(self.__dict__["__required_flags"]):
            self._assert_required(name, self._values.get(name))
        return left

    def __call__(self, argv: Sequence[str] | None = None) -> list[str]:
        """Parse a command line that starts with the program's name; what is left is returned."""
        arguments = list(sys.argv if argv is None else argv)
        return [*arguments[:1], *self._parse_flags(arguments[1:])]

    def _add_required_flag(self, name: str) -> None:
        self.__dict__["__required_flags"].add(name)

    def _assert_required(self, name: str, value: Any) -> None:
        if value is None and name in self.__dict__["__required_flags"]:
            raise AttributeError(f"Flag --{name} must be specified.")

    def _no_such_flag(self, name: str) -> AttributeError:
        return AttributeError(
            f"There is no flag --{name}; defined are: {', '.join(self._definitions) or 'none'}"
        )

    def __getattr__(self, name: str) -> Any:
        # What copies and inspects objects asks for names like these, before there is a table.
        if name.startswith("__") or "__flags" not in self.__dict__:
            raise AttributeError(name)
        if not self.__dict__["__parsed"]:
            self._parse_flags()
        if name not in self._values:
            raise self._no_such_flag(name)
        return self._values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if not self.__dict__["__parsed"]:
            self._parse_flags()
        self._assert_required(name, value)
        self._values[name] = value
        self.__dict__["__assigned"].add(name)

    def __delattr__(self, name: str) -> None:
        if name not in self._values:
            raise self._no_such_flag(name)
        del self._values[name]
        self._definitions.pop(name, None)
        self.__dict__["__required_flags"].discard(name)
        self.__dict__["__assigned"].discard(name)

    def __getitem__(self, name: str) -> FlagHolder:
        if name not in self._values:
            raise KeyError(name)
        definition = self._definitions.get(name)
        return FlagHolder(
            name,
            getattr(self, name),
            None if definition is None else definition.default,
            "" if definition is None else definition.help,
        )

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._values))

    def __len__(self) -> int:
        return len(self._values)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._values})

    def flag_values_dict(self) -> dict[str, Any]:
        """The values of all flags, by name."""
        if not self.__dict__["__parsed"]:
            self._parse_flags()
        return dict(self._values)

    def is_parsed(self) -> bool:
        """True once the command line was parsed."""
        return bool(self.__dict__["__parsed"])

    def mark_as_parsed(self) -> None:
        """Take the defaults, and do not look at the command line."""
        self.__dict__["__arguments"] = []
        self.__dict__["__parsed"] = True

    def set_default(self, name: str, value: Any) -> None:
        """Change what a flag holds where the command line gives it no value."""
        if name not in self._definitions:
            raise self._no_such_flag(name)
        definition = self._definitions[name]
        self._define(definition._replace(default=value))
