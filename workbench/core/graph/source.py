"""Where in the user's code something was made.

Every operation keeps the frames of the user's code that led to it. Capturing must be cheap, as a
graph has thousands of operations: only code objects and instruction offsets are kept, and line
numbers and text are looked up when an error is written.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable
from types import CodeType
from typing import NamedTuple

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_MAXIMUM_FRAMES = 12
_internal: dict[str, bool] = {}


class SourceLine(NamedTuple):
    """One line of the user's code."""

    filename: str
    lineno: int
    function: str

    @property
    def text(self) -> str:
        """The line's text, "" when the source cannot be read."""
        return linecache.getline(self.filename, self.lineno).strip()

    @property
    def place(self) -> str:
        """The file and line as errors write them."""
        return f"{describe_file(self.filename)}:{self.lineno}"

    def __str__(self) -> str:
        text = self.text
        return f"{self.place}: {text}" if text else self.place


#: Frames of user code, innermost first: code object and instruction offset.
Frames = tuple[tuple[CodeType, int], ...]


#: Names the files that only a host knows, such as the cells of a notebook; see `name_files`.
_host_names: Callable[[str], str | None] | None = None


def name_files(describe: Callable[[str], str | None] | None) -> None:
    """Lets a host say what it calls a file: `describe` gives a name, or None to leave it."""
    global _host_names
    _host_names = describe


def describe_file(filename: str) -> str:
    """The file as a user knows it: relative to the working directory where that is shorter."""
    named = _host_names(filename) if _host_names is not None else None
    if named is not None:
        return named
    if filename.startswith("<"):
        return filename
    relative = os.path.relpath(filename)
    return relative if len(relative) < len(filename) else filename


def is_internal(filename: str) -> bool:
    """True for files of this package, and for the machinery that only calls user code."""
    known = _internal.get(filename)
    if known is None:
        known = filename.startswith((_PACKAGE, "<workbench", "<frozen", "<string>"))
        known = known or filename == contextlib_file
        _internal[filename] = known
    return known


contextlib_file = os.path.join(os.path.dirname(os.__file__), "contextlib.py")


def capture(limit: int = _MAXIMUM_FRAMES) -> Frames:
    """The frames of user code on the stack of the caller, innermost first."""
    frames: list[tuple[CodeType, int]] = []
    frame = sys._getframe(1)
    internal = _internal
    while frame is not None:
        code = frame.f_code
        filename = code.co_filename
        hidden = internal.get(filename)
        if hidden is None:
            hidden = is_internal(filename)
        if not hidden:
            frames.append((code, frame.f_lasti))
            if len(frames) == limit:
                break
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(frames)


def lines(frames: Frames) -> list[SourceLine]:
    """The source lines of captured frames, innermost first."""
    return [SourceLine(c.co_filename, _line_number(c, lasti), c.co_name) for c, lasti in frames]


def user_line(frames: Frames) -> SourceLine | None:
    """The innermost line of user code, or None when there is none."""
    return lines(frames[:1])[0] if frames else None


def _line_number(code: CodeType, lasti: int) -> int:
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= lasti < end and number is not None:
            return number
    return line
