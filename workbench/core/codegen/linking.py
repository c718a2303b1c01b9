"""Puts object files together to an image, where nothing is left to do but to copy it.

LLVM can load object files too, but a process that needs nothing else of LLVM is spared importing
it. Known are the ELF files that LLVM makes for x86-64; anything unexpected in them is refused, and
is then left to LLVM.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from workbench.core.codegen.image import Image
from workbench.core.codegen.symbols import address_of
from workbench.core.codegen.unsupported import Unsupported

#: The beginning of a file of 64 bits, little-endian.
_MAGIC = b"\x7fELF\x02\x01"
_RELOCATABLE, _X86_64 = 1, 62

#: Types of sections.
_PROGRAM, _SYMBOLS, _RELOCATIONS = 1, 2, 4
#: Flags of sections: what those may have that are kept. `large` has no meaning for a loader.
_KEPT, _EXECUTED = 0x2, 0x4
_MERGED, _LARGE = 0x10, 0x10000000
_KNOWN_FLAGS = _KEPT | _EXECUTED | _MERGED | _LARGE

#: Types of relocations: S is the symbol's place, A a number, P the place that is changed, T that of
#: the table of addresses, E that of the symbol's entry in the table.
_S_A_P_32, _S_A_P_CALL, _E_T_A, _S_A_P, _S_A_T, _T_A_P = 2, 4, 27, 24, 25, 29

#: Sections stand on cache lines, whatever less they ask for.
_ALIGNMENT = 64
_GLOBAL = 1


class _Section(NamedTuple):
    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


class _Symbol(NamedTuple):
    name: str
    is_global: bool
    #: The number of its section; 0 for one of another file.
    section: int
    value: int


class _Object:
    """An object file: its sections and symbols."""

    def __init__(self, data: bytes) -> None:
        header = struct.unpack_from("<HH", data, 16) if len(data) >= 64 else ()
        if data[:6] != _MAGIC or header != (_RELOCATABLE, _X86_64):
            raise Unsupported("it is no object file for x86-64")
        self.data = data
        (start,) = struct.unpack_from("<Q", data, 40)
        size, count = struct.unpack_from("<HH", data, 58)
        self.sections = [
            _Section(*struct.unpack_from("<IIQQQQIIQQ", data, start + i * size))
            for i in range(count)
        ]
        self.symbols: list[_Symbol] = []
        for section in self.sections:
            if section.type == _SYMBOLS:
                names = self.sections[section.link].offset
                self.symbols = [
                    self._symbol(at, names)
                    for at in range(section.offset, section.offset + section.size, 24)
                ]

    def kept(self) -> list[int]:
        """The numbers of the sections that come into memory."""
        found = []
        for number, section in enumerate(self.sections):
            if not section.flags & _KEPT or not section.size:
                continue
            if section.type != _PROGRAM or section.flags & ~_KNOWN_FLAGS:
                raise Unsupported(f"a section of type {section.type} has flags {section.flags:#x}")
            if section.alignment > _ALIGNMENT:
                raise Unsupported(f"a section stands on {section.alignment} bytes")
            found.append(number)
        return found

    def content(self, number: int) -> bytes:
        """What a section holds."""
        section = self.sections[number]
        return self.data[section.offset : section.offset + section.size]

    def _symbol(self, at: int, names: int) -> _Symbol:
        name_at, info, _, section, value, _ = struct.unpack_from("<IBBHQQ", self.data, at)
        start = names + name_at
        name = self.data[start : self.data.index(b"\0", start)].decode()
        return _Symbol(name, info >> 4 == _GLOBAL, section, value)


def link(objects: Sequence[bytes]) -> Image:
    """The image of object files that do not call each other, with their public functions.

    Raises:
      Unsupported: something in a file is not of the kind that is known here.
    """
    try:
        return _Linker([_Object(data) for data in objects]).image()
    except (struct.error, IndexError, ValueError) as error:
        raise Unsupported(f"an object file is damaged: {error}") from error


class _Linker:
    def __init__(self, objects: Sequence[_Object]) -> None:
        self._objects = objects
        self._content = bytearray()
        #: Where the sections stand: by the numbers of the object and of the section.
        self._places: dict[tuple[int, int], int] = {}
        #: What the table of addresses has, and at which number.
        self._entries: dict[str | int, int] = {}

    def image(self) -> Image:
        kept = [(i, n) for i, found in enumerate(self._objects) for n in found.kept()]
        # Code first, then constants: threads share the lines of neither with anything written.
        for i, number in sorted(kept, key=self._is_constant):
            self._align()
            self._places[i, number] = len(self._content)
            self._content += self._objects[i].content(number)
        self._align()
        for i, found in enumerate(self._objects):
            for section in found.sections:
                if section.type == _RELOCATIONS and (i, section.info) in self._places:
                    self._relocate(i, section)
        return Image(bytes(self._content), dict(self._functions()), tuple(self._entries))

    def _is_constant(self, place: tuple[int, int]) -> bool:
        i, number = place
        return not self._objects[i].sections[number].flags & _EXECUTED

    def _align(self) -> None:
        self._content += bytes(-len(self._content) % _ALIGNMENT)

    def _functions(self) -> Iterable[tuple[str, int]]:
        seen: set[str] = set()
        for i, found in enumerate(self._objects):
            for symbol in found.symbols:
                if symbol.is_global and symbol.section:
                    if symbol.name in seen:
                        raise Unsupported(f"two object files have {symbol.name}")
                    seen.add(symbol.name)
                    yield symbol.name, self._place(i, symbol)

    def _place(self, i: int, symbol: _Symbol) -> int:
        place = self._places.get((i, symbol.section))
        if place is None:
            raise Unsupported(f"{symbol.name or 'a symbol'} is in no section that is kept")
        return place + symbol.value

    def _entry(self, i: int, symbol: _Symbol) -> int:
        """Where in the table of addresses a symbol's is."""
        entry: str | int = self._place(i, symbol) if symbol.section else symbol.name
        if isinstance(entry, str) and address_of(entry) is None:
            raise Unsupported(f"nothing provides {entry}")
        return 8 * self._entries.setdefault(entry, len(self._entries))

    def _relocate(self, i: int, section: _Section) -> None:
        found = self._objects[i]
        start = self._places[i, section.info]
        size = found.sections[section.info].size
        table = len(self._content)
        for at in range(section.offset, section.offset + section.size, 24):
            offset, info, addend = struct.unpack_from("<QQq", found.data, at)
            kind, symbol = info & 0xFFFFFFFF, found.symbols[info >> 32]
            place = start + offset
            if kind in (_S_A_P_32, _S_A_P_CALL):
                value, form = self._place(i, symbol) + addend - place, "<i"
            elif kind == _S_A_P:
                value, form = self._place(i, symbol) + addend - place, "<q"
            elif kind == _S_A_T:
                value, form = self._place(i, symbol) + addend - table, "<q"
            elif kind == _T_A_P:
                value, form = table + addend - place, "<q"
            elif kind == _E_T_A:
                value, form = self._entry(i, symbol) + addend, "<q"
            else:
                raise Unsupported(f"a relocation of type {kind}")
            if offset + struct.calcsize(form) > size:
                raise Unsupported("a relocation outside of its section")
            struct.pack_into(form, self._content, place, value)
