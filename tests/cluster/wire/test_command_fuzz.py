"""Commands with anything in them: a server answers with an error or a result, and goes on."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from tests.cluster.servers import near
from tests.cluster.wire.ends import client
from tests.fuzzing import examples, json_of
from workbench.cluster.client_keeper import ClientKeeper
from workbench.cluster.commands.table import ANSWERED, AT_ONCE
from workbench.cluster.remote_errors import from_fields
from workbench.cluster.wire.message import Message
from workbench.core import errors

JSON = json_of(st.integers(-3, 1 << 60) | st.floats(-1, 1) | st.text(max_size=8))
KEYS = st.sampled_from(
    "session handle step oldest part parts token ended containers sessions leader incarnation "
    "count leads seconds traced text".split()
)
KINDS = sorted({*AT_ONCE, *ANSWERED, "no such kind"})


@pytest.fixture(scope="module")
def server():
    with near(worker=2) as servers, tf.Graph().as_default():
        one = servers["worker:0"]
        # It leads a session, so that what it is told may concern something.
        with tf.Session(one.target):
            yield one


@examples(150)
@given(
    kind=st.sampled_from(KINDS),
    fields=st.dictionaries(KEYS, JSON, max_size=5),
    blobs=st.lists(st.binary(max_size=20), max_size=2),
    array=st.none() | st.just(np.ones(3)),
)
def test_servers_answer_whatever_they_are_asked(server, kind, fields, blobs, array):
    arrays = () if array is None else (("x:0", array),)
    with client() as end:
        message = Message(kind, fields, arrays, blobs=blobs)
        answer = end.request(server.target, message, f"an answer to {kind}").result(20)
    if answer.kind == "error":
        error = from_fields(answer.fields, "there")
        # The asker's fault, and said to be: nothing that broke inside.
        assert not isinstance(error, errors.InternalError), error.message


@examples(150)
@given(
    fields=st.dictionaries(
        st.sampled_from(["unknown", "losses"]),
        JSON | st.lists(JSON) | st.dictionaries(st.text(max_size=8), st.floats(), max_size=3),
    )
)
def test_keepers_take_whatever_they_are_answered(server, fields):
    answer: Future[Message] = Future()
    answer.set_result(Message("kept", fields))
    (other,) = server._neighbours.others.values()
    led = dict(server._keeper._led)
    server._keeper._asked[other] = 1.0
    server._keeper._answered(other, answer)
    # It is asked again, and sessions that were not named are led as before.
    assert other not in server._keeper._asked
    assert led == server._keeper._led and led
    client_keeper = ClientKeeper(lambda address, message: answer)
    client_keeper._asked[server.target] = 1.0
    client_keeper._answered(server.target, answer)
    assert client_keeper._asked == {}


def test_the_server_goes_on_after_all_that(server):
    with tf.Graph().as_default(), tf.Session(server.target) as session:
        assert session.run(tf.constant(20) + 1) == 21
    assert threading.active_count() < 50
