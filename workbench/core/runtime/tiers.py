"""Which tier runs a plan: interpreted at once, compiled a moment later.

A program that runs for the second time is worth compiling. One background thread of the process
does it; when it is ready, the next run takes the compiled program. Where compiling fails, the
interpreted one stays, and one warning says why.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from workbench.core.plan.plan import Plan
from workbench.core.runtime.program import Program

if TYPE_CHECKING:
    from workbench.core.fusion.compiled_plan import CompiledPlan

_PLANNING = "workbench.core.fusion.planning"
#: The run of a program from which on it is compiled.
_COMPILED_FROM = 2
#: The compiling thread goes home when nothing came for so long, in seconds.
_IDLE_SECONDS = 5.0
#: From so many steps on a plan is looked up before its first run: smaller ones are interpreted in
#: less time than that takes.
_LARGE_PLAN = 24
#: How long the end of a process waits for what is being compiled, in seconds.
_END_SECONDS = 1.0
#: How long a thread keeps the interpreter's lock when others want it, while one compiles.
_TURN_SECONDS = 5e-5


class Tier(Enum):
    """What a session is told about tiers."""

    #: Interpreted first, compiled as soon as that is done.
    AUTO = "auto"
    #: Always the interpreter: the NumPy kernels.
    INTERPRETED = "interpreted"
    #: Compiled before the first run.
    COMPILED = "compiled"


def chosen_tier(tier: str | None, deterministic: bool, config: Any) -> Tier:
    """The tier of a session.

    A `ConfigProto` says it in TensorFlow's words: `global_jit_level` OFF is the interpreter, ON_1
    and above is compiled before the first run. `tier` goes before it; where neither says anything
    the environment's WORKBENCH_TIER does.
    """
    if tier is not None:
        try:
            return Tier(tier)
        except ValueError:
            known = ", ".join(repr(t.value) for t in Tier)
            raise ValueError(f"tier must be one of {known}, but got {tier!r}") from None
    if config is not None:
        level = config.graph_options.optimizer_options.global_jit_level
        if level < 0:
            return Tier.INTERPRETED
        if level > 0:
            return Tier.COMPILED
    return Tier.COMPILED if deterministic else Tier(os.environ.get("WORKBENCH_TIER") or "auto")


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
        self._threads = threads
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

    def forget(self, program: Program) -> None:
        """Lets a program go that is not run any more."""
        found = self.compilations.pop(id(program.plan), None)
        if found is not None:
            self.compilations.pop(id(found.interpreted.plan), None)

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
            reason = _compile(compilation, session, self._threads, effort)
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
    if not planned.is_compiled:
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
    if compilation.key and not compilation.is_kept:
        compilation.is_kept = True
        plan, key = compilation.interpreted.plan, compilation.key
        compiler().submit(lambda: _keep(plan, planned, key))
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


def _keep(plan: Plan, planned: CompiledPlan, key: str) -> None:
    """Leaves a plan to other processes."""
    from workbench.core.runtime.plan_cache import PlanCache

    PlanCache.shared().store(plan, planned, key)


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


class Compiler:
    """The thread that compiles; it starts with the first job and ends when there are none."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._pending = 0
        self._idle = threading.Condition(self._lock)

    def submit(self, job: Callable[[], None]) -> None:
        """Has a job done after those before it."""
        with self._lock:
            self._pending += 1
            self._jobs.put(job)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="workbench-compiler", daemon=True
                )
                self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until all jobs are done; False after `timeout` seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: self._pending == 0, timeout)

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._thread = None
                        return
                continue
            try:
                with _short_turns():
                    job()
            except Exception:
                # Told like that of a thread; the other jobs go on.
                current = threading.current_thread()
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), current)))
            finally:
                with self._idle:
                    self._pending -= 1
                    self._idle.notify_all()
                del job


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    """Has Python's threads take turns more often: the user's steps wait for the lock many times."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN_SECONDS))
    try:
        yield
    finally:
        if sys.getswitchinterval() <= _TURN_SECONDS:
            sys.setswitchinterval(before)


_compiler = Compiler()


def compiler() -> Compiler:
    """The process's compiling thread."""
    return _compiler


def _after_fork() -> None:
    """A forked process has no such thread: it makes its own."""
    global _compiler
    _compiler = Compiler()


def _finish() -> None:
    """At the end of the process, lets what is being compiled be kept for the next one."""
    if os.environ.get("WORKBENCH_CACHE") != "":
        _compiler.wait(_END_SECONDS)


atexit.register(_finish)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
