"""A function of machine code, as text."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """One function of a module: `void @name(ptr %args, i64 %begin, i64 %end, ptr %scratch)`.

    `args` has one i64 for each argument of the call: an address or an integer. The text holds the
    definition and the internal functions that it alone uses, all of whose names begin with `name`;
    the name is derived from the text (see `module.named`), so equal texts are one function.
    """

    name: str
    text: str
    #: What the text declares: lines of `declare`, shared by the functions of a module.
    declarations: frozenset[str]
    #: Bytes of memory of its own that a thread needs while it runs, aligned to 64.
    scratch: int = 0
