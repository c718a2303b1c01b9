"""Graphs of the bodies of conditionals and loops.

A body belongs to the graph that it is traced in: names, seeds, collections, scopes and variables
are those of the outermost graph, and what it uses from outside is captured. Variables are captured
as what stands for them, so that a body reads and changes the variable itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from workbench.core.graph import source
from workbench.core.graph.control import ControlDependencies
from workbench.core.graph.dtypes import DType
from workbench.core.graph.elements import misplaced
from workbench.core.graph.function_graph import FunctionGraph
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor

#: Operations that stand for a variable: a body has one of its own for each variable it uses.
VARIABLES = frozenset({"VariableV2", "Variable", "VarHandleOp", "TemporaryVariable"})


class BodyGraph(FunctionGraph):
    """The graph of one body, inside `outer`, of what is called `construct` in messages.

    `arguments` are what the body is called with, `captured` and `capture_placeholders` what it
    uses from outside, in order; `waits` are operations outside that must run before some of it.
    """

    def __init__(self, outer: Graph, construct: str) -> None:
        super().__init__(outer)
        self.construct = construct
        line = source.user_line(source.capture())
        self.place = f"the {construct}" + (f" at {line}" if line else "")
        outermost: Graph = outer
        while isinstance(outermost, FunctionGraph):
            outermost = outermost.outer
        self.outermost = outermost
        #: For what stands for a variable inside: the operation of the variable itself.
        self.stand_ins: dict[Operation, Operation] = {}
        self._outside: dict[Tensor, Tensor] = {}
        #: For the variables of a loop what they are at first, outside.
        self.starts: dict[Tensor, Tensor] = {}
        #: For operations of the body those outside that they wait for.
        self.waits: dict[Operation, list[Operation]] = {}
        #: What some of its tensors need, and after how many changes of it that was found.
        self.needs: dict[tuple[Tensor, ...], tuple[int, tuple[Operation, ...]]] = {}
        self._names = outer._names
        self._collections = outer._collections
        self._functions = outer._functions
        self._unfeedable = outer._unfeedable
        self.variable_initializers = outer.variable_initializers
        self.made_in_python = outer.made_in_python
        scopes, around = self.scopes, outer.scopes
        scopes.name = around.name
        scopes.devices = list(around.devices)
        scopes.colocations = list(around.colocations)
        scopes.containers = list(around.containers)
        scopes.attrs = dict(around.attrs)
        scopes.gradient_overrides = dict(around.gradient_overrides)
        self._root_scope = around.name

    # -- what it shares with the outermost graph ---------------------------------------------

    @property
    def seed(self) -> int | None:
        """The outermost graph's random seed."""
        return self.outer.seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        self.outer.seed = seed

    @property
    def _last_id(self) -> int:
        # Operations of all bodies count, so that no two have the same seed.
        return self.outer._last_id

    def note_change(self) -> None:
        """Records a change here, and so one of every graph around it."""
        super().note_change()
        self.outer.note_change()

    def note_growth(self) -> None:
        """Has those who run the graphs around it let this thread go first."""
        self.outermost.note_growth()

    def check_not_finalized(self) -> None:
        """Raises RuntimeError when the outermost graph is read-only."""
        self.outer.check_not_finalized()

    _check_not_finalized = check_not_finalized

    # -- growing -----------------------------------------------------------------------------

    def add_operation(
        self,
        type_name: str,
        name: str,
        inputs: tuple[Tensor, ...],
        output_types: tuple[DType, ...],
        attrs: dict[str, Any],
        compute_shapes: bool = True,
    ) -> Operation:
        """As in any graph; inputs from outside are captured first."""
        self.outermost._inner_operations += 1
        op = super().add_operation(type_name, name, inputs, output_types, attrs, compute_shapes)
        waits = [w for scope in self.scopes.control for w in scope.outer_inputs]
        if waits:
            self.waits[op] = waits
        return op

    def capture(self, tensor: Tensor) -> Tensor:
        """What stands for a tensor of a graph around this one inside it."""
        inside = self._inside.get(tensor)
        if inside is not None:
            return inside
        owner = tensor.op.graph
        if owner is not self.outer:
            if not isinstance(self.outer, FunctionGraph):
                raise ValueError(misplaced(tensor))
            tensor = self.outer.capture(tensor)
            if tensor in self._inside:
                return self._inside[tensor]
        inside = self._capture(tensor)
        self._inside[tensor] = inside
        return inside

    def _capture(self, tensor: Tensor) -> Tensor:
        variable = variable_of(tensor)
        if variable is not None:
            inside = self._stand_in(variable)
            if tensor.op.type not in VARIABLES:
                # What an assignment gave stands for the variable once it is assigned.
                self.waits.setdefault(inside.op, []).append(tensor.op)
            return inside
        with self._at_root():
            name = f"captured_{_last(tensor.op.name)}"
            inside = self._placeholder(tensor.dtype.base_dtype, tensor.entries, name)
            note_elements(inside, tensor)
        self._note_capture(tensor, inside)
        return inside

    def _note_capture(self, tensor: Tensor, inside: Tensor) -> None:
        self.captured.append(tensor)
        self.capture_placeholders.append(inside)
        self._outside[inside] = tensor

    def outside(self, tensor: Tensor) -> Tensor | None:
        """The tensor of the graph around that one of this graph stands for."""
        return self._outside.get(tensor)

    def _stand_in(self, variable: Tensor) -> Tensor:
        if variable in self._inside:
            return self._inside[variable]
        op = variable.op
        with self._at_root():
            inside = self._bare(
                op.type, self.unique_name(_last(op.name)), variable.dtype, dict(op.attrs)
            )
        inside.entries = variable.entries
        self.stand_ins[inside.op] = original_variable(op)
        self._inside[variable] = inside
        self._note_capture(variable, inside)
        return inside

    def _bare(self, type_name: str, name: str, dtype: DType, attrs: dict[str, Any]) -> Tensor:
        """The output of an operation that takes nothing."""
        return Graph.add_operation(self, type_name, name, (), (dtype,), attrs).outputs[0]

    def argument(self, dtype: DType, entries: Entries, name: str) -> Tensor:
        """One more argument."""
        with self._at_root():
            return super().argument(dtype, entries, name)

    @contextmanager
    def _at_root(self) -> Iterator[None]:
        """The scopes in which a body begins, for what belongs to it as a whole."""
        scopes = self.scopes
        saved = scopes.name, scopes.control, scopes.colocations, scopes.attrs
        scopes.name, scopes.control = self._root_scope, []
        scopes.colocations, scopes.attrs = [], {}
        try:
            yield
        finally:
            scopes.name, scopes.control, scopes.colocations, scopes.attrs = saved

    def beside(self) -> AbstractContextManager[None]:
        """A scope for what is added to a body after it was traced."""
        return self._at_root()

    # -- elements of the graphs around it ----------------------------------------------------

    def is_inside(self, graph: Graph) -> bool:
        """True where `graph` is this one or one around it."""
        around: Graph = self
        while around is not graph:
            if not isinstance(around, BodyGraph):
                return False
            around = around.outer
        return True

    def as_graph_element(
        self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True
    ) -> Any:
        """As in any graph; elements of the graphs around it are found too."""
        convert = getattr(obj, "_as_graph_element", None)
        if convert is not None:
            obj = convert()
        if isinstance(obj, (Tensor, Operation)):
            owner = obj.graph
            if owner is not self and self.is_inside(owner):
                return owner.as_graph_element(obj, allow_tensor, allow_operation)
        elif isinstance(obj, (str, bytes)):
            name = obj.decode() if isinstance(obj, bytes) else obj
            if (name.rpartition(":")[0] or name) not in self._by_name:
                return self.outer.as_graph_element(name, allow_tensor, allow_operation)
        return super().as_graph_element(obj, allow_tensor, allow_operation)

    def control_dependencies(self, control_inputs: Any) -> ControlDependencies:
        """As in any graph; what it names outside must run before the whole body."""
        if control_inputs is None:
            return super().control_dependencies(None)
        inner: list[Any] = []
        outer: list[Operation] = []
        for value in control_inputs:
            found = self.as_graph_element(value if not hasattr(value, "op") else value.op)
            op = found.op if isinstance(found, Tensor) else found
            if op.graph is self:
                inner.append(op)
            else:
                outer.append(op)
        scope = super().control_dependencies(inner)
        scope.outer_inputs = outer
        return scope


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def note_elements(tensor: Tensor, source: Tensor) -> None:
    """Has a tensor that stands for a list know the elements of the list that `source` is."""
    if source.dtype.name == "variant":
        from workbench.core.ops.lists.element_types import element_type, set_element_type

        set_element_type(tensor, element_type(source))


