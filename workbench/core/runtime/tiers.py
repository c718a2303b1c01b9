"""Which tier runs a plan: interpreted at once, compiled a moment later.

A program that runs for the second time is worth compiling. One background thread of the process
does it; when it is ready, the next run takes the compiled program. Where compiling fails, the
interpreted one stays, and one warning says why.
"""

from __future__ import annotations

import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from workbench.core.runtime.body_program import has_bodies
from workbench.core.runtime.compiling import compiler
from workbench.core.runtime.program import Program
from workbench.core.runtime.tier import Tier

if TYPE_CHECKING:
    from workbench.core.fusion.compiled_plan import CompiledPlan
    from workbench.core.plan.node import Node

_PLANNING = "workbench.core.fusion.planning"
#: The run of a program from which on it is compiled.
_COMPILED_FROM = 2
#: From so many steps on a plan is looked up before its first run: smaller ones are interpreted in
#: less time than that takes.
_LARGE_PLAN = 24


class _Effort(Enum):
    """What may be done to compile a program."""

    #: What another process has compiled is taken from the disk.
    KEPT = auto()
    #: That, or a plan whose machine code is in the process.
    KNOWN = auto()
    #: Whatever it takes.
    ANY = auto()


class Compilation:
    """What became of compiling a program: for `Session.explain`."""

    def __init__(self, program: Program) -> None:
        self.interpreted = program
        self.compiled: Program | None = None
        self.plan: CompiledPlan | None = None
        #: The name of the plan on disk; empty where it has none, None until somebody looked.
        self.key: str | None = None
        #: Whether it is on disk.
        self.is_kept = False
        #: The regions in the order they run.
        self.regions: list[Any] = []
        #: What makes the bodies of conditionals and loops.
        self.bodies: dict[Node, Any] = {}
        #: Why there is no compiled program, in words.
        self.reason: str | None = "it has not run twice yet"
        #: How long it took, in seconds.
        self.seconds = 0.0
        #: Held while it is compiled.
        self.lock = threading.Lock()


class Tiers:
    """The tiers of a session's programs.

    Args:
      session: the session; it is not kept alive.
      replace: puts a program in the place of another one.
    """

    def __init__(
        self, session: Any, tier: Tier, threads: int, replace: Callable[[Program, Program], None]
    ) -> None:
        self.tier = tier
        self._session = weakref.ref(session)
        #: On how many threads machine code runs.
        self.threads = threads
        #: Whether a loop may go over to machine code while it goes round. Then the bits of its
        #: results depend on when that was; whoever repeats runs forbids it.
        self.changes_inside = tier is Tier.AUTO
        self._replace = replace
        self._closed = False
        #: By the plan of the program.
        self.compilations: dict[int, Compilation] = {}

    def admit(self, program: Program, sibling: Program | None = None) -> Program:
        """The program to run first in place of a new interpreted one.

        `sibling` is a program of the same step for other shapes: where that is compiled, its
        machine code most likely serves here too, and then the first run has it.
        """
        compilation = self.compilations[id(program.plan)] = Compilation(program)
        if self.tier is Tier.INTERPRETED:
            compilation.reason = "the session is pinned to the interpreter"
            return program
        if self.tier is Tier.COMPILED:
            self._compile(compilation)
            return compilation.compiled or program
        begins = bool(program.plan.feeds or program.plan.fetches)
        warming = _Warming(
            program,
            lambda: self._look_up(compilation, begins),
            lambda: self._run_again(compilation, begins),
        )
        warmed = program._replace(run=warming)
        compilation.interpreted = warmed
        if sibling is not None and sibling.tier == "compiled":
            self._compile(compilation, _Effort.KNOWN)
            if compilation.compiled is None:
                self._submit(compilation)
        elif begins and len(program.plan.memory.steps) >= _LARGE_PLAN:
            # Having what another process made takes no longer than interpreting this a few times.
            self._compile(compilation, _Effort.KEPT)
        return compilation.compiled or warmed

    def find(self, program: Program) -> Compilation | None:
        """What became of compiling a program, of either tier; None where nobody asked."""
        return self.compilations.get(id(program.plan))

    def pinned(self, program: Program, tier: str) -> Program:
        """The program of the same plan that is of a tier, compiled at once if need be.

        It is one of the other tier where there is none of this: `find(program).reason` says why.
        """
        compilation = self.find(program)
        if compilation is None or program.tier == tier:
            return program
        if tier == "interpreted":
            return compilation.interpreted
        self._compile(compilation)
        return compilation.compiled or program

    def close(self) -> None:
        """Nothing is compiled for the session any more."""
        self._closed = True
        self.compilations.clear()

    def _look_up(self, compilation: Compilation, begins: bool) -> None:
        """After the first run: looks for what another process made, in the background.

        What takes and gives nothing runs once, as a rule: it initialises.
        """
        if not begins:
            compiler().submit(lambda: self._compile_later(compilation, _Effort.KEPT))

    def _run_again(self, compilation: Compilation, begins: bool) -> None:
        """Before the second run: has the program compiled, at once if another process did it."""
        if begins:
            self._compile_later(compilation, _Effort.KEPT)
        if compilation.compiled is None:
            self._submit(compilation)

    def _submit(self, compilation: Compilation) -> None:
        compilation.reason = "it is being compiled"
        compiler().submit(lambda: self._compile_later(compilation))

    def _compile_later(self, compilation: Compilation, effort: _Effort = _Effort.ANY) -> None:
        if self._closed or self._session() is None or compilation.compiled is not None:
            return
        self._compile(compilation, effort)
        if compilation.compiled is not None and not self._closed:
            self._replace(compilation.interpreted, compilation.compiled)

    def _compile(self, compilation: Compilation, effort: _Effort = _Effort.ANY) -> None:
        with compilation.lock:
            if compilation.compiled is None:
                self._compile_now(compilation, effort)
            if compilation.compiled is not None and not self._closed:
                # Its plan may be another one, with nodes in the place of larger ones.
                self.compilations[id(compilation.compiled.plan)] = compilation

    def _compile_now(self, compilation: Compilation, effort: _Effort) -> None:
        began = time.perf_counter()
        session = self._session()
        failed = False
        try:
            reason = _compile(compilation, session, self.threads, effort)
        except Exception as error:
            reason, failed = f"{type(error).__name__}: {error}", True
        compilation.reason = reason
        compilation.seconds = time.perf_counter() - began
        if failed:
            # Last: users may have made warnings errors.
            _warn(str(reason))


