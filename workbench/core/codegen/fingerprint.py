"""What machine code on disk depends on besides what it computes, found out without LLVM.

Importing LLVM takes longer than everything else a second process has to do before its steps run
compiled, so nothing here asks it: its files, and the system's words for the processor, say as much.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from importlib.util import find_spec

import numpy as np

import workbench.core

#: Enough of the system's description of its processors to have the first one.
_FIRST = 1 << 14
_WANTED = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags")


@functools.cache
def system() -> str | None:
    """A digest of the interpreter, LLVM and the processor.

    None where one of them cannot be told, and nothing can be kept.
    """
    parts = [_interpreter(), _processor(), _llvm()]
    return _digest("\0".join(map(str, parts))) if all(parts) else None


@functools.cache
def package() -> str:
    """A digest of the times and sizes of the core's source files.

    All of them have a part in what is compiled, or in how it is used.
    """
    (folder,) = workbench.core.__path__
    return _digest(_files(folder, (".py",)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _interpreter() -> str:
    return f"{sys.version} {np.__version__} {sys.platform}"


def _processor(description: str = "/proc/cpuinfo") -> str | None:
    """The processor's model and what it can do, as Linux tells it."""
    try:
        with open(description, "rb") as file:
            text = file.read(_FIRST).decode("ascii", "replace")
    except OSError:
        return None
    found: dict[str, str] = {}
    for line in text.partition("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        if name.strip() in _WANTED:
            found[name.strip()] = value.strip()
    return "\n".join(found.values()) if found.keys() == set(_WANTED) else None


def _llvm() -> str | None:
    """Which LLVM would be imported: where its library is, and of when and what size."""
    spec = find_spec("llvmlite")
    if spec is None or spec.origin is None:
        return None
    folder = os.path.join(os.path.dirname(spec.origin), "binding")
    return _files(folder, (".so",)) or None


def _files(folder: str, endings: tuple[str, ...]) -> str:
    """The files below a folder, each with its time and size."""
    found: list[str] = []
    pending = [folder]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.name.endswith(endings):
                        status = entry.stat()
                        found.append(f"{entry.path} {status.st_mtime_ns} {status.st_size}")
                    elif "." not in entry.name and entry.name[0] != "_" and entry.is_dir():
                        pending.append(entry.path)
        except OSError:
            return ""
    return "\n".join(sorted(found))
