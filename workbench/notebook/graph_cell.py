"""`%%graph`: a cell that is a graph."""

from __future__ import annotations

import linecache
from typing import Any

from workbench.core.graph import context
from workbench.core.graph.graph import Graph
from workbench.notebook.cells import followed_cells
from workbench.notebook.hub import get_hub
from workbench.notebook.lookup import usage_error


def build(shell: Any, name: str | None, body: str) -> Graph:
    """Executes the cell's body in a new graph, which takes the name once it is complete.

    Without a name the default graph starts over, so that executing the cell again does not build
    everything a second time beside the first.
    """
    code = _compiled(shell, body)
    if name is None:
        try:
            context.reset_default_graph()
        except AssertionError:
            raise usage_error(
                "%%graph without a name starts the default graph over, which another graph or an "
                "interactive session holds: close that, or give a name as in %%graph digits"
            ) from None
        graph = context.get_default_graph()
        exec(code, shell.user_ns)
        get_hub().graphs.note_default()
        return graph
    graph = Graph()
    with graph.as_default():
        exec(code, shell.user_ns)
    get_hub().graphs.add(graph, name)
    return graph


def _compiled(shell: Any, body: str) -> Any:
    """The body's code, under the cell's own file name and line numbers."""
    cells = followed_cells()
    # IPython drops empty lines before the code; the magic's own line stands before those.
    code = body.lstrip()
    skipped = body[: len(body) - len(code)].count("\n")
    source = "\n" * (1 + skipped) + shell.transform_cell(body)
    if cells is None:
        return shell.compile(source, "<%%graph>", "exec")
    filename = cells.current_file()
    text = cells.current_text
    lines = [f"{line}\n" for line in text.splitlines()]
    linecache.cache[filename] = (len(text), None, lines, filename)
    return shell.compile(source, filename, "exec")
