"""A process that only has runs, without a pool: `python -m workbench.pool.runs.standalone`.

    python -m workbench.pool.runs.standalone tcp://127.0.0.1:0 FOLDER

It says its address when it listens, and ends when its standard input does.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from workbench.cluster.addresses import canonical
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.live.acknowledgement import PATIENCE
from workbench.pool.runs.host import RunHost
from workbench.pool.runs.replicas.terms import Identity


class StandaloneHost:
    """A `RunHost` with an end of the wire of its own."""

    def __init__(self, address: str, folder: str) -> None:
        # Who asks before the runs are there waits for them.
        self._is_ready = threading.Event()
        self._endpoint = Endpoint(canonical(address), self._handle)
        assert self._endpoint.address is not None
        self.address: str = self._endpoint.address
        name, host = f"process {os.getpid()}", self.address.partition("://")[2].rpartition(":")[0]
        self.host = RunHost(folder, Identity(self.address, name, host))
        self._is_ready.set()

    def _handle(self, sender: Any, message: Message) -> None:
        # A question may wait for a step, and the thread that receives must not.
        threading.Thread(
            target=self._answer, args=(sender, message), name="workbench-runs", daemon=True
        ).start()

    def _answer(self, sender: Any, message: Message) -> None:
        self._is_ready.wait(PATIENCE)
        answer = self.host.answer(message.fields.get("command"), message)
        if message.number:
            self._endpoint.answer(sender, message, answer)

    def close(self) -> None:
        """Interrupts the runs, and listens no more."""
        self._endpoint.close()
        self.host.close()


def main(address: str, folder: str) -> None:
    """Serves until nobody holds the other end of the standard input."""
    served = StandaloneHost(address, folder)
    print(served.address, flush=True)
    try:
        while sys.stdin.read(1):
            pass
    finally:
        served.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
