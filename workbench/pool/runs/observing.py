"""What a client looks at in a run of a worker: all operations, or one tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.nested import NestedGraph
from workbench.core.graph.tensor import Tensor
from workbench.live.overlay import OverlayFrame
from workbench.live.statistics import Statistics
from workbench.live.taps import Sample


class RemoteObservation:
    """Channels of all operations of a run of a worker; as `workbench.live`'s `Observation`.

    Args:
      key: what it is called on the wire.
      places: gives for each operation of the worker's graph its place in this one's, or None where
        both number them alike.
    """

    def __init__(
        self,
        key: str,
        channels: tuple[str, ...],
        rate: float,
        graph: Any,
        places: Callable[[], Any],
        close: Callable[[str], None],
    ) -> None:
        self.key = key
        self.channels = channels
        self.rate = rate
        self._graph = graph
        self._places = places
        self._close = close
        self._latest: OverlayFrame | None = None
        self._inside: tuple[Any, ...] | None = None

    def wanted(self) -> dict[str, Any]:
        """What the worker is asked for."""
        return {"id": self.key, "channels": list(self.channels), "rate": self.rate}

    def take(self, seen: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """A newer frame came."""
        if self._inside is None:
            nested = NestedGraph(self._graph)
            self._inside = tuple(nested.operations[nested.outer_count :])
        places = self._places()
        channels, inside = {}, {}
        for name in self.channels:
            values = np.asarray(arrays[f"{self.key}/{name}"])
            if places is not None:
                moved = np.full(self._graph.version, np.nan, np.float32)
                known = places[: len(values)]
                moved[known[known >= 0]] = values[: len(known)][known >= 0]
                values = moved
            channels[name] = values
            inside[name] = np.asarray(arrays[f"{self.key}/inside/{name}"])
        same = all(len(each) == len(self._inside) for each in inside.values())
        operations = self._inside if same else ()
        if not same:
            inside = {name: np.zeros(0, np.float32) for name in inside}
        self._latest = OverlayFrame(int(seen["step"]), channels, inside, operations)

    def latest(self) -> OverlayFrame | None:
        """The newest frame, the same object until there is a newer one; None before the first."""
        return self._latest

    def close(self) -> None:
        """End the subscription. Closing again does nothing."""
        self._close(self.key)


class RemoteTap:
    """The samples of one tensor of a run of a worker; as `workbench.live`'s `Tap`."""

    def __init__(
        self, key: str, tensor: Tensor, samples: int, close: Callable[[str], None]
    ) -> None:
        if samples < 1:
            raise ValueError(f"samples must be at least 1, but got {samples}")
        self.key = key
        self.tensor = tensor
        self._samples = samples
        self._close = close
        self._latest: Sample | None = None
        self._failure: str | None = None
        self._history = np.zeros(0, np.int64), np.zeros(0, np.float64)

    def wanted(self) -> dict[str, Any]:
        """What the worker is asked for."""
        return {"id": self.key, "tensor": self.tensor.name, "samples": self._samples}

    def take(self, seen: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """A newer sample came, or the reason why there are none."""
        if "failed" in seen:
            self._failure = str(seen["failed"])
            return
        found = seen["statistics"]
        known = None if found is None else Statistics(**found)
        value = np.asarray(arrays[f"{self.key}/value"])
        self._history = arrays[f"{self.key}/steps"], arrays[f"{self.key}/values"]
        self._latest = Sample(int(seen["step"]), value, tuple(seen["shape"]), known)

    def latest(self) -> Sample | None:
        """The newest sample; None while there is none.

        Raises:
          OpError: the tensor cannot be computed in the steps of the run, and why.
        """
        if self._failure is not None:
            raise InvalidArgumentError(None, self.tensor.op, self._failure)
        return self._latest

    @property
    def failed(self) -> bool:
        """True where there are no samples, and `latest` says why."""
        return self._failure is not None

    @property
    def history(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The steps (int64) of the last samples, and their values (float64)."""
        return self._history

    def close(self) -> None:
        """End the tap; what it has stays readable."""
        self._close(self.key)
