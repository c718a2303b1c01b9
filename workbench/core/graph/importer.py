"""Import of GraphDef protocol buffers into graphs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.attributes import from_attr_value
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.device import merge_device_names
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.graph import Graph
from workbench.core.graph.loop_shapes import widen_loops
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor

#: Attributes by which nodes of undeclared types usually tell the type of their outputs.
_TYPE_ATTRIBUTES = ("dtype", "T", "DstT", "out_type", "output_type", "Tout", "output_types")


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
    be looked at; running them is an error.

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
    graph_def = _checked(graph_def)
    given = _checked_map(input_map)
    wanted = _checked_elements(return_elements)
    graph = get_default_graph()
    graph.check_not_finalized()
    nodes = _Nodes(graph_def)
    nodes.check(given, wanted)
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
            return _Importer(graph, nodes, replaced, scope).run(wanted)
        except BaseException:
            graph.remove_after(before)
            raise


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


class _Nodes:
    """The nodes of a GraphDef by name, checked before anything is added."""

    def __init__(self, graph_def: Any) -> None:
        self.by_name: dict[str, Any] = {}
        for node in graph_def.node:
            if node.name in self.by_name:
                raise ValueError(f"Duplicate name {node.name!r} in GraphDef.")
            self.by_name[node.name] = node
        self.highest_output = self._highest_outputs()

    def _highest_outputs(self) -> dict[str, int]:
        highest: dict[str, int] = {}
        for node in self.by_name.values():
            for reference in node.input:
                if not reference.startswith("^"):
                    source, index = split_reference(reference)
                    highest[source] = max(index, highest.get(source, 0))
        return highest

    def check(self, input_map: dict[str, Any], wanted: list[str] | None) -> None:
        """Raises ValueError where inputs, mapped names or returned names do not exist."""
        unused = {k.removesuffix(":0") for k in input_map}
        for node in self.by_name.values():
            for reference in node.input:
                unused.discard(reference.removesuffix(":0"))
                unused.discard(reference.removeprefix("^"))
                source = split_reference(reference)[0]
                if source not in self.by_name and reference.removesuffix(":0") not in {
                    k.removesuffix(":0") for k in input_map
                }:
                    if ":" in source:
                        raise ValueError(f"Cannot convert {reference!r} to a tensor name.")
                    kind = "Control input" if reference.startswith("^") else "Input tensor"
                    raise ValueError(
                        f"graph_def is invalid at node {node.name!r}: {kind} {reference!r} "
                        "not found in graph_def.."
                    )
            self._check_groups(node)
        unused = {k for k in unused if split_reference(k)[0] not in self.by_name}
        if unused:
            raise ValueError(
                "Attempted to map inputs that were not found in graph_def: "
                f"[{', '.join(sorted(unused))}]"
            )
        for element in wanted or ():
            if split_reference(element)[0] not in self.by_name:
                near = difflib.get_close_matches(element, self.by_name, n=3)
                hint = f" The nearest names are: {', '.join(near)}." if near else ""
                raise ValueError(
                    f"Requested return_element {element!r} not found in graph_def.{hint}"
                )

    def _check_groups(self, node: Any) -> None:
        """Raises ValueError where a node is to be beside one that is not there."""
        groups = node.attr["_class"].list.s if "_class" in node.attr else ()
        for group in groups:
            name = group.decode().removeprefix("loc:@")
            if group.startswith(b"loc:@") and name not in self.by_name:
                raise ValueError(
                    f"Specified colocation to an op that does not exist during import: {name} in "
                    f"{node.name}"
                )

    def ordered(self) -> list[Any]:
        """The nodes, each after its inputs; the edges that close loops are left out."""
        order: list[Any] = []
        state: dict[str, int] = {}
        for start in self.by_name:
            stack = [(start, False)]
            while stack:
                current, finished = stack.pop()
                if finished:
                    if state[current] != 2:
                        state[current] = 2
                        order.append(self.by_name[current])
                    continue
                if state.get(current):
                    continue
                state[current] = 1
                stack.append((current, True))
                node = self.by_name[current]
                for reference in reversed(node.input):
                    source = split_reference(reference)[0]
                    if source in self.by_name and not state.get(source):
                        if self.closes_loop(node, source):
                            continue
                        stack.append((source, False))
        return order

    def closes_loop(self, node: Any, source: str) -> bool:
        """True for the edge from the end of a loop's body back to its beginning."""
        return node.op in ("Merge", "RefMerge") and self.by_name[source].op in (
            "NextIteration",
            "RefNextIteration",
        )


