"""Pools of workers: processes of this machine or of others, on which runs train.

Dask.distributed starts the workers and watches over them; what they compute and send each other
goes through the distributed runtime (`workbench.cluster`). Dask is imported with the first pool.
"""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.pool.launch": "local restart",
    "workbench.pool.connecting": "connect",
    "workbench.pool.elsewhere": "ssh kubernetes jobqueue",
    "workbench.pool.listing": "pools attach",
    "workbench.pool.pool": "Pool",
    "workbench.pool.keys": "Keys",
    "workbench.pool.errors": "PoolError",
}

_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
