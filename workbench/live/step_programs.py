"""The programs that run the steps of a run: the session's newest, or those that ran them before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.runtime.cache import RunSignature
from workbench.core.runtime.failures import program_error
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.program import Program
from workbench.core.runtime.program_code import program_code
from workbench.core.runtime.tier import Tier
from workbench.live.program_log import Choice, FeedShapes, ProgramLog

#: How many programs, and sets of fetches and feeds, are remembered at a time.
_KEPT = 64


class StepPrograms:
    """Chooses a program for each step, and notes the choice.

    Steps that were run before, as far as the log says so (`log.until`), run on the programs they
    had then. After that a session that compiles in the background says when it changes over.

    Args:
      session: the session.
      log: what ran before, and where it is noted.
      changed: called when something was noted, before the step is run.
      complain: told in words where the same program cannot be had again.
    """

    def __init__(
        self,
        session: Any,
        log: ProgramLog,
        changed: Callable[[], None],
        complain: Callable[[str], None],
    ) -> None:
        self.log = log
        #: The tier of the last step.
        self.tier = "interpreted"
        self._session = session
        self._tiers = session._programs.tiers
        # A step of a run is of one tier, so that it can be repeated.
        self._tiers.changes_inside = False
        self._changed = changed
        self._complain = complain
        self._told: set[tuple[str, str]] = set()
        self._signature: RunSignature | None = None
        self._signatures: dict[Any, RunSignature] = {}
        self._names: tuple[str, ...] = ()
        self._watched: tuple[str, ...] = ()
        #: What was chosen in place of a program of the session, by its identity or by shapes; both
        #: programs are kept, so that an identity stays what it is.
        self._chosen: dict[Any, tuple[Program, Program]] = {}
        #: Runs what was run last, if all is as it was then; and such functions by program.
        self._fast: Callable[..., Any] | None = None
        self._entries: dict[int, tuple[Program, Any]] = {}
        #: The step from which on other choices may have been made.
        self._review: float = 0

    def prepare(
        self, fetches: Sequence[Any], fed: Sequence[Tensor], watched: Sequence[Tensor]
    ) -> None:
        """Has the next steps fetch and feed this; some of the fetches are watched."""
        session = self._session
        key = (tuple(fetches), tuple(fed), session.graph.changes)
        signature = self._signatures.get(key)
        if signature is None:
            plan = FetchPlan(session.graph, list(fetches))
            signature = RunSignature(session, plan, list(fed), session.check_numerics)
            if len(self._signatures) >= _KEPT:
                self._signatures.clear()
            self._signatures[key] = signature
        self._signature = signature
        self._names = tuple(t.name for t in fed)
        self._watched = tuple(t.name for t in watched)
        self.review()

    def review(self) -> None:
        """Chooses anew from the next step on: the engine is at another step, or fetches more."""
        self._chosen.clear()
        self._entries.clear()
        self._fast = None
        self._review = -1

    def choose(self, step: int, given: Sequence[Any]) -> tuple[Program, list[Any]]:
        """The program for the step after `step` steps, and the values as it takes them."""
        self._fast = None
        if self._session._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        signature = self._signature
        assert signature is not None
        newest, values = signature.prepare(dict(zip(signature.fed, given, strict=True)))
        if step >= self._review:
            self._chosen.clear()
            following = self.log.next_after(step) if step < self.log.until else None
            self._review = math.inf if following is None else following
        key: Any = id(newest)
        if signature.serves_all_shapes and step < self.log.until:
            key = _shapes(values)
        found = self._chosen.get(key)
        if found is None:
            if len(self._chosen) >= _KEPT:
                self._chosen.clear()
            found = self._chosen[key] = newest, self._choose(step, newest, values)
        return found[1], values

    def repeat(self, step: int, given: Sequence[Any]) -> list[Any] | None:
        """Runs the step as the last one, where that was one call of compiled code and this one is
        fed the like; else does nothing and gives None."""
        fast = self._fast
        if fast is None or step >= self._review or self._session._closed:
            return None
        found = fast(*given)
        # Ellipsis tells of a check that failed: then the step is run again, and says what failed.
        return None if found is NotImplemented or found is Ellipsis else found

    def run(self, program: Program, values: Sequence[Any]) -> list[Any]:
        """Runs a step; gives what it fetches."""
        signature = self._signature
        assert signature is not None
        self.tier = program.tier
        try:
            with np.errstate(all="ignore"):
                results = program.run(*values)
        except Exception as error:
            failure = program_error(program, error)
            if failure is None:
                raise
            raise failure from None
        if program.whole is not None:
            self._fast = self._entry(program)
        found: list[Any] = signature.results(results)
        return found

    def _entry(self, program: Program) -> Callable[..., Any] | None:
        found = self._entries.get(id(program))
        if found is None:
            assert self._signature is not None
            if len(self._entries) >= _KEPT:
                self._entries.clear()
            found = self._entries[id(program)] = program, self._signature.entry(program)
        call: Callable[..., Any] | None = getattr(found[1], "call", None)
        return call

    # -- choosing ----------------------------------------------------------------------------

    def _choose(self, step: int, newest: Program, values: Sequence[Any]) -> Program:
        signature = self._signature
        assert signature is not None
        feed: FeedShapes = tuple(zip(self._names, _shapes(values), strict=True))
        wanted = self.log.at(step, feed)
        if step < self.log.until:
            is_general = wanted is not None and wanted.feed is None
            found = self._again(step, wanted, None if is_general else values)
        else:
            is_general = signature.serves_all_shapes
            found = self._newest(step, wanted, newest)
        code = program_code(found, self._tiers.find(found))
        noted = Choice(step, None if is_general else feed, found.tier, code, self._watched)
        if wanted is None or replace(wanted, step=step) != noted:
            self.log.note(noted)
            self._changed()
        return found

    def _again(self, step: int, wanted: Choice | None, values: Sequence[Any] | None) -> Program:
        """The program that ran a step before; without `values` the one for all shapes."""
        signature = self._signature
        assert signature is not None
        shapes = [None] * len(self._names) if values is None else _shapes(values)
        found = signature.of_shapes(shapes)
        tier = wanted.tier if wanted is not None else "interpreted"
        return self._checked(step, wanted, self._tiers.pinned(found, tier))

    def _newest(self, step: int, before: Choice | None, newest: Program) -> Program:
        """The session's newest program, but never the interpreter after compiled code: not for what
        is watched either, since kernels give the same bits whatever else is fetched."""
        if before is None or self._tiers.tier is not Tier.AUTO:
            return newest
        if before.tier == newest.tier or before.tier == "interpreted":
            return newest
        return self._checked(step, before, self._tiers.pinned(newest, before.tier))

    def _checked(self, step: int, wanted: Choice | None, found: Program) -> Program:
        """The program; where it is not the one that was recorded, that is told once."""
        if wanted is None or wanted.watched != self._watched:
            return found
        compilation = self._tiers.find(found)
        code = program_code(found, compilation)
        if (found.tier, code) == (wanted.tier, wanted.code) or (wanted.code, code) in self._told:
            return found
        self._told.add((wanted.code, code))
        if found.tier != wanted.tier:
            reason = compilation.reason if compilation is not None else "of check_numerics"
            how = f"by compiled code, and are interpreted now because {reason}"
        else:
            how = (
                f"by the code {wanted.code}, and are now by {code}: the processor, LLVM or the "
                "workbench is another one"
            )
        self._complain(
            f"the steps from {step + 1} on were run {how}. Their numbers may differ in the last "
            "places from those recorded before"
        )
        return found


def _shapes(values: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
    # Tables and iterators are fed as they are: they have no shape.
    return tuple(tuple(getattr(value, "shape", ())) for value in values)
