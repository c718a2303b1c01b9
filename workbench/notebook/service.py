"""Lets views reach the kernel of a shell, from `%load_ext workbench` or the first view on."""

from __future__ import annotations

import atexit
from typing import Any

from workbench.notebook import cells, comms
from workbench.notebook.hub import close_hub, get_hub, leave_hub

#: The shell that views are served for.
_served: Any = None


def serve_views(shell: Any) -> None:
    """Opens the kernel to views; doing so again changes nothing."""
    global _served
    if hasattr(shell, "kernel"):
        cells.follow_cells(shell)
        comms.register(shell)
    if _served is shell:
        return
    for event, function in _EVENTS:
        shell.events.register(event, function)
    _served = shell
    atexit.register(leave_hub)


def stop_serving(shell: Any) -> None:
    """Closes what views follow, and turns away those that come."""
    global _served
    if hasattr(shell, "kernel"):
        comms.unregister(shell)
        cells.forget_cells(shell)
    if _served is shell:
        for event, function in _EVENTS:
            shell.events.unregister(event, function)
        _served = None
    atexit.unregister(leave_hub)
    close_hub()


def _before_cell(info: Any = None) -> None:
    get_hub().busy = True


def _after_cell(result: Any = None) -> None:
    """The cell's thread alone knows which graph is its default one."""
    hub = get_hub()
    hub.busy = False
    hub.graphs.note_default()


_EVENTS = (("pre_run_cell", _before_cell), ("post_run_cell", _after_cell))
