"""What a run writes for TensorBoard: its graph once, and the tracked values of every step.

Steps come in batches, and all events of a batch are made at once, as a matrix of bytes with one
event a row: recording every step of a fast run then costs a fraction of a microsecond a value.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core import protos
from workbench.core.event_files import FILE_VERSION, new_event_file
from workbench.core.files import local_path, translated_errors
from workbench.core.protos.reading import serialize
from workbench.core.records import framed, framed_rows

_Bytes = np.ndarray[Any, np.dtype[np.uint8]]

#: Tags of the fields of an Event, a Summary and a Summary.Value: number times eight plus kind.
_WALL_TIME, _STEP, _SUMMARY = 0x09, 0x10, 0x2A
_VALUE = 0x0A
_TAG, _SIMPLE_VALUE = 0x0A, 0x15
#: Events made at once: enough to be fast, few enough to stay in the processor's caches.
_BATCH = 4096


class EventLog:
    """A new event file in a folder, for TensorBoard to show.

    What was added is in the file when a method returns, in whole records: a reader never meets a
    torn one but after a power cut.

    Args:
      folder: the folder; it is made where it does not exist.
      graph: a graph to write first, with the shapes of its tensors.

    Raises:
      OpError: as the operating system's error demands.

    >>> import tempfile
    >>> from workbench.train.event_files import summary_iterator
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with EventLog(folder) as log:
    ...         log.scalars(["loss"], [1, 2], [[0.5, 0.25]])
    ...     [e.summary.value[0].simple_value for e in summary_iterator(log.path) if e.step]
    [0.5, 0.25]
    """

    def __init__(self, folder: str | os.PathLike[str], graph: Any = None) -> None:
        directory = local_path(folder)
        content = b"" if graph is None else graph.as_graph_def(add_shapes=True).SerializeToString()
        with translated_errors(directory):
            os.makedirs(directory, exist_ok=True)
            self.path, self._file = new_event_file(directory)
        self._size = 0
        try:
            self._add(protos.Event(wall_time=time.time(), file_version=FILE_VERSION))
            if content:
                self._add(protos.Event(wall_time=time.time(), graph_def=content))
        except BaseException:
            self._file.close()
            raise

    def scalars(self, names: Sequence[str], steps: Any, values: Any, times: Any = None) -> None:
        """Add an event for each step, with a value for each name.

        Args:
          names: the tags that TensorBoard shows.
          steps: integers [rows].
          values: numbers [names, rows]; they are stored as float32.
          times: seconds since 1970, one for all or [rows]; now, where it is None.

        Raises:
          ValueError: the shapes do not fit.
          OpError: they could not be written; the file is then as it was before.
        """
        steps = np.asarray(steps, np.int64)
        values = np.asarray(values, np.float32)
        if steps.ndim != 1 or values.shape != (len(names), steps.size):
            raise ValueError(
                f"Expected values of shape ({len(names)}, {steps.size}) for {steps.size} steps, "
                f"but got {values.shape}"
            )
        moments = np.asarray(time.time() if times is None else times, np.float64)
        moments = np.broadcast_to(moments, steps.shape)
        summary, places = _summary(names)
        content: list[bytes] = []
        for start in range(0, steps.size, _BATCH):
            rows = slice(start, start + _BATCH)
            events = _events(summary, places, steps[rows], values[:, rows], moments[rows])
            content += map(framed_rows, events)
        self._write(b"".join(content))

    def restart(self, step: int) -> None:
        """Tell TensorBoard to drop what was added after `step`, as after a rewind to it."""
        log = protos.SessionLog(status=protos.SessionLog.START)
        # TensorBoard drops what has this step or a later one.
        self._add(protos.Event(wall_time=time.time(), step=step + 1, session_log=log))

    def _add(self, event: Any) -> None:
        self._write(framed(serialize(event)))

    def _write(self, content: bytes) -> None:
        try:
            with translated_errors(self.path):
                rest = memoryview(content)
                while rest:
                    rest = rest[self._file.write(rest) :]
        except BaseException:
            # Half a record would hide all that comes after it.
            self._file.seek(self._size)
            self._file.truncate()
            raise
        self._size += len(content)

    def close(self) -> None:
        """Close the file. Closing again does nothing."""
        self._file.close()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _varint(number: int) -> bytes:
    """An integer as protocol buffers store it: seven bits a byte, the lowest first."""
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _summary(names: Sequence[str]) -> tuple[bytes, list[int]]:
    """A Summary's field with zeros for the values, and where in it the values stand."""
    parts, places, length = [], [], 0
    for name in names:
        tag = name.encode()
        value = bytes([_TAG, *_varint(len(tag)), *tag, _SIMPLE_VALUE, 0, 0, 0, 0])
        parts.append(bytes([_VALUE, *_varint(len(value)), *value]))
        length += len(parts[-1])
        places.append(length - 4)
    start = bytes([_SUMMARY, *_varint(length)])
    return start + b"".join(parts), [len(start) + place for place in places]


def _events(
    summary: bytes, places: list[int], steps: Any, values: Any, times: Any
) -> Iterator[_Bytes]:
    """Events in order, as matrices of a row each; the length differs where that of a step does."""
    unsigned = steps.view(np.uint64)
    limits = np.uint64(1) << np.arange(7, 64, 7, dtype=np.uint64)
    widths = 1 + np.searchsorted(limits, unsigned, side="right")
    edges = [0, *(np.flatnonzero(np.diff(widths)) + 1).tolist(), steps.size]
    for start, stop in itertools.pairwise(edges):
        width = int(widths[start])
        template = bytes([_WALL_TIME, *bytes(8), _STEP, *bytes(width)]) + summary
        rows = np.empty((stop - start, len(template)), np.uint8)
        rows[:] = np.frombuffer(template, np.uint8)
        rows[:, 1:9] = times[start:stop].astype("<f8")[:, None].view(np.uint8)
        shifts = np.arange(0, 7 * width, 7, dtype=np.uint64)
        rows[:, 10 : 10 + width] = (unsigned[start:stop, None] >> shifts) & np.uint64(0x7F)
        rows[:, 10 : 9 + width] |= 0x80
        for place, column in zip(places, values, strict=True):
            at = 10 + width + place
            rows[:, at : at + 4] = column[start:stop].astype("<f4")[:, None].view(np.uint8)
        yield rows
