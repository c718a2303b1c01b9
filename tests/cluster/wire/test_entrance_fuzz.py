"""Anything at all, said at the door and in a hello: nobody comes in by it, and others do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import examples
from workbench.cluster.wire import channel, hello, host
from workbench.cluster.wire.channel import enter
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.frames import MAGIC, REFUSAL, encode
from workbench.cluster.wire.hello import Identity
from workbench.cluster.wire.message import Message

DEADLINE = 20.0
_PACKETS = st.lists(
    st.binary(max_size=100)
    | st.builds(lambda head, rest: head + rest, st.sampled_from([b"\0", b"\1", b"\2"]), st.binary())
    | st.sampled_from([bytes(3000), b"\1" * 60_000, b"\0\0\0\0\1\0\0\0" + b"\xff" * 8]),
    max_size=4,
)
_VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 1 << 70)
    | st.floats()
    | st.sampled_from(["", "x" * 513, "../../etc/passwd", f"{host.PREFIX}\0", f"{host.PREFIX}x"])
    | st.lists(st.text(max_size=3), max_size=2)
)


@pytest.fixture(scope="module")
def here() -> Iterator[Endpoint]:
    """An endpoint that answers all that it is asked, from other processes too."""
    made = Endpoint(
        "tcp://127.0.0.1:0", lambda sender, message: made.answer(sender, message, Message("echo"))
    )
    yield made
    made.close()


@pytest.mark.skipif(not channel.EXISTS, reason="there are no such doors")
@examples(100)
@given(packets=_PACKETS)
def test_who_says_anything_at_the_door_does_not_come_in(here: Endpoint, packets: Any) -> None:
    assert here._listener is not None
    entrance = here._listener._entrance
    stranger = enter(entrance.name)
    assert stranger is not None
    try:
        stranger.settimeout(DEADLINE)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for packet in packets:
                stranger.send(packet)
            # Whatever came before, this is no word that anybody was told.
            stranger.send(b"\0\0\0\0\1\0\0\0" + (3).to_bytes(8, "little") + b"abc")
            assert stranger.recv(1) == b""
    finally:
        stranger.close()
    assert all(caller.channel is None for caller in here._listener._callers._by_route.values())


@examples(100)
@given(changed=st.dictionaries(st.sampled_from([*hello.fields_of(Identity(), 0, "")]), _VALUES))
def test_a_hello_with_something_changed_is_welcome_or_refused(here: Endpoint, changed: Any) -> None:
    fields = {**hello.fields_of(Identity("a"), 0, ""), **changed}
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        dealer = context.socket(zmq.DEALER)
        dealer.setsockopt(zmq.RCVTIMEO, int(DEADLINE * 1000))
        assert here.address is not None
        dealer.connect(here.address)
        dealer.send_multipart([bytes(f) for f in encode(Message("hello", fields))])
        [said] = dealer.recv_multipart()
        assert said.startswith((MAGIC, REFUSAL))
        # Memory is shared with those only who have shown that they are of this user.
        assert b'"proof":""' in said or said.startswith(REFUSAL)
    finally:
        context.destroy(linger=0)
