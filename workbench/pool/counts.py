"""How many there may be of what a pool has."""

from __future__ import annotations

import numbers
from typing import Any


def check_counts(workers: Any, threads: Any = 1, devices: Any = 1) -> None:
    """TypeError, ValueError where a pool cannot have so many."""
    for name, count, least in (
        ("workers", workers, 0),
        ("threads", threads, 1),
        ("devices", devices, 1),
    ):
        if not isinstance(count, numbers.Integral) or isinstance(count, bool):
            raise TypeError(f"{name} must be a whole number, but got {count!r}")
        if count < least:
            raise ValueError(f"{name} must be {least} or more, but got {count}")
