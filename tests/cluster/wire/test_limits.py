"""What anybody may cost: messages, what is said of them in the log and in errors, and threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import zmq

from tests.cluster.wire.ends import Echo, ask, client
from workbench.cluster.execution import threads as pools
from workbench.cluster.execution.threads import Threads
from workbench.cluster.remote_errors import from_fields, to_fields
from workbench.cluster.wire import frames, listening, notices, shared_socket
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.frames import WireError, decode, encode
from workbench.cluster.wire.message import Message
from workbench.cluster.wire.shared_socket import SharedSocket
from workbench.core.errors import InvalidArgumentError, ResourceExhaustedError

DEADLINE = 20.0


@pytest.fixture
def dealer() -> Iterator[zmq.Socket[bytes]]:
    """A socket of ZeroMQ's of somebody who does not speak as we do."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.RCVTIMEO, int(DEADLINE * 1000))
    yield socket
    context.destroy(linger=0)


@pytest.fixture
def here() -> Iterator[Endpoint]:
    """An endpoint that answers all that it is asked."""
    made = Endpoint(
        "tcp://127.0.0.1:0", lambda sender, message: made.answer(sender, message, Message("echo"))
    )
    yield made
    made.close()


# -- what is sent and taken ------------------------------------------------------------------------


def test_more_than_a_message_may_have_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_MESSAGE_BYTES", 10_000)
    array = np.zeros(2000, np.float32)
    assert len(encode(Message("m", {}, (("x", array),)))) == 2
    with pytest.raises(ResourceExhaustedError, match="16000 bytes .* kind 'm'.* at most 10000"):
        encode(Message("m", {}, (("x", array), ("y", array))))
    monkeypatch.undo()
    monkeypatch.setattr(frames, "MOST_FRAMES", 5)
    with pytest.raises(ResourceExhaustedError, match="6 frames are too much"):
        encode(Message("m", blobs=[b"x"] * 5))


def test_the_rest_of_what_is_too_long_is_given_back(
    monkeypatch: pytest.MonkeyPatch, dealer: zmq.Socket[bytes]
) -> None:
    monkeypatch.setattr(shared_socket, "MOST_MESSAGE_BYTES", 100)
    monkeypatch.setattr(shared_socket, "MOST_FRAMES", 4)
    other = dealer.context.socket(zmq.DEALER)
    port = other.bind_to_random_port("tcp://127.0.0.1")
    dealer.connect(f"tcp://127.0.0.1:{port}")
    end = SharedSocket(other, lambda: None)
    for sent, kept in [
        ([b"route", b"x" * 100], 2),
        ([b"route", b"x" * 101], 1),
        ([b"route", b"x" * 60, b"y" * 60, b"z"], 1),
        ([b"route", *[b"x"] * 4], 5),
        ([b"route", *[b"x"] * 5], 1),
        ([b"route", *[b"x"] * 99], 1),
        ([b"route", b"last"], 2),
    ]:
        dealer.send_multipart(sent)
        assert other.poll(DEADLINE * 1000)
        found = end.receive()
        assert found is not None and [f.bytes for f in found] == sent[:kept]
    end.close(linger=0)


@pytest.mark.parametrize("joined", [[[1, 2], [1, 2]], [[2, 2], [1, 2]], [[True, 2]], [[1, 2, 3]]])
def test_pieces_are_put_together_once(joined: list[list[int]]) -> None:
    # As often as it is asked for, the same bytes would be copied again and again.
    [head] = encode(Message("m"))
    told = frames._to_json(joined).encode()
    with pytest.raises(WireError):
        decode([head + told, b"a", b"b", b"c", b"d"])


def test_what_is_no_hello_is_not_looked_into_of_one_who_has_said_none(
    here: Endpoint, dealer: zmq.Socket[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def decoded(parts: list[memoryview], borrower: object = None) -> Message:
        read.append(sum(part.nbytes for part in parts))
        return decode(parts)

    monkeypatch.setattr(listening, "decode", decoded)
    assert here.address is not None
    dealer.connect(here.address)
    dealer.send(b"x" * 1_000_000)
    dealer.send(b"WB\x03" + b"[" * 1_000_000)
    dealer.send_multipart([b""] * 1000)
    # Of one who was known to an earlier process, it may be: it is to begin anew.
    message = Message("values", {}, (("x", np.ones(100_000)),))
    dealer.send_multipart([bytes(f) for f in encode(message)])
    assert dealer.recv_multipart() == [b"WB\x00"]
    assert read == []
    with client() as end:
        assert ask(end, here.address, message).kind == "echo"


# -- what is said of it ----------------------------------------------------------------------------


def test_garbage_of_those_who_are_known_is_told_of_in_a_short_line(
    here: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    assert here.address is not None
    with Echo() as echo, client(name="x" * 400) as end:
        assert ask(end, echo.address, Message("m")).kind == "echo"
        # By the network, as one that is not in this process.
        peer = end._connections.connect(here.address, 0)
        for _ in range(300):
            peer.socket.send([b"WB\x03" + b'{"' + b"y" * 5000])
        end._peers[here.address] = peer
        assert ask(end, here.address, Message("m")).kind == "echo"
    lines = [r.getMessage() for r in caplog.records if r.name == "workbench.cluster"]
    assert len(lines) == 1 and len(lines[0]) < 1000 and "cannot be read" in lines[0]


def test_what_breaks_again_and_again_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    def broken(sender: object, message: Message) -> None:
        raise KeyError(message.kind)

    with Echo() as echo, client() as other:
        here = Endpoint("tcp://127.0.0.1:0", broken)
        try:
            assert here.address is not None
            peer = other._connections.connect(here.address, 0)
            for _ in range(200):
                peer.send(Message("m"))
            other._peers[here.address] = peer
            ping = other.request(here.address, Message("m"), "nothing", seconds=1.0)
            with pytest.raises(Exception, match="did not answer within"):
                ping.result(DEADLINE)
        finally:
            here.close()
        assert ask(other, echo.address, Message("m")).kind == "echo"
    assert [r.getMessage() for r in caplog.records].count("A message could not be handled") == 1


def test_what_was_left_out_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = notices.Notices(logging.getLogger("workbench.test"))
    assert [told.tell("refused %s", k) for k in range(4)] == [True, False, False, False]
    monkeypatch.setattr(notices, "QUIET_SECONDS", 0.0)
    assert told.tell("refused %s", 5) and told.tell("refused %s", 6)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["refused 0", "refused 5 (3 more like it before)", "refused 6"]


def test_an_error_does_not_say_again_all_that_was_said() -> None:
    for error in (
        InvalidArgumentError(None, None, "x" * 10_000_000),
        ValueError("x" * 10_000_000),
    ):
        told = to_fields(error)
        assert len(told["message"]) < 70_000
        assert "characters more" in from_fields(told, "there").message


# -- threads ---------------------------------------------------------------------------------------


def test_there_are_no_more_threads_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MOST_THREADS", 3)
    own, go_on, done = Threads("test"), threading.Event(), threading.Semaphore(0)

    def work() -> None:
        go_on.wait(DEADLINE)
        done.release()

    try:
        for _ in range(3):
            own.start(work)
        with pytest.raises(ResourceExhaustedError, match="3 threads wait"):
            own.start(work)
        go_on.set()
        assert all(done.acquire(timeout=DEADLINE) for _ in range(3))
    finally:
        go_on.set()
        own.close()


def test_a_thread_that_the_system_does_not_give_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own, done = Threads("test"), threading.Event()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ResourceExhaustedError):
            own.start(done.set)
    own.start(done.set)
    assert done.wait(DEADLINE)
    own.close()
