"""Pools that others started, reached by the address of their scheduler."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from workbench.pool.addresses import checked
from workbench.pool.errors import PoolError, need
from workbench.pool.keys import Keys, wire_keys
from workbench.pool.link import ANSWER_SECONDS, Link
from workbench.pool.listing import note_connected
from workbench.pool.pool import Pool
from workbench.pool.records import Record


def connect(
    address: str,
    keys: Keys | str | os.PathLike[str] | None = None,
    *,
    devices: int = 1,
    name: str | None = None,
    seconds: float = ANSWER_SECONDS,
) -> Pool:
    """The pool of a Dask scheduler that runs, with the workers that it has or gets.

    Workbench must be installed, in the same version, where the scheduler and the workers run. The
    pool is theirs who started it: `close` leaves it, and it is scaled where it was started.

    Args:
      address: `tls://host:port`; also `tcp://` on this machine.
      keys: `Keys`, or the folder that they were saved in, of which the scheduler and the workers
        have theirs; needed for `tls://`.
      devices: how many CPU devices each worker's task has.
      name: what the pool is called here; its address where it is left out.
      seconds: how long it may take to reach the scheduler.

    Raises:
      PoolError: the address is open to others, nobody listens there, or keys are refused.
    """
    given = Keys.load(keys) if isinstance(keys, (str, os.PathLike)) else keys
    if given is not None and not isinstance(given, Keys):
        raise TypeError(f"keys must be wb.pool.Keys, or the folder of some, but got {keys!r}")
    checked(address, given is not None)
    need("distributed", "distributed", "A pool of workers")
    from workbench import __version__
    from workbench.pool.scheduler_plugin import MembershipPlugin
    from workbench.pool.worker_plugin import RuntimePlugin

    called = name or address.partition("://")[2].strip("[]").replace(":", "-")
    if given is None:
        _check_speaks(address, seconds)
    link = Link(address, given, seconds)
    try:
        # They travel over the control plane: where that is open to this machine, so is the wire.
        wire = wire_keys() if given is not None else None
        link.register(MembershipPlugin(called, devices, wire=wire), RuntimePlugin())
        theirs = link.ask("status")["version"]
        if theirs != __version__:
            raise PoolError(
                f"The pool at {address} has workbench {theirs}, this is {__version__}: both ends "
                "must be of one version"
            )
    except BaseException:
        link.close()
        raise
    pool = Pool(Record(called, "connected", address, 0, "", time.time()), link)
    note_connected(pool)
    return pool


def _check_speaks(address: str, seconds: float) -> None:
    """PoolError where something listens and says nothing: Dask would wait for it for ever.

    A scheduler speaks first. Where nobody listens Dask tries again, and gives up in time; of TLS it
    does not wait for ever for the beginning.
    """
    host, _, port = address.partition("://")[2].rpartition(":")
    with contextlib.suppress(OSError):
        plain = socket.create_connection((host.strip("[]"), int(port)), seconds)
        with plain:
            try:
                plain.recv(1)
            except TimeoutError:
                raise PoolError(
                    f"The scheduler at {address} cannot be reached: what listens there has said "
                    f"nothing for {seconds:g} s; does it need keys, at tls://?"
                ) from None
