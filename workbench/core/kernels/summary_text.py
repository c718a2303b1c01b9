"""Tensors in a line of text, as messages show them: their first elements, nested in brackets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def summarize(array: Any, limit: int) -> str:
    """The first `limit` elements (all for a negative limit), "..." where some are left out.

    >>> summarize(np.arange(6).reshape(2, 3), 4), summarize(np.float32(0.1), 3)
    ('[0 1 2][3...]...', '0.1')
    """
    array = np.asarray(array)
    if not array.size:
        return ""
    show = _show(array.dtype)
    count = array.size if limit < 0 else min(limit, array.size)
    shown = [show(value) for value in array.reshape(-1)[:count]]
    text = _nested(shown, array.shape, 0, 0, len(array.shape) > 1)
    return text + "..." if count < array.size else text


def _nested(shown: list[str], shape: tuple[int, ...], axis: int, start: int, inner: bool) -> str:
    """The elements from `start` on along `axis`, with brackets for what lies inside."""
    if axis >= len(shape) - 1:
        row = shape[axis] if shape else 1
        text = " ".join(shown[start : start + row])
        return text + "..." if inner and start + row > len(shown) else text
    step = int(np.prod(shape[axis + 1 :]))
    parts = []
    for begin in range(start, start + step * shape[axis], step):
        if begin < len(shown):
            parts.append(f"[{_nested(shown, shape, axis + 1, begin, inner)}]")
    return "".join(parts)


def _show(dtype: np.dtype[Any]) -> Callable[[Any], str]:
    if dtype.kind in "OSU":
        return _string
    if dtype.kind == "b":
        return lambda value: str(int(value))
    if dtype.kind in "ciu":
        return str
    if dtype == np.float64:
        return lambda value: _shortest(value, float, 15, 17)
    return lambda value: _shortest(np.float32(value), np.float32, 6, 9)


def _shortest(value: Any, kind: type, few: int, many: int) -> str:
    """A number with few digits where they tell it from its neighbours, else with all."""
    text = f"{float(value):.{few}g}"
    return text if value != value or kind(text) == value else f"{float(value):.{many}g}"


def _string(value: Any) -> str:
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
