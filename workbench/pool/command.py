"""`workbench pool`: pools from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any


def add_arguments(commands: Any) -> None:
    """Adds `pool` and what it can do to the commands of a parser."""
    pool = commands.add_parser(
        "pool",
        help="start, scale, stop and list pools of workers",
        description=(
            "Pools of workers: processes on which runs train, and which stay when the notebook "
            "that uses them ends. NAME may be left out where there is one pool only."
        ),
    )
    actions = pool.add_subparsers(dest="action", metavar="ACTION", required=True)
    start = actions.add_parser("start", help="start a pool of processes of this machine")
    start.add_argument("name", nargs="?", help="its name; one that is free if omitted")
    start.add_argument("--workers", type=int, default=2, help="how many (default: 2)")
    start.add_argument("--devices", type=int, default=1, help="CPU devices of each (default: 1)")
    scale = actions.add_parser("scale", help="have more or fewer workers")
    scale.add_argument("workers", type=int, help="how many")
    scale.add_argument("name", nargs="?", help="the pool")
    again = actions.add_parser(
        "restart",
        help="start a dead pool again",
        description="Starts a dead pool again, on the folders of its workers: their runs go on.",
    )
    again.add_argument("name", nargs="?", help="the pool")
    stop = actions.add_parser("stop", help="end a pool, or remove what is left of a dead one")
    stop.add_argument("name", nargs="?", help="the pool")
    several = stop.add_mutually_exclusive_group()
    several.add_argument("--all", action="store_true", help="end all pools of this user")
    several.add_argument(
        "--dead", action="store_true", help="remove what is left of all dead pools, and their runs"
    )
    status = actions.add_parser(
        "status",
        help="show a pool and its workers",
        description=(
            "Shows a pool and its workers. The exit status is 1 for one that is dead, that is "
            "being restarted, or that does not answer."
        ),
    )
    status.add_argument("name", nargs="?", help="the pool")
    status.add_argument("--json", action="store_true", help="as JSON")
    actions.add_parser("list", help="list the pools of this user")


def run(options: argparse.Namespace) -> int:
    """Does what was asked; the exit status: 0, or 1 with a line that says why not."""
    from workbench.pool.errors import PoolError

    try:
        return _ACTIONS[options.action](options)
    except (PoolError, ValueError) as error:
        print(f"workbench pool: {error}", file=sys.stderr)
        return 1


def _start(options: argparse.Namespace) -> int:
    from workbench.pool.launch import local

    pool = local(options.workers, name=options.name, devices=options.devices)
    try:
        print(pool)
    finally:
        pool.detach()
    return 0


def _restart(options: argparse.Namespace) -> int:
    from workbench.pool.launch import restart

    pool = restart(options.name)
    try:
        print(pool)
    finally:
        pool.detach()
    return 0


def _scale(options: argparse.Namespace) -> int:
    from workbench.pool.pool import Pool
    from workbench.pool.records import find

    # Of its own: it is left afterwards.
    pool = Pool(find(options.name))
    try:
        pool.scale(options.workers)
        print(pool)
    finally:
        pool.detach()
    return 0


def _stop(options: argparse.Namespace) -> int:
    from workbench.pool.pool import stop
    from workbench.pool.records import find, records, sweep

    if options.all or options.dead:
        sweep()
        wanted = [record for record in records() if options.all or not record.is_alive]
    else:
        wanted = [find(options.name)]
    for record in wanted:
        stop(record)
        print(f"stopped {record.name}")
    return 0


def _status(options: argparse.Namespace) -> int:
    from workbench.pool.pool import Pool
    from workbench.pool.records import find
    from workbench.pool.table import text_table

    pool = Pool(find(options.name))
    try:
        status = pool.status()
    finally:
        pool.detach()
    print(json.dumps(status, indent=1) if options.json else text_table(status))
    return 0 if status["state"] == "alive" else 1


def _list(options: argparse.Namespace) -> int:
    from workbench.pool.records import records
    from workbench.pool.table import list_table

    print(list_table(list(records())))
    return 0


_ACTIONS = {
    "start": _start,
    "restart": _restart,
    "scale": _scale,
    "stop": _stop,
    "status": _status,
    "list": _list,
}
