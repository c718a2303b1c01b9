"""What is known of a worker by the answers it has given: pure data, told what came and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.core.runtime.activity import KINDS
from workbench.pool.statistics.clocks import Clock
from workbench.pool.statistics.rates import Rates

#: A worker that has not answered for so long is told of as silent, in seconds.
SILENT_SECONDS = 3.0
#: Where the times of a span are in what a worker tells of it.
_BEGINS, _ENDS = 4, 5
_COLUMNS = 6
#: What a worker is said to be and to have, of what the pool knows of it.
_KNOWN = ("index", "name", "pid", "host", "address", "devices", "folder")


class WorkerView:
    """One worker of a pool.

    Args:
      known: what the pool tells of it.
      now: the time, in seconds of `time.monotonic`; as of all other times here.
    """

    def __init__(self, known: Mapping[str, Any], now: float) -> None:
        self.known = dict(known)
        self._rates, self._clock = Rates(), Clock()
        self._heard = now
        self._told: Mapping[str, Any] | None = None
        self._per_second: dict[str, float] = {}
        #: The newest spans, by our clock: a row of kind, lane, depth, step, begin and end each.
        self.spans = np.zeros((0, _COLUMNS))

    @property
    def incarnation(self) -> int:
        """Tells its process from earlier ones of its number."""
        return int(self.known["incarnation"])

    def answered(
        self, asked: float, heard: float, told: Mapping[str, Any], spans: Any = None
    ) -> None:
        """It has told of itself.

        Args:
          asked, heard: when it was asked and when the answer came.
          told: the fields of the answer.
          spans: what it did, as it says, by its own clock.
        """
        self._heard, self._told = heard, told
        self._clock.answered(asked, heard, told["time"])
        whose = told["incarnation"], told["activity_since"]
        self._per_second = self._rates.update(whose, told["time"], told["counts"])
        self.spans = np.zeros((0, _COLUMNS))
        if spans is not None:
            self.spans = np.array(spans, np.float64).reshape(-1, _COLUMNS)
            self.spans[:, [_BEGINS, _ENDS]] -= self._clock.ahead

    def by_its_clock(self, time: float) -> float | None:
        """What its clock shows at a time; None as long as it has not told."""
        return None if self._told is None else time + self._clock.ahead

    def description(self, now: float) -> dict[str, Any]:
        """The worker as plain data; what is not known yet is None."""
        told, rates = self._told, self._per_second
        silent = now - self._heard
        return {
            **{name: self.known[name] for name in _KNOWN},
            "state": self._state(silent),
            "silent": silent if silent > SILENT_SECONDS else 0.0,
            "memory": told["memory"] if told else self.known.get("memory", 0),
            "memory_of_machine": told["memory_of_machine"] if told else None,
            "threads": told["threads"] if told else None,
            # Of one processor: with several threads it may be more than 1.
            "processor": rates.get("processor"),
            "wire": {
                "sent": rates.get("bytes_sent"),
                "received": rates.get("bytes_received"),
                "shared": rates.get("bytes_shared"),
                # What encodings have made shorter.
                "saved": rates.get("bytes_saved"),
                "total_sent": told["counts"]["bytes_sent"] if told else None,
                "total_received": told["counts"]["bytes_received"] if told else None,
                "total_saved": told["counts"]["bytes_saved"] if told else None,
            },
            "shares": {kind: rates[kind] for kind in KINDS} if KINDS[0] in rates else None,
            "runs": list(told["runs"]) if told else [],
            "steps": list(told["steps"]) if told else [],
        }

    def _state(self, silent: float) -> str:
        """What it does, in a word."""
        told = self._told
        if silent > SILENT_SECONDS:
            return "silent"
        if told is None:
            return "starting"
        if any(run["state"] in ("running", "created") for run in told["runs"]):
            return "running"
        if told["steps"]:
            return "running"
        return "paused" if told["runs"] else "idle"
