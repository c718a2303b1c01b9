"""How many there may be of what a pool has."""

from __future__ import annotations

import numbers
from typing import Any

#: No pool has more of anything: what asks for more is astray.
MOST = 10_000


def check_counts(workers: Any, threads: Any = 1, devices: Any = 1) -> None:
    """TypeError, ValueError where a pool cannot have so many.

    >>> from workbench.pool.counts import check_counts
    >>> check_counts(workers=0, threads=2)
    >>> check_counts(workers=-1)
    Traceback (most recent call last):
    ...
    ValueError: workers must be 0 to 10000, but got -1
    """
    for name, count, least in (
        ("workers", workers, 0),
        ("threads", threads, 1),
        ("devices", devices, 1),
    ):
        if not isinstance(count, numbers.Integral) or isinstance(count, bool):
            raise TypeError(f"{name} must be a whole number, but got {count!r}")
        if not least <= int(count) <= MOST:
            raise ValueError(f"{name} must be {least} to {MOST}, but got {count}")
