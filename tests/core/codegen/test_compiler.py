"""The compiler: what is bad is refused, what is here or on disk is not compiled again."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.codegen.small_kernels import COUNT, GATHER, kernel
from workbench.core.codegen import compiler
from workbench.core.codegen.code_cache import CodeCache
from workbench.core.codegen.compiler import KERNEL_TYPE, KernelLibrary, Source
from workbench.core.codegen.module import NAME, named
from workbench.core.codegen.specs import Code
from workbench.core.codegen.unsupported import CompileError, Unsupported


@pytest.fixture
def cache(tmp_path: Path) -> CodeCache:
    return CodeCache(tmp_path / "code")


def _adding(number: int) -> Code:
    """counts[i] += number"""
    body = f"""  %at = getelementptr i32, ptr %counts, i64 %i
  %old = load i32, ptr %at
  %new = add i32 %old, {number}
  store i32 %new, ptr %at"""
    return kernel("counts", body)


def _works(address: int, number: int) -> bool:
    counts = np.zeros(5, np.int32)
    arguments = np.array([counts.ctypes.data], np.int64)
    KERNEL_TYPE(address)(arguments.ctypes.data, 1, 4, None)
    return counts.tolist() == [0, number, number, number, 0]


def test_functions_are_compiled_once(cache: CodeCache) -> None:
    library = KernelLibrary(cache)
    codes = [_adding(n) for n in (2, 3, 2)]
    first = library.compile(codes)
    assert first.keys() == {code.name for code in codes}
    assert _works(first[codes[0].name], 2) and _works(first[codes[1].name], 3)
    again = library.compile([*codes, _adding(4)])
    assert first.items() <= again.items()
    statistics = library.statistics
    assert (statistics.compiled, statistics.reloaded) == (3, 0)
    assert statistics.compile_seconds > 0 and statistics.bytes > 0


def test_another_library_finds_them_on_disk(cache: CodeCache) -> None:
    codes = [_adding(n) for n in range(5, 15)]
    KernelLibrary(cache).compile(codes)
    library = KernelLibrary(cache)
    addresses = library.compile(codes)
    assert (library.statistics.compiled, library.statistics.reloaded) == (0, 10)
    assert all(_works(addresses[code.name], 5 + i) for i, code in enumerate(codes))


def test_the_key_names_processor_and_revision(
    cache: CodeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled() -> int:
        library = KernelLibrary(cache)
        library.compile([_adding(20)])
        return library.statistics.compiled

    assert [compiled(), compiled()] == [1, 0]
    name, features = compiler.processor()
    monkeypatch.setattr(compiler, "processor", lambda: (name, features + ",+other"))
    assert [compiled(), compiled()] == [1, 0]
    monkeypatch.setattr(compiler, "_REVISION", -1)
    assert [compiled(), compiled()] == [1, 0]


def test_damaged_files_are_compiled_again(cache: CodeCache, tmp_path: Path) -> None:
    code = _adding(30)
    KernelLibrary(cache).compile([code])
    [path] = (tmp_path / "code").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    library = KernelLibrary(cache)
    assert _works(library.compile([code])[code.name], 30)
    assert library.statistics.compiled == 1


@pytest.mark.parametrize(
    "text",
    [
        "this is no IR",
        f"define void @{NAME}() {{\n  ret i32 0\n}}",
        # The verifier's business: the value does not dominate its use.
        f"define i32 @{NAME}(i1 %c) {{\n br i1 %c, label %a, label %b\na:\n %v = add i32 1, 2\n"
        " br label %b\nb:\n ret i32 %v\n}",
    ],
)
def test_bad_text_is_refused(cache: CodeCache, text: str, tmp_path: Path) -> None:
    library = KernelLibrary(cache)
    with pytest.raises(CompileError, match="LLVM refuses the text"):
        library.compile([named(text, [])])
    assert not (tmp_path / "code").exists()
    assert library.compile([_adding(1)])


def test_a_function_that_nobody_provides(cache: CodeCache) -> None:
    """LLVM itself would end the process."""
    code = named(
        f"define double @{NAME}(double %x) {{\n  %y = call double @no_such_function(double %x)\n"
        "  ret double %y\n}",
        ["declare double @no_such_function(double)"],
    )
    with pytest.raises(Unsupported, match="nothing here provides no_such_function"):
        KernelLibrary(cache).compile([code])


def test_functions_of_the_c_library(cache: CodeCache) -> None:
    code = named(
        f"define double @{NAME}(double %x) {{\n  %y = frem double %x, 3.0\n  ret double %y\n}}", []
    )
    address = KernelLibrary(cache).compile([code])[code.name]
    assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)(10.0) == 1.0


def test_a_module_without_the_function(cache: CodeCache) -> None:
    source = Source("define void @one() {\n  ret void\n}", ("one", "two"))
    with pytest.raises(CompileError, match="no function two"):
        KernelLibrary(cache).load([source])


def test_several_threads_compile_the_same(cache: CodeCache) -> None:
    library = KernelLibrary(cache)
    codes = [_adding(n) for n in range(40, 52)]
    found: list[dict[str, int]] = []

    def work() -> None:
        found.append(library.compile(codes))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4 and all(f == found[0] for f in found)
    assert all(_works(found[0][code.name], 40 + i) for i, code in enumerate(codes))


def test_several_processes_share_the_folder(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from tests.core.codegen.test_compiler import _adding, _works
from workbench.core.codegen.code_cache import CodeCache
from workbench.core.codegen.compiler import KernelLibrary
library = KernelLibrary(CodeCache(Path(sys.argv[1])))
for n in range(30):
    assert _works(library.compile([_adding(n)])[_adding(n).name], n)
print(library.statistics.compiled + library.statistics.reloaded, library.statistics.compiled)
"""
    command: list[Any] = [sys.executable, "-c", program, str(tmp_path / "code")]
    root = Path(__file__).parents[3]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)

    together = [start() for _ in range(3)]
    assert [p.communicate(timeout=60)[0].split()[0] for p in together] == ["30"] * 3
    assert start().communicate(timeout=60)[0] == "30 0\n"
    names = [path.name for path in (tmp_path / "code").iterdir()]
    assert len(names) == 30 and not any(name.endswith(".partial") for name in names)


def test_equal_kernels_have_one_name() -> None:
    assert _adding(1).name == COUNT.name != GATHER.name
