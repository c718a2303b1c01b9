"""What a server answers to those who ask for steps."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

import workbench as tf
from workbench.cluster.answering import Answering
from workbench.cluster.master.tasks import VERSION
from workbench.cluster.remote_errors import from_fields, to_fields
from workbench.cluster.wire import endpoint as wire
from workbench.cluster.wire.message import Message
from workbench.core.errors import AbortedError, CancelledError
from workbench.core.sync.scope import Scope


class Endpoint:
    """The end of a wire by which nobody, or somebody, is reached."""

    def __init__(self, reaches):
        self.is_reached, self.answers = reaches, []

    def reaches(self, sender):
        return self.is_reached

    def answer(self, sender, request, message):
        self.answers.append((sender, message))


@pytest.mark.parametrize("is_reached", [False, True])
def test_who_was_taken_for_gone_and_comes_back_is_told_so_and_not_that_it_cancelled(is_reached):
    """One that is told that its step was aborted recovers; a cancellation would be its own."""
    scope = Scope()
    server = SimpleNamespace(running={("s", 7): scope})
    answering = Answering(server, {})
    endpoint = answering.endpoint = Endpoint(is_reached)
    asked = answering._note("client", Message("step", {"session": "s", "token": 7}, number=3))
    answering.end_forsaken(time.monotonic())
    assert not scope.is_cancelled
    answering.end_forsaken(time.monotonic() + 5)
    assert scope.is_cancelled is not is_reached
    ended = CancelledError(None, None, "The run was cancelled")
    answering._answer_asked(asked, Message("error", to_fields(ended)))
    ((sender, answer),) = endpoint.answers
    error = from_fields(answer.fields, "a server")
    if is_reached:
        assert type(error) is CancelledError
    else:
        assert type(error) is AbortedError and "taken for gone" in error.message
    assert sender == "client" and not answering._asked


def test_who_asks_before_a_server_has_begun_is_answered_then(monkeypatch):
    """In the order of asking: a server that listens is found before it is ready."""
    asked = []

    class Early(wire.Endpoint):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            for version in (VERSION, 0):
                greeting = Message("greet", {"version": version})
                asked.append(client.request(self.address, greeting, "a greeting"))
                asked[-1].add_done_callback(answered.append)
            early.extend(answer.done() for answer in asked)

    client, answered, early = wire.Endpoint(None, lambda sender, message: None), [], []
    monkeypatch.setattr("workbench.cluster.server.Endpoint", Early)
    server = tf.train.Server.create_local_server(tf.ConfigProto(device_count={"CPU": 3}))
    try:
        first, second = (answer.result(10) for answer in asked)
        assert (first.kind, first.fields["devices"]) == ("greeting", 3) and second.kind == "error"
        assert early == [False, False] and answered == asked
        later = client.request(server.target, Message("greet", {"version": VERSION}), "another")
        assert later.result(10).fields == first.fields
    finally:
        server.stop()
        client.close()
