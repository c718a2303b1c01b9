"""From the text of a module to machine code in this process."""

from __future__ import annotations

import ctypes
from typing import Any

import llvmlite.binding as llvm


def target_machine() -> Any:
    """LLVM's description of this processor, for position-independent code."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",
        codemodel="jitdefault",
    )


class Library:
    """The functions of a module as machine code; it lives as long as this object."""

    def __init__(self, text: str) -> None:
        machine = target_machine()
        module = llvm.parse_assembly(text)
        module.triple = llvm.get_default_triple()
        module.data_layout = str(machine.target_data)
        module.verify()
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function is."""
        found: int = self._engine.get_function_address(name)
        return found


#: `void kernel(ptr args, i64 begin, i64 end, ptr scratch)`
KERNEL_TYPE = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p
)
