"""How graphs and runs show themselves in a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.api.display import running_shell
from workbench.core.graph.graph import Graph
from workbench.live.run_controls import RunControls
from workbench.live.run_record import RunRecord
from workbench.live.runs import Runs
from workbench.notebook.graph_text import graph_text
from workbench.notebook.hub import get_hub
from workbench.notebook.service import serve_views

Bundle = tuple[dict[str, Any], dict[str, Any]]


def show(value: Any = None, name: str | None = None, against: Any = None) -> None:
    """Shows a graph (the default one where none is given) in the cell, or as text in a terminal.

    `name` makes the graph known to `%graph NAME` and to the panels. `against`, another graph or its
    name, shows what was added, removed and changed since.

    >>> import workbench as wb
    >>> one = wb.constant(1, name="one")
    >>> wb.show()
    Graph: 1 operation
      one  Const  int32[]
    """
    if value is None:
        value = get_hub().graphs.find("default")
    if isinstance(value, Graph):
        shown = get_hub().graphs
        key = shown.add(value, name)
        other = against if against is None or isinstance(against, str) else shown.add(against)
        data, metadata = graph_bundle(value, key, other)
    elif isinstance(value, (RunControls, RunRecord)):
        if name is not None or against is not None:
            raise TypeError("name and against are for graphs; a run has its own name")
        data, metadata = run_bundle(value)
    else:
        raise TypeError(f"wb.show takes a graph or a run, not {type(value).__name__}")
    if in_notebook():
        running_shell().display_pub.publish(data, metadata)
    else:
        print(data["text/plain"])


def graphs() -> dict[str, Graph]:
    """The graphs that `%%graph NAME` and `wb.show(graph, name=...)` named.

    >>> import workbench as wb
    >>> wb.show(wb.Graph(), name="nothing")
    Graph: 0 operations
    >>> list(wb.graphs())
    ['nothing']
    """
    return get_hub().graphs.named()


def bundle(value: Any) -> Bundle:
    """What a cell shows of a graph, a run or all runs."""
    if isinstance(value, Graph):
        return graph_bundle(value, get_hub().graphs.add(value), None)
    if isinstance(value, Runs):
        return _bundle(repr(value), lambda widgets: widgets.RunsWidget())
    return run_bundle(value)


def run_bundle(run: Any) -> Bundle:
    """The view of a run where there is one, always with its text."""
    return _bundle(repr(run), lambda widgets: widgets.RunWidget(run.id))


def graph_bundle(graph: Graph, key: str, against: str | None) -> Bundle:
    """The view of a graph where there is one, always with its text."""
    other = None if against is None else get_hub().graphs.find(against)
    text = graph_text(graph, other)
    return _bundle(text, lambda widgets: widgets.GraphWidget(key, against))


def _bundle(text: str, view: Callable[[Any], Any]) -> Bundle:
    data: dict[str, Any] = {"text/plain": text}
    metadata: dict[str, Any] = {}
    if in_notebook():
        # Also where the extension was never loaded.
        serve_views(running_shell())
        widgets = _widgets()
        if widgets is not None:
            shown, metadata = view(widgets)._repr_mimebundle_()
            data = {**shown, **data}
    return data, metadata


def in_notebook() -> bool:
    """True in a kernel, whose front end may show more than text."""
    return getattr(running_shell(), "kernel", None) is not None


def _widgets() -> Any:
    """The module of widgets, None where what it needs is not installed."""
    try:
        from workbench.notebook import widgets
    except ModuleNotFoundError:
        return None
    return widgets
