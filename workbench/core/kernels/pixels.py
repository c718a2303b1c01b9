"""Work on pixels that machine code does, once a process has done much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.platform.machine_code import MachineCode

if TYPE_CHECKING:
    from workbench.core.codegen.pixels import Pixels

#: After so many bytes of pixels it is loaded: about the time that takes.
_WORTHWHILE = 1 << 26
#: Fewer bytes than these are faster done by NumPy than handed over.
_FEW = 1 << 13


def _load() -> Pixels:
    from workbench.core.codegen.pixels import Pixels

    return Pixels()


_code: MachineCode[Pixels] = MachineCode(_load, _WORTHWHILE)


def machine_pixels(size: int) -> Pixels | None:
    """The machine code for `size` bytes of pixels; None where NumPy shall do them."""
    return _code.after(size) if size >= _FEW else None
