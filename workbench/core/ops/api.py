"""The operations' public functions by name, looked up when they are first used.

Gradients and composite functions of one family call functions of another through this module
(`api.reduce_sum(...)`), so that families need not import each other.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    import workbench
    import workbench.api.nn as nn

    value = getattr(workbench, name, None)
    if value is None:
        value = getattr(nn, name)
    globals()[name] = value
    return value
