"""The program of a plan with compiled regions: they are called between the interpreted steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.fusion.placement import Argument
from workbench.core.fusion.planning import CompiledPlan, RegionPlan
from workbench.core.plan.memory import Step
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, Value
from workbench.core.runtime.program import FILENAME, Program, ProgramWriter
from workbench.core.runtime.region import CompiledRegion


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
        for region in self._compiled.regions:
            if region.program is None:
                for step in region.steps:
                    self._step(_without_buffer(step))
            else:
                self._region(region)
        fetched = [self._fetched(v) for v in plan.fetches]
        self._line(f" return ({', '.join(fetched)}{',' if len(fetched) == 1 else ''})")
        source = "\n".join(self._lines)
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
        fallback = RegionInterpreter(region, self._session, self._plan).write()
        compiled = CompiledRegion(program, self._threads, fallback)
        self.regions.append(compiled)
        self._globals[f"e{number}"] = compiled
        self._line(f" e{number}({', '.join(names)})")
        for name, argument in zip(names, program.arguments, strict=True):
            if argument.kind != "output":
                continue
            plain = name if argument.shape else f"{name}[()]"
            if argument.value.node.type == HANDLE:
                self._line(f" r{argument.value.node.number}.value = {plain}")
            elif not argument.shape:
                self._line(f" {name} = {plain}")
        for step in region.after:
            if step.node.type not in (FEED, CONSTANT, HANDLE):
                self._step(_without_buffer(step))

    def _argument(self, region: int, argument: Argument) -> str:
        """The expression of an argument; arrays to fill are made in a line before."""
        value = argument.value
        if argument.kind == "value":
            return self._names[value]
        if argument.kind == "variable":
            return f"r{value.node.number}.value"
        key = f"s{region}_{value.node.number}_{value.index}"
        self._globals[key] = (argument.shape, value.dtype.base_dtype.numpy_dtype)
        name = f"o{region}_{value.node.number}_{value.index}"
        if value.node.type != HANDLE:
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
        for step in self._region.steps:
            if step.node.output() in self._names if step.node.dtypes else False:
                continue
            self._step(Step(step.node, None, None, False, ()))
        for i, argument in enumerate(program.arguments):
            if argument.kind == "output":
                node = argument.value.node
                given = (
                    f"r{node.number}.value" if node.type == HANDLE else self._given(argument.value)
                )
                self._line(f" _copy_to(x{i}, {given})")
        self._line(" return None")
        self._globals["_copy_to"] = np.copyto
        exec(compile("\n".join(self._lines), FILENAME, "exec"), self._globals)
        return self._globals["interpret"]

    def _given(self, value: Value) -> str:
        return self._names[value]


def _without_buffer(step: Step) -> Step:
    """The step with arrays of its own: a compiled plan has no buffers for interpreted ones."""
    if step.buffer is None and step.overwrites is None:
        return step
    return step._replace(buffer=None, overwrites=None)
