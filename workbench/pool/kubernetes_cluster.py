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
from dataclasses import asdict
from typing import Any

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

    >>> from workbench.pool.kubernetes_cluster import resource_name
    >>> resource_name("My_pool.2")
    'wb-my-pool-2'
    """
    return "wb-" + re.sub("[^a-z0-9]+", "-", pool.lower())[:24].strip("-")


def environment(secret: str) -> list[dict[str, Any]]:
    """The environment of pods: Dask's mutual TLS, with the keys of a secret.

    >>> from workbench.pool.kubernetes_cluster import environment
    >>> environment("wb-far-keys")[-1]["name"]
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


def secret_of(name: str, keys: Keys) -> dict[str, Any]:
    """The secret that the environment of pods refers to, as it is given to Kubernetes."""
    encoded = {part: base64.b64encode(text.encode()) for part, text in asdict(keys).items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "Opaque",
        "data": {part: text.decode() for part, text in encoded.items()},
    }


def kubernetes_cluster(pool: str, keys: Keys, options: Mapping[str, Any]) -> Any:
    """A cluster, not started.

    Args:
      pool: the pool's name.
      keys: what its processes show each other.
      options: for `KubeCluster`.
    """
    from tornado.ioloop import IOLoop

    given = dict(options)
    name = resource_name(pool)
    own = given.pop("env", None) or []
    if isinstance(own, Mapping):
        own = [{"name": key, "value": value} for key, value in own.items()]
    # The operator tells workers an address without TLS; what is on their command line holds.
    given.setdefault("worker_command", ["dask-worker", f"tls://{name}-scheduler:8786"])
    given.setdefault("quiet", True)
    return _locked(keys)(
        **given,
        name=name,
        env=[*environment(f"{name}-keys"), *own],
        n_workers=0,
        shutdown_on_close=True,
        asynchronous=True,
        loop=IOLoop.current(),
    )


def _locked(keys: Keys) -> Any:
    """The class `KubeCluster`, with pods that have keys; their secret goes with the cluster."""
    import kr8s
    from dask_kubernetes.operator.kubecluster import kubecluster as theirs
    from distributed.core import rpc
    from kr8s.asyncio.objects import Secret

    connect = functools.partial(rpc, connection_args=keys.security().get_connection_args("client"))

    async def wait_for_scheduler(address: str) -> None:
        async with connect(address) as scheduler:
            await scheduler.versions()

    # It connects by these names of its module, and without keys.
    theirs.rpc = connect
    theirs.wait_for_scheduler_comm = wait_for_scheduler

    class LockedCluster(theirs.KubeCluster):  # type: ignore[misc]
        async def _get_scheduler_address(self) -> str:
            address: str = await super()._get_scheduler_address()
            return address.replace("tcp://", "tls://", 1)

        async def _start(self) -> None:
            # One that is there is of an earlier process of this pool, and has the same keys.
            secret = await self._secret()
            if not await secret.exists():
                await secret.create()
            await super()._start()

        async def _close(self, *arguments: Any, **options: Any) -> None:
            try:
                await super()._close(*arguments, **options)
            finally:
                with contextlib.suppress(kr8s.NotFoundError):
                    await (await self._secret()).delete()

        async def _secret(self) -> Any:
            return await Secret(secret_of(f"{self.name}-keys", keys), namespace=self.namespace)

    return LockedCluster
