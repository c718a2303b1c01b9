"""Workbench: an interactive machine-learning workbench for Jupyter.

`import workbench as tf` runs code written for TensorFlow 1.x; `import workbench as wb` has what
TensorFlow never had. Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace
from workbench.api.top import NAMES, NAMESPACES

__version__ = "0.1.0"

_get, __dir__, __all__ = namespace(__name__, NAMES, NAMESPACES)


def __getattr__(name: str) -> Any:
    return _get(name)
