"""The ZeroMQ sockets of an endpoint: their limits, and their keys."""

from __future__ import annotations

import errno

import zmq

from workbench.cluster.addresses import host_of, is_loopback, stays_here
from workbench.cluster.wire.keys import Keys
from workbench.core.errors import FailedPreconditionError, UnavailableError

#: A frame has at most so many bytes: what is longer goes in pieces. It is so much that ZeroMQ
#: allocates for whoever connects, before it is known who that is.
MOST_FRAME_BYTES = 1 << 24
#: Connections that do not shake hands within so many milliseconds are closed.
_HANDSHAKE_MILLISECONDS = 10_000


def make_socket(
    context: zmq.Context[zmq.Socket[bytes]], kind: int, address: str, silence: float
) -> zmq.Socket[bytes]:
    """A socket for an address; a connection over which nothing comes for `silence` seconds is
    closed."""
    socket = context.socket(kind)
    # For numbers of the newer protocol only: names are those of the older one then, as ever.
    socket.setsockopt(zmq.IPV6, ":" in host_of(address))
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


def check_reach(address: str) -> None:
    """Refuses to connect without keys to what is, or may be, beyond this machine.

    FailedPreconditionError where it is; UnavailableError where its host is not known.
    """
    is_near = stays_here(host_of(address))
    if is_near is None:
        raise UnavailableError(None, None, f"{address}: there is no host {host_of(address)!r}")
    if not is_near:
        raise FailedPreconditionError(
            None,
            None,
            f"{address} is beyond this machine, and nothing is sent there without keys: give this "
            "process the path of the server's in WORKBENCH_WIRE_KEYS; for a worker of a pool, "
            "open the pool first (wb.pool.attach or wb.pool.connect)",
        )


def listen(
    context: zmq.Context[zmq.Socket[bytes]], address: str, keys: Keys | None, silence: float
) -> tuple[zmq.Socket[bytes], str]:
    """A socket that others connect to, and where it listens.

    FailedPreconditionError where others than this host would reach it and there are no keys;
    UnavailableError where the address cannot be had.
    """
    if keys is None and not stays_here(host_of(address)):
        raise _open_address(address)
    socket = make_socket(context, zmq.ROUTER, address, silence)
    try:
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        if keys is not None:
            lock_server(socket, keys)
        socket.bind(address)
        bound = socket.getsockopt(zmq.LAST_ENDPOINT)
    except zmq.ZMQError as error:
        socket.close(linger=0)
        # What the library says has the address too.
        reason = zmq.strerror(error.errno) if error.errno else str(error)
        hint = ""
        if error.errno == zmq.EADDRINUSE:
            hint = ": another process listens there, or an earlier server that was not stopped"
        elif error.errno in (zmq.EADDRNOTAVAIL, errno.ENODEV):
            hint = ": it is not an address of this machine"
        raise UnavailableError(None, None, f"Cannot listen at {address}: {reason}{hint}") from None
    text = bound.decode().rstrip("\0") if isinstance(bound, bytes) else str(bound)
    if keys is None and not is_loopback(host_of(text)):
        # A name may stand for something else when it is looked up again.
        socket.close(linger=0)
        raise _open_address(text)
    return socket, f"{address.rpartition(':')[0]}:{text.rpartition(':')[2]}"


def _open_address(address: str) -> FailedPreconditionError:
    return FailedPreconditionError(
        None,
        None,
        f"Others than this host reach {address}, and a server there needs keys: make them "
        "with workbench.cluster.wire.keys.make_keys and save_keys, give each task and client "
        "the file's path in WORKBENCH_WIRE_KEYS, or listen at 127.0.0.1",
    )
