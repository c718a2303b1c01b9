"""From the text of functions to machine code in this process, by way of the cache on disk.

Every function is a module of its own, so what one plan compiled serves any other. Machine code
stays for the life of the process: kernels do not depend on batch sizes, so there are few.
"""

from __future__ import annotations

import ctypes
import hashlib
import time
import weakref
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from workbench.core.codegen.code import Code
from workbench.core.codegen.code_cache import CodeCache, default_folder
from workbench.core.codegen.host import processor, target_machine
from workbench.core.codegen.image import Image, bring
from workbench.core.codegen.llvm import exclusive, use
from workbench.core.codegen.module import module_text
from workbench.core.codegen.symbols import provide_symbols, unresolved
from workbench.core.codegen.unsupported import CompileError

#: `void kernel(ptr args, i64 begin, i64 end, ptr scratch)`
KERNEL_TYPE = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p
)

#: Changes when the same text is to become other machine code.
_REVISION = 1


class Statistics:
    """What a library has done so far."""

    def __init__(self) -> None:
        #: Functions that were compiled, and how long that took.
        self.compiled = 0
        self.compile_seconds = 0.0
        #: Functions that came from the disk.
        self.reloaded = 0
        #: How long it took to bring all of them into the process, reading included.
        self.load_seconds = 0.0
        #: Bytes of all objects.
        self.bytes = 0


class Source(NamedTuple):
    """A module's text, and the functions that others call."""

    text: str
    functions: tuple[str, ...]


class KernelLibrary:
    """The functions of this process, by name."""

    _shared: KernelLibrary | None = None

    def __init__(self, cache: CodeCache | None = None) -> None:
        self._cache = cache if cache is not None else CodeCache(default_folder())
        self._addresses: dict[str, int] = {}
        self._machine: Any = None
        self.statistics = Statistics()

    @classmethod
    def shared(cls) -> KernelLibrary:
        """The one that all sessions of the process use."""
        with exclusive:
            if cls._shared is None:
                cls._shared = KernelLibrary()
            return cls._shared

    def compile(self, codes: Iterable[Code]) -> dict[str, int]:
        """The addresses of functions, by name; those that are not here yet are brought.

        Another thread gets its turn after every function.

        Raises:
          CompileError: LLVM refuses a text, or the code needs a function that nobody has.
        """
        unique = {code.name: code for code in codes}
        missing = [code for name, code in unique.items() if name not in self._addresses]
        self.load([Source(module_text([code]), (code.name,)) for code in missing])
        return {name: self._addresses[name] for name in unique}

    @property
    def cache(self) -> CodeCache:
        """What is kept on disk."""
        return self._cache

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of these functions are here already."""
        return all(name in self._addresses for name in names)

    def adopt(self, image: Image) -> None:
        """Brings the functions of an image, those aside that are here already.

        Raises:
          CompileError, OSError: this process cannot have them.
        """
        with exclusive:
            if self.has(image.functions):
                return
            began = time.perf_counter()
            found = bring(image)
            self._addresses = found | self._addresses
            self.statistics.reloaded += len(found)
            self.statistics.bytes += image.size
            self.statistics.load_seconds += time.perf_counter() - began

    def object_of(self, source: Source) -> bytes:
        """The machine code of a module, whether it is here or not."""
        with exclusive:
            return self._cache.load(_key(source.text)) or self._object(source)

    def load(self, sources: Sequence[Source]) -> dict[str, int]:
        """The same for modules with any number of functions."""
        objects: list[tuple[Source, bytes]] = []
        for source in sources:
            with exclusive:
                if not self._here(source):
                    objects.append((source, self._object(source)))
        with exclusive:
            self._bring([(s, o) for s, o in objects if not self._here(s)])
        self._cache.tidy_if_due()
        return {name: self._addresses[name] for source in sources for name in source.functions}

    def _here(self, source: Source) -> bool:
        return self.has(source.functions)

    def _object(self, source: Source) -> bytes:
        """The module's machine code, from the disk or compiled."""
        key = _key(source.text)
        began = time.perf_counter()
        found = self._cache.load(key)
        if found is not None:
            self.statistics.reloaded += 1
            self.statistics.load_seconds += time.perf_counter() - began
            return found
        if self._machine is None:
            self._machine = target_machine()
        made = emit(source.text, self._machine)
        self.statistics.compiled += 1
        self.statistics.compile_seconds += time.perf_counter() - began
        self._cache.store(key, made)
        return made

    def _bring(self, objects: Sequence[tuple[Source, bytes]]) -> None:
        if not objects:
            return
        began = time.perf_counter()
        with use():
            engine = engine_of([data for _, data in objects])
            for source, data in objects:
                self.statistics.bytes += len(data)
                for name in source.functions:
                    address = engine.get_function_address(name)
                    if not address:
                        raise CompileError(f"the module has no function {name}")
                    self._addresses[name] = address
            # The machine code is never freed: a step that still runs it could be anywhere.
            engine.detach()
        self.statistics.load_seconds += time.perf_counter() - began


def emit(text: str, machine: Any) -> bytes:
    """The object file of a module's text, which LLVM verifies first."""
    with use() as llvm:
        try:
            module = llvm.parse_assembly(text)
        except RuntimeError as error:
            raise _refused(error) from error
        with module:
            module.triple = llvm.get_default_triple()
            module.data_layout = str(machine.target_data)
            try:
                module.verify()
            except RuntimeError as error:
                raise _refused(error) from error
            made: bytes = machine.emit_object(module)
            return made


def _refused(error: RuntimeError) -> CompileError:
    return CompileError(f"LLVM refuses the text: {str(error).strip()}")


def engine_of(objects: Sequence[bytes]) -> Any:
    """An engine with the functions of object files; their machine code lives as long as it does."""
    for data in objects:
        # LLVM would end the process.
        missing = unresolved(data)
        if missing:
            raise CompileError(f"nothing here provides {', '.join(sorted(missing))}")
    with use() as llvm:
        provide_symbols()
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
        for data in objects:
            engine.add_object_file(llvm.ObjectFileRef.from_data(data))
        engine.finalize_object()
        return engine


class Library:
    """The functions of one module, without the cache; they live as long as this object."""

    def __init__(self, text: str) -> None:
        with use():
            self._engine = engine_of([emit(text, target_machine())])
            # What closes an engine that nobody closed uses LLVM, whichever thread it is in.
            weakref.finalize(self, _close, self._engine).atexit = False

    def address(self, name: str) -> int:
        """Where a function is."""
        with use():
            found: int = self._engine.get_function_address(name)
            return found


def _close(engine: Any) -> None:
    with use():
        engine.close()


def _key(text: str) -> str:
    """Names a text's machine code: for this LLVM, on this processor."""
    with use() as llvm:
        version = ".".join(map(str, llvm.llvm_version_info))
        parts = (str(_REVISION), version, llvm.get_default_triple(), *processor(), text)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
