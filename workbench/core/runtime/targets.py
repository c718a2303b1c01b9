"""Sessions that run elsewhere: what a session needs of it, and who opens it by the target's scheme.

The core runs in this process. Who can run steps elsewhere says so here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from workbench.core.errors import NotFoundError

if TYPE_CHECKING:
    from workbench.core.graph.graph import Graph
    from workbench.core.graph.operation import Operation
    from workbench.core.graph.tensor import Tensor


class Elsewhere(Protocol):
    """Where the steps of a session run."""

    @property
    def config(self) -> Any:
        """The session's `ConfigProto`, with what is said there for all sessions; or None."""

    def program(
        self, fetches: Sequence[Tensor], targets: Sequence[Operation], fed: Sequence[Tensor]
    ) -> Callable[..., tuple[Any, ...]]:
        """A function from the fed values to the fetched ones, each in order.

        It takes `options` and `run_metadata` by name, as `Session.run` does.
        """

    def devices(
        self, order: Sequence[Operation], fetches: Sequence[Tensor], fed: Sequence[Tensor]
    ) -> Mapping[Operation, str]:
        """The device of each operation of a step."""

    def waiting(self) -> list[Any]:
        """What runs wait for, in all tasks."""

    def list_devices(self) -> list[Any]:
        """The devices that operations can run on."""

    def placement(
        self,
        fetches: Sequence[Tensor],
        targets: Sequence[Operation],
        fed: Sequence[Tensor],
        costs: Any,
    ) -> Any:
        """Where each operation of a step runs, and why."""

    def use_costs(self, costs: Sequence[Any]) -> None:
        """Places what is planned from now on with other costs: a model, or traced runs."""

    def label(self, text: str) -> None:
        """Has the tasks that keep the session's variables know whose these are."""

    def labels(self) -> list[str]:
        """What the tasks that keep variables for the session were told; "" for nothing."""

    def close(self) -> None:
        """The session ends; what outlives it stays."""


class ProgramElsewhere:
    """A step that runs elsewhere, as sessions run programs."""

    tier = "elsewhere"
    whole = None

    def __init__(self, run: Callable[..., tuple[Any, ...]]) -> None:
        self.run = run

    def failed_node(self, traceback: Any) -> None:
        """Errors from elsewhere tell of the operation themselves."""


#: Opens a target for a graph and a `ConfigProto` or None.
Opener = Callable[[str, "Graph", Any], Elsewhere]

#: The modules and names of openers by scheme.
_openers: dict[str, tuple[str, str]] = {}
#: The same for what forgets the resources of a target: of it, some containers, and a time limit.
_resets: dict[str, tuple[str, str]] = {}


def register_scheme(scheme: str, module: str, opener: str, reset: str) -> None:
    """Has targets of a scheme opened by a function, whose module is imported when it is needed."""
    _openers[scheme] = (module, opener)
    _resets[scheme] = (module, reset)


def open_target(target: str, graph: Graph, config: Any) -> Elsewhere:
    """Where a target's steps run. NotFoundError for targets of a kind that nobody opens."""
    opener: Opener = _find(_openers, target)
    return opener(target, graph, config)


def reset_target(target: str, containers: Sequence[str], seconds: float | None) -> None:
    """Forgets what is in containers of a target, of all where none is named.

    DeadlineExceededError where that takes longer than `seconds`.
    """
    _find(_resets, target)(target, containers, seconds)


def seconds_of(config: Any) -> float | None:
    """How long an operation of a session with a `ConfigProto` may wait; None for no limit."""
    milliseconds = getattr(config, "operation_timeout_in_ms", 0)
    return milliseconds / 1000 if milliseconds > 0 else None


def _find(table: dict[str, tuple[str, str]], target: str) -> Any:
    scheme = target.partition("://")[0]
    if "://" not in target or scheme not in table:
        known = ", ".join(f"'{s}://host:port'" for s in table) or "none"
        raise NotFoundError(
            None,
            None,
            "No session factory registered for the given session options: {target: "
            f"{target!r}}}. Sessions run in this process, with the target '', or on a server: "
            f"{known}.",
        )
    module, name = table[scheme]
    return getattr(import_module(module), name)
