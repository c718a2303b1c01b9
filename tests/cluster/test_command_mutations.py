"""What a session says to servers, said again with something changed: an error, and no harm.

The messages are those of a session of another process over two tasks. Each is changed in one place:
a field is of another type, or far too large, or missing; a graph has another byte; an array has
another shape. Servers answer, with an error that is the asker's, and go on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from tests.cluster.servers import near
from tests.cluster.wire.ends import client
from tests.fuzzing import examples
from workbench.cluster.answering import Answering
from workbench.cluster.remote_errors import from_fields
from workbench.cluster.server import Server
from workbench.cluster.wire.message import Message
from workbench.core import errors

_SESSION = """
import sys
import numpy as np
import workbench as tf

x = tf.placeholder(tf.float32, [None, 3], name="x")
with tf.device("/job:worker/task:0"):
    w = tf.Variable(np.ones([3, 2], "float32"), name="w")
with tf.device("/job:worker/task:1"):
    y = tf.matmul(x, w)
    v = tf.Variable(0.0, name="v")
    step = tf.assign_add(v, tf.reduce_sum(y))
with tf.Session(sys.argv[1]) as session:
    session.run(tf.global_variables_initializer())
    for _ in range(2):
        assert session.run([step, y], {x: np.ones([2, 3])})[1].shape == (2, 2)
tf.Session.reset(sys.argv[1])
"""
#: Those may wait for what never comes: nobody hears of them, and they end with their session.
_MAY_WAIT = {"run", "step"}
_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1 << 62,
    1 << 200,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x" * 10_000,
    "\0/../..",
    [],
    [[[]]],
    {},
    {"a": {"b": [1]}},
)


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[dict[str, Server], list[tuple[str, Message]]]]:
    """Two servers, and what they were told in one session."""
    messages: list[tuple[str, Message]] = []
    handle = Answering.handle

    def keep(answering: Answering, sender: Any, message: Message) -> None:
        if not ended:
            messages.append((answering._server.target, message))
        handle(answering, sender, message)

    ended: list[bool] = []
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr(Answering, "handle", keep)
        servers = stack.enter_context(near(worker=2))
        target = servers["worker:0"].target
        subprocess.run([sys.executable, "-c", _SESSION, target], check=True, timeout=60)
        ended.append(True)
        yield servers, messages


def test_all_of_a_session_was_heard(heard: Any) -> None:
    kinds = {message.kind for _, message in heard[1]}
    assert {"begin", "prepare", "step", "end", "open", "register", "run", "values"} <= kinds


@st.composite
def _changed(draw: Any, message: Message) -> Message:
    """A message with one thing changed."""
    places = [key for key, held in _parts(message).items() if held]
    place = draw(st.sampled_from(places or ["add"]))
    if place == "fields":
        key = draw(st.sampled_from(sorted(message.fields)))
        fields = dict(message.fields)
        if draw(st.booleans()):
            fields[key] = draw(st.sampled_from(_ODD))
        else:
            del fields[key]
        return dataclasses.replace(message, fields=fields)
    if place == "blobs":
        blobs = list(message.blobs)
        index = draw(st.integers(0, len(blobs) - 1))
        blob = bytearray(blobs[index])
        if blob and draw(st.booleans()):
            blob[draw(st.integers(0, len(blob) - 1))] ^= draw(st.integers(1, 255))
        else:
            del blob[draw(st.integers(0, len(blob))) :]
        blobs[index] = bytes(blob)
        return dataclasses.replace(message, blobs=blobs)
    if place == "arrays":
        arrays = list(message.arrays)
        index = draw(st.integers(0, len(arrays) - 1))
        other = draw(
            st.sampled_from(
                [np.ones([0, 7]), np.array(["a"], object), np.int8(1), np.ones([1] * 9)]
            )
        )
        name = draw(st.sampled_from([arrays[index][0], "", "no:0"]))
        arrays[index] = (name, np.asarray(other))
        return dataclasses.replace(message, arrays=arrays)
    return dataclasses.replace(message, fields={"session": draw(st.sampled_from(_ODD))})


def _parts(message: Message) -> dict[str, Any]:
    return {"fields": message.fields, "blobs": message.blobs, "arrays": message.arrays}


@examples(200)
@given(data=st.data())
def test_changed_messages_are_answered_and_break_nothing(heard: Any, data: Any) -> None:
    servers, messages = heard
    target, message = data.draw(st.sampled_from(messages))
    said = data.draw(_changed(message))
    with client() as end:
        answer = end.request(target, said, f"an answer to {said.kind}")
        try:
            told = answer.result(0.3 if said.kind in _MAY_WAIT else 20)
        except TimeoutError:
            assert said.kind in _MAY_WAIT
            return
    if told.kind == "error":
        error = from_fields(told.fields, "there")
        assert not isinstance(error, errors.InternalError), f"{said}: {error.message}"


def test_a_crowd_of_sessions_and_steps_that_nobody_knows_costs_little(heard: Any) -> None:
    servers, _ = heard
    target = servers["worker:0"].target
    process, before = psutil.Process(), threading.active_count()
    with client() as end:
        held = process.memory_info().rss
        for number in range(3000):
            fields = {"session": f"nobody {number % 7}", "step": number, "handle": number}
            array = (("edge", np.ones(1000)),)
            asked = Message("values", {**fields, "ended": None}, array)
            end.request(target, asked, "nothing").add_done_callback(lambda answer: None)
        asked = Message("greet", {"version": None})
        assert end.request(target, asked, "an answer").result(20).kind == "error"
        # 24 MB were sent for steps of sessions that there are not.
        assert process.memory_info().rss - held < 100 << 20
    with contextlib.suppress(errors.OpError), tf.Session(target) as session:
        assert session.run(tf.constant(20) + 1) == 21
    assert threading.active_count() < before + 30
