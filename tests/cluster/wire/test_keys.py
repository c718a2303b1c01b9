"""Keys: who has none gets nothing; servers that others reach do not start without."""

from __future__ import annotations

import contextlib
import os
import socket
import stat

import pytest
import zmq

from tests.cluster.wire.ends import Echo, ask, client
from workbench.cluster.addresses import host_of, stays_here
from workbench.cluster.wire import keys, sockets
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.frames import encode
from workbench.cluster.wire.message import Message
from workbench.core.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    UnavailableError,
)


def nothing(sender, message):
    """Handles messages by doing nothing."""


def test_keys_are_kept_in_files_that_only_their_user_reads(tmp_path):
    made, path = keys.make_keys(), tmp_path / "wire.keys"
    keys.save_keys(made, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.load_keys(path) == made
    assert made.secret not in repr(made)
    assert [p.name for p in tmp_path.iterdir()] == ["wire.keys"]
    full = keys.Keys(made.public, made.secret, keys.make_keys().public, (made.public,))
    keys.save_keys(full, path)
    assert keys.load_keys(path) == full
    os.chmod(path, 0o640)
    with pytest.raises(InvalidArgumentError, match="can be read by others"):
        keys.load_keys(path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"public": "a", "secret": "b"}', '{"public": 1, "secret": []}']
)
def test_files_without_keys_are_refused(tmp_path, text):
    path = tmp_path / "wire.keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(InvalidArgumentError, match="keys"):
        keys.load_keys(path)


@pytest.mark.parametrize(
    "address",
    ["tcp://0.0.0.0:0", "tcp://*:0", "tcp://192.0.2.1:0", "tcp://[::]:0", "tcp://no such host:0"],
)
def test_servers_that_others_reach_need_keys(address):
    with pytest.raises(FailedPreconditionError, match="needs keys"):
        Endpoint(address, nothing)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tcp://127.0.0.1:1", True),
        ("tcp://127.3.2.1:1", True),
        ("tcp://[::1]:1", True),
        ("tcp://0.0.0.0:1", False),
        ("tcp://10.0.0.1:1", False),
        ("tcp://[::]:1", False),
        ("tcp://[::ffff:10.0.0.1]:1", False),
        ("tcp://*:1", None),
        ("tcp://no such host:1", None),
    ],
)
def test_what_only_this_host_reaches(address, expected):
    assert stays_here(host_of(address)) is expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["127.0.0.1"], True),
        (["127.0.0.1", "::1"], True),
        (["127.0.0.1", "192.0.2.1"], False),
        (["192.0.2.1"], False),
    ],
)
def test_a_name_is_as_open_as_the_most_open_of_its_hosts(numbers, expected, monkeypatch):
    infos = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 0)) for number in numbers]
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port: infos)
    assert stays_here("some.host") is expected


def test_a_name_that_changes_its_mind_between_two_looks_is_refused(monkeypatch):
    """It stands for this host alone when asked for, and for all when it is listened at."""
    monkeypatch.setattr(sockets, "stays_here", lambda host: True)
    with pytest.raises(FailedPreconditionError, match="0.0.0.0.*needs keys"):
        Endpoint("tcp://0.0.0.0:0", nothing)


@pytest.mark.parametrize(
    ("address", "error", "told"),
    [
        ("tcp://192.0.2.1:1", FailedPreconditionError, "192.0.2.1:1 is beyond .* without keys"),
        ("tcp://[2001:db8::1]:1", FailedPreconditionError, "beyond .* without keys"),
        ("tcp://no such host:1", UnavailableError, "there is no host 'no such host'"),
    ],
)
def test_nothing_is_sent_without_keys_to_what_is_beyond(address, error, told, monkeypatch):
    monkeypatch.delenv("WORKBENCH_WIRE_KEYS", raising=False)
    with client() as end:
        with pytest.raises(error, match=told):
            ask(end, address, Message("m"))
        assert end.statistics() == {} and not end._connections._peers


def test_servers_listen_at_numbers_of_the_newer_protocol():
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with socket.socket(socket.AF_INET6) as plain:
            plain.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with Echo("tcp://[::1]:0") as echo, client() as end:
        assert ask(end, echo.address, Message("m")).kind == "echo"


