"""Where the operations of a step run and why, as data, text and a table."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.placement.simulation import Transfer

_COLUMNS = ("operation", "type", "device", "why", "begins", "ends", "alternatives")


@dataclass(frozen=True)
class PlacedOperation:
    """An operation, its device, and the reason."""

    operation: Operation
    device: str
    #: "pinned to ...", "with ..." (a variable, or what it must be beside), "cheapest"...
    why: str
    #: When it begins and ends in the simulated step, in seconds.
    begins: float
    ends: float
    #: When its group would be done on each device that it could have been on.
    alternatives: Mapping[str, float]


@dataclass(frozen=True)
class Placement:
    """Where each operation of a step runs. `placement[op]` is the device of an operation, or of a
    tensor, or of what has such a name."""

    operations: tuple[PlacedOperation, ...]
    #: The default one first.
    devices: tuple[str, ...]
    #: How long the simulated step takes, in seconds.
    seconds: float
    transfers: tuple[Transfer, ...]
    #: How long it takes with all on one device that is not pinned elsewhere.
    alone: Mapping[str, float]

    def __getitem__(self, which: Operation | Tensor | str) -> str:
        return self.of(which).device

    def of(self, which: Operation | Tensor | str) -> PlacedOperation:
        """All that is known of an operation. KeyError where it is no part of the step."""
        name = which if isinstance(which, str) else which.name
        name = name.partition(":")[0]
        for placed in self.operations:
            if placed.operation.name == name:
                return placed
        raise KeyError(f"{name!r} does not run in this step")

    @property
    def device_of(self) -> dict[Operation, str]:
        """The device of each operation."""
        return {placed.operation: placed.device for placed in self.operations}

    def table(self) -> list[dict[str, Any]]:
        """A row for each operation, as dictionaries; `pandas.DataFrame(...)` takes them."""
        return [
            {
                "operation": p.operation.name,
                "type": p.operation.type,
                "device": p.device,
                "why": p.why,
                "begins": p.begins,
                "ends": p.ends,
                "alternatives": dict(p.alternatives),
            }
            for p in self.operations
        ]

    def __str__(self) -> str:
        lines = [*self._summary(), ""]
        rows = [_COLUMNS[:4] + _COLUMNS[6:], *(_texts(p) for p in self.operations)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS[:4] + _COLUMNS[6:])
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in _texts(p)) + "</tr>"
            for p in self.operations
        )
        summary = "<br>".join(html.escape(line) for line in self._summary())
        return f"<p>{summary}</p><table><tr>{head}</tr>{rows}</table>"

    def _summary(self) -> list[str]:
        moved = sum(t.bytes for t in self.transfers)
        lines = [
            f"{len(self.operations)} operations, {_time(self.seconds)} a step, "
            f"{len(self.transfers)} transfers of {_bytes(moved)}"
        ]
        for device in self.devices:
            own = [p for p in self.operations if p.device == device]
            busy = sum(p.ends - p.begins for p in own)
            alone = f", all there: {_time(self.alone[device])}" if device in self.alone else ""
            lines.append(f"{device}: {len(own)} operations, busy for {_time(busy)}{alone}")
        return lines


def _texts(placed: PlacedOperation) -> tuple[str, ...]:
    times = [f"{d} {_time(t)}" for d, t in placed.alternatives.items() if d != placed.device]
    op = placed.operation
    return op.name, op.type, placed.device, placed.why, ", ".join(times)


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _bytes(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} bytes"
