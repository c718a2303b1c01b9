"""The program of a plan with compiled regions: they are called between the interpreted steps."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.core.codegen.entry import Structure
from workbench.core.codegen.target import ITEM_BYTES
from workbench.core.fusion.compiled_plan import CompiledPlan, RegionPlan
from workbench.core.fusion.regions import NAMING
from workbench.core.plan.memory import Step, static_shape
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, READ, Node, Value
from workbench.core.plan.plan import Plan
from workbench.core.plan.schedule import updated_handles
from workbench.core.runtime.program import FILENAME, Program, WholeProgram
from workbench.core.runtime.program_writer import ProgramWriter
from workbench.core.runtime.region import CompiledRegion
from workbench.core.runtime.state import VariableState

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
    """Writes the program of a plan in regions, for one session.

    `is_proven` says that another process wrote it before: what it seldom needs is written when it
    does.
    """

    def __init__(
        self, compiled: CompiledPlan, session: Any, threads: int, is_proven: bool = False
    ) -> None:
        super().__init__(compiled.plan, session)
        self._compiled = compiled
        self._threads = threads
        self._is_proven = is_proven
        self._copied = compiled.copied
        programs = [r.program for r in compiled.regions if r.program is not None]
        self._taken = {a.value for p in programs for a in p.arguments if a.kind == "value"}
        self.regions: list[CompiledRegion] = []
        #: What makes the bodies of conditionals and loops.
        self.bodies: dict[Node, Any] = {}

    def write(self) -> Program:
        """The program."""
        plan = self._plan
        self._line(f"def program({', '.join(f'f{i}' for i in range(len(plan.feeds)))}):")
        if self._probe is not None:
            self._line(f" {self._probe.start}")
        for region in self._compiled.regions:
            if region.program is None:
                for step in region.steps:
                    self._step(self._interpreted(step))
            else:
                self._region(region)
        fetched = [self._fetched(v) for v in plan.fetches]
        self._line(f" return ({', '.join(fetched)}{',' if len(fetched) == 1 else ''})")
        source = "\n".join(self._lines)
        if self._probe is not None:
            self._globals.update(self._probe.ready())
        exec(compile(source, FILENAME, "exec"), self._globals)
        whole = self._whole() if self._probe is None else None
        return Program(plan, self._runner(), source, self._nodes, tier="compiled", whole=whole)

    def _whole(self) -> WholeProgram | None:
        """The whole program as one region, where it is no more than that."""
        computing = [
            r
            for r in self._compiled.regions
            if r.program is not None or any(s.node.type not in NAMING for s in r.steps)
        ]
        if len(computing) != 1 or computing[0].program is None:
            return None
        (region,) = computing
        if region.updated or any(
            s.node.type not in NAMING for s in (*region.before, *region.after)
        ):
            return None
        program = region.program
        assert program is not None
        outputs = [a.value for a in program.arguments if a.kind == "output"]
        feeds = [f.output() for f in self._plan.feeds]
        if any(v not in outputs for v in self._plan.fetches):
            return None
        if any(static_shape(f) is None or f.dtype.base_dtype.name not in ITEM_BYTES for f in feeds):
            return None
        instance = self.regions[0].instance

        def enter(kind: str, items: tuple[int, ...], memory: Mapping[int, Any]) -> Any:
            return instance.enter(feeds, Structure(kind, items), memory)  # type: ignore[arg-type]

        return WholeProgram(enter, tuple(outputs.index(v) for v in self._plan.fetches))

    def _region(self, region: RegionPlan) -> None:
        program = region.program
        assert program is not None
        for step in region.steps:
            if step.node.type in (FEED, CONSTANT, HANDLE):
                self._step(self._interpreted(step))
        for step in region.before:
            if step.node.type not in (FEED, CONSTANT, HANDLE):
                self._step(self._interpreted(step))
        number = len(self.regions)
        compiled = self._make_region(region)
        self._globals[f"e{number}"] = self._caller(region, compiled)
        self._globals[f"x{number}"] = compiled.slowly
        self.regions.append(compiled)
        values = ", ".join(self._names[a.value] for a in compiled.values)
        self._line(f" o = e{number}({values})")
        self._line(f" if o is NotImplemented or o is Ellipsis: o = x{number}({values})")
        outputs = [a.value for a in program.arguments if a.kind == "output"]
        if outputs:
            names = [self._name(v, f"v{v.node.number}_{v.index}") for v in outputs]
            self._line(f" {', '.join(names)}, = o")
        for value in region.updated:
            handle = updated_handles(value.node)[value.index]
            name = self._name(value, f"v{value.node.number}_{value.index}")
            self._line(f" {name} = r{handle.number}.value")
        for step in region.after:
            if step.node.type not in (FEED, CONSTANT, HANDLE):
                self._step(self._interpreted(step))

    def _interpreted(self, step: Step) -> Step:
        """A step as it is interpreted here: with an array of its own, because there are no buffers,
        and forgetting nothing that a region takes, which looks through views."""
        ends = tuple(v for v in step.ends if v not in self._taken)
        return step._replace(buffer=None, overwrites=None, ends=ends)

    def _make_region(self, region: RegionPlan) -> CompiledRegion:
        """The next region, bound to memory."""
        assert region.program is not None
        fallback: Any = _WrittenLate(region, self._session, self._plan)
        if not self._is_proven:
            fallback = fallback.write()
        return CompiledRegion(region.program, self._states(region), self._threads, fallback)

    def _body_maker(self, step: Step) -> Any:
        """What makes the programs of a step's bodies: they are compiled, too."""
        from workbench.core.runtime.loops.compiled_bodies import CompiledBodies

        maker = CompiledBodies(self._session, step.updates_in_place, self._threads)
        self.bodies[step.node] = maker
        return maker

    def _caller(self, region: RegionPlan, compiled: CompiledRegion) -> Any:
        """What the program calls for a region, with the values it takes."""
        return compiled.call

    def _states(self, region: RegionPlan) -> dict[Node, VariableState]:
        """The variables that a region reads or updates."""
        program = region.program
        assert program is not None
        handles = {a.value.node for a in program.arguments if a.kind in ("variable", "replacement")}
        for handle in handles:
            if f"r{handle.number}" not in self._globals:
                self._handle(handle)
        return {h: self._globals[f"r{h.number}"] for h in handles}


