"""From the functional form of control flow to the raw one: If and While become Switch and Merge.

TensorFlow 1.x knows only the raw form. Operations on lists (`TensorListReserve` and the like) stay
what they are: consumers that lack them cannot run what a TensorArray of this package is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.core.graph.attributes import FunctionName, from_attr_value, to_attr_value
from workbench.core.graph.body import CONDITIONALS, CONTROL_FLOW, LOOPS
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.function_nodes import FunctionNodes
from workbench.core.graph.graph_def_nodes import split_reference
from workbench.core.graph.library import Library, called_names

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def lower_control_flow(graph_def: Any) -> Any:
    """A GraphDef with Switch, Merge, Enter, Exit and NextIteration in the place of If and While.

    It gives the same results. Nodes keep their names; those inside of branches and loops stand
    under the name of the conditional or loop. Functions that are called are put in place as well.

    Raises:
      TypeError: `graph_def` is none.
      ValueError: a function is missing, calls itself, or does not fit its call.

    >>> import workbench as tf
    >>> with tf.Graph().as_default() as graph:
    ...     x = tf.placeholder(tf.float32, [], name="x")
    ...     y = tf.identity(tf.cond(x > 0.0, lambda: x, lambda: -x), name="y")
    >>> raw = tf.graph_util.lower_control_flow(graph.as_graph_def())
    >>> sorted({node.op for node in raw.node} & {"If", "StatelessIf", "Switch", "Merge"})
    ['Merge', 'Switch']
    >>> (y,) = tf.import_graph_def(raw, {"x": tf.constant(-3.0)}, ["y:0"], name="")
    >>> y.eval()
    np.float32(3.0)
    """
    if not hasattr(graph_def, "node") or not hasattr(graph_def, "library"):
        raise TypeError(f"graph_def must be a GraphDef proto, got {type(graph_def).__name__}")
    writer = _RawWriter(graph_def)
    result = type(graph_def)()
    result.versions.CopyFrom(graph_def.versions)
    for node in writer.written(graph_def.node):
        result.node.add().CopyFrom(node)
    for definition in writer.still_called(result.node):
        result.library.function.add().CopyFrom(definition)
    return result


class _RawWriter:
    """Writes nodes anew, one after the other."""

    def __init__(self, graph_def: Any) -> None:
        self._library = Library(graph_def.library)
        self._names = {node.name for node in graph_def.node}
        self._written: dict[str, Any] = {}

    def written(self, nodes: Iterable[Any]) -> list[Any]:
        """The nodes in raw form."""
        for node in nodes:
            self._write(node)
        return list(self._written.values())

    def still_called(self, nodes: Iterable[Any]) -> list[Any]:
        """The functions that nodes call after all, as those of datasets are."""
        return self._library.closure(name for node in nodes for name in called_names(node))

    # -- nodes -------------------------------------------------------------------------------

    def _write(self, node: Any) -> None:
        if node.op in CONDITIONALS:
            self._conditional(node)
        elif node.op in LOOPS:
            self._loop(node)
        elif node.op in _CALLS or node.op in self._library:
            self._call(node)
        else:
            self._written[node.name] = node

    def _node(
        self,
        like: Any,
        name: str,
        op: str,
        inputs: Sequence[str],
        controls: Iterable[str] = (),
        **attrs: Any,
    ) -> str:
        """Adds a node on the device of another one; gives its name, which nothing else has."""
        made = type(like)(name=name, op=op, device=like.device)
        made.input.extend(inputs)
        made.input.extend(f"^{c}" for c in controls)
        for key, value in attrs.items():
            made.attr[key].CopyFrom(to_attr_value(value))
        self._written[name] = made
        return name

    def _free(self, name: str) -> str:
        while name in self._names:
            name += "_"
        self._names.add(name)
        return name

    def _conditional(self, node: Any) -> None:
        predicate, *given = _data(node)
        controls = _controls(node)
        types = _types(node, "Tin", len(given))
        at = self._scope(node)
        pivot = self._node(
            node, at("pivot"), "Switch", [predicate, predicate], controls, T=as_dtype("bool")
        )
        sides = []
        for index, (name, attribute) in enumerate(
            (("else", "else_branch"), ("then", "then_branch"))
        ):
            alive = self._node(
                node, at(f"{name}/pivot"), "Identity", [_output(pivot, index)], T=as_dtype("bool")
            )
            sides.append((name, attribute, alive, index))
        switches = [
            self._node(
                node,
                at(f"switch_{i}"),
                f"{self._ref(x)}Switch",
                [x, predicate],
                controls,
                T=t,
            )
            for i, (x, t) in enumerate(zip(given, types, strict=True))
        ]
        results = []
        for name, attribute, alive, index in sides:
            arguments = [_output(s, index) for s in switches]
            function = _function_of(node, attribute)
            results.append(
                self._expand(node, function, arguments, at(f"{name}/"), alive, frozenset())
            )
        merged = [
            self._node(node, at(f"merge_{i}"), "Merge", list(pair), N=2, T=t)
            for i, (pair, t) in enumerate(
                zip(zip(*results, strict=True), _types(node, "Tout", len(results[0])), strict=True)
            )
        ]
        self._stand_in(node, merged, _types(node, "Tout", len(merged)))

    def _loop(self, node: Any) -> None:
        given, controls = _data(node), _controls(node)
        types = _types(node, "T", len(given))
        at = self._scope(node)
        body = self._nodes_of(_function_of(node, "body"), len(given))
        changes = [r != a for r, a in zip(body.results, body.argument_names, strict=True)]
        if not any(changes):
            # A frame needs a value that goes round.
            changes = [i == 0 for i in range(len(given))]
        if not given:
            raise ValueError(f"The loop {node.name!r} has no variables: it never changes")
        turns = node.attr["parallel_iterations"].i or 10
        entered = [
            self._node(
                node,
                at(f"enter_{i}"),
                f"{self._ref(x)}Enter",
                [x],
                controls,
                T=t,
                frame_name=node.name,
                is_constant=not changed,
                parallel_iterations=turns,
            )
            for i, (x, t, changed) in enumerate(zip(given, types, changes, strict=True))
        ]
        goes_round = [i for i, changed in enumerate(changes) if changed]
        merges = {
            i: self._node(
                node,
                at(f"merge_{i}"),
                "Merge",
                [entered[i], at(f"next_{i}")],
                N=2,
                T=types[i],
            )
            for i in goes_round
        }
        values = [merges.get(i, entered[i]) for i in range(len(given))]
        begins = merges[goes_round[0]]
        fixed = frozenset(e for i, e in enumerate(entered) if not changes[i])
        (condition,) = self._expand(
            node, _function_of(node, "cond"), values, at("cond/"), begins, frozenset()
        )
        goes_on = self._node(node, at("condition"), "LoopCond", [condition])
        switches = {
            i: self._node(node, at(f"switch_{i}"), "Switch", [merges[i], goes_on], T=types[i])
            for i in goes_round
        }
        inner = {
            i: self._node(node, at(f"body/value_{i}"), "Identity", [f"{s}:1"], T=types[i])
            for i, s in switches.items()
        }
        arguments = [inner.get(i, entered[i]) for i in range(len(given))]
        alive = inner[goes_round[0]]
        results = self._expand(
            node, _function_of(node, "body"), arguments, at("body/"), alive, fixed
        )
        outputs = list(given)
        for i in goes_round:
            self._node(node, at(f"next_{i}"), "NextIteration", [results[i]], T=types[i])
            outputs[i] = self._node(node, at(f"exit_{i}"), "Exit", [switches[i]], T=types[i])
        self._stand_in(node, outputs, types)

    def _call(self, node: Any) -> None:
        function = _function_of(node, "f") if node.op in _CALLS else FunctionName(node.op)
        arguments = _data(node)
        gate = None
        if _controls(node) or not arguments:
            gate = self._node(node, self._free(f"{node.name}/start"), "NoOp", [], _controls(node))
        definition = self._library.callable(function.name, len(arguments))
        results = self._expand(node, function, arguments, self._scope(node)(""), gate, frozenset())
        types = [as_dtype(a.type) for a in definition.signature.output_arg]
        effects = [f"{node.name}/{n}" for n in self._nodes_of(function, len(arguments)).effects]
        self._stand_in(node, results, types, [e for e in effects if e in self._written])

    def _stand_in(
        self,
        node: Any,
        outputs: Sequence[str],
        types: Sequence[DType],
        controls: Iterable[str] = (),
    ) -> None:
        """What has the name of a node that is no more, and gives what that gave."""
        if outputs:
            self._node(node, node.name, "IdentityN", outputs, controls, T=list(types))
        else:
            self._node(node, node.name, "NoOp", [], [*_controls(node), *controls])

    # -- functions ---------------------------------------------------------------------------

    def _expand(
        self,
        caller: Any,
        function: FunctionName,
        arguments: Sequence[str],
        scope: str,
        alive: str | None,
        fixed: frozenset[str],
    ) -> list[str]:
        """Writes the nodes of a function; gives its results.

        Nodes without inputs, and those with none but `fixed` ones, wait for `alive`: they are to
        run where and when the function does. So do conditionals, loops and calls, parts of which
        have no inputs but fixed ones.
        """
        inner = self._nodes_of(function, len(arguments))
        known = dict(zip(inner.argument_names, arguments, strict=True))
        names = {n.name: self._free(f"{scope}{n.name}") for n in inner.nodes}
        for given in inner.nodes:
            node = type(given)()
            node.CopyFrom(given)
            node.name = names[given.name]
            node.device = given.device or caller.device
            data = [_renamed(r, known, names) for r in _data(given)]
            controls = [names[c] for c in _controls(given) if c in names]
            if alive is not None and (self._has_parts(given) or fixed.issuperset(data)):
                controls.append(alive)
            del node.input[:]
            node.input.extend([*data, *(f"^{c}" for c in controls)])
            self._write(node)
        return [_renamed(r, known, names) for r in inner.results]

    def _has_parts(self, node: Any) -> bool:
        return node.op in CONTROL_FLOW or node.op in _CALLS or node.op in self._library

    def _nodes_of(self, function: FunctionName, given: int) -> FunctionNodes:
        definition = self._library.callable(function.name, given)
        return FunctionNodes(definition, dict(function.attrs), self._library)

    def _scope(self, node: Any) -> Any:
        """Names under that of a node, the same for the same ending."""
        known: dict[str, str] = {}

        def named(ending: str) -> str:
            if not ending or ending.endswith("/"):
                return f"{node.name}/{ending}"
            if ending not in known:
                known[ending] = self._free(f"{node.name}/{ending}")
            return known[ending]

        return named

    def _ref(self, reference: str) -> str:
        """ "Ref" where a tensor stands for a variable: its branches and turns see the variable."""
        from workbench.core.ops import registry

        name, index = split_reference(reference)
        node = self._written.get(name)
        declaration = registry.lookup(node.op) if node is not None else None
        if declaration is None:
            return ""
        outputs = declaration.schema.outputs
        if len(outputs) <= index:
            return ""
        return "Ref" if outputs[index].is_reference else ""


def _data(node: Any) -> list[str]:
    return [r for r in node.input if not r.startswith("^")]


def _controls(node: Any) -> list[str]:
    return [r[1:] for r in node.input if r.startswith("^")]


def _output(name: str, index: int) -> str:
    return f"{name}:{index}" if index else name


def _renamed(reference: str, arguments: Mapping[str, str], names: Mapping[str, str]) -> str:
    if reference in arguments:
        return arguments[reference]
    name, index = split_reference(reference)
    return _output(names[name], index)


def _types(node: Any, attribute: str, count: int) -> list[DType]:
    types = [as_dtype(t) for t in node.attr[attribute].list.type]
    if len(types) != count:
        raise ValueError(
            f"graph_def is invalid at node {node.name!r}: {attribute!r} lists {len(types)} types "
            f"for {count} tensors"
        )
    return types


def _function_of(node: Any, attribute: str) -> FunctionName:
    value = from_attr_value(node.attr[attribute])
    if not isinstance(value, FunctionName):
        raise ValueError(
            f"graph_def is invalid at node {node.name!r}: {attribute!r} does not name a function"
        )
    return value
