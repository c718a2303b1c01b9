"""The views in notebook cells: one anywidget for graphs, one for runs.

Both draw with the same script, which is part of the installed package. Inside JupyterLab it talks
to the kernel over the extension's comms; elsewhere over the widget's own messages, which come here.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from workbench.notebook import protocol
from workbench.notebook.connection import Connection
from workbench.notebook.hub import get_hub

STATIC = Path(__file__).parent / "static"
_SCRIPT = STATIC / "widget.js"
_STYLE = STATIC / "widget.css"

#: What the view says when the package was installed without its script.
_MISSING = """
export default {{
  render({{ el }}) {{
    const text = document.createElement("pre");
    text.textContent = {message!r};
    el.append(text);
  }},
}};
"""


def assets_built() -> bool:
    """True when the script that draws is part of this installation."""
    return _SCRIPT.is_file()


def _script() -> str:
    if assets_built():
        return _SCRIPT.read_text(encoding="utf-8")
    return _MISSING.format(
        message="This view has not been built. In a copy of the repository: "
        "npm install && npm run build, in the folder extension. "
        "Everything else works: print the graph with %graph --text."
    )


def _style() -> str:
    return _STYLE.read_text(encoding="utf-8") if _STYLE.is_file() else ""


class View(anywidget.AnyWidget):
    """A view of something in this kernel; the parts that graphs and runs have in common."""

    _esm = _script()
    _css = _style()

    #: "graph", "run" or "runs".
    kind = traitlets.Unicode().tag(sync=True)
    #: The name of the graph or the id of the run; empty for all runs.
    key = traitlets.Unicode().tag(sync=True)
    #: What the view shows at first, such as {"against": "other"}.
    options = traitlets.Dict().tag(sync=True)
    #: The protocol that this kernel speaks.
    protocol = traitlets.Int(protocol.VERSION).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._connection: Connection | None = None
        self.on_msg(self._receive)

    def _receive(self, widget: Any, content: Any, buffers: Any) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = get_hub().connect(f"widget-{uuid.uuid4()}", self._send_message)
        self._connection.receive(content, buffers)

    def _send_message(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        if self.comm is None:
            raise ConnectionError("the widget is closed")
        self.send(message, buffers)

    def close(self) -> None:
        """Removes the view from the page and ends what it follows."""
        if self._connection is not None:
            self._connection.close()
        super().close()


class GraphWidget(View):
    """A graph in a cell."""

    def __init__(self, key: str, against: str | None = None) -> None:
        super().__init__(kind="graph", key=key, options={"against": against})


class RunWidget(View):
    """A run in a cell: its curves, controls and sliders."""

    def __init__(self, key: str) -> None:
        super().__init__(kind="run", key=key, options={})


class RunsWidget(View):
    """All runs in a cell."""

    def __init__(self) -> None:
        super().__init__(kind="runs", key="", options={})
