"""What a worker tells of itself to those who look at it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import psutil

from workbench.cluster.wire.message import Message
from workbench.cluster.wire.traffic import process_counts
from workbench.core.runtime import activity
from workbench.pool.runtime import Runtime, ServiceCommand

#: So many spans are told of at once: those of the last few steps.
_MOST_SPANS = 160
#: So many lines are told of at once; who lacks more asks again.
_MOST_LINES = 500
#: Of the steps of sessions so many are told of.
_MOST_STEPS = 4


def look(runtime: Runtime, message: Message) -> Message:
    """What the worker uses, has done, runs and has logged.

    Counters are what they have come to since the process began; who looks twice knows rates. With
    "log", the number of a line, come the lines from there on; with "until", a time by this
    process's clock, the spans that had ended by then, if there are such.
    """
    process = psutil.Process()
    recorded = activity.look()
    fields: dict[str, Any] = {
        "pid": os.getpid(),
        "incarnation": runtime.incarnation,
        "time": recorded.now,
        "memory": process.memory_info().rss,
        "memory_of_machine": psutil.virtual_memory().total,
        "processors": psutil.cpu_count() or 1,
        "threads": process.num_threads(),
        "counts": {
            "processor": sum(process.cpu_times()[:2]),
            **vars(process_counts()),
            **dict(zip(activity.KINDS, recorded.seconds, strict=True)),
        },
        "activity_since": recorded.since,
        "runs": _runs(runtime),
        "steps": [
            {"step": step.number, "seconds": step.seconds, "awaited": step.awaited}
            for step in runtime.server.task.running(_MOST_STEPS)
        ],
    }
    number = message.fields.get("log")
    log = runtime.kept.get("log")
    if log is not None and type(number) is int:
        first, lines = log.log.since(number)
        fields["log"] = {"first": first, "lines": lines[:_MOST_LINES]}
    spans = last_spans(recorded.spans, message.fields.get("until"))
    return Message("look", fields, (("spans", np.array(spans, np.float64)),) if spans else ())


def last_spans(spans: list[activity.Span], until: Any) -> list[activity.Span]:
    """The last of those that ended by a time; the last of all where it is too late for these."""
    ended = [span for span in spans if span.ends <= until] if type(until) is float else []
    return (ended or spans)[-_MOST_SPANS:]


def _runs(runtime: Runtime) -> list[dict[str, Any]]:
    """The runs that go on here; the host of runs is there once somebody had one."""
    host = runtime.kept.get("runs")
    return [] if host is None else host.live_runs()


COMMANDS: dict[str, ServiceCommand] = {"look": look}