def split_reference(reference: str) -> tuple[str, int]:
    """The node and the output that an input of a NodeDef names: "a:1", "a", "^a"."""
    if reference.startswith("^"):
        return reference[1:], -1
    name, colon, index = reference.rpartition(":")
    return (name, int(index)) if colon and index.isdigit() else (reference, 0)


class _Importer:
    """Adds checked nodes to a graph."""

    def __init__(
        self, graph: Graph, nodes: _Nodes, replaced: dict[str, Tensor], scope: str
    ) -> None:
        self._graph = graph
        self._nodes = nodes
        self._replaced = replaced
        self._scope = scope
        self._made: dict[str, Operation] = {}
        self._open: list[tuple[Operation, int, str]] = []
        #: The shapes that the GraphDef records, by operation.
        self._recorded: dict[Operation, Any] = {}

    def run(self, wanted: list[str] | None) -> list[Any] | None:
        for node in self._nodes.ordered():
            self._made[node.name] = self._add(node)
        first = {op: op.outputs[0].entries for op, _, _ in self._open}
        for op, index, reference in self._open:
            op.replace_input(index, self._tensor(reference))
        widen_loops(self._made.values(), first, self._set_shapes)
        self._colocate()
        if wanted is None:
            return None
        return [self._element(e) for e in wanted]

    def _element(self, name: str) -> Any:
        if ":" in name:
            source, index = split_reference(name)
            outputs = self._made[source].outputs
            if index >= len(outputs):
                raise ValueError(f"Requested return_element {name!r} not found in graph_def.")
            return outputs[index]
        return self._made[name]

    def _tensor(self, reference: str) -> Tensor:
        key = reference.removesuffix(":0")
        if key in self._replaced:
            return self._replaced[key]
        source, index = split_reference(reference)
        outputs = self._made[source].outputs
        if index >= len(outputs):
            raise ValueError(
                f"graph_def is invalid: Input tensor {reference!r} not found in graph_def: node "
                f"{source!r} of type {self._made[source].type} has only {len(outputs)} outputs"
            )
        return outputs[index]

    def _add(self, node: Any) -> Operation:
        from workbench.core.ops import registry

        attrs = {k: from_attr_value(v) for k, v in node.attr.items()}
        shapes = attrs.pop("_output_shapes", None)
        data = [r for r in node.input if not r.startswith("^")]
        inputs: list[Tensor] = []
        loops: list[tuple[int, str]] = []
        for index, reference in enumerate(data):
            source = split_reference(reference)[0]
            if reference.removesuffix(":0") not in self._replaced and source not in self._made:
                # The value of the first turn stands in until the loop's end exists.
                loops.append((index, reference))
                inputs.append(inputs[0] if inputs else self._stand_in())
            else:
                inputs.append(self._tensor(reference))
        declaration = registry.lookup(node.op)
        if declaration is not None:
            for attribute in declaration.schema.attributes.values():
                if attribute.name not in attrs and attribute.has_default:
                    attrs[attribute.name] = attribute.default
            self._check(node, declaration, attrs, inputs)
            types = declaration.schema.output_types(attrs)
        else:
            types = self._guessed_types(node, attrs)
        name = f"{self._scope}{node.name}"
        if name in self._graph._by_name:
            name = self._graph.unique_name(node.name)
        else:
            self._graph._names.mark(name)
        try:
            op = self._graph.add_operation(node.op, name, tuple(inputs), types, attrs)
        except ValueError as error:
            raise ValueError(f"graph_def is invalid at node {node.name!r}: {error}") from None
        controls = [r[1:] for r in node.input if r.startswith("^")]
        op._control_inputs += tuple(self._control(c) for c in controls)
        if node.device:
            op._device = merge_device_names(node.device, op.device)
        for index, reference in loops:
            self._open.append((op, index, reference))
        if shapes:
            self._recorded[op] = shapes
            self._set_shapes(op)
        return op

    def _control(self, name: str) -> Operation:
        replaced = self._replaced.get(f"^{name}")
        return replaced.op if replaced is not None else self._made[name]

    def _stand_in(self) -> Tensor:
        from workbench.core.ops import constant

        return constant.constant(0.0, name="loop")

    def _colocate(self) -> None:
        """Lets the groups of the new operations have their new names, and their devices follow."""
        for node_name, op in self._made.items():
            node = self._nodes.by_name[node_name]
            if "_class" not in node.attr:
                continue
            names = [group.decode() for group in node.attr["_class"].list.s]
            beside = [self._made[n.removeprefix("loc:@")] for n in names if n.startswith("loc:@")]
            others = [n for n in names if not n.startswith("loc:@")]
            op.attrs["_class"] = [*others, *(f"loc:@{each.name}" for each in beside)]
            if beside and op not in beside:
                devices = (each.device for each in beside if each.device)
                op._set_device(next(devices, node.device))

    def _set_shapes(self, op: Operation) -> None:
        for output, shape in zip(op.outputs, self._recorded.get(op, ()), strict=False):
            if isinstance(shape, TensorShape):
                try:
                    output.set_shape(shape)
                except ValueError:
                    # What was recorded elsewhere must not contradict what the inputs say here.
                    continue

    @staticmethod
    def _check(node: Any, declaration: Any, attrs: dict[str, Any], inputs: list[Tensor]) -> None:
        try:
            parts = declaration.schema.split_inputs(attrs, len(inputs))
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"graph_def is invalid at node {node.name!r}: More or fewer inputs specified than "
                f"the {node.op!r} Op takes ({error})"
            ) from None
        position = 0
        for argument, count in parts:
            for i in range(count):
                tensor = inputs[position + i]
                expected = argument.dtype
                if argument.type_attr:
                    known = attrs.get(argument.type_attr)
                    expected = known[i] if isinstance(known, list) else known
                if argument.is_reference and not tensor.dtype._is_ref_dtype:
                    raise ValueError(
                        f"graph_def is invalid at node {node.name!r}: Input tensor "
                        f"{tensor.name!r} Cannot convert a tensor of type "
                        f"{tensor.dtype.name} to an input of type {tensor.dtype.name}_ref"
                    )
                if expected is not None and tensor.dtype.base_dtype is not expected.base_dtype:
                    raise ValueError(
                        f"graph_def is invalid at node {node.name!r}: Input tensor "
                        f"{tensor.name!r} Cannot convert a tensor of type "
                        f"{tensor.dtype.base_dtype.name} to an input of type {expected.name}."
                    )
            position += count

    def _guessed_types(self, node: Any, attrs: dict[str, Any]) -> tuple[DType, ...]:
        """Types of the outputs of an undeclared operation: as many as are used, at least one."""
        count = self._nodes.highest_output.get(node.name, 0) + 1
        for key in _TYPE_ATTRIBUTES:
            value = attrs.get(key)
            if isinstance(value, list) and value:
                types = [as_dtype(t) for t in value]
                return tuple(types + [types[-1]] * (count - len(types)))
            if isinstance(value, DType):
                return (value,) * count
        return (dtypes.variant,) * count
