"""The operations' public functions by name, looked up when they are first used.

Gradients and composite functions of one family call functions of another through this module
(`api.reduce_sum(...)`), so that families need not import each other.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    # By name: imports would make one knot of this module and all families when types are checked.
    value = getattr(import_module("workbench"), name, None)
    if value is None or isinstance(value, ModuleType):
        # Some functions of `tf.nn` are called like a namespace.
        value = getattr(import_module("workbench.api.nn"), name, value)
    if value is None:
        raise AttributeError(f"There is no operation {name!r}")
    globals()[name] = value
    return value
