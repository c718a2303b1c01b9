"""The program of a plan with compiled regions: they are called between the interpreted steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.fusion.placement import Argument
from workbench.core.fusion.planning import CompiledPlan, RegionPlan
from workbench.core.plan.memory import Step
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, Node, Value
from workbench.core.plan.schedule import updated_handles
from workbench.core.runtime.program import FILENAME, Program, ProgramWriter
from workbench.core.runtime.region import CompiledRegion

#: For operations that take the shape of their result: which input that is.
_SHAPE_INPUTS = {
    "Reshape": 1,
    "Fill": 0,
    "BroadcastTo": 1,
    "Conv2DBackpropInput": 0,
    "Conv2DBackpropFilter": 1,
    "DepthwiseConv2dNativeBackpropInput": 0,
    "DepthwiseConv2dNativeBackpropFilter": 1,
    "AvgPoolGrad": 0,
}


class TieredWriter(ProgramWriter):
    """Writes the program of a plan in regions, for one session."""

    def __init__(self, compiled: CompiledPlan, session: Any, threads: int) -> None:
        super().__init__(compiled.plan, session)
        self._compiled = compiled
        self._threads = threads
        self._copied = compiled.copied
        self.regions: list[CompiledRegion] = []

    def write(self) -> Program:
        """The program."""
        plan = self._plan
        self._line(f"def program({', '.join(f'f{i}' for i in range(len(plan.feeds)))}):")
        if self._probe is not None:
            self._line(f" {self._probe.start}")
        for region in self._compiled.regions:
            if region.program is None:
                for step in region.steps:
                    self._step(_without_buffer(step))
            else:
                self._region(region)
        fetched = [self._fetched(v) for v in plan.fetches]
        self._line(f" return ({', '.join(fetched)}{',' if len(fetched) == 1 else ''})")
        source = "\n".join(self._lines)
        if self._probe is not None:
            self._globals.update(self._probe.ready())
        exec(compile(source, FILENAME, "exec"), self._globals)
        return Program(plan, self._globals["program"], source, self._nodes, tier="compiled")

    def _region(self, region: RegionPlan) -> None:
        program = region.program
        assert program is not None
        for step in region.steps:
            if step.node.type in (FEED, CONSTANT, HANDLE):
                self._step(_without_buffer(step))
        for step in region.before:
            if step.node.type not in (FEED, CONSTANT, HANDLE):
                self._step(_without_buffer(step))
        number = len(self.regions)
        names = [self._argument(number, a) for a in program.arguments]
        compiled = self._make_region(region)
        self._globals[f"e{number}"] = self._runner(region, compiled)
        self.regions.append(compiled)
        self._line(f" e{number}({', '.join(names)})")
        replaced: dict[tuple[Node, Node], str] = {}
        for name, argument in zip(names, program.arguments, strict=True):
            if argument.kind not in ("output", "replacement"):
                continue
            if not argument.shape:
                self._line(f" {name} = {name}[()]")
            if argument.update is not None:
                handle = argument.value.node
                self._line(f" r{handle.number}.value = {name}")
                replaced[argument.update, handle] = name
        for value in region.updated:
            handle = updated_handles(value.node)[value.index]
            name = self._name(value, f"v{value.node.number}_{value.index}")
            found = replaced.get((value.node, handle), f"r{handle.number}.value")
            self._line(f" {name} = {found}")
        for step in region.after:
            if step.node.type not in (FEED, CONSTANT, HANDLE):
                self._step(_without_buffer(step))

    def _make_region(self, region: RegionPlan) -> CompiledRegion:
        """The next region, bound to memory."""
        assert region.program is not None
        fallback = RegionInterpreter(region, self._session, self._plan).write()
        return CompiledRegion(region.program, self._threads, fallback)

    def _runner(self, region: RegionPlan, compiled: CompiledRegion) -> Any:
        """What the program calls for a region."""
        return compiled

    def _argument(self, region: int, argument: Argument) -> str:
        """The expression of an argument; arrays to fill are made in a line before."""
        value = argument.value
        if argument.kind == "value":
            return self._names[value]
        if argument.kind == "variable":
            return f"r{value.node.number}.value"
        number = value.node.number if argument.update is None else argument.update.number
        number_in = value.index if argument.update is None else value.node.number
        key = f"s{region}_{number}_{number_in}"
        self._globals[key] = (argument.shape, value.dtype.base_dtype.numpy_dtype)
        name = f"o{region}_{number}_{number_in}"
        if argument.update is None:
            self._name(value, name)
        self._line(f" {name} = _empty(*{key})")
        return name


class RegionInterpreter(ProgramWriter):
    """Writes a function that interprets a region: it takes the arguments of the compiled one.

    It serves where the kernels cannot run: an argument is not as they need it, a variable has no
    value yet, or a check failed, which the interpreter then tells in the operation's own words.
    """

    def __init__(self, region: RegionPlan, session: Any, plan: Any) -> None:
        super().__init__(plan, session)
        self._region = region

    def write(self) -> Any:
        """The function."""
        program = self._region.program
        assert program is not None
        self._line(f"def interpret({', '.join(f'x{i}' for i in range(len(program.arguments)))}):")
        for i, argument in enumerate(program.arguments):
            if argument.kind == "value":
                self._names[argument.value] = f"x{i}"
        for step in self._needed():
            for index, value in enumerate(step.node.inputs):
                if value.node.type in (CONSTANT, HANDLE):
                    if value not in self._names:
                        self._step(Step(value.node, None, None, False, ()))
                elif value not in self._names and _SHAPE_INPUTS.get(step.node.type) == index:
                    self._shape_input(value, step.node)
            if not step.node.dtypes or step.node.output() not in self._names:
                self._step(Step(step.node, None, None, False, ()))
        for i, argument in enumerate(program.arguments):
            if argument.kind == "output":
                self._line(f" _copy_to(x{i}, {self._names[argument.value]})")
            elif argument.update is not None:
                node, handle = argument.update, argument.value.node
                self._line(f" _copy_to(x{i}, w{node.number}_{handle.number})")
        self._line(" return None")
        self._globals["_copy_to"] = np.copyto
        exec(compile("\n".join(self._lines), FILENAME, "exec"), self._globals)
        return self._globals["interpret"]

    def _needed(self) -> list[Step]:
        """The steps that the region's outputs and updates need."""
        program = self._region.program
        assert program is not None
        given = {a.value for a in program.arguments if a.kind == "value"}
        needed = {a.value.node for a in program.arguments if a.kind == "output"}
        steps = []
        for step in reversed(self._region.steps):
            node = step.node
            if node in needed or updated_handles(node):
                steps.append(step)
                needed.update(v.node for v in node.inputs if v not in given)
        return steps[::-1]

    def _shape_input(self, value: Value, node: Node) -> None:
        """Gives a shape that no kernel reads, because it is known, what it is known to be."""
        name = f"c{node.number}_shape"
        self._globals[name] = np.array(node.shapes[0], value.dtype.as_numpy_dtype)
        self._names[value] = name


def _without_buffer(step: Step) -> Step:
    """The step with arrays of its own: a compiled plan has no buffers for interpreted ones."""
    if step.buffer is None and step.overwrites is None:
        return step
    return step._replace(buffer=None, overwrites=None)
