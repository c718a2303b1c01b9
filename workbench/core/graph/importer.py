"""Import of GraphDef protocol buffers into graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.function_import import Functions
from workbench.core.graph.graph import Graph
from workbench.core.graph.graph_def_nodes import Nodes, split_reference
from workbench.core.graph.node_importer import NodeImporter
from workbench.core.graph.raising.graph_defs import has_raw_control_flow, raise_control_flow
from workbench.core.graph.tensor import Tensor
from workbench.core.graph.versions import check_versions, join_versions

#: Before this version, a placeholder whose shape is () was one of any shape.
_FIRST_WITH_SCALAR_PLACEHOLDERS = 24


def import_graph_def(
    graph_def: Any,
    input_map: Mapping[str, Any] | None = None,
    return_elements: Sequence[str] | None = None,
    name: str | None = None,
    op_dict: Any = None,
    producer_op_list: Any = None,
) -> list[Any] | None:
    """Adds the operations of a GraphDef to the default graph, under the scope `name`.

    `input_map` replaces tensors of the GraphDef by tensors of the graph; `return_elements` names
    operations and tensors to return. Nothing is added when the GraphDef is not consistent:
    ValueError says what is wrong. Operations of types that are not declared here come in and can
    be looked at; running them is an error. Loops and conditionals in raw form become While and If
    where they can, so that gradients flow through them, unless something is asked for that is
    inside of them.

    >>> import workbench as tf
    >>> source = tf.Graph()
    >>> with source.as_default():
    ...     doubled = tf.multiply(tf.placeholder(tf.float32, name="x"), 2.0, name="doubled")
    >>> (y,) = tf.import_graph_def(
    ...     source.as_graph_def(), {"x": tf.constant(4.0)}, ["doubled:0"], name="copy"
    ... )
    >>> y.name, y.eval()
    ('copy/doubled:0', np.float32(8.0))
    """
    return import_nodes(graph_def, input_map, return_elements, name, raises=True)


def import_nodes(
    graph_def: Any,
    input_map: Mapping[str, Any] | None = None,
    return_elements: Sequence[str] | None = None,
    name: str | None = None,
    *,
    raises: bool,
) -> list[Any] | None:
    """As `import_graph_def`; only where it `raises` raw control flow becomes functional."""
    graph_def = _checked(graph_def)
    versions = graph_def.versions
    check_versions(versions)
    given = _checked_map(input_map)
    wanted = _checked_elements(return_elements)
    graph = get_default_graph()
    graph.check_not_finalized()
    nodes = Nodes(graph_def.node)
    nodes.check(given, wanted)
    if raises and has_raw_control_flow(graph_def.node):
        graph_def, nodes = _raised(graph_def, nodes, given, wanted or [])
    if versions.producer < _FIRST_WITH_SCALAR_PLACEHOLDERS:
        nodes.forget_scalar_placeholders()
    prefix = "import" if name is None else name
    if not prefix and not all(isinstance(value, Tensor) for value in given.values()):
        raise ValueError(
            "tf.import_graph_def() requires a non-empty `name` if `input_map` contains non-Tensor "
            "values. Try calling tf.convert_to_tensor() on them before."
        )
    with graph.name_scope(prefix or None) as scope:
        replaced = _replacements(graph, given, scope)
        before = graph.version
        try:
            functions = Functions(graph_def.library)
            importer = NodeImporter(graph, nodes, replaced, scope, functions)
            importer.run()
            found = None if wanted is None else [importer.element(e) for e in wanted]
        except BaseException:
            graph.remove_after(before)
            raise
    if graph_def.HasField("versions"):
        join_versions(graph.graph_def_versions, versions)
    return found


def _raised(
    graph_def: Any, nodes: Nodes, given: Mapping[str, Any], wanted: Sequence[str]
) -> tuple[Any, Nodes]:
    """The definition with functional control flow, unless it lacks what is replaced or wanted."""
    for key in given:
        node = nodes.by_name.get(split_reference(key.removeprefix("^"))[0])
        if node is not None and not node.op.startswith("Placeholder"):
            # Functions have copies of constants, and go by what is copied to others.
            return graph_def, nodes
    raised = raise_control_flow(graph_def)
    found = Nodes(raised.node)
    if any(split_reference(name)[0] not in found.by_name for name in wanted):
        return graph_def, nodes
    return raised, found


def _checked(graph_def: Any) -> Any:
    if not hasattr(graph_def, "node"):
        raise TypeError("graph_def must be a GraphDef proto.")
    return graph_def


def _checked_map(input_map: Any) -> dict[str, Any]:
    """The replacements by the names of what they replace, as text."""
    if input_map is None:
        return {}
    if not isinstance(input_map, Mapping) or not all(
        isinstance(k, (str, bytes)) for k in input_map
    ):
        raise TypeError("input_map must be a dictionary mapping strings to Tensor objects.")
    return {k.decode() if isinstance(k, bytes) else k: v for k, v in input_map.items()}


def _checked_elements(elements: Any) -> list[str] | None:
    if elements is None:
        return None
    found = [e.decode() if isinstance(e, bytes) else e for e in elements]
    if not all(isinstance(e, str) for e in found):
        raise TypeError("return_elements must be a list of strings.")
    return found


def _replacements(graph: Graph, input_map: Mapping[str, Any], scope: str) -> dict[str, Tensor]:
    replaced: dict[str, Tensor] = {}
    for key, value in input_map.items():
        tensor = convert_to_tensor(value)
        if tensor.graph is not graph:
            raise ValueError(f"input_map[{key!r}] belongs to another graph: {tensor}")
        replaced[key.removesuffix(":0")] = tensor
    return replaced
