"""The arguments on a magic's line: parsed as a command's are, and wrong ones told in one line."""

from __future__ import annotations

import argparse
import difflib
import inspect
import shlex
from collections.abc import Callable
from typing import Any, NoReturn

from workbench.notebook.lookup import usage_error


class LineParser(argparse.ArgumentParser):
    """Parses a magic's line; an error is a `UsageError`, never the end of the process.

    >>> parser = LineParser("%train")
    >>> parser.expression("--feed", help="what to feed")
    >>> parser.parse_line("--feed wb.batches({x: xs}, 64)").feed
    'wb.batches({x: xs}, 64)'
    """

    def __init__(self, name: str) -> None:
        super().__init__(prog=name, add_help=False, allow_abbrev=False)

    def expression(self, name: str, help: str) -> None:
        """An option whose value is the rest of the line up to the next option, quoted or not."""
        self.add_argument(name, nargs="+", action=_Joined, metavar="EXPRESSION", help=help)

    def parse_line(self, line: str) -> argparse.Namespace:
        """The arguments of a line."""
        try:
            # Not as a shell does it: the quotes of an expression are Python's.
            words = shlex.split(line, posix=False)
        except ValueError:
            raise usage_error(f"{self.prog}: a quote is not closed") from None
        options = self.options
        for word in words:
            if word.startswith("--") and word.partition("=")[0] not in options:
                near = difflib.get_close_matches(word, options, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(options)}"
                raise usage_error(
                    f"{self.prog} has no option {word}{hint if options else '; it has none'}"
                )
        return self.parse_args(words)

    @property
    def options(self) -> list[str]:
        """The options that begin with two dashes."""
        return [
            name
            for action in self._actions
            for name in action.option_strings
            if name.startswith("--")
        ]

    def error(self, message: str) -> NoReturn:
        raise usage_error(f"{self.prog}: {message} (help: {self.prog}?)")


class _Joined(argparse.Action):
    def __call__(
        self, parser: Any, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        setattr(namespace, self.dest, unquoted(" ".join(values)))


def unquoted(text: str) -> str:
    """A word of the line without the quotes around it, for an option that is text.

    >>> unquoted("'parameter server'"), unquoted("sync")
    ('parameter server', 'sync')
    """
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if is_quoted else text


def with_usage(function: Callable[..., Any], parser: LineParser) -> Callable[..., Any]:
    """`function` with the parser's account of the arguments in its help."""
    told = inspect.cleandoc(function.__doc__ or "")
    function.__doc__ = f"{told}\n\n{parser.format_help()}"
    return function
