"""What a run is and where it stands, at one moment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.live.hyperparameters import Hyperparameter
from workbench.live.reports import Failure, WatchStop


@dataclass(frozen=True, repr=False)
class RunStatus:
    """A run at one moment, as `docs/protocol.md` describes it. Nothing in it changes any more.

    >>> RunStatus("1", "digits", "running", 512, 2000, rate=812.4, eta=1.83, values={"loss": 0.31})
    <wb.RunStatus 'digits' running, step 512 of 2000, 812 steps a second, 2 s to go, loss 0.31>
    """

    run: str
    name: str
    #: "created", "running", "paused", "finished", "stopped", "failed" or "interrupted".
    state: str
    #: Steps done, and how many there are to be; None where there is no end.
    step: int
    steps: int | None
    #: Steps a second; 0 where nothing is known yet.
    rate: float = 0.0
    #: Seconds to the end; None where nobody knows.
    eta: float | None = None
    #: Seconds spent on steps.
    seconds: float = 0.0
    #: The newest tracked values.
    values: Mapping[str, float] = field(default_factory=dict)
    #: The share of the step time that watching takes.
    observer_cost: float = 0.0
    #: What ran the last step: "interpreted" or "compiled"; None where nobody knows.
    tier: str | None = None
    #: With their values of now.
    hyperparameters: tuple[Hyperparameter, ...] = ()
    #: The name under which the graph is shown, where it is.
    graph: str | None = None
    folder: str | None = None
    parent: Mapping[str, Any] | None = None
    #: True where its loop is in this process.
    live: bool = False
    epoch: int = 0
    error: Failure | None = None
    stopped_by: WatchStop | None = None
    #: The replicas that train it together, each with its worker, state and pace; else none.
    replicas: tuple[Mapping[str, Any], ...] = ()
    #: Which batches their steps took: from which step on, from which batch on, how many each.
    taken: tuple[tuple[int, ...], ...] = ()
    #: How they do: "replicas" (how many there are to be), "strategy" and "encoding", as `wb.run`
    #: takes them; None for a run of one process.
    terms: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        text = f"{self.name!r} {self.state}, step {self.step}"
        if self.steps is not None:
            text += f" of {self.steps}"
        if self.eta is not None:
            text += f", {self.rate:.3g} steps a second, {self.eta:.0f} s to go"
        text += "".join(f", {name} {value:.4g}" for name, value in self.values.items())
        for report in (self.error, self.stopped_by):
            if report is not None:
                text += f": {report}"
        return text

    def __repr__(self) -> str:
        return f"<wb.RunStatus {self}>"

    def to_json(self) -> dict[str, Any]:
        """As the protocol has it; NaN and infinities are strings."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        found["values"] = {name: wire_number(v) for name, v in self.values.items()}
        found["hyperparameters"] = [
            {k: v for k, v in h.to_json().items() if k != "tensor"} for h in self.hyperparameters
        ]
        found["parent"] = None if self.parent is None else dict(self.parent)
        found["replicas"] = [dict(each) for each in self.replicas]
        found["taken"] = [list(row) for row in self.taken]
        found["terms"] = None if self.terms is None else dict(self.terms)
        for name in ("error", "stopped_by"):
            report = found[name]
            found[name] = None if report is None else report.to_json()
        return found


def wire_number(value: float) -> float | str:
    """A number as JSON can say it.

    >>> wire_number(0.5), wire_number(float("inf")), wire_number(float("nan"))
    (0.5, 'Infinity', 'NaN')
    """
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
