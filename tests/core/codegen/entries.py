"""Entries for the tests of what they take and give."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.core.codegen.small_kernels import MULTIPLY, call
from workbench.core.codegen.entry import Entry, FeedSpec, Patch, ResultSpec, Structure
from workbench.core.codegen.table import Table

F32 = np.float32


def product(shape: tuple[int, ...], **options: Any) -> Entry:
    """Two arrays in, their product out."""
    size = int(np.prod(shape))
    table = Table([call(MULTIPLY, 0, 0, 0, units=size, chunk=max(1, size))], threads=2)
    return Entry(
        table,
        [FeedSpec("float32", shape, (Patch(k),)) for k in (0, 1)],
        [ResultSpec("float32", shape, (Patch(2),))],
        Structure("single", (0,)),
        **options,
    )


def read_only(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    a.flags.writeable = False
    return a


class Holder:
    """What keeps a variable."""

    __slots__ = ("name", "value")

    def __init__(self, value: Any) -> None:
        self.name = "variable"
        self.value = value
