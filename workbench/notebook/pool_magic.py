"""What the magic about pools does."""

from __future__ import annotations

import argparse
from typing import Any

from workbench.notebook.lookup import usage_error
from workbench.pool.errors import PoolError
from workbench.pool.listing import attach
from workbench.pool.pool import stop
from workbench.pool.records import find, records
from workbench.pool.table import list_table

#: What the magic can do, with the words that may follow.
ACTIONS = {
    "start": "[NAME]",
    "restart": "[NAME]",
    "scale": "N [NAME]",
    "stop": "[NAME]",
    "status": "[NAME]",
}


def pool(options: argparse.Namespace) -> Any:
    """`%pool`: the pool that was started, scaled or asked for; a list where none is named."""
    action, words = options.action, list(options.words)
    if action is None:
        print(list_table(list(records())))
        return None
    if action not in ACTIONS:
        raise usage_error(f"%pool cannot {action!r}; it can {', '.join(ACTIONS)}")
    count = _number(words) if action == "scale" else None
    if len(words) > 1:
        raise usage_error(f"%pool {action} {ACTIONS[action]}: what is {words[1]!r}?")
    name = words[0] if words else None
    try:
        return _done(action, name, count, options)
    except (PoolError, ValueError) as error:
        raise usage_error(" ".join(str(error).split())) from None


def _done(action: str, name: str | None, count: int | None, options: argparse.Namespace) -> Any:
    if action == "start":
        from workbench.pool.launch import local

        return local(2 if options.workers is None else options.workers, name=name)
    if action == "restart":
        from workbench.pool.launch import restart

        return restart(name)
    if action == "stop":
        record = find(name)
        found = attach(record.name) if record.is_alive else None
        if found is None:
            stop(record)
        else:
            found.close()
        print(f"stopped {record.name}")
        return None
    found = attach(name)
    if count is not None:
        found.scale(count)
    return found


def _number(words: list[str]) -> int:
    if not words or not words[0].isdigit():
        raise usage_error("%pool scale needs the number of workers: %pool scale 4")
    return int(words.pop(0))


def names() -> list[str]:
    """The names of the pools of this user."""
    return [record.name for record in records()]
