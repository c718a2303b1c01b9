"""What this process does within steps: computes, exchanges values with others, waits for them.

Nothing is recorded, and next to nothing spent, until somebody looks; it ends by itself when nobody
has looked for a while.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from typing import NamedTuple

#: The kinds of what is done, by their numbers in `Span.kind`.
KINDS = ("compute", "exchange", "wait")
COMPUTE, EXCHANGE, WAIT = range(len(KINDS))

#: Of so many spans the newest are kept.
_KEPT = 512
#: After so many seconds without a look nothing is recorded any more.
PATIENCE = 5.0


class Span(NamedTuple):
    """A stretch of time in which one thing was done; it may lie within another one."""

    kind: int
    #: Tells the threads apart that record.
    lane: int
    #: In how many other spans it lies.
    depth: int
    #: The step, where that is known; else -1.
    step: int
    #: In seconds of `time.monotonic`.
    begins: float
    ends: float


class Recorded(NamedTuple):
    """What a look sees."""

    #: When it began to be recorded, and the time of the look, in seconds of `time.monotonic`.
    since: float
    now: float
    #: Seconds spent in each kind since then, without what was done within.
    seconds: tuple[float, ...]
    #: The newest spans, by when they ended.
    spans: list[Span]


class _Recorder:
    def __init__(self) -> None:
        self.since = time.monotonic()
        self.until = 0.0
        self.spans: deque[Span] = deque(maxlen=_KEPT)
        self.local = threading.local()
        self._lock = threading.Lock()
        self._seconds = [0.0] * len(KINDS)
        self._lanes = itertools.count()

    def open_spans(self) -> list[_Open]:
        """Those of this thread that have begun, the outermost first."""
        found: list[_Open] | None = getattr(self.local, "open", None)
        if found is None:
            found = self.local.open = []
            self.local.lane = next(self._lanes)
        return found

    def add(self, span: Span, seconds: float) -> None:
        self.spans.append(span)
        with self._lock:
            self._seconds[span.kind] += seconds

    @property
    def seconds(self) -> tuple[float, ...]:
        with self._lock:
            return tuple(self._seconds)


class _Open:
    """A span that has begun, as a context."""

    __slots__ = ("_begins", "_kind", "_recorder", "inner", "step")

    def __init__(self, recorder: _Recorder, kind: int, step: int) -> None:
        self._recorder, self._kind, self.step = recorder, kind, step
        #: Seconds that spans within it took.
        self.inner = 0.0

    def __enter__(self) -> None:
        around = self._recorder.open_spans()
        if self.step < 0 and around:
            self.step = around[-1].step
        around.append(self)
        self._begins = time.monotonic()

    def __exit__(self, *error: object) -> None:
        ends = time.monotonic()
        recorder, took = self._recorder, ends - self._begins
        around = recorder.open_spans()
        around.pop()
        if around:
            around[-1].inner += took
        span = Span(self._kind, recorder.local.lane, len(around), self.step, self._begins, ends)
        recorder.add(span, max(took - self.inner, 0.0))
        if ends > recorder.until:
            _end(recorder)


class _Nothing:
    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


_NOTHING = _Nothing()
_lock = threading.Lock()
_recorder: _Recorder | None = None


def span(kind: int, step: int = -1) -> _Open | _Nothing:
    """A context whose time is recorded as spent in `kind`, if anybody looks.

    Args:
      kind: `COMPUTE`, `EXCHANGE` or `WAIT`.
      step: the number of the step; that of the span around it where it is left out.
    """
    recorder = _recorder
    return _NOTHING if recorder is None else _Open(recorder, kind, step)


def look(patience: float = PATIENCE) -> Recorded:
    """What was recorded; who looks has it go on for `patience` seconds.

    >>> from workbench.core.runtime import activity
    >>> before = activity.look()
    >>> with activity.span(activity.COMPUTE, step=3):
    ...     with activity.span(activity.WAIT):
    ...         pass
    >>> [(activity.KINDS[s.kind], s.depth, s.step) for s in activity.look().spans[-2:]]
    [('wait', 1, 3), ('compute', 0, 3)]
    """
    global _recorder
    with _lock:
        if _recorder is None:
            _recorder = _Recorder()
        recorder = _recorder
        now = time.monotonic()
        recorder.until = now + patience
    return Recorded(recorder.since, now, recorder.seconds, list(recorder.spans))


def _end(recorder: _Recorder) -> None:
    global _recorder
    with _lock:
        if _recorder is recorder and time.monotonic() > recorder.until:
            _recorder = None
