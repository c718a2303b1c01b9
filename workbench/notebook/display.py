"""How graphs and runs show themselves in a cell."""

from __future__ import annotations

from typing import Any

from workbench.api.display import running_shell
from workbench.core.graph.graph import Graph
from workbench.notebook.graph_text import graph_text
from workbench.notebook.hub import get_hub

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
    if not isinstance(value, Graph):
        raise TypeError(f"wb.show takes a graph or a run, not {type(value).__name__}")
    shown = get_hub().graphs
    key = shown.add(value, name)
    other = against if against is None or isinstance(against, str) else shown.add(against)
    if other is not None:
        shown.find(other)
    data, metadata = graph_bundle(value, key, other)
    if _in_notebook():
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


def bundle(value: Any) -> Bundle | None:
    """What a cell shows of a graph or a run; None leaves it to the object's own text."""
    if isinstance(value, Graph):
        return graph_bundle(value, get_hub().graphs.add(value), None)
    return None


def graph_bundle(graph: Graph, key: str, against: str | None) -> Bundle:
    """The view of a graph where there is one, always with its text."""
    data: dict[str, Any] = {"text/plain": graph_text(graph)}
    metadata: dict[str, Any] = {}
    if _in_notebook():
        _prepare()
        widgets = _widgets()
        if widgets is not None:
            view = widgets.GraphWidget(key, against)
            widget_data, metadata = view._repr_mimebundle_()
            data = {**widget_data, **data}
    return data, metadata


def _in_notebook() -> bool:
    return getattr(running_shell(), "kernel", None) is not None


def _prepare() -> None:
    """Lets views reach the kernel, also where the extension was never loaded."""
    from workbench.notebook import comms

    comms.register(running_shell())


def _widgets() -> Any:
    """The module of widgets, None where what it needs is not installed."""
    try:
        from workbench.notebook import widgets
    except ModuleNotFoundError:
        return None
    return widgets
