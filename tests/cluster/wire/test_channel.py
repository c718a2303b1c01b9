"""Channels between processes of a host: order, pieces, garbage, and who may come in."""

from __future__ import annotations

import contextlib
import socket
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.wire.ends import Echo, ask, client
from tests.fuzzing import examples
from workbench.cluster.wire import channel as channels
from workbench.cluster.wire import host
from workbench.cluster.wire.channel import Channel, Door, enter
from workbench.cluster.wire.encodings import Encoding
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.frames import WireError
from workbench.cluster.wire.message import Message

pytestmark = pytest.mark.skipif(not channels.EXISTS, reason="there are no such sockets")


class Room:
    """Takes down who waits for room to send."""

    def __init__(self):
        self.writers = {}

    def __call__(self, descriptor, writer):
        if writer is None:
            self.writers.pop(descriptor, None)
        else:
            self.writers[descriptor] = writer


@pytest.fixture
def pair():
    rooms = Room(), Room()
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made = [Channel(end, room) for end, room in zip(ends, rooms, strict=True)]
    yield made[0], made[1], rooms[0]
    for each in made:
        each.close()


def received(channel):
    frames = channel.receive()
    return None if frames is None else [bytes(f) for f in frames]


@pytest.mark.parametrize("sizes", [[1], [0], [3, 0, 17], [40_000, 1], [5] * 300, [200_000, 7, 0]])
def test_frames_come_out_as_they_went_in(pair, sizes):
    near, far, room = pair
    frames = [np.random.default_rng(size).bytes(size) for size in sizes]
    assert near.send(frames) >= sum(sizes)
    while (found := received(far)) is None:
        for write in list(room.writers.values()):
            write()
    assert found == frames and received(far) is None
    assert near.send([memoryview(f) for f in frames[:2]]) is not None


def test_frames_are_aligned_for_what_computes_with_them(pair):
    near, far, _ = pair
    near.send([b"abc", np.arange(3.0).data.cast("B"), b"d", np.arange(9.0).data.cast("B")])
    for frame in far.receive()[1::2]:
        array = np.frombuffer(frame)
        assert array.flags.aligned and array.ctypes.data % 16 == 0


def test_what_a_socket_does_not_take_waits_and_keeps_its_order(pair):
    near, far, room = pair
    for k in range(2000):
        near.send([b"%d" % k, b"x" * 500])
    assert room.writers
    for k in range(2000):
        while (found := received(far)) is None:
            for write in list(room.writers.values()):
                write()
        assert found[0] == b"%d" % k
    assert received(far) is None and not room.writers


def test_the_end_of_the_other_side_is_told_and_sending_then_does_nothing(pair):
    near, far, _ = pair
    near.send([b"last"])
    near.close()
    assert near.send([b"x"]) is None
    assert received(far) == [b"last"]
    with pytest.raises(EOFError):
        far.receive()
    assert far.send([b"x"]) is not None


@examples(100)
@given(st.binary(max_size=80))
def test_garbage_is_no_message(data):
    for head in (b"", b"\0\0\0\0\1\0\0\0", b"\0\0\0\0\2\0\0\0", b"\2"):
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel = Channel(ends[1], Room())
        ends[0].send(head + data)
        try:
            frames = channel.receive()
            assert frames is None or sum(map(len, frames)) <= len(data) + 9
        except (WireError, EOFError):
            pass
        finally:
            ends[0].close()
            channel.close()


def test_too_long_packets_and_messages_are_refused(pair):
    near, far, _ = pair
    far.most_bytes = 100_000
    near._socket.send(bytes(70_000))
    with pytest.raises(WireError, match="packet is too long"):
        far.receive()
    near._socket.send(b"\1" + bytes(60_000))
    near._socket.send(b"\1" + bytes(60_000))
    assert far.receive() is None
    with pytest.raises(WireError, match="message is too long"):
        far.receive()


@pytest.mark.parametrize(
    "name", ["", "/dev/shm/x", f"{host.PREFIX}nobody", f"{host.PREFIX}\0", "é"]
)
def test_doors_that_are_none_let_nobody_in(name):
    assert enter(name) is None


def test_a_door_is_gone_with_its_owner():
    door = Door()
    first = enter(door.name)
    found = door.accept()
    assert first is not None and found is not None and door.accept() is None
    found.close()
    first.close()
    door.close()
    assert enter(door.name) is None


def test_who_comes_in_and_is_not_awaited_is_sent_away():
    here = Endpoint("tcp://127.0.0.1:0", lambda sender, message: None)
    try:
        name = here._listener._entrance.name
        for said in ([b"nobody"], [b"\xff"], [b""]):
            stranger = enter(name)
            assert stranger is not None
            stranger.settimeout(10)
            end = Channel(stranger, Room())
            end.send(said)
            assert stranger.recv(100) == b""
            end.close()
        # Who says much before it is known is sent away before all of it has come.
        stranger = enter(name)
        assert stranger is not None
        stranger.settimeout(10)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(100):
                stranger.send(b"\1" + bytes(4000))
        with contextlib.suppress(ConnectionResetError):
            assert stranger.recv(100) == b""
        stranger.close()
        waiting = [enter(name) for _ in range(100)]
        # The first to come are the first to go.
        waiting[0].settimeout(10)
        assert waiting[0].recv(1) == b""
        for each in waiting:
            each.close()
    finally:
        here.close()


def test_messages_keep_their_order_while_the_way_changes():
    """What is sent before the two have met goes another way than what is sent after."""
    got = []
    program_sends = 3000
    with Echo() as echo, client() as end:
        for k in range(program_sends):
            end.send(echo.address, Message("count", {"k": k}))
        answer = ask(end, echo.address, Message("counted"))
        got = answer.fields["counted"]
    assert got == list(range(program_sends))


def test_many_threads_ask_at_once_and_each_gets_its_answer():
    with Echo() as echo, client() as end:
        wrong = []

        def work(number):
            for k in range(100):
                array = np.full(number * 40, k, np.float32)
                message = Message("m", {"n": number, "k": k}, (("x", array),))
                answer = ask(end, echo.address, message, 60)
                if answer.fields != {"n": number, "k": k} or not np.array_equal(
                    answer.arrays[0][1], array
                ):
                    wrong.append((number, k))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not wrong and not any(thread.is_alive() for thread in threads)
        assert end.statistics()[echo.address].messages_received == 600


def test_encoded_arrays_cross_a_channel():
    with Echo() as echo, client() as end:
        ask(end, echo.address, Message("first"))
        array = np.linspace(-1, 1, 1000, dtype=np.float32)
        message = Message("m", {}, (("x", array),), encodings={"x": Encoding("bfloat16")})
        found = dict(ask(end, echo.address, message).arrays)["x"]
        assert 0 < np.abs(found - array).max() <= 2**-9
