"""Separate hosts for tests: network name spaces with a bridge between them (Linux, as root).

Each host has an address, memory (/dev/shm) and processes of its own; links are cut and healed, and
may lose or delay what goes over them: by `tc` where the kernel has netem, else by
`tests.cluster.relay`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: What the names of our name spaces begin with; the number of the process that made them follows.
PREFIX = "wbnet-"
_networks = itertools.count()
#: The state of a socket in the kernel's tables.
_LISTENING = "0A"
#: Runs a command with the memory of its host, a folder, for what processes of one host share.
_OWN_MEMORY = 'mount --bind "$0" /dev/shm && exec "$@"'


@dataclass(frozen=True)
class Link:
    """What a link does to what goes over it, in each direction.

    `loss` is the probability that a frame is lost, `seconds` how long each takes, `rate` how many
    bytes go in a second (0 for any number).
    """

    loss: float = 0.0
    seconds: float = 0.0
    rate: float = 0.0
    seed: int = 0


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=30)


def missing() -> str:
    """Why this machine has no networks for tests, in words; "" where it has."""
    if not sys.platform.startswith("linux"):
        return "network name spaces are Linux's"
    if os.geteuid() != 0:
        return "network name spaces need root"
    for program in ("ip", "tc", "mount"):
        if shutil.which(program) is None:
            return f"there is no program {program!r}"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    name = f"{PREFIX}{os.getpid()}-try"
    try:
        _ip("netns", "add", name)
        _ip("netns", "delete", name)
    except (subprocess.SubprocessError, OSError) as error:
        return f"network name spaces cannot be made: {error}"
    return ""


#: The name of the mark with which tests need networks.
REASON = missing()
needs_network = pytest.mark.skipif(bool(REASON), reason=f"NO NETWORK TESTS: {REASON}")


def sweep() -> None:
    """Removes what test processes that have ended have left."""
    for path in Path("/run/netns").glob(f"{PREFIX}*"):
        if _is_left(path.name.removeprefix(PREFIX).split("-")[0]):
            _end_processes(path.name)
            _remove(path, "netns", "delete", path.name)
    for path in Path("/sys/class/net").glob("wb*b*"):
        if _is_left(path.name.removeprefix("wb").split("b")[0]):
            _remove(path, "link", "delete", path.name)
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-memory"):
        if _is_left(path.name.removeprefix(PREFIX).split("b")[0]):
            _unmount_memory(path)


def _is_left(process: str) -> bool:
    return process.isdigit() and not Path(f"/proc/{process}").exists()


def _remove(path: Path, *command: str) -> None:
    """Removes what is at a path, where that is not gone meanwhile: with something else, as links
    go with their name spaces, or by somebody else."""
    try:
        _ip(*command)
    except subprocess.CalledProcessError:
        if path.exists():
            raise


def _end_processes(namespace: str) -> None:
    found = subprocess.run(
        ["ip", "netns", "pids", namespace], capture_output=True, text=True, timeout=30
    )
    for process in found.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), 9)


class Network:
    """Hosts with a bridge between them.

    Args:
      hosts: their names, each with what its link does.
    """

    def __init__(self, hosts: Mapping[str, Link]) -> None:
        tag = f"{os.getpid()}b{next(_networks)}"
        self._bridge = f"wb{tag}"
        self._spaces = {host: f"{PREFIX}{os.getpid()}-{tag}-{host}" for host in hosts}
        self._ports = {host: f"{self._bridge}p{i}" for i, host in enumerate(hosts)}
        self._links = dict(hosts)
        self.addresses = {host: f"10.231.0.{i + 1}" for i, host in enumerate(hosts)}
        self._memory = Path(tempfile.gettempdir(), f"{PREFIX}{tag}-memory")
        self._relays: list[subprocess.Popen[bytes]] = []

    # -- making ------------------------------------------------------------------------------

    def __enter__(self) -> Network:
        sweep()
        try:
            _mount_memory(self._memory, self._spaces)
            _ip("link", "add", self._bridge, "type", "bridge")
            _ip("link", "set", self._bridge, "up")
            for host in self._spaces:
                self._make(host)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self, host: str) -> None:
        space, port, link = self._spaces[host], self._ports[host], self._links[host]
        _ip("netns", "add", space)
        if link == Link(seed=link.seed):
            _ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
        elif _has_netem():
            _ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
            options = _netem_options(link)
            _tc("qdisc", "add", "dev", port, "root", "netem", *options)
            _tc("-n", space, "qdisc", "add", "dev", "eth0", "root", "netem", *options)
        else:
            self._relay(space, port, link)
        _ip("-n", space, "link", "set", "lo", "up")
        _ip("-n", space, "address", "add", f"{self.addresses[host]}/24", "dev", "eth0")
        _ip("-n", space, "link", "set", "eth0", "up")
        _ip("link", "set", port, "master", self._bridge)
        _ip("link", "set", port, "up")

    def _relay(self, space: str, port: str, link: Link) -> None:
        numbers = [link.loss, link.seconds, link.rate, link.seed]
        relay = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.relay", port, f"/run/netns/{space}"]
            + [str(number) for number in numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        self._relays.append(relay)
        assert relay.stdout is not None
        assert relay.stdout.readline() == b"up\n"

    # -- use ---------------------------------------------------------------------------------

    def command(self, host: str, command: Sequence[str]) -> list[str]:
        """The command that runs another one on a host; the process is that of the other one."""
        own = ["sh", "-c", _OWN_MEMORY, str(self._memory / host), *command]
        return ["ip", "netns", "exec", self._spaces[host], *own]

    def start(self, host: str, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Starts a process on a host; `options` are those of `subprocess.Popen`."""
        return subprocess.Popen(self.command(host, command), cwd=ROOT, **options)

    def listening(self, host: str) -> list[str]:
        """The ports of a host at which somebody listens, as the kernel writes addresses."""
        tables = ["cat", "/proc/net/tcp", "/proc/net/tcp6"]
        told = subprocess.run(
            ["ip", "netns", "exec", self._spaces[host], *tables],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        rows = [line.split() for line in told.stdout.splitlines()]
        return [row[1] for row in rows if row[3:4] == [_LISTENING]]

    def cut(self, host: str) -> None:
        """Nothing goes to or from a host any more. Nobody is told, as with a cable that is cut."""
        _ip("link", "set", self._ports[host], "nomaster")

    def heal(self, host: str) -> None:
        """What was cut is whole again."""
        _ip("link", "set", self._ports[host], "master", self._bridge)

    @contextlib.contextmanager
    def without(self, host: str) -> Iterator[None]:
        """A block in which a host is cut off."""
        self.cut(host)
        try:
            yield
        finally:
            self.heal(host)

    # -- the end -----------------------------------------------------------------------------

    def __exit__(self, *error: object) -> None:
        for relay in self._relays:
            relay.kill()
            relay.wait(10)
            assert relay.stdin is not None and relay.stdout is not None
            relay.stdin.close()
            relay.stdout.close()
        for space in self._spaces.values():
            if Path(f"/run/netns/{space}").exists():
                _end_processes(space)
                _ip("netns", "delete", space)
        for port in [*self._ports.values(), self._bridge]:
            if Path(f"/sys/class/net/{port}").exists():
                with contextlib.suppress(subprocess.CalledProcessError):
                    _ip("link", "delete", port)
        _unmount_memory(self._memory)


def _mount_memory(folder: Path, hosts: Iterable[str]) -> None:
    """Makes a folder of memory, with one in it for each host."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=1g", "none", str(folder)]
    subprocess.run(["mount", *options], check=True, capture_output=True, timeout=30)
    for host in hosts:
        (folder / host).mkdir()


def _unmount_memory(folder: Path) -> None:
    if folder.exists():
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True, timeout=30)
        folder.rmdir()


def _tc(*arguments: str) -> None:
    subprocess.run(["tc", *arguments], check=True, capture_output=True, timeout=30)


def _netem_options(link: Link) -> list[str]:
    options = ["delay", f"{link.seconds * 1000:.3f}ms", "loss", f"{100 * link.loss}%"]
    return options + (["rate", f"{int(link.rate * 8)}bit"] if link.rate else [])


def _has_netem() -> bool:
    """Whether the kernel knows netem, tried on a device of no use."""
    name = f"wb{os.getpid()}btry"
    _ip("link", "add", name, "type", "bridge")
    try:
        _tc("qdisc", "add", "dev", name, "root", "netem", "delay", "1ms")
    except subprocess.CalledProcessError:
        return False
    finally:
        _ip("link", "delete", name)
    return True
