"""The two comms of a JupyterLab view: it opens one to ask, the kernel opens one to tell.

A message that the front end sends reaches the thread of the subshell it names, but only on a comm
on which the kernel has never published: some versions of ipykernel send the front end's messages to
the shell that published last. So the control comm only listens, and a view hears from the kernel on
another one. Without subshells the same works between two cells.
"""

from __future__ import annotations

import logging
from typing import Any

from workbench.notebook.connection import Connection
from workbench.notebook.hub import Hub, get_hub

_log = logging.getLogger("workbench.notebook")

CONTROL = "workbench.control"
DATA = "workbench.data"
#: More views than any person opens: what comes on top is turned away.
_MAXIMUM_VIEWS = 500


class CommChannel:
    """A view's pair of comms and its connection."""

    def __init__(self, hub: Hub, control: Any, view: str) -> None:
        from comm import create_comm

        self._control = control
        self._data: Any = create_comm(target_name=DATA, data={"view": view})
        self._connection: Connection = hub.connect(view, self._send)
        self._connection.on_close = self.close
        control.on_msg(self._receive)
        control.on_close(lambda message: self._connection.close())
        self._data.on_close(lambda message: self._connection.close())

    def close(self) -> None:
        """Closes the kernel's side of both comms; the connection has been closed."""
        for comm in (self._data, self._control):
            try:
                comm.close()
            except Exception:
                _log.debug("a comm could not be closed", exc_info=True)

    def _send(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        self._data.send(data=message, buffers=buffers)

    def _receive(self, message: Any) -> None:
        self._connection.receive(message["content"].get("data"), message.get("buffers") or ())


def open_control(control: Any, message: Any) -> None:
    """The target of `workbench.control`: a view has come."""
    hub = get_hub()
    data = message["content"].get("data")
    view = data.get("view") if isinstance(data, dict) else None
    usable = isinstance(view, str) and 0 < len(view) <= 100
    if not usable or len(hub.connections) >= _MAXIMUM_VIEWS:
        _log.warning("a view was turned away: %s", "too many views" if usable else "it has no id")
        control.close()
        return
    CommChannel(hub, control, str(view))


def register(shell: Any) -> bool:
    """Makes views able to reach this kernel; False where the shell has none that takes comms."""
    manager = _manager(shell)
    if manager is None:
        return False
    if manager.targets.get(CONTROL) is not open_control:
        manager.register_target(CONTROL, open_control)
    return True


def unregister(shell: Any) -> None:
    """Turns away views that come from now on."""
    manager = _manager(shell)
    if manager is not None and manager.targets.get(CONTROL) is open_control:
        manager.unregister_target(CONTROL, open_control)


def _manager(shell: Any) -> Any:
    kernel = getattr(shell, "kernel", None)
    return getattr(kernel, "comm_manager", None)
