"""Export of graphs as GraphDef protocol buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.graph.attributes import to_attr_value
from workbench.core.graph.shapes import TensorShape

if TYPE_CHECKING:
    from workbench.core.graph.graph import Graph
    from workbench.core.graph.operation import Operation
    from workbench.core.graph.tensor import Tensor

#: The version of TensorFlow's GraphDef that we write, that of TensorFlow 1.4.
PRODUCER = 24
MIN_CONSUMER = 0


def input_name(tensor: Tensor) -> str:
    """A tensor as an input of a NodeDef: the first output goes without a number."""
    return tensor.op.name if tensor.value_index == 0 else tensor.name


def node_def(op: Operation, add_shapes: bool = False) -> Any:
    """The NodeDef of an operation."""
    from workbench.core.ops import registry
    from workbench.core.protos import NodeDef

    node = NodeDef(name=op.name, op=op.type, device=op.device)
    node.input.extend(input_name(t) for t in op.inputs)
    node.input.extend(f"^{c.name}" for c in op._control_inputs)
    declaration = registry.lookup(op.type)
    declared = declaration.schema.attributes if declaration is not None else {}
    for key, value in sorted(op.attrs.items()):
        if value is None or key == "_gradient_function":
            continue
        attribute = declared.get(key)
        kind = attribute.type if attribute is not None else None
        node.attr[key].CopyFrom(to_attr_value(value, kind))
    if add_shapes and op.outputs:
        shapes = [TensorShape.of(t.entries) for t in op.outputs]
        node.attr["_output_shapes"].CopyFrom(to_attr_value(shapes, "list(shape)"))
    return node


def graph_def(graph: Graph, from_version: int | None = None, add_shapes: bool = False) -> Any:
    """The GraphDef of a graph: all operations, or those added after `from_version`."""
    from workbench.core.protos import GraphDef

    definition = GraphDef()
    definition.versions.producer = PRODUCER
    definition.versions.min_consumer = MIN_CONSUMER
    for op in graph.get_operations()[from_version or 0 :]:
        definition.node.add().CopyFrom(node_def(op, add_shapes))
    return definition
