"""A pool's status as text and as a table of a page."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.pool.records import Record

_HEADINGS = ("worker", "process", "host", "address", "devices", "memory", "processor")


def _rows(status: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            str(worker["index"]),
            str(worker["pid"]),
            worker["host"],
            worker["address"],
            str(len(worker["devices"])),
            f"{worker['memory'] / 2**20:.0f} MB",
            f"{worker['processor']:.0f} %",
        )
        for worker in status["workers"]
    ]


def _title(status: Mapping[str, Any]) -> str:
    count = len(status["workers"])
    if status["state"] == "dead":
        return f"Pool {status['name']!r} ({status['kind']}): dead; its processes are gone"
    minutes = max(time.time() - status["since"], 0.0) / 60
    return (
        f"Pool {status['name']!r} ({status['kind']}) at {status['address']}: {count} "
        f"worker{'' if count == 1 else 's'}, up {minutes:.0f} min"
    )


def text_table(status: Mapping[str, Any]) -> str:
    """A title, and a line for each worker."""
    rows = _rows(status)
    if not rows:
        return _title(status)
    return "\n".join([_title(status), *(f"  {line}" for line in _aligned([_HEADINGS, *rows]))])


def html_table(status: Mapping[str, Any]) -> str:
    """The same for a page."""
    head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
        for row in _rows(status)
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    return f"<div><p>{html.escape(_title(status))}</p>{table}</div>"


def list_table(known: Sequence[Record]) -> str:
    """A line for each pool, without asking them."""
    if not known:
        return "There are no pools: wb.pool.local(), %pool start, or `workbench pool start`."
    lines = [("pool", "kind", "state", "address", "process")]
    lines += [
        (r.name, r.kind, "alive" if r.is_alive else "dead", r.address, str(r.pid)) for r in known
    ]
    return "\n".join(_aligned(lines))


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
