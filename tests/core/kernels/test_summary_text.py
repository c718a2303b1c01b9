"""How tensors look in messages; the expected lines are what TensorFlow's Print writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.core.kernels.summary_text import summarize

GRID = np.arange(6).reshape(2, 3)
CUBE = np.arange(24).reshape(2, 3, 4)
FLOATS = np.array([0.1, 1e-10, 1e20, np.nan, np.inf, -np.inf, 1 / 3, 1e6, 123456789.0], np.float32)
TEXTS = np.array([b"a", "b\n\xe9".encode()], object)


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (GRID, 3, "[0 1 2]..."),
        (GRID, 4, "[0 1 2][3...]..."),
        (GRID, 100, "[0 1 2][3 4 5]"),
        (GRID, -1, "[0 1 2][3 4 5]"),
        (CUBE, 3, "[[0 1 2...]]..."),
        (CUBE[:1, :2], -1, "[[0 1 2 3][4 5 6 7]]"),
        (np.zeros((2, 2, 2)), 3, "[[0 0][0...]]..."),
        (np.array([[1], [2]]), 3, "[1][2]"),
        (np.array([1, 2, 3, 4]), 3, "1 2 3..."),
        (np.float32(0.1), 3, "0.1"),
        (FLOATS, -1, "0.1 1e-10 1e+20 nan inf -inf 0.333333343 1e+06 123456792"),
        (np.array([0.1, 1 / 3, 1e300, 100.0]), 4, "0.1 0.33333333333333331 1e+300 100"),
        (np.float16(0.1), 3, "0.0999755859"),
        (np.array([True, False]), 3, "1 0"),
        (np.array([1 + 2j]), 3, "(1+2j)"),
        (TEXTS, 3, "a b\\n\xe9"),
        (b"alone", 3, "alone"),
        (np.zeros((0, 3)), 3, ""),
    ],
)
def test_summaries(value: Any, limit: int, text: str) -> None:
    assert summarize(value, limit) == text
