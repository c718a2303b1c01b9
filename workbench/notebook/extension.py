"""`%load_ext workbench`: everything that an IPython shell gets, and how it is taken back."""

from __future__ import annotations

import atexit
from typing import Any

from workbench.notebook import cells, comms, completion, magics
from workbench.notebook.hub import close_hub, get_hub


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext workbench`."""
    if hasattr(shell, "kernel"):
        cells.follow_cells(shell)
        comms.register(shell)
    magics.register(shell)
    completion.register(shell)
    shell.events.register("post_run_cell", _after_cell)
    atexit.register(close_hub)


def unload_ipython_extension(shell: Any) -> None:
    """Called by `%unload_ext workbench`."""
    comms.unregister(shell)
    magics.unregister(shell)
    completion.unregister(shell)
    if hasattr(shell, "kernel"):
        cells.forget_cells(shell)
    shell.events.unregister("post_run_cell", _after_cell)
    atexit.unregister(close_hub)
    close_hub()


def _after_cell(result: Any = None) -> None:
    """The cell's thread alone knows which graph is its default one."""
    get_hub().graphs.note_default()
