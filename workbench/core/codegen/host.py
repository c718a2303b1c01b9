"""The machine this process runs on: which target it is, and whether code can be made for it."""

from __future__ import annotations

import functools
import os
import platform
import sys
from typing import Any

from workbench.core.codegen.llvm import use
from workbench.core.codegen.target import AVX2, AVX512, NEON, Target
from workbench.core.platform.processors import processors

#: Set to "interpreted", it keeps every session of the process on the interpreter.
TIER = "WORKBENCH_TIER"


@functools.cache
def processor() -> tuple[str, str]:
    """LLVM's name for the processor, and the list of its features."""
    with use() as llvm:
        return str(llvm.get_host_cpu_name()), str(llvm.get_host_cpu_features().flatten())


@functools.cache
def target() -> Target | None:
    """What the generators make code for on this machine; None where they cannot."""
    machine = platform.machine().lower()
    if machine in ("aarch64", "arm64"):
        return NEON
    if machine not in ("x86_64", "amd64"):
        return None
    return target_of(processor()[1])


def target_of(features: str) -> Target | None:
    """The target of an x86 processor, by LLVM's list of its features.

    >>> target_of("+avx2,+fma,+f16c,-avx512f").name
    'avx2'
    >>> target_of("+sse4.2,-avx2") is None
    True
    """
    present = {feature[1:] for feature in features.split(",") if feature.startswith("+")}
    if {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma", "f16c"} <= present:
        return AVX512
    if {"avx2", "fma", "f16c"} <= present:
        return AVX2
    return None


def target_machine() -> Any:
    """LLVM's description of this processor, for code that does not depend on where it stands.

    An engine that is given one owns it, so everyone makes their own.
    """
    with use() as llvm:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        name, features = processor()
        return llvm.Target.from_default_triple().create_target_machine(
            cpu=name, features=features, opt=3, reloc="pic", codemodel="jitdefault"
        )


def quota(group: str | os.PathLike[str] = "/sys/fs/cgroup") -> float | None:
    """How many processors' time a container may use; None where there is no limit.

    Threads above it would be stopped together, with a chunk in their hands, again and again.
    """
    try:
        allowed, _, period = _text(group, "cpu.max").partition(" ")
    except OSError:
        try:
            allowed = _text(group, "cpu", "cpu.cfs_quota_us")
            period = _text(group, "cpu", "cpu.cfs_period_us")
        except OSError:
            return None
    try:
        share = int(allowed) / int(period)
    except (ValueError, ZeroDivisionError):  # "max": no limit
        return None
    return share if share > 0 else None


def _text(*parts: str | os.PathLike[str]) -> str:
    with open(os.path.join(*parts), encoding="ascii") as file:
        return file.read()


def threads() -> int:
    """How many threads can run at the same time in this process."""
    limit = quota()
    return processors() if limit is None else max(1, min(processors(), round(limit)))


def obstacle() -> str | None:
    """Why nothing can be compiled in this process, in words; None when it can."""
    if os.environ.get(TIER) == "interpreted":
        return f"{TIER}=interpreted is set"
    return _obstacle_of_interpreter() or _obstacle_of_llvm()


def obstacle_to_kept_code() -> str | None:
    """The same for code that was made on this machine before, by whatever LLVM can do."""
    if os.environ.get(TIER) == "interpreted":
        return f"{TIER}=interpreted is set"
    return _obstacle_of_interpreter()


@functools.cache
def _obstacle_of_interpreter() -> str | None:
    if sys.implementation.name != "cpython":
        return f"the compiled tier needs CPython, and this is {sys.implementation.name}"
    if "t" in getattr(sys, "abiflags", ""):
        return "the compiled tier does not know free-threaded CPython yet"
    if os.name != "posix":
        return "the compiled tier knows Linux and macOS, and this is another system"
    if sys.byteorder != "little" or sys.maxsize < 2**32:
        return "the compiled tier needs a 64-bit little-endian machine"
    return None


@functools.cache
def _obstacle_of_llvm() -> str | None:
    try:
        with use():
            pass
    except (ImportError, OSError) as error:
        return f"llvmlite cannot be imported: {error}"
    if target() is None:
        return f"there are no kernels for this processor: {processor()[0]} lacks AVX2 and FMA"
    return None
