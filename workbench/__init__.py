"""Workbench: an interactive machine-learning workbench for Jupyter.

`import workbench as tf` runs code written for TensorFlow 1.x; `import workbench as wb` has what
TensorFlow never had. Names are loaded when they are first used.
"""

from __future__ import annotations

import sys
from typing import Any

from workbench.api.importing import install
from workbench.api.lazy import namespace
from workbench.api.top import NAMES, NAMESPACES
from workbench.core.runtime.targets import register_scheme

__version__ = "0.1.0"

_get, __dir__, __all__ = namespace(__name__, NAMES, NAMESPACES)
install()


def __getattr__(name: str) -> Any:
    return _get(name)


for _scheme in ("tcp", "grpc"):
    register_scheme(_scheme, "workbench.cluster.targets", "open_target", "reset_target")

if "IPython" in sys.modules:
    from workbench.api.display import prepare_shell

    prepare_shell()


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """What `jupyter labextension develop .` links in place of the installed copy."""
    return [{"src": "labextension", "dest": "workbench"}]
