"""What is known here of a run that a worker runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.core.errors import UnavailableError
from workbench.live import machine as m
from workbench.live.acknowledgement import PATIENCE
from workbench.live.history import History
from workbench.live.hyperparameters import Value
from workbench.live.reports import line_of
from workbench.live.run_controls import RunControls
from workbench.live.status import RunStatus
from workbench.pool.runs.errors import error_of
from workbench.pool.runs.following import Follower
from workbench.pool.runs.mirror import Mirror
from workbench.pool.runs.package import graph_from, names_digest
from workbench.pool.runs.place import Place, ask

#: A worker that says nothing for so long is told of as gone, in seconds.
_LOST_SECONDS = 3.0


class RemoteView(RunControls):
    """Where a run of a worker stands, as far as is known here; its graph, for which it is asked.

    Args: as for `RemoteRun`.
    """

    def __init__(self, place: Place, card: Mapping[str, Any], graph: Any) -> None:
        self.id = str(card["run"])
        self.name = str(card["name"])
        self.created = float(card["created"])
        self.parent = card["parent"]
        #: The values of the hyperparameters at step 0.
        self.initial: dict[str, Value] = dict(card["initial"])
        #: What random operations without seeds begin with.
        self.entropy = int(card["entropy"])
        self.graph_name = None
        self.place = place
        #: Its folder on the worker's machine, or None.
        self.worker_folder: str | None = card["folder"]
        #: Whether several workers train it together, or may.
        self.is_replicated = bool(card["replicated"])
        self._digest = str(card["operations"])
        self._graph = graph
        self._has_own_graph = graph is not None
        self._places: Any = None
        self._knows_places = False
        self._lock = threading.RLock()
        self._mirror = Mirror(self.id, self.name, card["names"])
        self._error: tuple[Any, BaseException | None] = (None, None)
        self._follower: Follower

    @property
    def graph(self) -> Any:
        """The graph it runs; in a process that did not build it, as the worker has it."""
        with self._lock:
            if self._graph is None:
                answer = ask(self.place, "graph", {"run": self.id}, seconds=PATIENCE)
                self._graph = graph_from(answer.blobs[0])
            return self._graph

    @property
    def session(self) -> Any:
        """There is none here: the worker has it."""
        raise AttributeError(
            f"The session of {self.name!r} is that of {self.place.name}: run.eval(...) runs "
            "fetches there, and run.peek(...) gives a value"
        )

    @property
    def spec(self) -> Any:
        """There is none here: the worker has it."""
        raise AttributeError(
            f"What {self.name!r} is to do is known to {self.place.name}: run.graph, "
            "run.history.names and run.steps say what there is to know"
        )

    @property
    def own_graph(self) -> Any:
        """The graph, where it was built in this process."""
        return self._graph if self._has_own_graph else None

    @property
    def state(self) -> str:
        """As of other runs; "interrupted" while its worker is gone."""
        return m.INTERRUPTED if self._is_lost else self._mirror.state

    @property
    def step_number(self) -> int:
        """How many steps are done, as far as is known here."""
        return self._mirror.status.step

    @property
    def steps(self) -> int | None:
        """How many steps there are to be; None where there is no end."""
        return self._mirror.status.steps

    @property
    def epoch(self) -> int:
        """How often it was rewound, or taken up again by another process."""
        return self._mirror.status.epoch

    @property
    def history(self) -> History:
        """What was recorded: `history["loss"]`, `history.steps`, `history.events`."""
        return self._mirror.history

    @property
    def hyperparameters(self) -> dict[str, Value]:
        """The values of the hyperparameters from the next step on."""
        return {h.name: h.value for h in self._mirror.status.hyperparameters}

    @property
    def error(self) -> BaseException | None:
        """What it failed with, or None; of a worker that lost it or is gone for long, that."""
        silent = self._follower.silent_for
        if self._follower.refusal is not None and self.is_live:
            return self._follower.refusal
        loss = self._loss()
        if loss is not None:
            return loss
        if silent > PATIENCE and self.is_live:
            return UnavailableError(
                None,
                None,
                f"{self.place.name} says nothing for {silent:.0f} s; awaited is the run "
                f"{self.name!r}, which was at step {self.step_number}",
            )
        found = self._mirror.error
        if self._error[0] is not found:
            graph = self._graph if self._has_own_graph else None
            self._error = found, None if found is None else error_of(found, graph)
        return self._error[1]

    @property
    def stopped_by(self) -> Any:
        """The report of the watch that paused it, or None."""
        return self.status().stopped_by

    @property
    def watches(self) -> dict[str, str]:
        """What is watched, by the name that `watch` gave."""
        return dict(self._mirror.watches)

    @property
    def folder(self) -> str | None:
        """None: its folder is the worker's, `worker_folder`."""
        return None

    @property
    def is_live(self) -> bool:
        """True until it has ended."""
        return self._mirror.state not in m.ENDED

    @property
    def _is_lost(self) -> bool:
        follower = self._follower
        return self.is_live and (
            follower.refusal is not None or follower.silent_for > _LOST_SECONDS
        )

    def _loss(self) -> UnavailableError | None:
        """What is to be told of a run that is lost with its pool."""
        loss = self.place.loss if self._is_lost else ""
        if not loss:
            return None
        text = f"The pool of the run {self.name!r}, which was at step {self.step_number}, is gone"
        return UnavailableError(None, None, f"{text}: {loss}")

    def status(self) -> RunStatus:
        """Where it stands, as far as is known here."""
        found = self._mirror.status
        changed: dict[str, Any] = {"graph": self.graph_name}
        if self._is_lost:
            changed |= {"state": m.INTERRUPTED, "rate": 0.0, "eta": None}
        for name in ("error", "stopped_by"):
            report = getattr(found, name)
            if report is not None and self._has_own_graph:
                changed[name] = replace(report, line=self._line(report))
        return replace(found, **changed)

    def _line(self, report: Any) -> Any:
        try:
            return line_of(self._graph.get_operation_by_name(report.operation)) or report.line
        except (KeyError, TypeError, ValueError):
            return report.line

    def _own_places(self) -> Any:
        """For each operation there its place in this graph; None where they are the same."""
        if not self._knows_places:
            names = [op.name for op in self.graph.get_operations()]
            if self._has_own_graph and names_digest(names) != self._digest:
                fields = {"run": self.id, "names_alone": True}
                there = ask(self.place, "graph", fields, seconds=PATIENCE).fields["names"]
                here = {name: i for i, name in enumerate(names)}
                self._places = np.array([here.get(n, -1) for n in there], np.int64)
            self._knows_places = True
        return self._places
