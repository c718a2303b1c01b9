"""What a training may leave behind: processes, memory, ports, files and networks, and what this
process itself holds."""

from __future__ import annotations

import collections
import contextlib
import gc
import os
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.cluster.network import PREFIX, REASON, ROOT, Link, Network
from tests.pool import leftovers
from workbench.cluster.wire import host as wire_host

#: What ends by itself when those who used it are gone has so long for it, in seconds.
PATIENCE = 20.0


class Remains:
    """Looks what is there before and after a block; what is left over fails it.

    Processes that are started in the block with `environment` are found by it, however far from
    here they are; what they leave in their folder of temporary files is found too.

    Args:
      folder: where that folder is made.
    """

    def __init__(self, folder: Path) -> None:
        self._mark = uuid.uuid4().hex
        self._temporary = folder / f"temporary_{self._mark[:8]}"
        self._temporary.mkdir(parents=True)
        self.environment: Mapping[str, str] = {
            leftovers.VARIABLE: self._mark,
            "TMPDIR": str(self._temporary),
        }
        self._addresses: set[str] = set()
        self._of_hosts: list[str] = []

    def ports(self, addresses: Iterable[str]) -> None:
        """Addresses as host:port, of this host, that must be free for anybody in the end."""
        self._addresses.update(addresses)

    @contextlib.contextmanager
    def network(self, hosts: Sequence[str]) -> Iterator[Network | None]:
        """A network of hosts for a block, which is looked at in the end; None where there can be
        none, which is said then."""
        if REASON:
            print(f"NO CUTS OF THE NETWORK: {REASON}")
            yield None
            return
        with Network({host: Link() for host in hosts}) as made:
            try:
                yield made
            finally:
                self._look_at(made, hosts)

    def _look_at(self, network: Network, hosts: Iterable[str]) -> None:
        """Looks, while the network is there still and nobody is on its hosts any more, what is."""
        for host in hosts:
            self._of_hosts += [f"a port of {host}: {port}" for port in network.listening(host)]
            command = network.command(host, [sys.executable, "-c", _SWEPT])
            told = subprocess.run(
                command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
            )
            self._of_hosts += [f"memory of {host}: {name}" for name in told.stdout.split()]

    def __enter__(self) -> Remains:
        self._networks = _networks()
        gc.collect()
        self._threads, self._descriptors = _threads(), _descriptors()
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        try:
            if kind is None:
                self._check()
        finally:
            leftovers.kill_marked(self._mark)

    def _check(self) -> None:
        _await(lambda: [leftovers.command(p) for p in leftovers.marked(self._mark)], "processes")
        _await(_swept_memory, "files in memory")
        files = [str(path.relative_to(self._temporary)) for path in self._temporary.rglob("*")]
        assert not files, f"temporary files are left: {files}"
        _await(lambda: [a for a in self._addresses if not _is_free(a)], "ports in use")
        assert not self._of_hosts, f"on hosts of the network are left: {self._of_hosts}"
        _await(lambda: sorted(_networks() - self._networks), "networks")
        _await(lambda: sorted((_threads() - self._threads).elements()), "threads of this process")
        _await(lambda: sorted((_descriptors() - self._descriptors).elements()), "open files")


def _await(left: Callable[[], list[str]], what: str) -> None:
    """Waits until nothing is left."""
    deadline = time.monotonic() + PATIENCE
    while found := left():
        assert time.monotonic() < deadline, f"{what} are left: {found}"
        time.sleep(0.1)


def _swept_memory() -> list[str]:
    """The files in memory of processes that have ended, after what whoever begins does first."""
    wire_host.sweep()
    names = [path.name for path in wire_host.FOLDER.glob(f"{wire_host.PREFIX}*")]
    return [name for name in names if wire_host.owner_is_gone(name)]


#: Prints what is left in the memory of a host after that.
_SWEPT = """
from workbench.cluster.wire import host
host.sweep()
print(*(path.name for path in host.FOLDER.iterdir()))
"""


def _networks() -> set[str]:
    """The name spaces and devices that this process has made for tests."""
    spaces = Path("/run/netns").glob(f"{PREFIX}{os.getpid()}-*")
    devices = Path("/sys/class/net").glob(f"wb{os.getpid()}b*")
    return {path.name for path in [*spaces, *devices]}


def _threads() -> collections.Counter[str]:
    """The threads of this process by their names, without the numbers in them."""
    return collections.Counter(re.sub(r"\d+", "*", t.name) for t in threading.enumerate())


def _descriptors() -> collections.Counter[str]:
    """The open files of this process by what they are."""
    gc.collect()
    found: list[str] = []
    for path in Path("/proc/self/fd").glob("*"):
        # The folder itself was open, and is not any more.
        with contextlib.suppress(OSError):
            found.append(re.sub(r"\[\d+\]|/\d+/", "", os.readlink(path)))
    return collections.Counter(found)


def _is_free(address: str) -> bool:
    """Whether somebody may listen at an address of this host."""
    host, _, port = address.rpartition(":")
    with socket.socket() as tried:
        # What went over a connection that is closed may be on its way still.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, int(port)))
            tried.listen()
        except OSError:
            return False
    return True
