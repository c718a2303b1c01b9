"""`%load_ext workbench`: everything that an IPython shell gets, and how it is taken back."""

from __future__ import annotations

from typing import Any

from workbench.notebook import completion, magics
from workbench.notebook.service import serve_views, stop_serving


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext workbench`."""
    serve_views(shell)
    magics.register(shell)
    completion.register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Called by `%unload_ext workbench`."""
    completion.unregister(shell)
    magics.unregister(shell)
    stop_serving(shell)
