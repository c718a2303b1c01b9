"""Runs a module as workbench of another version does.

    python -m tests.chaos.other_version tasks|wire MODULE ARGUMENTS...

It is the protocol between tasks that has another version, or all that goes over the wire.
"""

from __future__ import annotations

import runpy
import sys

from workbench.cluster.commands import version
from workbench.cluster.master import tasks
from workbench.cluster.wire import frames, listening

OTHER = 99


def become(what: str) -> None:
    """Has this process speak another version."""
    if what == "tasks":
        tasks.VERSION = version.VERSION = OTHER
    else:
        frames.VERSION = listening.VERSION = OTHER
        frames.MAGIC = frames.MAGIC[:2] + bytes([OTHER])


if __name__ == "__main__":
    become(sys.argv[1])
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
