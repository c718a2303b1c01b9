"""What came from outside, as errors and logs show it: in a few words, however long it is."""

from __future__ import annotations

import reprlib
from typing import Any


def shown(value: Any) -> str:
    """A short text of a value.

    >>> from workbench.cluster.shown import shown
    >>> shown(7), len(shown("x" * 10_000_000)) < 50
    ('7', True)
    """
    return reprlib.repr(value)
