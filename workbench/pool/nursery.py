"""Where the worker processes of a local pool come from: all are copies of one that is ready.

What a worker needs takes a second to load. It is loaded once, in a process that does nothing else
and has no threads, while the keeper loads what it needs itself; each worker is a fork of that one.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

#: What a copy has loaded: this module loads what workers use.
_READY = "workbench.pool.ready"
#: Names of sockets have so many bytes at most, of which so many are added to a folder's.
_MOST_BYTES, _SOCKET_BYTES = 107, len("/pymp-12345678/listener-12345678")


def is_used(kind: str) -> bool:
    """Whether workers of pools of a kind are copies: where forks are safe, on this machine."""
    return kind == "local" and sys.platform == "linux"


def open_for(kind: str) -> None:
    """Starts the process that is copied, where one is used; it ends with this process."""
    if is_used(kind):
        from multiprocessing import forkserver

        _shorten()
        multiprocessing.set_forkserver_preload([_READY])
        forkserver.ensure_running()


def _shorten() -> None:
    """Has the sockets of these processes lie in /tmp where names in the folder for temporary files
    would be longer than names of sockets may be."""
    from multiprocessing import util

    given = tempfile.gettempdir()
    if len(os.fsencode(given)) + _SOCKET_BYTES < _MOST_BYTES or not Path("/tmp").is_dir():
        return
    before = tempfile.tempdir
    try:
        tempfile.tempdir = "/tmp"
        # The folder that it makes now, for this user alone, is the one it has from now on.
        util.get_temp_dir()
    finally:
        tempfile.tempdir = before