def _compile(compilation: Compilation, session: Any, threads: int, effort: _Effort) -> str | None:
    """Compiles a program; gives the reason where it stays interpreted."""
    if compilation.interpreted.plan.misfit is not None:
        return "the shapes that are fed do not fit"
    planned = compilation.plan or _kept(compilation)
    if planned is None:
        if effort is _Effort.KEPT:
            return compilation.reason
        if effort is _Effort.KNOWN and _PLANNING not in sys.modules:
            # Importing it, and LLVM, would hold up the user's step.
            return "it is being compiled"
        from workbench.core.codegen import host

        obstacle = host.obstacle()
        if obstacle is not None:
            return obstacle
        target = host.target()
        assert target is not None
        from workbench.core.fusion.planning import plan_regions

        planned = plan_regions(compilation.interpreted.plan, target)
    compilation.plan = planned
    if not planned.is_compiled and not has_bodies(planned.plan):
        # Other processes need not import what finds that out.
        _keep_later(compilation)
        return "none of its operations has a kernel"
    if effort is _Effort.KNOWN and not compilation.is_kept:
        from workbench.core.codegen.compiler import KernelLibrary

        programs = [r.program for r in planned.regions if r.program is not None]
        if not KernelLibrary.shared().has(r.code.name for p in programs for r in p.records):
            return "it is being compiled"
    from workbench.core.runtime.tiered import TieredWriter

    writer = TieredWriter(planned, session, threads, compilation.is_kept)
    compilation.compiled = writer.write()
    compilation.regions = writer.regions
    compilation.bodies = writer.bodies
    _keep_later(compilation)
    return None


def _kept(compilation: Compilation) -> CompiledPlan | None:
    """The plan that another process has made, with its machine code brought into this one."""
    from workbench.core.codegen.code_cache import is_kept
    from workbench.core.runtime.plan_key import plan_key

    plan = compilation.interpreted.plan
    if compilation.key is None:
        compilation.key = plan_key(plan) or ""
    if not compilation.key or not is_kept(compilation.key):
        return None
    from workbench.core.runtime.plan_cache import PlanCache

    found = PlanCache.shared().load(plan, compilation.key)
    compilation.is_kept = found is not None
    return found


def _keep_later(compilation: Compilation) -> None:
    """Leaves a plan to other processes, in the background."""
    planned, key = compilation.plan, compilation.key
    if planned is None or not key or compilation.is_kept:
        return
    compilation.is_kept = True
    plan = compilation.interpreted.plan

    def keep() -> None:
        from workbench.core.runtime.plan_cache import PlanCache

        PlanCache.shared().store(plan, planned, key)

    compiler().submit(keep)


_warned = False


def _warn(reason: str) -> None:
    """Tells once in a process that compiling failed."""
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"A step could not be compiled and runs interpreted ({reason}). session.explain() "
            "tells more.",
            RuntimeWarning,
            stacklevel=2,
        )


class _Warming:
    """Counts the runs of a program, and calls for a faster one in time.

    After the first run `look` is called, to have what another process made; `call` before the run
    from which on it is worth the work of making it.
    """

    def __init__(
        self, program: Program, look: Callable[[], None], call: Callable[[], None]
    ) -> None:
        self._run = program.run
        self._look = look
        self._call = call
        self._runs = 0

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        self._runs += 1
        if self._runs == _COMPILED_FROM:
            self._call()
        results = self._run(*values)
        if self._runs == 1:
            self._look()
        return results
