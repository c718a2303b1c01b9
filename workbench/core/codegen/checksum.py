"""Checksums in machine code."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.codegen.checksum_text import NAMES, checksum_text, tables
from workbench.core.codegen.compiler import KernelLibrary, Source
from workbench.core.codegen.unsupported import Unsupported

#: Content from this size on is summed while other threads go on; for less, letting them is dearer.
_LONG = 1 << 14


class Checksum:
    """The functions of this process.

    Raises:
      Unsupported: nothing can be compiled here.
    """

    def __init__(self, first: Sequence[int]) -> None:
        if sys.byteorder != "little":
            raise Unsupported("the checksums' machine code is for little-endian processors")
        self._tables = tables(first)
        addresses = KernelLibrary.shared().load([Source(checksum_text(), NAMES)])
        pointer, word = ctypes.c_void_p, ctypes.c_int64
        summing = (ctypes.c_uint32, ctypes.c_char_p, word, pointer)
        self._short: Any = ctypes.PYFUNCTYPE(*summing)(addresses[NAMES[0]])
        self._long: Any = ctypes.CFUNCTYPE(*summing)(addresses[NAMES[0]])
        finding = (word, ctypes.c_char_p, word, pointer, word, pointer)
        self._records: Any = ctypes.CFUNCTYPE(*finding)(addresses[NAMES[1]])
        self._address = self._tables.ctypes.data

    def crc32c(self, content: bytes) -> int:
        """The checksum of content."""
        size = len(content)
        function = self._long if size >= _LONG else self._short
        value: int = function(content, size, self._address)
        return value

    def records(self, block: bytes) -> NDArray[np.int64]:
        """Where the contents of the whole, sound records at the beginning of a block are: rows of
        where one begins and ends."""
        most = len(block) // 16
        places = np.empty((most, 2), np.int64)
        count = self._records(block, len(block), places.ctypes.data, most, self._address)
        return places[:count]
