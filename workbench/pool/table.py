"""A pool's status as text and as a table of a page."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from typing import Any

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
    lines = [_HEADINGS, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADINGS))]
    shown = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return "\n".join([_title(status), *(f"  {line}".rstrip() for line in shown)])


def html_table(status: Mapping[str, Any]) -> str:
    """The same for a page."""
    head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
        for row in _rows(status)
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    return f"<div><p>{html.escape(_title(status))}</p>{table}</div>"
