"""A step made ready to be observed: its program with a probe, its feed, and where taps look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from workbench.core.errors import InvalidArgumentError, OpError
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime import failures
from workbench.core.runtime.cache import RunSignature
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.program import Program
from workbench.live.effects import changes_state
from workbench.live.inside import InsideOperations
from workbench.live.observed_program import ObservedProgram
from workbench.live.preparation import Preparation
from workbench.live.taps import Tap
from workbench.live.targets import Place

#: What is kept: a run has a program for each shape of its batches, and taps come and go.
_KEPT = 16
#: Seconds to wait for a program that is being written when the run ends.
_PATIENCE = 10.0


class ReadyStep(NamedTuple):
    """A step that can be run and looked into."""

    program: ObservedProgram
    signature: RunSignature
    #: What is fed, as the program takes it.
    values: list[Any]
    #: Where each tap finds its tensor's value.
    places: dict[Tap, Place]
    #: Taps whose tensors are computed beside the step's own fetches.
    beside: tuple[Tap, ...]
    #: Whether those are computed before the step, and not in it.
    is_apart: bool = False


class Steps:
    """Makes the steps of a session ready, and runs them.

    Args:
      session: the session.
      places: where its graph has copies of a user's operations, the places of those by name; what
        else is there stands for nothing.
    """

    def __init__(self, session: Any, places: Mapping[str, int] | None = None) -> None:
        self.session = session
        self._places = places
        self._graph = session.graph
        #: What numbers the operations in bodies.
        self.inside = InsideOperations(session.graph)
        self._signatures: dict[Any, RunSignature] = {}
        self._programs: dict[int, ObservedProgram] = {}
        self._operations: dict[Any, set[Operation]] = {}
        self._preparation = Preparation("workbench-observed-program")

    def clear(self) -> None:
        """Lets go of all programs."""
        self._preparation.wait(_PATIENCE)
        self._signatures.clear()
        self._programs.clear()
        self._operations.clear()

    def are_ready(
        self,
        fetches: Sequence[Any],
        feed_dict: Mapping[Any, Any],
        taps: Sequence[Tap],
        plain: Program | None = None,
    ) -> bool:
        """True once `ready` would take no time; until then a thread of its own works at that."""
        shapes: tuple[Any, ...] = ()
        known = self._signatures.get((tuple(fetches), tuple(feed_dict), self._graph.changes))
        if known is None or not known.serves_all_shapes:
            shapes = tuple(getattr(value, "shape", ()) for value in feed_dict.values())
        tensors = tuple(tap.tensor for tap in taps)
        tier = None if plain is None else plain.tier
        key = (tuple(fetches), tuple(feed_dict), shapes, tensors, self._graph.changes, tier)
        return self._preparation.is_done(key, lambda: self.ready(fetches, feed_dict, taps, plain))

    def ready(
        self,
        fetches: Sequence[Any],
        feed_dict: Mapping[Any, Any],
        taps: Sequence[Tap],
        plain: Program | None = None,
    ) -> ReadyStep:
        """The step that fetches and feeds this. Taps whose tensors cannot be had are told so.

        `plain` is the program that runs the step unobserved; else it is the session's newest.
        """
        fed = tuple(feed_dict)
        signature, program, values = self._program(tuple(fetches), fed, feed_dict, plain)
        places = {tap: program.locate(tap.tensor) for tap in taps}
        beside = tuple(
            tap
            for tap, place in places.items()
            if place is None and self._may_be_fetched(tap, tuple(fetches), fed)
        )
        # A compiled step with other fetches is another one, to the last bits; so they come before.
        is_apart = bool(beside) and program.plain.tier == "compiled"
        if is_apart:
            beside = tuple(tap for tap in beside if self._may_come_before(tap, fed))
        elif beside:
            wanted = (*fetches, *(tap.tensor for tap in beside))
            signature, program, values = self._program(wanted, fed, feed_dict, is_pinned=True)
        found = {
            tap: place
            for tap in places
            if tap not in beside and (place := program.locate(tap.tensor)) is not None
        }
        return ReadyStep(program, signature, values, found, beside, is_apart)

    def run(self, step: ReadyStep) -> list[Any]:
        """Runs a step; gives its results, then those of the taps beside it, if they are in it."""
        state = self.session.state
        random_steps = dict(state.random_steps) if step.beside and not step.is_apart else {}
        try:
            results = step.program.run(step.values)
        except Exception as error:
            failure = failures.program_error(step.program.program, error)
            if failure is None:
                raise
            raise failure from None
        if step.beside and not step.is_apart:
            self._put_back(random_steps, step)
        found: list[Any] = step.signature.results(results)
        return found

    def values_apart(
        self, step: ReadyStep, feed_dict: Mapping[Any, Any]
    ) -> Iterator[tuple[Tap, Any]]:
        """The values of taps that are computed before the step, which does not notice.

        A tap whose tensor cannot be computed is told so.
        """
        random_steps = self.session.state.random_steps
        for tap in step.beside if step.is_apart else ():
            before = dict(random_steps)
            try:
                yield tap, self.session.run(tap.tensor, feed_dict)
            except OpError as error:
                tap.fail(error)
            finally:
                # In place: programs hold the dictionary.
                random_steps.clear()
                random_steps.update(before)

    def _put_back(self, before: Mapping[str, int], step: ReadyStep) -> None:
        """What ran for a tap alone has not run as far as the session knows."""
        count = len(step.signature.plan.elements) - len(step.beside)
        key = (tuple(step.signature.plan.elements[:count]), tuple(step.signature.fed))
        own = {op.name for op in self._needed(*key)}
        random_steps = self.session.state.random_steps
        for name in [name for name in random_steps if name not in own]:
            if name in before:
                random_steps[name] = before[name]
            else:
                del random_steps[name]

    # -- programs ----------------------------------------------------------------------------

    def _program(
        self,
        fetches: tuple[Any, ...],
        fed: tuple[Any, ...],
        feed_dict: Mapping[Any, Any],
        plain: Program | None = None,
        is_pinned: bool = False,
    ) -> tuple[RunSignature, ObservedProgram, list[Any]]:
        key = (fetches, fed, self._graph.changes)
        signature = self._signatures.get(key)
        if signature is None:
            tensors = [self._graph.as_graph_element(t, allow_operation=False) for t in fed]
            plan = FetchPlan(self._graph, list(fetches))
            signature = RunSignature(self.session, plan, tensors, self.session.check_numerics)
            _keep(self._signatures, key, signature)
        newest, values = signature.prepare(feed_dict)
        if is_pinned:
            newest = self.session._programs.tiers.pinned(newest, "interpreted")
        return signature, self._observed(plain or newest), values

    def _observed(self, plain: Program) -> ObservedProgram:
        found = self._programs.get(id(plain))
        if found is None:
            # It holds the plain program, so the number stays that of this one.
            found = ObservedProgram(plain, self.session, self.inside, self._places)
            _keep(self._programs, id(plain), found)
        return found

    # -- taps beside -------------------------------------------------------------------------

    def _may_be_fetched(self, tap: Tap, fetches: tuple[Any, ...], fed: tuple[Any, ...]) -> bool:
        """Whether a tensor can be computed beside a step without changing the run."""
        error = self._refusal(tap.tensor, fetches, fed)
        if error is not None:
            tap.fail(error)
        return error is None

    def _may_come_before(self, tap: Tap, fed: tuple[Any, ...]) -> bool:
        """Whether a tensor can be computed before a step as it would be in it."""
        tensors = [self._graph.as_graph_element(each) for each in fed]
        for op in needed_operations([tap.tensor], [], tensors):
            if changes_state(op):
                error = f"it comes after {op.name!r}, which changes the state of the run"
                tap.fail(
                    InvalidArgumentError(
                        None,
                        tap.tensor.op,
                        f"{tap.tensor.name!r} is not kept by the compiled step, and cannot be "
                        f"computed before it: {error}",
                    )
                )
                return False
        return True

    def _refusal(
        self, tensor: Tensor, fetches: tuple[Any, ...], fed: tuple[Any, ...]
    ) -> OpError | None:
        elements = [self._graph.as_graph_element(each) for each in fetches]
        tensors = [self._graph.as_graph_element(each) for each in fed]
        own = self._needed(tuple(elements), tuple(tensors))
        needed = needed_operations([tensor], [], tensors)
        for op in needed:
            if op not in own and changes_state(op):
                return InvalidArgumentError(
                    None,
                    op,
                    f"{tensor.name!r} is not computed in the steps of this run, and cannot be "
                    f"beside them: it needs {op.name!r} of type {op.type}, which changes the "
                    "state of the run",
                )
        return failures.missing_feeds_error(needed, [tensor], tensors)

    def _needed(self, elements: tuple[Any, ...], fed: tuple[Any, ...]) -> set[Operation]:
        key = (elements, fed, self._graph.changes)
        found = self._operations.get(key)
        if found is None:
            tensors = [e for e in elements if isinstance(e, Tensor)]
            targets = [e for e in elements if not isinstance(e, Tensor)]
            found = set(needed_operations(tensors, targets, fed))
            _keep(self._operations, key, found)
        return found


def _keep(kept: dict[Any, Any], key: Any, value: Any) -> None:
    """Adds to what is kept; the oldest goes."""
    while len(kept) >= _KEPT:
        del kept[next(iter(kept))]
    kept[key] = value
