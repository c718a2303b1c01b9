"""The program of a body: like any other, but what it is given belongs to a step that goes on."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.plan.memory import Step
from workbench.core.plan.node import CONSTANT, FEED, Value
from workbench.core.plan.plan import Plan
from workbench.core.plan.schedule import Aliases
from workbench.core.runtime.program import Observer, Program
from workbench.core.runtime.program_writer import ProgramWriter
from workbench.core.runtime.turns import Turns


class BodyWriter(ProgramWriter):
    """Writes the program of a body's plan for one session.

    Arguments that the body hands on are not copied, as the arrays of variables and constants are.
    With `in_place` it may overwrite the arrays of variables.
    """

    def __init__(
        self,
        plan: Plan,
        session: Any,
        observer: Observer | None,
        *,
        in_place: bool,
        turns: Turns | None = None,
    ) -> None:
        super().__init__(plan, session, observer)
        self._in_place = in_place
        self._turns = turns
        self._copied = lasting_results(plan)

    def _body_maker(self, step: Step) -> Any:
        maker = super()._body_maker(step)
        maker.turns = self._turns
        return maker

    def _step(self, step: Step) -> None:
        if step.updates_in_place and not self._in_place:
            step = step._replace(updates_in_place=False)
        super()._step(step)


class BodyMaker:
    """Makes what runs bodies: here programs for the interpreter.

    `in_place` says that bodies may overwrite the arrays of variables; `observer` is called for each
    of their steps.
    """

    def __init__(self, session: Any, in_place: bool, observer: Observer | None = None) -> None:
        self.session = session
        self.in_place = in_place
        self._observer = observer
        self._in_the_making: dict[int, Any] = {}
        #: Where loops and conditionals count, for a program that is looked into.
        self.turns: Turns | None = None

    def program(self, plan: Plan) -> Program:
        """The program of a body."""
        writer = BodyWriter(
            plan, self.session, self._observer, in_place=self.in_place, turns=self.turns
        )
        return writer.write()

    def loop(self, condition: Plan, body: Plan, states: int) -> Any:
        """Machine code for a whole loop over the first `states` arguments, or None."""
        return None

    def loop_meanwhile(self, condition: Plan, body: Plan, states: int) -> Any:
        """The same for a loop that goes round already: None as long as it is not made."""
        tiers = self.session._programs.tiers
        if self._observer is not None or not tiers.changes_inside:
            return None
        from workbench.core.runtime.loops.meanwhile import LoopInTheMaking

        found = self._in_the_making.get(id(body))
        if found is None:
            found = LoopInTheMaking(condition, body, states, self.session, tiers.threads)
            self._in_the_making[id(body)] = found
        return found.made


def has_bodies(plan: Plan) -> bool:
    """True where a plan has conditionals or loops."""
    return any(step.node.type in CONTROL_FLOW for step in plan.memory.steps)


def lasting_results(plan: Plan) -> frozenset[Value]:
    """The results that may be arrays of variables or constants: whoever gets them needs copies."""
    aliases = Aliases([step.node for step in plan.memory.steps])
    return frozenset(
        value
        for value in plan.fetches
        if any(
            not isinstance(root, Value) or root.node.type == CONSTANT for root in aliases.of(value)
        )
        and value.node.type != FEED
    )
