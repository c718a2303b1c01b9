"""What `import workbench` does in an IPython shell: graphs and runs show themselves.

Errors, too, learn what a cell is called. Only names are registered here; what draws is imported
when something is displayed.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

#: What a cell shows as a view when it is the cell's last expression: module and class.
SHOWN = (
    ("workbench.core.graph.graph", "Graph"),
    ("workbench.live.run_controls", "RunControls"),
    ("workbench.live.run_record", "RunRecord"),
    ("workbench.live.runs", "Runs"),
)


def running_shell() -> Any:
    """The IPython shell of this process, None where there is none."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython() if get_ipython is not None else None


def prepare_shell() -> None:
    """Registers graphs and runs with the shell, and tells errors what a cell is called."""
    shell = running_shell()
    if shell is None:
        return
    formatter = shell.display_formatter.mimebundle_formatter
    for module, name in SHOWN:
        formatter.for_type_by_name(module, name, _bundle)
    if shell.has_trait("kernel"):
        importlib.import_module("workbench.notebook.cells").follow_cells(shell)


def _bundle(value: Any, include: Any = None, exclude: Any = None) -> Any:
    return importlib.import_module("workbench.notebook.display").bundle(value)
