"""A `KubeCluster` of the same interface, whose pods are processes of this machine.

Their environment and command lines are those that the real one gives its pods: an environment may
refer to secrets, and the scheduler is reached by the name of its service.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import kr8s
from distributed.core import Status, rpc
from distributed.deploy import Cluster

_MODULES = {"dask-scheduler": "dask_scheduler", "dask-worker": "dask_worker"}


async def wait_for_scheduler_comm(address: str) -> None:
    """Waits until a scheduler that needs no keys answers."""
    async with rpc(address) as scheduler:
        await scheduler.versions()


class KubeCluster(Cluster):
    """A scheduler and a group of workers."""

    def __init__(
        self,
        *,
        name: str,
        namespace: str | None = None,
        image: str | None = None,
        n_workers: int | None = None,
        env: Any = None,
        worker_command: Any = None,
        resources: Any = None,
        shutdown_on_close: bool | None = None,
        loop: Any = None,
        asynchronous: bool = False,
        quiet: bool = False,
        **options: Any,
    ) -> None:
        if image == "no/such:image":
            raise ValueError("The image cannot be pulled")
        self.namespace = namespace or "default"
        self.env = env
        self.worker_command = list(worker_command)
        self._pods: list[subprocess.Popen[bytes]] = []
        self._folder = Path(tempfile.mkdtemp(prefix="pods-"))
        super().__init__(name=name, loop=loop, asynchronous=asynchronous, quiet=quiet, **options)

    def _pod(self, words: list[str]) -> subprocess.Popen[bytes]:
        environment = dict(os.environ)
        for entry in self.env:
            value = entry.get("value")
            if value is None:
                reference = entry["valueFrom"]["secretKeyRef"]
                encoded = kr8s.SECRETS[reference["name"]][reference["key"]]
                value = base64.b64decode(encoded).decode()
            environment[entry["name"]] = value
        module = f"distributed.cli.{_MODULES[words[0]]}"
        return subprocess.Popen([sys.executable, "-m", module, *words[1:]], env=environment)

    async def _start(self) -> None:
        file = self._folder / "scheduler.json"
        words = ["dask-scheduler", "--host", "127.0.0.1", "--port", "0"]
        pod = self._pod(
            [*words, "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
        )
        self._pods.append(pod)
        while not file.exists():
            if pod.poll() is not None:
                raise RuntimeError("The pod of the scheduler has ended")
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        self._told = json.loads(file.read_text())["address"]
        address = await self._get_scheduler_address()
        await wait_for_scheduler_comm(address)
        self.scheduler_comm = rpc(address)
        await super()._start()

    async def _get_scheduler_address(self) -> str:
        # The real one knows nothing of TLS.
        return "tcp://" + self._told.partition("://")[2]

    def __await__(self) -> Generator[Any, Any, KubeCluster]:
        async def started() -> KubeCluster:
            if self.status == Status.created:
                await self._start()
            return self

        return started().__await__()

    def scale(self, n: int, worker_group: str = "default") -> Any:
        """Has so many workers."""
        return self.sync(self._scale, n, worker_group)

    async def _scale(self, n: int, worker_group: str) -> None:
        running = [pod for pod in self._pods[1:] if pod.poll() is None]
        for pod in running[n:]:
            pod.terminate()
        here = self._told.partition("://")[2]
        for number in range(len(running), n):
            words = [w.replace(f"{self.name}-scheduler:8786", here) for w in self.worker_command]
            named = ["--name", f"{self.name}-{number}-{len(self._pods)}"]
            local = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
            self._pods.append(self._pod([*words, *named, *local]))

    async def _close(self, timeout: float = 3600) -> None:
        await super()._close()
        for pod in self._pods:
            pod.terminate()
        for pod in self._pods:
            while pod.poll() is None:
                await asyncio.sleep(0.05)
        shutil.rmtree(self._folder)
