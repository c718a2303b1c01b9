"""Live numbers of every operation, and values of single tensors, sent to a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.graph.nested import NestedGraph
from workbench.live.acknowledgement import Acknowledgement
from workbench.live.commands import Peek
from workbench.live.overlay import OverlayFrame
from workbench.live.statistics import statistics
from workbench.live.taps import Sample, cut
from workbench.notebook.tap_message import sample_message

if TYPE_CHECKING:
    from workbench.core.graph.tensor import Tensor
    from workbench.notebook.connection import Connection

_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp", "ReadVariableOp"})
_PASSING = frozenset({"Identity"})


class OverlayFeed:
    """Sends the newest numbers of every operation of a run's graph."""

    def __init__(
        self, connection: Connection, run: Any, channels: list[str], subscription: str | None
    ) -> None:
        self._connection = connection
        self._run = run
        self._channels = channels
        self._subscription = subscription
        self._observation = run.observe(channels)
        self._told: Any = None
        #: Places of operations in bodies, and what they were found for.
        self._inside: tuple[tuple[int, int], Any] | None = None

    def poll(self) -> None:
        """Sends `overlay` where there is a newer frame."""
        frame = self._observation.latest()
        if frame is None or frame is self._told:
            return
        self._told = frame
        graphs = self._connection.hub.graphs
        graph = self._run.graph
        version, count = graphs.version(graph), graph.version
        inside = self._places_inside(version, frame)
        params = {
            "run": self._run.id,
            "graph": graphs.name_of(graph),
            "version": version,
            "step": frame.step,
            "channels": self._channels,
            "subscription": self._subscription,
        }
        buffers = [
            _sized(frame.channels[name], count) + _f32(_taken(frame.inside[name], inside))
            for name in self._channels
        ]
        self._connection.notify("overlay", params, buffers)

    def _places_inside(self, version: int, frame: OverlayFrame) -> Any:
        """Where the frame has each operation in a body, in the order of `graph.get`."""
        key = version, len(frame.inside_operations)
        if self._inside is None or self._inside[0] != key:
            nested = NestedGraph(self._run.graph)
            numbers = {op: i for i, op in enumerate(frame.inside_operations)}
            listed = nested.operations[nested.outer_count :]
            places = np.array([numbers.get(op, -1) for op in listed], np.int64)
            self._inside = key, places
        return self._inside[1]

    def close(self) -> None:
        """The run need not be observed for this view any more."""
        self._observation.close()


class TapFeed:
    """Sends the values of one tensor: the one of now at once, then those of observed steps."""

    def __init__(self, connection: Connection, run: Any, tensor: Tensor, key: str) -> None:
        self._connection = connection
        self._run = run
        self._tensor = tensor
        self._key = key
        self._is_variable = _is_variable(tensor)
        self._tap = run.tap(tensor)
        self._told: Any = None
        self._first: Sample | None = None
        # A run that is paused or has ended has no more steps to observe, but it has a value.
        run.submit(Peek(tensor)).call_when_done(self._peeked)

    def _peeked(self, done: Acknowledgement) -> None:
        """Called in the run's thread: keeps the value for the next look."""
        try:
            step, value = done.result(0)
        except Exception:
            return  # the tap itself says why there is no value
        array = np.asarray(value)
        with np.errstate(all="ignore"):
            found = statistics(array)
        self._first = Sample(step, cut(array).copy(), array.shape, found)

    def poll(self) -> None:
        """Sends `tap` where there is a newer value."""
        try:
            sample = self._tap.latest() or self._first
        except Exception as error:
            self._tell_failure(str(error))
            return
        if sample is None or sample is self._told:
            return
        self._told = sample
        said, buffers = sample_message(sample, self._is_variable)
        steps, values = self._tap.history
        self._notify(said, [*buffers, steps.astype("<f8").tobytes(), _f32(values)], len(steps))

    def close(self) -> None:
        """The tensor need not be sampled for this view any more."""
        self._tap.close()

    def _tell_failure(self, message: str) -> None:
        if self._told == message:
            return
        self._told = message
        said, buffers = sample_message(Sample(self._run.step_number, _NOTHING, (), None), False)
        said["text"] = message
        said["dtype"] = self._tensor.dtype.base_dtype.name
        self._notify(said, [*buffers, b"", b""], 0)

    def _notify(self, said: dict[str, Any], buffers: list[bytes], samples: int) -> None:
        params = {
            "tap": self._key,
            "run": self._run.id,
            "tensor": self._tensor.name,
            "samples": samples,
            **said,
        }
        self._connection.notify("tap", params, buffers)


_NOTHING = np.array([], dtype=object)


def _is_variable(tensor: Tensor) -> bool:
    source = tensor.op
    while source.type in _PASSING:
        source = source.inputs[0].op
    return source.type in _VARIABLES


def _sized(values: Any, count: int) -> bytes:
    """As f32 for `count` operations: nothing is known of those made since."""
    if len(values) < count:
        unknown = np.full(count - len(values), np.nan, np.float32)
        values = np.concatenate([values, unknown])
    return _f32(values[:count])


def _taken(values: Any, places: Any) -> Any:
    """The values at some places; of places that are not there nothing is known."""
    known = np.concatenate([values, np.full(1, np.nan, np.float32)])
    is_there = (places >= 0) & (places < len(values))
    return known[np.where(is_there, places, len(values))]


def _f32(values: Any) -> bytes:
    with np.errstate(over="ignore"):
        return np.asarray(values, "<f4").tobytes()
