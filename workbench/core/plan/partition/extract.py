"""The graph of a part: its stages' operations, and placeholders for what comes from others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.core.graph.attributes import to_attr_value
from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.graph.graph_def import input_name, node_def
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.made_here import note_home
from workbench.core.plan.partition.copied import is_copied, is_known, root
from workbench.core.plan.partition.functions import Functions
from workbench.core.plan.partition.parts import Part, StagePart, returned, sends_of
from workbench.core.plan.partition.stages import Stage, has_effect
from workbench.core.plan.placement.colocation import stays_put
from workbench.core.plan.placement.devices import task_of

_ORDERING = frozenset({"NoOp", "ControlTrigger"})


def extract_parts(
    stages: Sequence[Stage],
    stage_of: Mapping[Operation, Stage],
    fed: Iterable[Tensor],
    fetches: Sequence[Tensor],
) -> list[Part]:
    """The part of each task, in the order of their first stages."""
    by_task: dict[str, list[Stage]] = {}
    for stage in stages:
        by_task.setdefault(task_of(stage.device), []).append(stage)
    given = set(fed)
    used = next((op for stage in stages for op in stage.operations), None)
    functions = Functions(used.graph) if used is not None else None
    return [
        _Extraction(task, own, stages, stage_of, given, fetches, functions).part()
        for task, own in by_task.items()
    ]


class _Extraction:
    def __init__(
        self,
        task: str,
        own: Sequence[Stage],
        stages: Sequence[Stage],
        stage_of: Mapping[Operation, Stage],
        given: set[Tensor],
        fetches: Sequence[Tensor],
        functions: Functions | None,
    ) -> None:
        self._task, self._own, self._stages = task, own, stages
        self._stage_of, self._given, self._fetches = stage_of, given, fetches
        self._functions = functions
        self._function_names = functions.names if functions is not None else None
        #: The operations that are in the graph as they are.
        self._present: dict[Operation, None] = {}
        self._placeholders: dict[Tensor, str] = {}
        self._names = {op.name for stage in own for op in stage.operations}

    def part(self) -> Part:
        from workbench.core.protos import GraphDef

        definition = GraphDef()
        nodes: list[Any] = []
        for stage in self._own:
            for op in stage.operations:
                nodes.append(self._node(op, stage))
        for tensor, name in self._placeholders.items():
            definition.node.add().CopyFrom(_placeholder(tensor, name))
        inside = {op for stage in self._own for op in stage.operations}
        for op in [op for op in self._present if op not in inside]:
            definition.node.add().CopyFrom(node_def(op, names=self._function_names))
        definition.node.extend(nodes)
        names = {node.name for node in definition.node}
        for node in definition.node:
            _keep_groups(node, names)
        if self._functions is not None:
            self._functions.add_called(definition)
        note_home(definition)
        return Part(
            self._task,
            definition.SerializeToString(),
            tuple(self._stage(stage) for stage in self._own),
            self._feeds(),
        )

    def _node(self, op: Operation, stage: Stage) -> Any:
        node = node_def(op, names=self._function_names)
        del node.input[:]
        node.input.extend(self._input(t, stage) for t in op.inputs)
        for control in op._control_inputs:
            if self._stage_of.get(control) is stage:
                node.input.append(f"^{control.name}")
        node.device = ""
        return node

    def _input(self, tensor: Tensor, stage: Stage) -> str:
        if tensor in self._given:
            return self._placeholder(tensor)
        source = self._stage_of.get(tensor.op)
        if source is stage:
            return input_name(tensor)
        is_own = is_copied(tensor.op) and (source is None or source.device == stage.device)
        if is_own:
            self._present[tensor.op] = None
            return input_name(tensor)
        if source is None:
            # Nothing that is used of a loop needs it: a placeholder without a value will do.
            return self._placeholder(tensor)
        if stays_put(tensor) and source.device == stage.device and is_known(tensor):
            first = root(tensor)
            self._present[first.op] = None
            return input_name(first)
        return self._placeholder(tensor)

    def _placeholder(self, tensor: Tensor) -> str:
        name = self._placeholders.get(tensor)
        if name is None:
            name = f"taken/{len(self._placeholders)}"
            while name in self._names:
                name += "_"
            self._names.add(name)
            self._placeholders[tensor] = name
        return name

    def _stage(self, stage: Stage) -> StagePart:
        inside = set(stage.operations)
        used = {t.op for op in inside for t in op.inputs} | {t.op for t in stage.gives}
        targets = [
            op.name
            for op in stage.operations
            if op.type not in _ORDERING
            and (op not in used or (has_effect(op) and not self._is_cut(op)))
        ]
        return StagePart(
            number=stage.number,
            device=stage.device,
            takes=tuple((t.name, self._placeholder(t) + ":0") for t in stage.takes),
            gives=tuple((t.name, t.name) for t in stage.gives),
            targets=tuple(targets),
            after=tuple(stage.after),
            sends=sends_of(stage, self._stages),
            returns=returned(stage, self._fetches),
            may_wait=stage.may_wait,
        )

    def _is_cut(self, op: Operation) -> bool:
        """Whether only some outputs of a conditional or loop are used, and not all of its inputs
        are there: it runs for those outputs."""
        return op.type in CONTROL_FLOW and not all(
            t in self._given or t.op in self._stage_of or is_copied(t.op) for t in op.inputs
        )

    def _feeds(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(t.name for stage in self._own for t in stage.takes if t in self._given)
        )


def _placeholder(tensor: Tensor, name: str) -> Any:
    from workbench.core.protos import NodeDef

    node = NodeDef(name=name, op="Placeholder")
    node.attr["dtype"].CopyFrom(to_attr_value(tensor.dtype.base_dtype, "type"))
    node.attr["shape"].CopyFrom(to_attr_value(TensorShape.of(tensor.entries), "shape"))
    return node


def _keep_groups(node: Any, names: set[str]) -> None:
    """Leaves out the groups of operations that are elsewhere."""
    if "_class" not in node.attr:
        return
    groups = [g for g in node.attr["_class"].list.s if g.decode().removeprefix("loc:@") in names]
    if groups:
        del node.attr["_class"].list.s[:]
        node.attr["_class"].list.s.extend(groups)
    else:
        del node.attr["_class"]
