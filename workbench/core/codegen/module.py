"""Functions put together to a module of LLVM IR."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from workbench.core.codegen.code import Code

#: Stands in a text for the name that is derived from it.
NAME = "KERNEL_NAME"

_ATTRIBUTES = 'attributes #0 = { nounwind "no-trapping-math"="true" "prefer-vector-width"="512" }'


def named(text: str, declarations: Iterable[str], scratch: int = 0, kind: str = "k") -> Code:
    """A function whose text calls itself `@KERNEL_NAME`; attributes are `#0`.

    >>> named("define void @KERNEL_NAME() #0 {\\n  ret void\\n}", [], kind="loop").name[:5]
    'loop_'
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    name = f"{kind}_{digest}"
    return Code(name, text.replace(NAME, name), frozenset(declarations), scratch)


def module_text(functions: Iterable[Code]) -> str:
    """The text of a module with these functions, each once, in the order of their names."""
    unique = {code.name: code for code in functions}
    declarations: set[str] = set()
    for code in unique.values():
        declarations |= code.declarations
    bodies = [unique[name].text for name in sorted(unique)]
    return "\n".join([*bodies, *sorted(declarations), _ATTRIBUTES, ""])
