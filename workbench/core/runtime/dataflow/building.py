"""From the operations that a run needs to a dataflow program of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.raw_control_flow import (
    ENTERING,
    LEAVING,
    MERGING,
    ROUTING,
    SWITCHING,
    TURNING,
)
from workbench.core.plan.bodies import Part, used_parts
from workbench.core.plan.memory import MemoryPlan
from workbench.core.plan.plan import Plan
from workbench.core.runtime.dataflow.body_steps import body_step
from workbench.core.runtime.dataflow.executor import Executor, Layout
from workbench.core.runtime.dataflow.failures import feed_node, plan_node
from workbench.core.runtime.dataflow.splitting import split, split_program
from workbench.core.runtime.dataflow.steps import Step, make_step, read_step
from workbench.core.runtime.dataflow.structure import Kind, NodeSpec, Structure, StructureError
from workbench.core.runtime.program import Observer, Program

_KINDS = {
    **dict.fromkeys(SWITCHING, Kind.SWITCH),
    **dict.fromkeys(MERGING, Kind.MERGE),
    **dict.fromkeys(ENTERING, Kind.ENTER),
    **dict.fromkeys(LEAVING, Kind.EXIT),
    **dict.fromkeys(TURNING, Kind.NEXT_ITERATION),
    "LoopCond": Kind.FORWARD,
    "NoOp": Kind.FORWARD,
    "ControlTrigger": Kind.TRIGGER,
}


def program_of(
    order: Sequence[Operation],
    fetches: Sequence[Tensor],
    targets: Sequence[Operation],
    fed: Sequence[Tensor],
    session: Any,
    observer: Observer | None = None,
) -> Program:
    """The program of a run that is no straight line: a dataflow, or one before a straight line."""
    parts = split(order, fed) if observer is None else None
    if parts is not None:
        return split_program(parts, fetches, targets, fed, session)
    return dataflow_program(order, fetches, targets, fed, session, observer)


def dataflow_program(
    order: Sequence[Operation],
    fetches: Sequence[Tensor],
    targets: Sequence[Operation],
    fed: Sequence[Tensor],
    session: Any,
    observer: Observer | None = None,
) -> Program:
    """The program that runs `order`, all that fetches and targets need, as a dataflow.

    InvalidArgumentError for graphs that can never run, and for fetches inside of loops.
    """
    builder = _Builder(order, fed, session)
    layout = builder.layout(fetches, targets)
    executor = Executor(layout, session, observer)
    empty = MemoryPlan((), (), (), frozenset())
    total = order[0].graph.version if order else 0
    counts = Counter({"dataflow nodes": len(layout.structure.nodes)})
    feeds = tuple(feed_node(t, i) for i, t in enumerate(fed))
    results = tuple(plan_node(t.op).output(t.value_index) for t in fetches)
    plan = Plan(feeds, results, empty, counts, len(order), total)
    return Program(plan, executor.run, "", [])


class _Builder:
    """Gives operations their places among the nodes."""

    def __init__(self, order: Sequence[Operation], fed: Sequence[Tensor], session: Any) -> None:
        self._order = order
        self._session = session
        #: For conditionals and loops what is left of them.
        self._parts: dict[Operation, Part] = {}
        self._specs: list[NodeSpec] = []
        self._steps: list[Step | None] = []
        self._operations: list[Operation] = []
        self._values: dict[int, tuple[Any, ...]] = {}
        #: The node and the output that each tensor comes from.
        self._places: dict[Tensor, tuple[int, int]] = {}
        self._reads: dict[Tensor, tuple[int, int]] = {}
        self._numbers: dict[Operation, int] = {}
        self._fed = [self._add(NodeSpec(t.name, Kind.SOURCE), None, t.op) for t in fed]
        self._places.update({t: (n, 0) for t, n in zip(fed, self._fed, strict=True)})

    def layout(self, fetches: Sequence[Tensor], targets: Sequence[Operation]) -> Layout:
        """All that the executor needs to know."""
        # Nodes have numbers before their edges are known: loops go round.
        for op in self._order:
            self._numbers[op] = self._add(NodeSpec(op.name, Kind.PLAIN), None, op)
            for output in op.outputs:
                self._places.setdefault(output, (self._numbers[op], output.value_index))
        self._parts = used_parts(self._order, fetches, targets)
        for op in self._order:
            self._fill(op)
        fetched = [self._value(t) for t in fetches]
        goals = [*(node for node, _ in fetched), *(self._numbers[op] for op in targets)]
        try:
            structure = Structure(self._specs, tuple(dict.fromkeys(goals)))
        except StructureError as error:
            raise self._invalid(error) from None
        self._check_fetches(structure, fetches, fetched)
        wanted = [n for n in structure.wanted if _result_frame(structure, n) == 0]
        structure.wanted = tuple(wanted)
        return Layout(
            structure,
            tuple(self._steps),
            tuple(self._operations),
            tuple(self._fed),
            self._values,
            tuple(fetched),
            tuple(fetches),
        )

    def _add(self, spec: NodeSpec, step: Step | None, op: Operation) -> int:
        self._specs.append(spec)
        self._steps.append(step)
        self._operations.append(op)
        return len(self._specs) - 1

    def _fill(self, op: Operation) -> None:
        number = self._numbers[op]
        kind = _KINDS.get(op.type, Kind.PLAIN)
        # What routes values routes a variable's value, unless it is for variables.
        by_value = op.type in ROUTING and not op.type.startswith("Ref")
        taken = [op.inputs[i] for i in self._parts[op].inputs] if op in self._parts else op.inputs
        inputs = tuple(self._value(t) if by_value else self._places[t] for t in taken)
        controls = tuple(self._numbers[c] for c in op._control_inputs if c in self._numbers)
        attrs = op.attrs
        if op.type == "Const" and not controls:
            kind = Kind.SOURCE
            self._values[number] = (_constant(op),)
        elif op.type == "Const":
            value = (_constant(op),)
            self._steps[number] = Step(lambda values: value)
        elif kind is Kind.PLAIN:
            self._steps[number] = self._step(op)
        self._specs[number] = NodeSpec(
            op.name,
            kind,
            inputs,
            controls,
            str(attrs.get("frame_name", "")) if kind is Kind.ENTER else "",
            bool(attrs.get("is_constant")),
            int(attrs.get("parallel_iterations") or 10) if kind is Kind.ENTER else 10,
        )

    def _step(self, op: Operation) -> Step:
        if op.type in CONTROL_FLOW:
            return body_step(op, self._parts[op], self._session)
        return make_step(op, self._session)

    def _value(self, tensor: Tensor) -> tuple[int, int]:
        """Where the value of a tensor comes from, also of one that stands for a variable."""
        place = self._places[tensor]
        if not tensor.dtype._is_ref_dtype:
            return place
        found = self._reads.get(tensor)
        if found is None:
            spec = NodeSpec(tensor.name, Kind.PLAIN, (place,))
            found = self._reads[tensor] = (self._add(spec, Step(read_step), tensor.op), 0)
        return found

    def _invalid(self, error: StructureError) -> InvalidArgumentError:
        op = self._operations[error.node]
        line = user_line(op.frames)
        start = f"{line}\n  " if line else ""
        return InvalidArgumentError(None, op, f"{start}{error}")

    def _check_fetches(
        self,
        structure: Structure,
        fetches: Sequence[Tensor],
        fetched: Sequence[tuple[int, int]],
    ) -> None:
        for tensor, (node, _) in zip(fetches, fetched, strict=True):
            frame = _result_frame(structure, node)
            if frame:
                line = user_line(tensor.op.frames)
                start = f"{line}\n  " if line else ""
                raise InvalidArgumentError(
                    None,
                    tensor.op,
                    f"{start}{tensor.name!r} cannot be fetched: it is inside the loop "
                    f"{structure.frame_path(frame)!r}, where it has a value in each turn. Fetch "
                    "what leaves the loop (the output of an Exit).",
                )


def _constant(op: Operation) -> Any:
    array = op.attrs["value"]
    return array[()] if array.ndim == 0 else array


def _result_frame(structure: Structure, node: int) -> int:
    """The frame that the outputs of a node are in."""
    kind = structure.nodes[node].kind
    if kind is Kind.ENTER:
        return structure.inner[node]
    if kind is Kind.EXIT:
        return structure.frames[structure.frame_of[node]].parent
    return structure.frame_of[node]
