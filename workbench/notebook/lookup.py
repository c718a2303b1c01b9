"""What a user's word on a magic's line means: a variable of the notebook, or a name in a graph.

What is not found is a `UsageError`, which IPython shows as one line.
"""

from __future__ import annotations

import ast
import difflib
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.notebook.hub import get_hub
from workbench.notebook.protocol import Refusal


def usage_error(message: str) -> Exception:
    """An error that IPython shows as one line, without a traceback."""
    from IPython.core.error import UsageError

    return UsageError(message)


def evaluate(shell: Any, text: str, what: str) -> Any:
    """The value of a Python expression in the notebook's variables."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        raise usage_error(f"{what}: {text!r} is not a Python expression") from None
    missing = _missing_name(tree, shell.user_ns)
    if missing is not None:
        near = difflib.get_close_matches(missing, _variables(shell), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise usage_error(f"{what}: there is no variable {missing!r}{hint}")
    try:
        return eval(compile(tree, f"<{what}>", "eval"), shell.user_global_ns, shell.user_ns)
    except Exception as error:
        raise usage_error(f"{what}: {text!r} raised {type(error).__name__}: {error}") from None


def graph_element(shell: Any, text: str, graph: Graph | None = None) -> Tensor | Operation:
    """The tensor or operation that `text` is a variable for, or the name of in `graph`."""
    value = shell.user_ns.get(text)
    if value is None and not _is_name(text):
        value = _evaluated_quietly(shell, text)
    element = element_of(value)
    if element is not None:
        return element
    graph = graph if graph is not None else get_default_graph()
    try:
        found: Tensor | Operation = graph.as_graph_element(text)
        return found
    except (KeyError, ValueError, TypeError):
        pass
    if value is not None:
        raise usage_error(f"{text} is a {type(value).__name__}, not a tensor or operation")
    known = {**_elements(shell), **dict.fromkeys(tensor_names(graph))}
    near = difflib.get_close_matches(text, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise usage_error(f"there is no tensor or operation {text!r}{hint}")


def tensor(shell: Any, text: str, graph: Graph | None = None) -> Tensor:
    """As `graph_element`, for a tensor; an operation with one result stands for it."""
    found = graph_element(shell, text, graph)
    if isinstance(found, Tensor):
        return found
    if len(found.outputs) != 1:
        results = ", ".join(t.name for t in found.outputs) or "none"
        raise usage_error(f"{text} is an operation with {len(found.outputs)} results: {results}")
    return found.outputs[0]


def graph(shell: Any, text: str | None) -> Graph:
    """The graph of that name, or of that variable; the default graph for None."""
    if not text:
        get_hub().graphs.note_default()
        return get_default_graph()
    try:
        return get_hub().graphs.find(text)
    except Refusal as refusal:
        value = shell.user_ns.get(text)
        if isinstance(value, Graph):
            return value
        element = element_of(value)
        if element is not None:
            return element.graph
        owner = getattr(value, "graph", None)
        if isinstance(owner, Graph):
            return owner
        raise usage_error(refusal.message) from None


def element_of(value: Any) -> Tensor | Operation | None:
    """The tensor or operation that a value is or stands for, as a variable does."""
    convert = getattr(value, "_as_graph_element", None)
    element = convert() if convert is not None else value
    return element if isinstance(element, (Tensor, Operation)) else None


def tensor_names(graph: Graph) -> list[str]:
    """The names of all tensors and of the operations without results."""
    names: list[str] = []
    for operation in graph.get_operations():
        names.extend(t.name for t in operation.outputs)
        if not operation.outputs:
            names.append(operation.name)
    return names


def _elements(shell: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in list(shell.user_ns.items())
        if not name.startswith("_") and element_of(value) is not None
    }


def element_variables(shell: Any) -> list[str]:
    """The notebook's variables that hold tensors or operations."""
    return list(_elements(shell))


def _variables(shell: Any) -> list[str]:
    return [name for name in shell.user_ns if not name.startswith("_")]


def _missing_name(tree: ast.AST, namespace: dict[str, Any]) -> str | None:
    import builtins

    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _stores(n)}
    bound |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not _stores(node):
            known = node.id in namespace or hasattr(builtins, node.id) or node.id in bound
            if not known:
                return node.id
    return None


def _stores(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _is_name(text: str) -> bool:
    return text.isidentifier()


def _evaluated_quietly(shell: Any, text: str) -> Any:
    """The value of something like `layers[0]`, None where it is no such expression."""
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError:
        return None
    if not isinstance(tree.body, (ast.Attribute, ast.Subscript)):
        return None
    if _missing_name(tree, shell.user_ns) is not None:
        return None
    try:
        return eval(compile(tree, "<name>", "eval"), shell.user_global_ns, shell.user_ns)
    except Exception:
        return None
