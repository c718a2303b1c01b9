"""Addresses of tasks and targets of sessions, in their spellings."""

from __future__ import annotations

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
