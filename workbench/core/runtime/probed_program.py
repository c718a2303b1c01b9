"""An interpreted program with a probe in it."""

from __future__ import annotations

from typing import Any

from workbench.core.plan.memory import Step
from workbench.core.runtime.program_writer import ProgramWriter


class ProbedWriter(ProgramWriter):
    """Writes a program whose probe knows which ways each run went."""

    def _body_maker(self, step: Step) -> Any:
        assert self._probe is not None
        return self._probe.turns.counting(super()._body_maker(step))
