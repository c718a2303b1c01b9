"""A name for what computes a program's numbers: equal names, equal bits."""

from __future__ import annotations

import hashlib

from workbench.core.runtime.program import Program
from workbench.core.runtime.tiers import Compilation

#: Hexadecimal digits of a name.
_DIGITS = 16


def program_code(program: Program, compilation: Compilation | None) -> str:
    """The name of a program's machine code; empty for an interpreted program.

    It depends on the text of all kernels, how their work is shared out, the types of the steps that
    stay interpreted, the version of LLVM and the processor.
    """
    if program.tier != "compiled" or compilation is None or compilation.plan is None:
        return ""
    from workbench.core.codegen.host import processor
    from workbench.core.codegen.llvm import use

    found = hashlib.sha256()
    with use() as llvm:
        parts: list[object] = [*llvm.llvm_version_info, *processor()]
    for region in compilation.plan.regions:
        if region.program is None:
            parts += [step.node.type for step in region.steps]
        else:
            parts += [(r.code.name, r.units, r.chunk) for r in region.program.records]
    for part in parts:
        found.update(f"{part}\0".encode())
    return found.hexdigest()[:_DIGITS]