def test_those_with_keys_talk_and_others_get_nothing(tmp_path, monkeypatch):
    path, own = tmp_path / "wire.keys", keys.make_keys()
    keys.save_keys(own, path)
    with Echo("tcp://0.0.0.0:0", keys=str(path)) as echo:
        address = echo.address.replace("0.0.0.0", "127.0.0.1")
        with client(own) as end:
            assert ask(end, address, Message("m")).kind == "echo"
        other = keys.make_keys()
        monkeypatch.setattr("workbench.cluster.wire.endpoint.SILENCE_SECONDS", 0.7)
        # Another pair of keys; the right server's key with another pair; no keys.
        for wrong, told in (
            (other, "says nothing .*do the keys fit"),
            (keys.Keys(other.public, other.secret, own.public), "does not know the keys"),
            # The server ends such connections, which is noticed now and then before the silence.
            (None, "(says nothing|ends the connection).*do the keys fit"),
        ):
            with client(wrong) as end, pytest.raises(UnavailableError, match=told):
                ask(end, address, Message("m"))
        monkeypatch.undo()
        with client(own) as end:
            assert ask(end, address, Message("m")).kind == "echo"


def test_garbage_gets_nothing_and_the_others_go_on():
    with Echo() as echo, client() as end:
        host, port = echo.address.removeprefix("tcp://").split(":")
        with socket.create_connection((host, int(port)), 5) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n" * 50)
            plain.settimeout(0.3)
            # ZeroMQ's own greeting is all that comes.
            total = 0
            with contextlib.suppress(ConnectionResetError, TimeoutError):
                while some := plain.recv(4096):
                    total += len(some)
            assert total < 200
        context = zmq.Context()
        try:
            dealer = context.socket(zmq.DEALER)
            dealer.connect(echo.address)
            for frames in (
                [b""],
                [b"x" * 1000],
                [b"WB"],
                [b"WB\x03[]"],
                [b"WB\x03" + b"[" * 99999],
            ):
                dealer.send_multipart(frames)
            assert not dealer.poll(200)
            # A message of ours, but from somebody who has not said hello: nothing but that.
            dealer.send_multipart([bytes(f) for f in encode(Message("m", number=1))])
            assert dealer.poll(5000) and dealer.recv_multipart() == [b"WB\x00"]
            dealer.send_multipart([b'WB\x09["hello"]'])
            assert dealer.poll(5000)
            assert b"version 3 of the wire, not 9" in dealer.recv_multipart()[0]
        finally:
            context.destroy(linger=0)
        assert ask(end, echo.address, Message("m")).kind == "echo"


def test_keys_are_chosen_by_the_address_that_they_are_shown_to(tmp_path, monkeypatch):
    """One process uses clusters with keys, each its own, and one without."""
    monkeypatch.setattr(keys, "_by_address", {})
    made = [keys.make_keys(), keys.make_keys()]
    paths = [tmp_path / "first.keys", tmp_path / "second.keys"]
    for pair, path in zip(made, paths, strict=True):
        keys.save_keys(pair, path)
    with Echo(keys=str(paths[0])) as one, Echo(keys=str(paths[1])) as two, Echo() as free:
        keys.use_keys(made[0], [one.address])
        keys.use_keys(made[1], [two.address.removeprefix("tcp://")])
        with client() as end:
            for address in (one.address, two.address, free.address):
                assert ask(end, address, Message("m")).kind == "echo"
        # Here none are asked for, whatever the others are.
        monkeypatch.setattr(keys, "_chosen", made[0])
        keys.use_keys(None, [free.address])
        with client() as end:
            assert ask(end, free.address, Message("m")).kind == "echo"
        keys.use_keys(made[0], [two.address])
        monkeypatch.setattr("workbench.cluster.wire.endpoint.SILENCE_SECONDS", 0.7)
        with client() as end, pytest.raises(UnavailableError, match="says nothing"):
            ask(end, two.address, Message("m"))


def test_who_has_no_key_makes_nobody_allocate_much():
    """A frame that claims more than a piece has is not waited for."""
    with Echo() as echo, client() as end:
        host, port = echo.address.removeprefix("tcp://").split(":")
        with socket.create_connection((host, int(port)), 5) as plain:
            plain.settimeout(10)
            # ZeroMQ's greeting, READY, and the head of a frame of 1 TiB.
            plain.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16 + 32))
            ready = b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0"
            plain.sendall(b"\x04" + bytes([len(ready)]) + ready)
            plain.sendall(b"\x02" + (1 << 40).to_bytes(8, "big") + b"x")
            # It is closed, and not read any further.
            with contextlib.suppress(ConnectionResetError):
                while plain.recv(4096):
                    pass
        assert ask(end, echo.address, Message("m")).kind == "echo"
