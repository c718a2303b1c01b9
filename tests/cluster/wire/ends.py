"""Endpoints for tests: here, and in a process of its own that answers with what it gets."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.ports import free_address
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.hello import Identity
from workbench.cluster.wire.keys import Keys
from workbench.cluster.wire.message import Message

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import json, sys
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.hello import Identity
from workbench.cluster.wire.message import Message

def handle(sender, message):
    if message.kind == "keep":
        kept.append(message)
        message = Message("kept")
    elif message.kind == "silent":
        return
    elif message.kind == "count":
        counted.append(message.fields["k"])
        return
    elif message.kind == "counted":
        message = Message("echo", {"counted": counted}, number=message.number)
    end.answer(sender, message, Message("echo", message.fields, message.arrays))

kept, counted = [], []
options = json.loads(sys.argv[1])
identity = Identity("echo", cluster=options.get("cluster", ""))
end = Endpoint(options["address"], handle, identity=identity)
print(end.address, flush=True)
sys.stdin.read()
end.close()
"""


class Echo:
    """A process with an endpoint that sends back what it gets.

    Another one may have its address after it: nobody else is given that meanwhile.
    """

    def __init__(self, address: str | None = None, keys: str = "", cluster: str = ""):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "WORKBENCH_WIRE_KEYS": keys}
        options = json.dumps({"address": address or free_address(), "cluster": cluster})
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def __enter__(self) -> Echo:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@contextlib.contextmanager
def client(keys: Keys | None = None, **identity: str) -> Iterator[Endpoint]:
    """An endpoint that only connects."""
    end = Endpoint(None, lambda sender, message: None, identity=Identity(**identity), keys=keys)
    try:
        yield end
    finally:
        end.close()


def ask(end: Endpoint, address: str, message: Message, seconds: float = 20.0) -> Message:
    """An answer within a time."""
    return end.ask(address, message, f"the echo of {message.kind}", seconds)
