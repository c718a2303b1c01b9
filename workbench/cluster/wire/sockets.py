"""The ZeroMQ sockets of an endpoint: their limits, and their keys."""

from __future__ import annotations

import ipaddress
import socket as names

import zmq

from workbench.cluster.wire.keys import Keys
from workbench.core.errors import FailedPreconditionError, UnavailableError

#: A frame has at most so many bytes: what is longer goes in pieces. It is so much that ZeroMQ
#: allocates for whoever connects, before it is known who that is.
MOST_FRAME_BYTES = 1 << 24
#: Connections that do not shake hands within so many milliseconds are closed.
_HANDSHAKE_MILLISECONDS = 10_000


def make_socket(
    context: zmq.Context[zmq.Socket[bytes]], kind: int, silence: float
) -> zmq.Socket[bytes]:
    """A socket; a connection over which nothing comes for `silence` seconds is closed."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.MAXMSGSIZE, MOST_FRAME_BYTES)
    # Whoever sends does not wait: what must not pile up has limits of its own.
    socket.setsockopt(zmq.SNDHWM, 0)
    socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MILLISECONDS)
    socket.setsockopt(zmq.HEARTBEAT_IVL, 2000)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, int(silence * 1000))
    socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
    return socket


def lock_server(socket: zmq.Socket[bytes], keys: Keys) -> None:
    """Has a socket take connections only from those who have keys."""
    socket.curve_server = True
    socket.curve_publickey = keys.public.encode()
    socket.curve_secretkey = keys.secret.encode()


def lock_client(socket: zmq.Socket[bytes], keys: Keys) -> None:
    """Has a socket show its key, and ask for the server's."""
    socket.curve_serverkey = keys.server_key
    socket.curve_publickey = keys.public.encode()
    socket.curve_secretkey = keys.secret.encode()


def is_loopback(address: str) -> bool:
    """Whether only this host reaches `tcp://host:port`."""
    host = address.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = {str(info[4][0]) for info in names.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(a).is_loopback for a in found)


def listen(
    context: zmq.Context[zmq.Socket[bytes]], address: str, keys: Keys | None, silence: float
) -> tuple[zmq.Socket[bytes], str]:
    """A socket that others connect to, and where it listens.

    FailedPreconditionError where others than this host would reach it and there are no keys;
    UnavailableError where the address cannot be had.
    """
    if keys is None and not is_loopback(address):
        raise FailedPreconditionError(
            None,
            None,
            f"Others than this host reach {address}, and a server there needs keys: make them "
            "with workbench.cluster.wire.keys.make_keys and save_keys, give each task and client "
            "the file's path in WORKBENCH_WIRE_KEYS, or listen at 127.0.0.1",
        )
    socket = make_socket(context, zmq.ROUTER, silence)
    try:
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        if keys is not None:
            lock_server(socket, keys)
        socket.bind(address)
        bound = socket.getsockopt(zmq.LAST_ENDPOINT)
    except zmq.ZMQError as error:
        socket.close(linger=0)
        raise UnavailableError(
            None, None, f"Cannot listen at {address}: {error.strerror}"
        ) from None
    text = bound.decode().rstrip("\0") if isinstance(bound, bytes) else str(bound)
    return socket, f"{address.rpartition(':')[0]}:{text.rpartition(':')[2]}"
