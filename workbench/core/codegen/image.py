"""Machine code as one piece of memory: copied into a process, it needs only a few addresses.

An image stands anywhere. Addresses that it needs it finds in a table, which is the last thing in
it; everything else was settled by `linking`.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import struct
from typing import Any, NamedTuple

from workbench.core.codegen.symbols import address_of
from workbench.core.codegen.unsupported import CompileError

_WORD = 8
_FAILED = ctypes.c_void_p(-1).value


class Image(NamedTuple):
    """Code and constants, up to where the table of addresses begins."""

    content: bytes
    #: Where each function begins.
    functions: dict[str, int]
    #: What the table has the addresses of: functions outside, by their names in `symbols`, and
    #: places in the image.
    table: tuple[str | int, ...]

    @property
    def size(self) -> int:
        """Bytes of the whole image."""
        return len(self.content) + _WORD * len(self.table)


def bring(image: Image) -> dict[str, int]:
    """Brings an image into the process for good, and gives the addresses of its functions.

    Memory is never writable and executable at the same time.

    Raises:
      CompileError: the image is none, or needs a function that nobody has.
      OSError: the system gives no memory, or lets nobody execute it.
    """
    if not image.content or len(image.content) % _WORD:
        raise CompileError("the image is incomplete")
    if not all(0 <= offset < len(image.content) for offset in image.functions.values()):
        raise CompileError("a function of the image is outside of it")
    system = _system()
    access = mmap.PROT_READ | mmap.PROT_WRITE
    kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    address: int = system.mmap(None, image.size, access, kind, -1, 0)
    if address == _FAILED:
        raise OSError(ctypes.get_errno(), "no memory for machine code")
    try:
        content = image.content + _table(image, address)
        ctypes.memmove(address, content, len(content))
        if system.mprotect(address, len(content), mmap.PROT_READ | mmap.PROT_EXEC):
            raise OSError(ctypes.get_errno(), "memory cannot be made executable")
    except BaseException:
        system.munmap(address, image.size)
        raise
    return {name: address + offset for name, offset in image.functions.items()}


def _table(image: Image, start: int) -> bytes:
    """The addresses that an image at `start` needs."""
    words = []
    for entry in image.table:
        if isinstance(entry, str):
            address = address_of(entry)
            if address is None:
                raise CompileError(f"nothing here provides {entry}")
            words.append(address)
        elif 0 <= entry < len(image.content):
            words.append(start + entry)
        else:
            raise CompileError("the table of the image points outside of it")
    return struct.pack(f"<{len(words)}Q", *words)


@functools.cache
def _system() -> Any:
    """The system's functions for memory: Python's own can neither protect it nor keep it."""
    system = ctypes.CDLL(None, use_errno=True)
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    system.mmap.restype = pointer
    system.mmap.argtypes = [pointer, size, number, number, number, ctypes.c_int64]
    system.mprotect.argtypes = [pointer, size, number]
    system.munmap.argtypes = [pointer, size]
    return system
