"""Runs lowered kernels chunk by chunk on NumPy arrays, without the driver, for their tests."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.codegen.compiler import KERNEL_TYPE, Library
from workbench.core.codegen.module import module_text
from workbench.core.codegen.specs import Lowered


def aligned(size: int) -> np.ndarray[Any, Any]:
    """Bytes that start on a cache line, not initialised to zero on purpose."""
    raw = np.full(size + 64, 0xA5, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size]


class Runner:
    """A lowered kernel as machine code, with work space of its own."""

    def __init__(self, lowered: Lowered) -> None:
        self.lowered = lowered
        self.library = Library(module_text(call.code for call in lowered.calls))
        self.workspace = aligned(lowered.workspace)
        self.scratch = aligned(max([call.code.scratch for call in lowered.calls], default=0))

    def prepare(self, operands: Sequence[np.ndarray[Any, Any]]) -> list[Any]:
        """The calls in order: (function, arguments, begin, end)."""
        prepared: list[Any] = []
        for call in self.lowered.calls:
            values = {
                "operand": lambda v: operands[v].ctypes.data,
                "workspace": lambda v: self.workspace.ctypes.data + v,
                "integer": lambda v: v,
            }
            arguments = np.array([values[a.kind](a.value) for a in call.arguments], np.int64)
            function = KERNEL_TYPE(self.library.address(call.code.name))
            for begin in range(0, call.units, call.chunk):
                end = min(begin + call.chunk, call.units)
                prepared.append((function, arguments, begin, end))
        return prepared

    def run(self, operands: Sequence[np.ndarray[Any, Any]]) -> None:
        """One execution; operands that are stored to are changed."""
        self.execute(self.prepare(operands))

    def execute(self, prepared: Sequence[Any]) -> None:
        scratch = ctypes.c_void_p(self.scratch.ctypes.data)
        for function, arguments, begin, end in prepared:
            function(arguments.ctypes.data, begin, end, scratch)

    def seconds(self, operands: Sequence[np.ndarray[Any, Any]], repeat: int = 30) -> float:
        """The shortest time of an execution on this thread, by its own clock."""
        prepared = self.prepare(operands)
        best = float("inf")
        for _ in range(repeat):
            began = time.thread_time()
            self.execute(prepared)
            best = min(best, time.thread_time() - began)
        return best


def run(lowered: Lowered, *operands: np.ndarray[Any, Any]) -> None:
    """Compiles and runs once."""
    Runner(lowered).run(operands)
