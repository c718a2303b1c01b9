"""A cluster of Dask's whose processes are pods, locked with the keys of its pool.

dask-kubernetes itself speaks with its pods in the clear, and knows no keys. So the keys are put
into a secret, from which the pods have them in their environment, and its own connections to the
scheduler are given them.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import re
from collections.abc import Mapping
from typing import Any

import kr8s
from dask_kubernetes.operator.kubecluster import kubecluster as theirs
from distributed.core import rpc
from kr8s.asyncio.objects import Secret
from tornado.ioloop import IOLoop

from workbench.pool.keys import Keys

#: What Dask calls the parts of our keys, and the roles that have them.
_PARTS = {"cert": "certificate", "key": "key"}
_ROLES = ("scheduler", "worker", "client")
#: An environment variable with a value of Dask's configuration.
_DASK = "DASK_DISTRIBUTED__"
_PLAIN = {
    "COMM__DEFAULT_SCHEME": "tls",
    "COMM__REQUIRE_ENCRYPTION": "True",
    # What asks whether a pod lives needs a page; there is no other.
    "SCHEDULER__HTTP__ROUTES": "['distributed.http.health']",
    "WORKER__HTTP__ROUTES": "['distributed.http.health']",
}


def resource_name(pool: str) -> str:
    """What the pool is called in the cluster, where names are short and in lower case.

    >>> resource_name("My_pool.2")
    'wb-my-pool-2'
    """
    return "wb-" + re.sub("[^a-z0-9]+", "-", pool.lower()).strip("-")[:24].strip("-")


def environment(secret: str) -> list[dict[str, Any]]:
    """The environment of pods: Dask's mutual TLS, with the keys of a secret.

    >>> [entry["name"] for entry in environment("s")][-1]
    'DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY'
    """

    def kept(variable: str, part: str) -> dict[str, Any]:
        reference = {"secretKeyRef": {"name": secret, "key": part}}
        return {"name": f"{_DASK}COMM__TLS__{variable}", "valueFrom": reference}

    plain = [{"name": _DASK + key, "value": value} for key, value in _PLAIN.items()]
    keys = [
        kept(f"{role.upper()}__{part.upper()}", ours)
        for role in _ROLES
        for part, ours in _PARTS.items()
    ]
    return [*plain, kept("CA_FILE", "authority"), *keys]


class LockedCluster(theirs.KubeCluster):  # type: ignore[misc]
    """A `KubeCluster` whose pods have keys; its secret goes with it."""

    def __init__(self, keys: Keys, **options: Any) -> None:
        self._keys = keys
        arguments = keys.security().get_connection_args("client")
        self._rpc = functools.partial(rpc, connection_args=arguments)
        # They connect by these names of their module, without keys otherwise.
        theirs.rpc = self._rpc
        theirs.wait_for_scheduler_comm = self._wait_for_scheduler
        super().__init__(**options)

    async def _wait_for_scheduler(self, address: str) -> None:
        async with self._rpc(address) as scheduler:
            await scheduler.versions()

    async def _get_scheduler_address(self) -> str:
        address: str = await super()._get_scheduler_address()
        return address.replace("tcp://", "tls://", 1)

    async def _start(self) -> None:
        secret = await self._secret()
        if await secret.exists():
            await secret.delete()
        await secret.create()
        await super()._start()

    async def _close(self, timeout: float | None = None) -> None:
        try:
            await super()._close(*(() if timeout is None else (timeout,)))
        finally:
            with contextlib.suppress(kr8s.NotFoundError):
                await (await self._secret()).delete()

    async def _secret(self) -> Any:
        parts = ("authority", "certificate", "key")
        texts = {part: base64.b64encode(getattr(self._keys, part).encode()) for part in parts}
        return await Secret(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": f"{self.name}-keys"},
                "type": "Opaque",
                "data": {part: text.decode() for part, text in texts.items()},
            },
            namespace=self.namespace,
        )


def kubernetes_cluster(pool: str, keys: Keys, options: Mapping[str, Any]) -> Any:
    """A cluster, not started.

    Args:
      pool: the pool's name.
      keys: what its processes show each other.
      options: for `KubeCluster`.
    """
    given = dict(options)
    name = resource_name(pool)
    own = given.pop("env", None) or []
    if isinstance(own, Mapping):
        own = [{"name": key, "value": value} for key, value in own.items()]
    # The operator tells workers an address without TLS; what is on their command line holds.
    given.setdefault("worker_command", ["dask-worker", f"tls://{name}-scheduler:8786"])
    given.setdefault("quiet", True)
    return LockedCluster(
        keys,
        **given,
        name=name,
        env=[*environment(f"{name}-keys"), *own],
        n_workers=0,
        shutdown_on_close=True,
        asynchronous=True,
        loop=IOLoop.current(),
    )
