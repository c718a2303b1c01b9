"""Export of graphs as GraphDef protocol buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.graph.attributes import to_attr_value
from workbench.core.graph.body import BODY_ATTRIBUTES, Body
from workbench.core.graph.shapes import TensorShape

if TYPE_CHECKING:
    from workbench.core.graph.function_library import FunctionNames
    from workbench.core.graph.graph import Graph
    from workbench.core.graph.operation import Operation
    from workbench.core.graph.tensor import Tensor

#: The version of TensorFlow's GraphDef that we write, that of TensorFlow 1.4, where nothing older
#: was imported.
PRODUCER = 24
MIN_CONSUMER = 0
#: Attributes that mean something only as long as the graph lives: which function differentiates an
#: operation, and which of its outputs were added for which gradients.
_OF_THE_GRAPH = frozenset({"_gradient_function", "_given_out", "_stacked"})


def input_name(tensor: Tensor) -> str:
    """A tensor as an input of a NodeDef: the first output goes without a number."""
    return tensor.op.name if tensor.value_index == 0 else tensor.name


def node_def(op: Operation, add_shapes: bool = False, names: FunctionNames | None = None) -> Any:
    """The NodeDef of an operation; `names` are those of the functions of its graph."""
    from workbench.core.ops import registry
    from workbench.core.ops.made_here import DEFINITION, MADE, definition_of
    from workbench.core.protos import NodeDef

    if names is None and op.type in BODY_ATTRIBUTES:
        names = _function_names(op.graph)
    node = NodeDef(name=op.name, op=op.type, device=op.device)
    node.input.extend(input_name(t) for t in op.inputs)
    node.input.extend(f"^{c.name}" for c in op._control_inputs)
    declaration = registry.lookup(op.type)
    declared = declaration.schema.attributes if declaration is not None else {}
    for key, value in sorted(op.attrs.items()):
        if value is None or key in _OF_THE_GRAPH:
            continue
        if isinstance(value, Body) and names is not None:
            value = names.of(value)
        attribute = declared.get(key)
        kind = attribute.type if attribute is not None else None
        dtype = op.attrs.get("dtype") if kind == "tensor" else None
        node.attr[key].CopyFrom(to_attr_value(value, kind, dtype))
    if MADE in op.attrs and DEFINITION not in op.attrs:
        found = definition_of(op)
        if found:
            node.attr[DEFINITION].CopyFrom(to_attr_value(found, "list(string)"))
    if add_shapes and op.outputs:
        shapes = [TensorShape.of(t.entries) for t in op.outputs]
        node.attr["_output_shapes"].CopyFrom(to_attr_value(shapes, "list(shape)"))
    return node


def graph_def(graph: Graph, from_version: int | None = None, add_shapes: bool = False) -> Any:
    """The GraphDef of a graph: all operations, or those added after `from_version`."""
    from workbench.core.protos import GraphDef

    definition = GraphDef()
    definition.versions.CopyFrom(graph.graph_def_versions)
    operations = graph.get_operations()[from_version or 0 :]
    names = _function_names(graph) if any(op.type in BODY_ATTRIBUTES for op in operations) else None
    for op in operations:
        definition.node.add().CopyFrom(node_def(op, add_shapes, names))
    if names is not None or graph._functions:
        from workbench.core.graph.function_library import write_library

        write_library(definition.library, graph, names)
    return definition


def _function_names(graph: Graph) -> FunctionNames:
    """The names of the functions of a graph, and of those around and inside it."""
    from workbench.core.graph.function_library import FunctionNames

    return FunctionNames(getattr(graph, "outermost", graph))
