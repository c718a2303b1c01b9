"""A run of this process, as it is served to others: what changed since they asked last."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.core.errors import InvalidArgumentError
from workbench.live.events import Published
from workbench.live.feeds import BatchFeed
from workbench.live.reports import Line
from workbench.live.status import RunStatus
from workbench.pool.runs.data import Chunks, plain_array
from workbench.pool.runs.errors import error_fields
from workbench.pool.runs.package import names_digest
from workbench.pool.runs.views import PATIENCE, ClientView

#: The most rows of a history in one answer; who lacks more asks again.
MOST_ROWS = 1 << 18
#: Answers that only tell of further steps come this far apart, in seconds.
_PACE = 0.05
#: The most clients that follow one run.
_MOST_CLIENTS = 64


class ServedRun:
    """Answers questions about one run, in any thread.

    Args:
      run: the run.
      life: tells this process from earlier ones that had the run.
      lines: the users' lines that made the operations, as `lines_of` gives them.
    """

    def __init__(self, run: Any, life: str, lines: Mapping[str, Any] | None) -> None:
        self.run = run
        self._life = life
        self.lines = dict(lines or {})
        self._changed = threading.Condition()
        self._revision = 0
        self._clients: dict[str, ClientView] = {}
        self._digest: str | None = None
        self._unsubscribe = run.subscribe(self._heard)

    def _heard(self, event: Published) -> None:
        with self._changed:
            self._changed.notify_all()

    # -- what it is --------------------------------------------------------------------------

    def card(self) -> dict[str, Any]:
        """What never changes of the run."""
        if self._digest is None:
            self._digest = names_digest(op.name for op in self.run.graph.get_operations())
        return {
            "run": self.run.id,
            "name": self.run.name,
            "created": self.run.created,
            "parent": None if self.run.parent is None else dict(self.run.parent),
            "initial": dict(self.run.initial),
            "entropy": self.run.entropy,
            "names": list(self.run.history.names),
            "operations": self._digest,
            "folder": self.run.folder,
            "life": self._life,
            "replicated": self.run._loop.engine.is_replicated,
        }

    def line(self, operation: str | None) -> Line | None:
        """The user's line that made an operation."""
        index = self.lines.get("places", {}).get(operation)
        return None if index is None else Line(**self.lines["lines"][index])

    @cached_property
    def _chunks(self) -> Chunks | None:
        source = self.run.spec.source
        if not isinstance(source, BatchFeed):
            return None
        return Chunks([plain_array(each) for each in source.batches.arrays])

    def piece(self, index: Any, start: Any) -> bytes:
        """A piece of the data behind `wb.batches`. InvalidArgumentError where there is none."""
        if self._chunks is None or type(index) is not int or type(start) is not int:
            raise InvalidArgumentError(None, None, "There is no such piece of the data")
        return self._chunks.piece(index, start)

    # -- what changes ------------------------------------------------------------------------

    def update(self, have: Any, client: ClientView | None = None) -> Message:
        """What a client that has `have` lacks."""
        have = _checked_have(have)
        run = self.run
        while True:
            with self._changed:
                self._revision += 1
                revision = self._revision
            status = run.status()
            signature = self._signature()
            knows = have["life"] == self._life and have["epoch"] == status.epoch
            first_row = have["rows"] if knows else 0
            first_event = have["events"] if knows else 0
            history = run.history
            excerpt = history.since(first_row)
            events = list(history.events)
            if run.status().epoch == status.epoch:
                break
        rows = excerpt.steps[:MOST_ROWS]
        fields = {
            "life": self._life,
            "revision": revision,
            "status": self._status_fields(status),
            "state": run.state,
            "settled": run._wait_settled(0.0),
            "resting": run._wait_rest(0.0),
            "watches": run.watches,
            "error": None if run.error is None else error_fields(run.error),
            "first_row": first_row,
            "first_event": first_event,
            "events": [e.to_json() for e in events[first_event:]],
            "more": len(rows) < len(excerpt.steps),
        }
        arrays: list[tuple[str, Any]] = []
        if len(rows):
            arrays = [("steps", rows), ("values", excerpt.values[:, :MOST_ROWS])]
        if client is not None:
            client.signature = None if fields["more"] else signature
            fields["seen"], seen = client.news(run)
            arrays += seen
        return Message("update", fields, arrays)

    def _status_fields(self, status: RunStatus) -> dict[str, Any]:
        found = {name: getattr(status, name) for name in RunStatus.__dataclass_fields__}
        found["values"] = dict(status.values)
        found["hyperparameters"] = [h.to_json() for h in status.hyperparameters]
        found["parent"] = None if status.parent is None else dict(status.parent)
        for name in ("error", "stopped_by"):
            report = found[name]
            if report is not None:
                line = self.line(report.operation)
                found[name] = report.to_json() | {
                    "line": None if line is None else dict(vars(line))
                }
        return found

    def _signature(self) -> tuple[Any, ...]:
        run = self.run
        flags = run._wait_settled(0.0), run._wait_rest(0.0)
        # Who takes part; their paces are told when something else is.
        replicas = [(r["worker"], r["state"] == "joining") for r in run._loop.engine.replicas]
        return run.state, run.epoch, len(run.history.events), flags, replicas, run.step_number

    def follow(self, key: str, fields: Mapping[str, Any], hold: float) -> Message:
        """Answers when there is something new, after `hold` seconds at the latest."""
        client = self._client(key)
        client.want(self.run, fields.get("observe", []), fields.get("tap", []))
        begun = time.monotonic()
        while True:
            now, told = self._signature(), client.signature
            waited = time.monotonic() - begun
            is_pressing = told is None or now[:-1] != told[:-1]
            has_news = now != told or client.has_news()
            if is_pressing or (has_news and waited >= _PACE) or waited >= hold:
                return self.update(fields.get("have"), client)
            with self._changed:
                self._changed.wait(min(_PACE, hold - waited))

    def _client(self, key: str) -> ClientView:
        now = time.monotonic()
        with self._changed:
            for other in [k for k, c in self._clients.items() if now - c.asked > PATIENCE]:
                self._clients.pop(other).close()
            if key not in self._clients and len(self._clients) >= _MOST_CLIENTS:
                raise InvalidArgumentError(None, None, "Too many clients follow this run")
            return self._clients.setdefault(key, ClientView())

    def leave(self, key: str) -> None:
        """A client follows no more."""
        with self._changed:
            found = self._clients.pop(key, None)
        if found is not None:
            found.close()

    def close(self) -> None:
        """Ends what clients look at; the run stays."""
        self._unsubscribe()
        for key in list(self._clients):
            self.leave(key)


def _checked_have(have: Any) -> dict[str, Any]:
    """What a client says that it has; InvalidArgumentError where that cannot be."""
    names = ("epoch", "rows", "events")
    if not isinstance(have, Mapping) or not all(
        type(have.get(n)) is int and 0 <= have[n] < 1 << 62 for n in names
    ):
        raise InvalidArgumentError(None, None, "A client says which rows and events it has")
    return {"life": str(have.get("life")), **{n: have[n] for n in names}}
