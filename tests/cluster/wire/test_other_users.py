"""Another user of this machine, who sees names of sockets and of files in memory, gets nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tests.cluster.wire.ends import ROOT, Echo, ask, client
from workbench.cluster.wire import channel
from workbench.cluster.wire.keys import load_keys, make_keys, save_keys
from workbench.cluster.wire.message import Message

_NOBODY = 65534
#: What it tries, as somebody else: it says what it got.
_PROGRAM = """
import json, os, socket, sys
from workbench.cluster.wire import host
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message

address, keys, user, process = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
os.setgroups([])
os.setgid(user)
os.setuid(user)
got = {"files": [], "doors": 0, "said": [], "answers": []}
seen = [p for p in host.FOLDER.glob(host.PREFIX + "*")]
for path in [*seen, keys]:
    try:
        got["files"].append(open(path, "rb").read().hex())
    except OSError as error:
        assert isinstance(error, (PermissionError, FileNotFoundError)), error
with open("/proc/net/unix") as lines:
    doors = {line.split("@")[1].strip() for line in lines if f"-{process}-" in line}
for name in doors:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as plain:
        plain.settimeout(10)
        try:
            plain.connect(b"\\0" + name.encode())
            got["doors"] += 1
            got["said"].append(plain.recv(100).hex())
        except ConnectionError:
            pass
end = Endpoint(None, lambda sender, message: None)
try:
    answer = end.request(address, Message("m"), "an answer", seconds=1.5)
    got["answers"].append(answer.result(10).kind)
except Exception as error:
    got["error"] = type(error).__name__
end.close()
print(json.dumps(got))
"""


@pytest.mark.skipif(not channel.EXISTS or os.getuid() != 0, reason="only root can be somebody else")
def test_another_user_gets_nothing() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # So that the file itself is what is out of reach.
        os.chmod(folder, 0o755)
        path = Path(folder) / "wire.keys"
        save_keys(make_keys(), path)
        _try(path)


def _try(path: Path) -> None:
    with Echo(keys=str(path)) as echo, client(load_keys(path)) as friend:
        big = Message("m", {}, (("x", np.ones(100_000)),))
        assert ask(friend, echo.address, big).kind == "echo"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "WORKBENCH_WIRE_KEYS": ""}
        asked = [echo.address, str(path), str(_NOBODY), str(echo.process.pid)]
        tried = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *asked],
            env=environment,
            stdout=subprocess.PIPE,
            timeout=60,
            check=True,
        )
        got = json.loads(tried.stdout)
        # It has been at the doors, and was sent away.
        assert got["doors"] and set(got["said"]) <= {""}
        assert got["files"] == [] and got["answers"] == [] and got["error"]
        assert ask(friend, echo.address, Message("m")).kind == "echo"
