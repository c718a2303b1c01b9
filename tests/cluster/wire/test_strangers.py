"""Strangers at the wire, who say nothing, nonsense or half a greeting, cost next to nothing."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import psutil
import pytest

from tests.cluster.wire.ends import ask, client
from workbench.cluster.wire import sockets
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.keys import Keys, make_keys
from workbench.cluster.wire.message import Message

DEADLINE = 20.0
#: What ZeroMQ's connections begin with, up to the mechanism, and with one that is not asked for.
_SIGNATURE = b"\xff\0\0\0\0\0\0\0\x01\x7f"
_NULL = _SIGNATURE + b"\x03\x00NULL".ljust(22, b"\0") + b"\0" * 32
_CURVE = _SIGNATURE + b"\x03\x00CURVE".ljust(22, b"\0") + b"\0" * 32


@pytest.mark.parametrize("keys", [None, make_keys()], ids=["without keys", "with keys"])
def test_they_are_cut_off_and_others_served(
    keys: Keys | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "_HANDSHAKE_MILLISECONDS", 700)
    monkeypatch.setenv("WORKBENCH_WIRE_KEYS", "")
    ends: list[Endpoint] = []

    def answer(sender: Any, message: Message) -> None:
        ends[0].answer(sender, message, Message("echo"))

    serving = Endpoint("tcp://127.0.0.1:0", answer, keys=keys)
    ends.append(serving)
    # A frame that is announced to be as long as can be, of which nothing comes.
    huge = _SIGNATURE + b"\x02" + b"\xff" * 8
    said = [b"", _SIGNATURE[:4], _SIGNATURE, huge, _CURVE, b"\0" * 4096]
    said += [_NULL, _NULL + b"\x04\xff" + b"\xff" * 8]
    if keys is not None:
        # Without keys, which is for this machine alone, ZeroMQ takes it for the beginning of a
        # message of its first version, and waits for the rest.
        said += [b"GET / HTTP/1.1\r\n\r\n"]
    host, port = serving.address.removeprefix("tcp://").split(":")
    process = psutil.Process()
    try:
        with client(keys) as friend, contextlib.ExitStack() as stack:
            assert ask(friend, serving.address, Message("m")).kind == "echo"
            held = process.memory_info().rss
            strangers = []
            for number in range(160):
                plain = socket.create_connection((host, int(port)), DEADLINE)
                stack.callback(plain.close)
                plain.settimeout(DEADLINE)
                with contextlib.suppress(ConnectionError):
                    plain.sendall(said[number % len(said)])
                strangers.append(plain)
            assert ask(friend, serving.address, Message("m")).kind == "echo"
            for plain in strangers:
                got = 0
                # Until it is cut off.
                with contextlib.suppress(ConnectionError):
                    while some := plain.recv(4096):
                        got += len(some)
                assert got < 300
            assert ask(friend, serving.address, Message("m")).kind == "echo"
            assert process.memory_info().rss - held < 50 << 20
    finally:
        serving.close()
