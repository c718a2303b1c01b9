"""Bodies on the compiled tier: programs with compiled regions, and whole loops as machine code."""

from __future__ import annotations

import threading
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
from workbench.core.runtime.turns import Turns


class CompiledBodies(BodyMaker):
    """Makes what runs bodies, as machine code as far as there are kernels."""

    def __init__(self, session: Any, in_place: bool, threads: int) -> None:
        super().__init__(session, in_place)
        self._threads = threads
        #: Loops as machine code, by the plan of their body; None where there is none.
        self._loops: dict[int, NativeLoop | None] = {}
        #: What became of whole loops, and of bodies by themselves, in words.
        self._of_loops: dict[str, None] = {}
        self._of_bodies: dict[str, None] = {}

    @property
    def account(self) -> str:
        """What became of the bodies: for `Session.explain`."""
        return "; ".join([*self._of_loops, *self._of_bodies]) or "it has not run yet"

    def program(self, plan: Plan) -> Program:
        """The program of a body: it is compiled when it is run by itself for the first time."""
        source = "compiled when it is first run"
        return Program(plan, _CompiledLate(self, plan), source, [], tier="compiled")

    def loop(self, condition: Plan, body: Plan, states: int) -> NativeLoop | None:
        """Machine code for a whole loop over the first `states` arguments, or None."""
        if id(body) not in self._loops:
            made: NativeLoop | None = None
            try:
                made = native_loop(condition, body, states, self.session, self._threads)
                self._of_loops.setdefault(f"a loop of machine code, {made.kind}")
            except (Unsupported, CompileError) as error:
                self._of_loops.setdefault(f"Python goes from pass to pass ({error})")
            self._loops[id(body)] = made
        return self._loops[id(body)]

    def loop_meanwhile(self, condition: Plan, body: Plan, states: int) -> None:
        """There is nothing to wait for: what can be made is made before the first pass."""

    def compiled(self, plan: Plan) -> Program:
        """The program of a body, now; interpreted where there are no kernels for it."""
        target = host.target()
        if target is not None and plan.misfit is None and self._may_overwrite(plan):
            compiled = plan_regions(plan, target)
            if compiled.is_compiled or has_bodies(plan):
                writer = _CompiledBody(compiled, self.session, self._threads, self.in_place)
                writer.turns = self.turns
                program = writer.write()
                count = sum(len(region.program.kernels) for region in writer.regions)
                kernels = "1 kernel" if count == 1 else f"{count} kernels"
                self._of_bodies.setdefault(f"a body of {kernels}")
                return program
        self._of_bodies.setdefault("a body that is interpreted")
        return super().program(plan)

    def _may_overwrite(self, plan: Plan) -> bool:
        """True unless kernels would overwrite arrays of variables that others still need."""
        return self.in_place or not any(updated_handles(s.node) for s in plan.memory.steps)


class _CompiledLate:
    """Runs a body's program, which is compiled for the first run."""

    def __init__(self, maker: CompiledBodies, plan: Plan) -> None:
        self._maker = maker
        self._plan = plan
        self._run: Any = None
        self._lock = threading.Lock()

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        if self._run is None:
            with self._lock:
                if self._run is None:
                    self._run = self._maker.compiled(self._plan).run
        results: tuple[Any, ...] = self._run(*values)
        return results


class _CompiledBody(TieredWriter):
    """Writes the program of a body in regions."""

    def __init__(self, compiled: CompiledPlan, session: Any, threads: int, in_place: bool) -> None:
        super().__init__(compiled, session, threads)
        self._in_place = in_place
        self._copied = lasting_results(compiled.plan) | compiled.copied
        self.turns: Turns | None = None

    def _body_maker(self, step: Step) -> Any:
        maker = super()._body_maker(step)
        maker.turns = self.turns
        return maker

    def _step(self, step: Step) -> None:
        if step.updates_in_place and not self._in_place:
            step = step._replace(updates_in_place=False)
        super()._step(step)
