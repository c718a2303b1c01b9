"""What every run is to whoever looks at it or steers it, wherever its loop is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workbench.live import commands as c
from workbench.live.acknowledgement import Acknowledgement
from workbench.live.events import Published
from workbench.live.history import History
from workbench.live.hyperparameters import Value
from workbench.live.status import RunStatus


class SteeredRun(ABC):
    """A run in this process, or one that a worker runs: views, charts and magics know no more."""

    #: What a run is known by, in its process and in its folder.
    id: str
    name: str
    #: When it was made, in seconds since 1970.
    created: float
    #: The run that it was forked from or repeats, and the step; None where it began by itself.
    parent: Mapping[str, Any] | None
    #: The values of the hyperparameters at step 0.
    initial: dict[str, Value]
    #: What random operations without seeds begin with.
    entropy: int
    #: The name under which a view shows its graph, where one does.
    graph_name: str | None

    @property
    @abstractmethod
    def graph(self) -> Any:
        """The graph it runs."""

    @property
    @abstractmethod
    def state(self) -> str:
        """created, running, paused, stepping, finished, stopped, failed or interrupted."""

    @property
    @abstractmethod
    def step_number(self) -> int:
        """How many steps are done."""

    @property
    @abstractmethod
    def steps(self) -> int | None:
        """How many steps there are to be; None where there is no end."""

    @property
    @abstractmethod
    def epoch(self) -> int:
        """How often it was rewound."""

    @property
    @abstractmethod
    def history(self) -> History:
        """What was recorded: `history["loss"]`, `history.steps`, `history.events`."""

    @property
    @abstractmethod
    def hyperparameters(self) -> dict[str, Value]:
        """The values of the hyperparameters from the next step on."""

    @property
    @abstractmethod
    def error(self) -> BaseException | None:
        """What it failed with, or None."""

    @property
    @abstractmethod
    def stopped_by(self) -> Any:
        """The report of the watch that paused it, or None."""

    @property
    @abstractmethod
    def watches(self) -> dict[str, str]:
        """What is watched, by the name that `watch` gave."""

    @property
    @abstractmethod
    def folder(self) -> str | None:
        """Its folder on this machine, or None."""

    @property
    @abstractmethod
    def is_live(self) -> bool:
        """True until it has ended."""

    @abstractmethod
    def status(self) -> RunStatus:
        """Where it stands now."""

    @property
    def replicas(self) -> tuple[Mapping[str, Any], ...]:
        """The workers that train it together, with their paces; none for a run of one process.

        Each has its "worker", whether it "leads", its "state" ("joining", "computes", "waits" for
        the others or "rests"), for how many "seconds" where these are many, its "step" and "rate".
        """
        return self.status().replicas

    @property
    def terms(self) -> Mapping[str, Any] | None:
        """How its replicas train it together; None for a run of one process.

        "replicas", how many there are to be, "strategy" and "encoding", as `wb.run` takes them.
        """
        return self.status().terms

    @abstractmethod
    def subscribe(self, listener: Callable[[Published], None]) -> Callable[[], None]:
        """Calls `listener` with every event of the run; the function returned ends that."""

    @abstractmethod
    def observe(self, channels: Iterable[str], rate: float = 10.0) -> Any:
        """Looks at all operations while the run goes on; `.latest()` is the newest frame."""

    @abstractmethod
    def tap(self, tensor: Any, samples: int = 200) -> Any:
        """Samples a tensor up to ten times a second; `.latest()` is its value."""

    @abstractmethod
    def submit(self, command: c.Command) -> Acknowledgement:
        """Puts a command into the run's queue, without waiting for it."""

    @abstractmethod
    def close(self) -> None:
        """Stops the run where it goes on, and frees what it holds."""

    @abstractmethod
    def delete(self) -> None:
        """Removes the run, which has ended, with its folder. RuntimeError where it goes on."""

    # -- what waiting needs ------------------------------------------------------------------

    @property
    @abstractmethod
    def _is_own_thread(self) -> bool:
        """True in a thread that the run needs to go on: it must not wait for the run."""

    @abstractmethod
    def _wait_rest(self, seconds: float) -> bool:
        """Waits for so long, at most until no step is to be run: whether that is so."""

    @abstractmethod
    def _wait_settled(self, seconds: float) -> bool:
        """The same until there is nothing to wait for: it has ended, or a watch has paused it."""
