"""What a layer was called on and what came out of it."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.train.layers.inputs import flatten

#: The collection that says of each output of a layer which call made it.
_ORIGINS = ("__layer_origins",)


class Node:
    """One call of a layer."""

    def __init__(self, layer: Any, inputs: Any, outputs: Any, arguments: dict[str, Any]) -> None:
        self.outbound_layer = layer
        self.input_tensors = flatten(inputs)
        self.output_tensors = flatten(outputs)
        self.arguments = arguments
        self.input_shapes = [_sizes(tensor) for tensor in self.input_tensors]
        self.output_shapes = [_sizes(tensor) for tensor in self.output_tensors]
        origins = [origin(tensor) for tensor in self.input_tensors]
        known = [found for found in origins if found is not None and found[0] is not layer]
        #: The layers that made the inputs, as far as layers made them.
        self.inbound_layers = [found[0] for found in known]
        self.node_indices = [found[1] for found in known]
        self.tensor_indices = [found[2] for found in known]

    def get_config(self) -> dict[str, Any]:
        """The call as plain Python values."""
        return {
            "outbound_layer": self.outbound_layer.name,
            "inbound_layers": [layer.name for layer in self.inbound_layers],
            "node_indices": self.node_indices,
            "tensor_indices": self.tensor_indices,
        }


def _sizes(tensor: Any) -> Any:
    shape = tensor.get_shape()
    return None if shape.ndims is None else tuple(shape.as_list())


def _origins() -> dict[Any, tuple[Any, int, int]]:
    collection = get_default_graph().get_collection_ref(_ORIGINS)
    if not collection:
        collection.append({})
    found: dict[Any, tuple[Any, int, int]] = collection[0]
    return found


def origin(tensor: Any) -> tuple[Any, int, int] | None:
    """The layer that made a tensor, in which of its calls, as which output; None of others."""
    return _origins().get(tensor)


class Connections:
    """The calls of a layer, and what they say of its inputs and outputs."""

    name: Any

    def __init__(self) -> None:
        self._inbound_nodes: list[Node] = []

    def _connect(self, inputs: Any, outputs: Any, arguments: dict[str, Any]) -> None:
        """Remembers a call."""
        node = Node(self, inputs, outputs, arguments)
        self._inbound_nodes.append(node)
        origins = _origins()
        for index, tensor in enumerate(node.output_tensors):
            # A layer that gives back its input as it is has not made it.
            origins.setdefault(tensor, (self, len(self._inbound_nodes) - 1, index))

    def _at(self, index: int, attribute: str, what: str) -> Any:
        if not self._inbound_nodes:
            raise RuntimeError(f"The layer has never been called and thus has no defined {what}.")
        if index >= len(self._inbound_nodes):
            raise ValueError(
                f"Asked to get {what} at node {index}, but the layer has only "
                f"{len(self._inbound_nodes)} inbound nodes."
            )
        values = getattr(self._inbound_nodes[index], attribute)
        return values[0] if len(values) == 1 else values

    def get_input_at(self, node_index: int) -> Any:
        """The input, or the list of inputs, of a call."""
        return self._at(node_index, "input_tensors", "input")

    def get_output_at(self, node_index: int) -> Any:
        """The output, or the list of outputs, of a call."""
        return self._at(node_index, "output_tensors", "output")

    def get_input_shape_at(self, node_index: int) -> Any:
        """The sizes of the input of a call, None where unknown."""
        return self._at(node_index, "input_shapes", "input shape")

    def get_output_shape_at(self, node_index: int) -> Any:
        """The sizes of the output of a call, None where unknown."""
        return self._at(node_index, "output_shapes", "output shape")

    def _only(self, attribute: str, what: str, same: bool) -> Any:
        nodes = self._inbound_nodes
        if not nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined {what}."
            )
        if same:
            several = any(getattr(n, attribute) != getattr(nodes[0], attribute) for n in nodes)
        else:
            several = len(nodes) > 1
        if several:
            raise AttributeError(
                f"Layer {self.name} has multiple inbound nodes, hence the notion of 'layer {what}' "
                f"is ill-defined. Use `get_{what.replace(' ', '_')}_at(node_index)` instead."
            )
        return self._at(0, attribute, what)

    @property
    def input(self) -> Any:
        """The input of the only call; AttributeError where there are none or several."""
        return self._only("input_tensors", "input", same=False)

    @property
    def output(self) -> Any:
        """The output of the only call; AttributeError where there are none or several."""
        return self._only("output_tensors", "output", same=False)

    @property
    def input_shape(self) -> Any:
        """The sizes of the input; AttributeError where calls differ in it."""
        return self._only("input_shapes", "input shape", same=True)

    @property
    def output_shape(self) -> Any:
        """The sizes of the output; AttributeError where calls differ in it."""
        return self._only("output_shapes", "output shape", same=True)
