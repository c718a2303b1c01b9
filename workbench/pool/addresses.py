"""Addresses of schedulers, and which of them may do without keys."""

from __future__ import annotations

from workbench.cluster import addresses
from workbench.pool.errors import PoolError


def host_of(address: str) -> str:
    """The host of an address; "" where it has none.

    >>> from workbench.pool.addresses import host_of
    >>> host_of("tls://10.0.0.1:8786"), host_of("inproc://10.0.0.1/7/1")
    ('10.0.0.1', '')
    """
    return "" if address.startswith("inproc://") else addresses.host_of(address)


def checked(address: str, has_keys: bool) -> str:
    """An address that a pool may be reached at. PoolError for one that is open to others.

    >>> from workbench.pool.addresses import checked
    >>> checked("tcp://127.0.0.1:8786", has_keys=False)
    'tcp://127.0.0.1:8786'
    """
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in ("tcp", "tls") or not rest.rpartition(":")[2].isdigit():
        raise PoolError(f"{address!r} is no address of a pool: use tls://host:port")
    if scheme == "tls" and not has_keys:
        raise PoolError(
            f"{address} needs keys: wb.pool.connect(address, keys=FOLDER), with the folder that "
            "wb.pool.Keys.make().save(FOLDER) wrote for the scheduler and its workers"
        )
    if scheme == "tcp" and not addresses.is_loopback(host_of(address)):
        raise PoolError(
            f"{address} is open to whoever reaches it: a pool beyond this machine must be "
            "tls://, with keys (wb.pool.Keys.make())"
        )
    return address
