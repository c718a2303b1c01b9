"""Graph definitions cut down to what is needed: `tf.graph_util`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.graph_def_nodes import split_reference
from workbench.core.graph.raising.graph_defs import raise_control_flow as raise_control_flow
from workbench.core.graph.raw_form import lower_control_flow as lower_control_flow
from workbench.core.graph.shapes import TensorShape
from workbench.core.platform import logging

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")


def _checked(graph_def: Any) -> Any:
    if not hasattr(graph_def, "node") or not hasattr(graph_def, "versions"):
        raise TypeError(f"graph_def must be a GraphDef proto, got {type(graph_def).__name__}")
    return graph_def


def _like(graph_def: Any) -> Any:
    """A new definition without nodes, of the same versions and functions."""
    result = type(graph_def)()
    if graph_def.HasField("versions"):
        result.versions.CopyFrom(graph_def.versions)
    if graph_def.HasField("library"):
        result.library.CopyFrom(graph_def.library)
    return result


def extract_sub_graph(graph_def: Any, dest_nodes: Iterable[str]) -> Any:
    """The nodes of a `GraphDef` that some nodes need, with those, in their order.

    Raises:
      TypeError: `graph_def` is none, or `dest_nodes` is a string.
      AssertionError: a node is not in the graph.

    >>> import workbench as tf
    >>> with tf.Graph().as_default() as graph:
    ...     a, b = tf.constant(1, name="a"), tf.constant(2, name="b")
    ...     doubled = tf.add(a, a, name="doubled")
    >>> part = tf.graph_util.extract_sub_graph(graph.as_graph_def(), ["doubled"])
    >>> [node.name for node in part.node]
    ['a', 'doubled']
    """
    _checked(graph_def)
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list.")
    by_name = {node.name: node for node in graph_def.node}
    stack = [split_reference(name)[0] for name in dest_nodes]
    needed: set[str] = set()
    while stack:
        name = stack.pop()
        assert name in by_name, f"{name} is not in graph"
        if name not in needed:
            needed.add(name)
            stack.extend(split_reference(each)[0] for each in by_name[name].input)
    result = _like(graph_def)
    result.node.extend(node for node in graph_def.node if node.name in needed)
    return result


def convert_variables_to_constants(
    sess: Any,
    input_graph_def: Any,
    output_node_names: Iterable[str],
    variable_names_whitelist: Iterable[str] | None = None,
    variable_names_blacklist: Iterable[str] | None = None,
) -> Any:
    """What some nodes of a `GraphDef` need, with constants in place of the variables.

    Args:
      sess: the session that holds the variables' values.
      input_graph_def: the graph.
      output_node_names: the nodes to keep, with what they need.
      variable_names_whitelist: the variables to convert; all where it is None.
      variable_names_blacklist: variables to leave as they are.

    Raises:
      TypeError, AssertionError: as `extract_sub_graph`.
      FailedPreconditionError: a variable has no value.

    >>> import workbench as tf
    >>> with tf.Graph().as_default() as graph, tf.Session() as session:
    ...     v = tf.Variable(3.0, name="v")
    ...     total = tf.add(v, 1.0, name="total")
    ...     session.run(v.initializer)
    ...     frozen = tf.graph_util.convert_variables_to_constants(
    ...         session, graph.as_graph_def(), ["total"]
    ...     )
    >>> [(node.name, node.op) for node in frozen.node]
    [('v', 'Const'), ('v/read', 'Identity'), ('total/y', 'Const'), ('total', 'Add')]
    """
    part = extract_sub_graph(input_graph_def, output_node_names)
    wanted = None if variable_names_whitelist is None else set(variable_names_whitelist)
    kept = set(variable_names_blacklist or ())
    names = [
        node.name
        for node in part.node
        if node.op in _VARIABLES
        and (wanted is None or node.name in wanted)
        and node.name not in kept
    ]
    # A fetched variable, a resource too, gives its value.
    values = dict(zip(names, sess.run([f"{name}:0" for name in names]), strict=True))
    result = _like(part)
    for node in part.node:
        if node.name in values:
            result.node.add().CopyFrom(_constant(node, values[node.name]))
        elif node.op == "ReadVariableOp" and split_reference(node.input[0])[0] in values:
            result.node.add().CopyFrom(_identity(node))
        else:
            result.node.add().CopyFrom(node)
    logging.info("Froze %d variables.", len(values))
    return result


def _constant(node: Any, value: Any) -> Any:
    from workbench.core.graph.tensor_proto import make_tensor_proto

    dtype = as_dtype(node.attr["dtype"].type).base_dtype
    constant = type(node)(name=node.name, op="Const", device=node.device)
    constant.attr["dtype"].type = dtype.as_datatype_enum
    constant.attr["value"].tensor.CopyFrom(make_tensor_proto(value, dtype))
    return constant


def _identity(node: Any) -> Any:
    identity = type(node)(name=node.name, op="Identity", device=node.device, input=node.input)
    identity.attr["T"].CopyFrom(node.attr["dtype"])
    if "_class" in node.attr:
        identity.attr["_class"].CopyFrom(node.attr["_class"])
    return identity


def remove_training_nodes(input_graph: Any, protected_nodes: Iterable[str] | None = None) -> Any:
    """A copy of a `GraphDef` without checks and identities that inference does not need.

    Nodes in `protected_nodes` stay, and identities that take part in control dependencies.
    """
    _checked(input_graph)
    protected = set(protected_nodes or ())
    checks = {
        node.name
        for node in input_graph.node
        if node.op == "CheckNumerics" and node.name not in protected
    }
    # Nothing waits for a check that is gone.
    waits_of = {
        node.name: {each[1:] for each in node.input if each.startswith("^")} - checks
        for node in input_graph.node
        if node.name not in checks
    }
    waited_for = set().union(*waits_of.values())
    by_name = {node.name: node for node in input_graph.node}
    forwarded: dict[str, str] = {}
    for node in input_graph.node:
        if node.name in checks:
            forwarded[node.name] = node.input[0]
            continue
        keeps = node.name in protected or node.name in waited_for or waits_of[node.name]
        if node.op == "Identity" and not keeps:
            source = by_name.get(split_reference(node.input[0])[0])
            # The identity of a variable is what reads it.
            if source is None or source.op not in _VARIABLES:
                forwarded[node.name] = node.input[0]
    result = _like(input_graph)
    for node in input_graph.node:
        if node.name in forwarded:
            continue
        copy = result.node.add()
        copy.CopyFrom(node)
        del copy.input[:]
        copy.input.extend(
            _source(name, forwarded)
            for name in node.input
            if name.removeprefix("^") not in checks or not name.startswith("^")
        )
    return result


def _source(name: str, forwarded: dict[str, str]) -> str:
    while not name.startswith("^") and split_reference(name)[0] in forwarded:
        name = forwarded[split_reference(name)[0]]
    return name


def tensor_shape_from_node_def_name(graph: Any, input_name: str) -> TensorShape:
    """The shape of a tensor that is named as an input of a node: `"a"`, `"a:1"`."""
    canonical = input_name if ":" in input_name else f"{input_name}:0"
    shape: TensorShape = graph.get_tensor_by_name(canonical).shape
    return shape


def must_run_on_cpu(node: Any, pin_variables_on_cpu: bool = False) -> bool:
    """True where an operation (or its `NodeDef`) has no kernel for other devices.

    Those are constants of strings and small integers, and casts from or to int32; with
    `pin_variables_on_cpu` all variables.
    """
    definition = node.node_def if hasattr(node, "node_def") else node
    attr = definition.attr
    if pin_variables_on_cpu and definition.op in _VARIABLES:
        return True
    if definition.op == "Const":
        return as_dtype(attr["dtype"].type) in (dtypes.string, dtypes.int32)
    if definition.op in ("DynamicStitch", "ParameterizedTruncatedNormal"):
        return "T" in attr and as_dtype(attr["T"].type) is dtypes.int32
    if definition.op == "Cast":
        ends = [as_dtype(attr[key].type) for key in ("SrcT", "DstT")]
        return dtypes.int32 in ends
    return False
