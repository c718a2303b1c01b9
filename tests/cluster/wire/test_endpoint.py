"""Endpoints: within a process, between processes of a host, and when one of them is gone."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cluster.wire.ends import Echo, ask, client
from workbench.cluster.wire import host
from workbench.cluster.wire.encodings import Encoding
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.hello import Hello, Identity, mismatch
from workbench.cluster.wire.message import Message
from workbench.cluster.wire.receiving import Receiver
from workbench.core.errors import (
    AbortedError,
    DeadlineExceededError,
    FailedPreconditionError,
    UnavailableError,
)

pytestmark = pytest.mark.skipif(not host.FOLDER.is_dir(), reason="needs memory with file names")


def files_of(process: int) -> list[str]:
    return [p.name for p in Path("/dev/shm").glob(f"{host.PREFIX}*") if f"-{process}-" in p.name]


def test_within_a_process_arrays_are_handed_over_by_reference_and_cannot_be_written_to():
    got = []

    def handle(sender, message):
        got.append(message)
        here.answer(sender, message, Message("answer", {}, message.arrays))

    here = Endpoint("tcp://127.0.0.1:0", handle)
    try:
        with client() as end:
            array = np.arange(5.0, dtype=np.float32)
            message = Message(
                "m", {}, (("x", array), ("s", "é"), ("n", 3)), encodings={"x": Encoding("int8")}
            )
            answer = ask(end, here.address, message)
            assert np.shares_memory(got[0].arrays[0][1], array)
            assert not got[0].arrays[0][1].flags.writeable and array.flags.writeable
            assert answer.arrays[1][1].tolist() == "é".encode()
            assert answer.arrays[2][1] == 3
            assert end.statistics()[here.address].bytes_sent == 0
            assert end.statistics()[here.address].bytes_handed >= array.nbytes
            waiting = end.request(here.address, Message("m"), "an answer")
            assert waiting.result(5).kind == "answer"
    finally:
        here.close()


def test_messages_of_one_thread_do_not_arrive_inside_one_another():
    order = []
    ends = {}

    def handle(name, other):
        def act(sender, message):
            order.append((name, "begins", message.fields["left"]))
            if message.fields["left"]:
                left = {"left": message.fields["left"] - 1}
                ends[name].send(ends[other].address, Message("m", left))
            order.append((name, "ends", message.fields["left"]))

        return act

    ends["a"] = Endpoint("tcp://127.0.0.1:0", handle("a", "b"))
    ends["b"] = Endpoint("tcp://127.0.0.1:0", handle("b", "a"))
    try:
        ends["a"].send(ends["b"].address, Message("m", {"left": 5000}))
        assert len(order) == 2 * 5001
        assert all(x[0] == y[0] for x, y in zip(order[::2], order[1::2], strict=True))
    finally:
        ends["a"].close()
        ends["b"].close()


def test_a_request_to_an_endpoint_of_this_process_that_is_closed_fails_at_once():
    here = Endpoint("tcp://127.0.0.1:0", lambda sender, message: None)
    with client() as end:
        waiting = end.request(here.address, Message("m"), "nothing")
        here.close()
        with pytest.raises(UnavailableError, match="was closed; awaited was nothing"):
            waiting.result(1)


def test_large_arrays_go_by_shared_memory_and_leave_nothing_behind():
    # Others of this process may have some.
    before = files_of(os.getpid())
    with Echo() as echo, client() as end:
        ask(end, echo.address, Message("first"))
        array = np.random.default_rng(0).normal(size=300_000)
        for _ in range(20):
            answer = ask(end, echo.address, Message("m", {}, (("x", array), ("y", array[:10]))))
            assert np.array_equal(answer.arrays[0][1], array)
            assert not answer.arrays[0][1].flags.writeable
        counts = end.statistics()[echo.address]
        assert counts.bytes_shared == 20 * array.nbytes
        assert counts.bytes_sent < 20_000
        held = answer.arrays[0][1]
        echo.process.kill()
        echo.process.wait(10)
        # What is in use outlives who lent it.
        gc.collect()
        assert np.array_equal(held, array)
        assert not files_of(echo.process.pid)
    assert set(files_of(os.getpid())) <= set(before)


def test_a_segment_is_not_used_again_while_an_array_of_it_is_in_use():
    with Echo() as echo, client() as end:
        ask(end, echo.address, Message("first"))
        answers = []
        for k in range(6):
            array = np.full(50_000, float(k))
            view = ask(end, echo.address, Message("m", {}, (("x", array),))).arrays[0][1]
            answers.append(view.reshape(50, 1000)[1:, ::2])
        assert [float(a.min()) for a in answers] == [float(a.max()) for a in answers]
        assert [float(a.max()) for a in answers] == [0, 1, 2, 3, 4, 5]


def test_encodings_are_chosen_by_message_and_their_savings_counted():
    with Echo() as echo, client() as end:
        array = np.linspace(-1, 1, 1000, dtype=np.float32)
        message = Message(
            "m",
            {},
            (("x", array), ("n", np.arange(1000))),
            encodings={"x": Encoding("bfloat16"), "n": Encoding("bfloat16")},
        )
        answer = dict(ask(end, echo.address, message).arrays)
        assert np.array_equal(answer["n"], np.arange(1000))
        assert 0 < np.abs(answer["x"] - array).max() <= 2**-9
        assert end.statistics()[echo.address].bytes_saved == 2000


def test_a_killed_peer_is_noticed_at_once():
    lost = []
    with Echo() as echo:
        end = Endpoint(None, lambda s, m: None, lost=lambda address, error: lost.append(address))
        try:
            ask(end, echo.address, Message("first"))
            waiting = end.request(echo.address, Message("silent"), "nothing")
            began = time.monotonic()
            echo.process.kill()
            with pytest.raises(UnavailableError, match="is gone.*awaited was nothing"):
                waiting.result(8)
            assert time.monotonic() - began < 5
            deadline = time.monotonic() + 5
            while not lost and time.monotonic() < deadline:
                time.sleep(0.01)
            assert lost == [echo.address]
            with Echo(echo.address) as again:
                assert ask(end, again.address, Message("m")).kind == "echo"
        finally:
            end.close()


def test_a_peer_that_is_stopped_is_given_up(monkeypatch):
    monkeypatch.setattr("workbench.cluster.wire.endpoint.SILENCE_SECONDS", 1.5)
    with Echo() as echo, client() as end:
        ask(end, echo.address, Message("first"))
        os.kill(echo.process.pid, signal.SIGSTOP)
        os.waitpid(echo.process.pid, os.WUNTRACED)
        with pytest.raises(UnavailableError, match="awaited was the echo of m"):
            ask(end, echo.address, Message("m"))


def test_a_request_has_a_deadline():
    with Echo() as echo, client() as end:
        waiting = end.request(echo.address, Message("silent"), "nothing", seconds=0.3)
        with pytest.raises(DeadlineExceededError, match="awaited was nothing"):
            waiting.result(10)


def test_tasks_of_another_cluster_are_refused():
    with Echo(cluster="one") as echo, client(cluster="two") as end, client() as anyone:
        with pytest.raises(FailedPreconditionError, match="cluster 'two'.*of 'one'"):
            ask(end, echo.address, Message("m"))
        with pytest.raises(FailedPreconditionError, match="cluster 'two'.*of 'one'"):
            ask(end, echo.address, Message("m"))
        assert ask(anyone, echo.address, Message("m")).kind == "echo"


def test_clusters_are_compared_where_both_say_something():
    def refused(own, other):
        found = Hello("w", 1, other, 0, "", 1, 1, "")
        return mismatch(Identity("ps", 1, own), found)

    assert refused("", "ps=1") is None and refused("ps=1", "") is None
    assert refused("ps=1 worker=2", "worker=2") is None
    assert refused("ps=1", "worker=2") is None
    assert "cluster 'worker=3'" in refused("ps=1 worker=2", "worker=3")
    assert refused("one", "two") is not None and refused("one", "one") is None


def test_encodings_are_forgotten_with_their_session():
    with Echo() as echo, client() as end:
        array = np.linspace(0, 1, 300, dtype=np.float32)
        for key in ("s/1", "t/1"):
            encodings = {"x": Encoding("int8", key)}
            ask(end, echo.address, Message("m", {}, (("x", array),), encodings=encodings))
        (peer,) = end._peers.values()
        end.forget_feedback("s/")
        assert list(peer._feedback._errors) == ["t/1"]


def test_a_process_whose_place_another_has_taken_is_not_heard():
    with Echo() as echo:
        first = Endpoint(None, lambda s, m: None, identity=Identity("worker", 1))
        second = Endpoint(None, lambda s, m: None, identity=Identity("worker", 2))
        try:
            assert ask(first, echo.address, Message("m")).kind == "echo"
            assert ask(second, echo.address, Message("m")).kind == "echo"
            # It may not have been told yet that it was forgotten.
            with pytest.raises((UnavailableError, FailedPreconditionError)):
                ask(first, echo.address, Message("m"))
            with pytest.raises(FailedPreconditionError, match="taken the place of worker"):
                ask(first, echo.address, Message("m"))
            assert ask(second, echo.address, Message("m")).kind == "echo"
        finally:
            first.close()
            second.close()


def test_messages_of_an_earlier_epoch_are_not_handled():
    from workbench.cluster.remote_errors import from_fields

    got = []
    here = Endpoint("tcp://127.0.0.1:0", lambda sender, message: got.append(message.kind))
    try:
        here.epoch = 3
        with client() as end:
            end.epoch = 2
            end.send(here.address, Message("old"))
            answer = ask(end, here.address, Message("old"))
            assert isinstance(from_fields(answer.fields, "there"), AbortedError)
            end.epoch = 3
            end.send(here.address, Message("new"))
        assert got == ["new"]
    finally:
        here.close()


def test_threads_and_descriptors_are_given_back():
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    with client():
        pass
    before, threads = descriptors(), threading.active_count()
    for _ in range(3):
        here = Endpoint("tcp://127.0.0.1:0", lambda sender, message: None)
        with client() as end:
            end.send(here.address, Message("m"))
            end.send("tcp://127.0.0.1:9", Message("m"))
        here.close()
    assert descriptors() <= before and threading.active_count() <= threads


def test_a_peer_that_is_gone_before_all_of_it_is_known_is_lost_as_any_other(monkeypatch):
    """Who receives finds that a connection was ended while another thread still makes it."""
    add, losing = Receiver.add, []

    def lose_after(receiver, descriptor, reader, has_edges=False):
        add(receiver, descriptor, reader, has_edges)
        if not losing:
            connections = end._connections
            (peer,) = connections._peers
            losing.append(threading.Thread(target=connections._lose, args=(peer, "is gone")))
            losing[0].start()
            # It is over by then, unless it waits for this.
            losing[0].join(0.5)

    # It says nothing: no other thread handles what comes of it meanwhile.
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, Echo() as echo, client() as end:
        monkeypatch.setattr(Receiver, "add", lose_after)
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        answer = end.request(address, Message("echo"), "an answer")
        with pytest.raises(UnavailableError, match="is gone"):
            answer.result(20)
        losing[0].join(10)
        assert not end._connections._peers and list(end._receiver._readers) == []
        assert ask(end, echo.address, Message("echo")).kind == "echo"
