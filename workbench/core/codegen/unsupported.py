"""What cannot be compiled here; the interpreter carries on."""

from __future__ import annotations


class Unsupported(Exception):
    """This machine, this interpreter or this computation has no machine code; says why not."""


class CompileError(Unsupported):
    """LLVM refused a text, or made code of it that this process cannot load."""