def variable_of(tensor: Tensor) -> Tensor | None:
    """The variable that a tensor stands for, or None: its own, or the one that was assigned to."""
    while True:
        if tensor.op.type in VARIABLES:
            return tensor
        if not tensor.dtype._is_ref_dtype or not tensor.op.inputs:
            return None
        tensor = tensor.op.inputs[0]


def original_variable(op: Operation) -> Operation:
    """The operation of the variable that one of its stand-ins in bodies stands for."""
    graph = op.graph
    return graph.stand_ins.get(op, op) if isinstance(graph, BodyGraph) else op


def waiting_graph(graph: Graph) -> Graph | None:
    """The innermost of a graph and those around it in which what is made has to wait, or None."""
    while not graph.scopes.control:
        if not isinstance(graph, BodyGraph):
            return None
        graph = graph.outer
    return graph


def init_scope(graph: Graph) -> AbstractContextManager[Any]:
    """A scope in which operations are made in the outermost graph, outside of all bodies.

    What it makes waits for nothing, and keeps the names, devices and attributes of the place.
    """
    return _init_scope(graph)


@contextmanager
def _init_scope(graph: Graph) -> Iterator[Graph]:
    if not isinstance(graph, BodyGraph):
        with graph.control_dependencies(None):
            yield graph
        return
    outermost = graph.outermost
    scopes, inner = outermost.scopes, graph.scopes
    saved = dict(vars(scopes))
    scopes.name, scopes.control = inner.name, []
    scopes.devices, scopes.attrs = inner.devices, inner.attrs
    scopes.containers, scopes.colocations = inner.containers, []
    try:
        with outermost.as_default():
            yield outermost
    finally:
        vars(scopes).update(saved)
