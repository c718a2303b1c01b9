"""Bodies on the compiled tier: programs with compiled regions, and whole loops as machine code."""

from __future__ import annotations

import contextlib
from typing import Any

from workbench.core.codegen import host
from workbench.core.codegen.unsupported import CompileError, Unsupported
from workbench.core.fusion.compiled_plan import CompiledPlan
from workbench.core.fusion.planning import plan_regions
from workbench.core.plan.memory import Step
from workbench.core.plan.plan import Plan
from workbench.core.plan.schedule import updated_handles
from workbench.core.runtime.body_program import BodyMaker, has_bodies, lasting_results
from workbench.core.runtime.loops.native import NativeLoop, native_loop
from workbench.core.runtime.program import Program
from workbench.core.runtime.tiered import TieredWriter


class CompiledBodies(BodyMaker):
    """Makes what runs bodies, as machine code as far as there are kernels."""

    def __init__(self, session: Any, in_place: bool, threads: int) -> None:
        super().__init__(session, in_place)
        self._threads = threads
        #: Loops as machine code, by the plan of their body; None where there is none.
        self._loops: dict[int, NativeLoop | None] = {}

    def program(self, plan: Plan) -> Program:
        """The program of a body."""
        target = host.target()
        if target is None or plan.misfit is not None:
            return super().program(plan)
        if not self.in_place and any(updated_handles(s.node) for s in plan.memory.steps):
            # Kernels would overwrite the arrays of variables.
            return super().program(plan)
        compiled = plan_regions(plan, target)
        if not compiled.is_compiled and not has_bodies(plan):
            return super().program(plan)
        writer = _CompiledBody(compiled, self.session, self._threads, self.in_place)
        # Its results are copied by whoever made the step: see `BodyWriter`.
        return writer.write()._replace(plan=plan)

    def loop(self, condition: Plan, body: Plan, states: int) -> NativeLoop | None:
        """Machine code for a whole loop over the first `states` arguments, or None."""
        if id(body) not in self._loops:
            made: NativeLoop | None = None
            with contextlib.suppress(Unsupported, CompileError):
                made = native_loop(condition, body, states, self.session, self._threads)
            self._loops[id(body)] = made
        return self._loops[id(body)]

    def loop_meanwhile(self, condition: Plan, body: Plan, states: int) -> None:
        """There is nothing to wait for: what can be made is made before the first pass."""


class _CompiledBody(TieredWriter):
    """Writes the program of a body in regions."""

    def __init__(self, compiled: CompiledPlan, session: Any, threads: int, in_place: bool) -> None:
        super().__init__(compiled, session, threads)
        self._in_place = in_place
        self._copied = lasting_results(compiled.plan) | compiled.copied

    def _step(self, step: Step) -> None:
        if step.updates_in_place and not self._in_place:
            step = step._replace(updates_in_place=False)
        super()._step(step)
