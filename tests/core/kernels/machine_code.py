"""Kernels on pixels with machine code, and without."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import pytest

from workbench.core.kernels import pixels
from workbench.core.platform.machine_code import MachineCode

Result = TypeVar("Result")


def both_ways(call: Callable[[], Result]) -> tuple[Result, Result]:
    """What a call gives by NumPy, and by machine code."""
    results = []
    for worthwhile in (sys.maxsize, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pixels, "_code", MachineCode(pixels._load, worthwhile))
            patch.setattr(pixels, "_FEW", 0)
            results.append(call())
    return results[0], results[1]
