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
    count, wanted = len(status["workers"]), status.get("wanted")
    called = f"Pool {status['name']!r} ({status['kind']})"
    if status["state"] == "dead":
        return f"{called}: dead; {status['problem'] or 'its processes are gone'}"
    if status["state"] != "alive":
        return f"{called}: {status['state']}; {status['problem']}"
    minutes = max(time.time() - status["since"], 0.0) / 60
    of = f" of {wanted}" if wanted not in (None, count) else ""
    plural = "" if (wanted if of else count) == 1 else "s"
    return f"{called} at {status['address']}: {count}{of} worker{plural}, up {minutes:.0f} min"


def _troubles(status: Mapping[str, Any]) -> list[str]:
    """What keeps a pool that lives from having all of its workers."""
    if status["state"] != "alive":
        return []
    told = [f"cannot start workers: {status['problem']}"] if status.get("problem") else []
    for worker in status.get("waiting", ()):
        if worker["deaths"]:
            again = f"again in {worker['seconds']:.0f} s" if worker["seconds"] else "starting again"
            told.append(f"worker {worker['index']} died early {worker['deaths']} times; {again}")
    return told


def text_table(status: Mapping[str, Any]) -> str:
    """A title, and a line for each worker."""
    rows = _rows(status)
    lines = [*_troubles(status), *(_aligned([_HEADINGS, *rows]) if rows else [])]
    return "\n".join([_title(status), *(f"  {line}" for line in lines)])


def html_table(status: Mapping[str, Any]) -> str:
    """The same for a page."""
    head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
        for row in _rows(status)
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    said = "".join(f"<p>{html.escape(line)}</p>" for line in (_title(status), *_troubles(status)))
    return f"<div>{said}{table}</div>"


def list_table(known: Sequence[Record]) -> str:
    """A line for each pool, without asking them."""
    if not known:
        return "There are no pools: wb.pool.local(), %pool start, or `workbench pool start`."
    lines = [("pool", "kind", "state", "address", "process")]
    lines += [(r.name, r.kind, r.state, r.address or "-", str(r.pid)) for r in known]
    return "\n".join(_aligned(lines))


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