class _WrittenLate:
    """A region's interpreter, which is written when it is first called."""

    def __init__(self, region: RegionPlan, session: Any, plan: Plan) -> None:
        self._region = region
        self._plan = plan
        # The session has the program.
        self._session = weakref.ref(session)
        self._function: Any = None

    def __call__(self, *values: Any) -> Any:
        if self._function is None:
            self._function = self.write()
        return self._function(*values)

    def write(self) -> Any:
        """The function."""
        return RegionInterpreter(self._region, self._session(), self._plan).write()


def _local_name(value: Value) -> str:
    node = value.node
    return f"f{node.attrs['index']}" if node.type == FEED else f"v{node.number}_{value.index}"


class RegionInterpreter(ProgramWriter):
    """Writes a function that interprets a region: it takes the values that the compiled one takes,
    and gives the same outputs."""

    def __init__(self, region: RegionPlan, session: Any, plan: Plan) -> None:
        super().__init__(plan, session)
        self._region = region

    def write(self) -> Any:
        """The function."""
        program = self._region.program
        assert program is not None
        values = [a.value for a in program.arguments if a.kind == "value"]
        # By the names that errors look for values under.
        self._names.update({value: _local_name(value) for value in values})
        self._line(f"def interpret({', '.join(self._names[v] for v in values)}):")
        for step in self._needed():
            for index, value in enumerate(step.node.inputs):
                if value.node.type in (CONSTANT, HANDLE):
                    if value not in self._names:
                        self._step(Step(value.node, None, None, False, ()))
                elif value not in self._names:
                    self._known_input(value, step.node, index)
            if not step.node.dtypes or step.node.output() not in self._names:
                self._step(Step(step.node, None, None, False, ()))
        outputs = [self._names[a.value] for a in program.arguments if a.kind == "output"]
        self._line(f" return ({''.join(f'{name}, ' for name in outputs)})")
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
            if node in needed or (node.has_effect and node.type != READ):
                steps.append(step)
                needed.update(v.node for v in node.inputs if v not in given)
        return steps[::-1]

    def _known_input(self, value: Value, node: Node, index: int) -> None:
        """Gives an input that no kernel reads, because what matters of it is known."""
        dtype = value.dtype.as_numpy_dtype
        if _SHAPE_INPUTS.get(node.type) == index:
            known = np.array(node.shapes[0], dtype)
        elif node.type in ("ZerosLike", "OnesLike"):
            known = np.broadcast_to(np.zeros((), dtype), static_shape(value) or ())
        else:
            return
        name = f"c{node.number}_{index}"
        self._globals[name] = known
        self._names[value] = name
