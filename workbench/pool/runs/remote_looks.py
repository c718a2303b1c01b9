"""Who looks at a run that a worker runs: listeners, observations and taps."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workbench.live.channels import checked_channels
from workbench.live.events import Published
from workbench.live.listeners import Listeners
from workbench.pool.runs.observing import RemoteObservation, RemoteTap
from workbench.pool.runs.place import Place
from workbench.pool.runs.remote_view import RemoteView


class RemoteLooks(RemoteView):
    """Tells who listens, and has the worker asked for what is looked at.

    Args: as for `RemoteRun`.
    """

    def __init__(self, place: Place, card: Mapping[str, Any], graph: Any) -> None:
        super().__init__(place, card, graph)
        self._listeners = Listeners()
        self._seen: dict[str, Any] = {}

    def subscribe(self, listener: Callable[[Published], None]) -> Callable[[], None]:
        """Calls `listener` with what happens to the run; the function returned ends that.

        It is called in a thread of this process when news has come; steps and states between two
        pieces of news are not told of.
        """
        return self._listeners.add(listener)

    def observe(self, channels: Iterable[str], rate: float = 10.0) -> RemoteObservation:
        """Looks at all operations while the run goes on; `.latest()` is the newest frame.

        Raises:
          ValueError: there is no such channel.
        """
        if not rate > 0:
            raise ValueError(f"rate must be positive, but got {rate}")
        key, wanted = uuid.uuid4().hex[:8], checked_channels(channels)
        made = RemoteObservation(key, wanted, rate, self.graph, self._own_places, self._look_away)
        self._look(made)
        return made

    def tap(self, tensor: Any, samples: int = 200) -> RemoteTap:
        """Samples a tensor up to ten times a second; `.latest()` is its value, `.history` the last.

        Args:
          tensor: a tensor, or its name.
          samples: how many steps and values `history` holds.
        """
        element = self.graph.as_graph_element(tensor)
        found = element if hasattr(element, "op") else next(iter(element.outputs), None)
        if found is None:
            raise ValueError(f"Operation {element.name!r} has no result that could be sampled")
        made = RemoteTap(uuid.uuid4().hex[:8], found, samples, self._look_away)
        self._look(made)
        return made

    def _look(self, made: RemoteObservation | RemoteTap) -> None:
        with self._lock:
            self._seen = {**self._seen, made.key: made}

    def _look_away(self, key: str) -> None:
        with self._lock:
            self._seen = {k: v for k, v in self._seen.items() if k != key}
