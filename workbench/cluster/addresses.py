"""Addresses of tasks and targets of sessions, in their spellings."""

from __future__ import annotations

import ipaddress
import socket

SCHEME = "tcp://"
#: TensorFlow's spelling.
OLD_SCHEME = "grpc://"


def canonical(address: str) -> str:
    """An address as sockets take it. ValueError where it is none.

    >>> from workbench.cluster.addresses import canonical
    >>> canonical("localhost:2222"), canonical("grpc://10.0.0.1:2222")
    ('tcp://127.0.0.1:2222', 'tcp://10.0.0.1:2222')
    """
    rest = address.removeprefix(OLD_SCHEME).removeprefix(SCHEME)
    host, colon, port = rest.rpartition(":")
    if not colon or not host or not port.isdigit() or "://" in rest or int(port) > 65535:
        raise ValueError(f"{address!r} is not an address: use host:port")
    # Names are looked up by the system, which may take this one for the newer protocol's.
    return f"{SCHEME}{'127.0.0.1' if host == 'localhost' else host}:{port}"


def host_of(address: str) -> str:
    """The host of `scheme://host:port`.

    >>> from workbench.cluster.addresses import host_of
    >>> host_of("tcp://10.0.0.1:2222"), host_of("tcp://[::1]:2222")
    ('10.0.0.1', '::1')
    """
    return address.partition("://")[2].rpartition(":")[0].strip("[]")


def is_loopback(host: str) -> bool:
    """Whether a host, by its number or as "localhost", is this machine as only itself reaches it.

    >>> from workbench.cluster.addresses import is_loopback
    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "0.0.0.0", "::", "some.host")]
    [True, True, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def stays_here(host: str) -> bool | None:
    """Whether only this machine reaches a host, whose name is looked up; None for an unknown one.

    A name that stands for several hosts is as open as the most open of them.
    """
    if is_loopback(host):
        return True
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return None
    return bool(found) and all(is_loopback(number) for number in found)
