"""What servers do when those who ask them are killed in the middle of a step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

import workbench as tf
from tests.cluster.clients import client
from tests.cluster.servers import addresses, near
from workbench.cluster.wire.peers import Sent

#: Takes from a queue of the parameter server that nobody fills: by way of the server of a worker
#: in another process, or as a worker itself.
TAKE = """
import json, sys
import workbench as tf
spec, own = json.loads(sys.argv[1]), int(sys.argv[2])
server = tf.train.Server(spec, "worker", own) if own else None
target = server.target if server else "grpc://" + spec["worker"][0]
with tf.device("/job:ps/task:0"):
    queue = tf.FIFOQueue(4, tf.int32, shapes=[[]], shared_name="numbers")
    kept = tf.Variable(5, name="kept")
with tf.device(f"/job:worker/task:{own}"):
    taken = queue.dequeue() + 1
session = tf.Session(target)
session.run(kept.initializer)
print("up")
session.run(taken)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[str, dict[str, tf.train.Server]]]:
    """A parameter server and a worker in this process, and their cluster, which has one more."""
    spec = addresses(ps=1, worker=2)
    servers = {job: tf.train.Server(spec, job, 0) for job in ("ps", "worker")}
    try:
        yield json.dumps(spec), servers
    finally:
        for server in servers.values():
            server.stop()


def until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for something that happens by itself."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "own",
    [pytest.param(0, id="a client"), pytest.param(1, id="a worker", marks=pytest.mark.chaos)],
)
def test_what_a_killed_process_waited_for_is_not_waited_for_any_more(cluster, own):
    spec, servers = cluster
    ps = servers["ps"].task
    with client(TAKE, spec, str(own)) as process:
        assert process.stdout.readline() == "up\n"
        until(lambda: any(s.awaited == "" for s in list(ps._running)))
        process.kill()
        until(lambda: not ps._running and not servers["worker"].running)
    with tf.Graph().as_default():
        with tf.device("/job:ps/task:0"):
            queue = tf.FIFOQueue(4, tf.int32, shapes=[[]], shared_name="numbers")
            kept = tf.Variable(6, name="kept")
            enqueue, size = queue.enqueue(1), queue.size()
        with tf.Session(servers["worker"].target) as session:
            session.run(enqueue)
            # The dead have not taken it, and what they made is still there.
            assert session.run([size, kept]) == [1, 5]
            session.run(queue.dequeue())


@pytest.mark.chaos
def test_sessions_of_a_process_end_when_another_one_takes_its_place():
    spec = addresses(ps=1, worker=1)
    ps = tf.train.Server(spec, "ps", 0)
    try:
        with client(TAKE.replace("own else None", "1 else None"), json.dumps(spec), "0") as first:
            assert first.stdout.readline() == "up\n"
            until(lambda: ps.task._running)
            (old,) = ps.task._parts
            first.kill()
            first.wait(10)
            with client(
                TAKE.replace("own else None", "1 else None"), json.dumps(spec), "0"
            ) as second:
                assert second.stdout.readline() == "up\n"
                # It has run a step: what its forerunner waited for had ended before.
                assert old not in ps.task._parts
                assert all(step.session != old for step in ps.task._running)
    finally:
        ps.stop()


def test_a_session_that_was_lost_ends_where_its_end_was_not_told():
    with near(ps=1, worker=1) as servers, tf.Graph().as_default():
        with tf.device("/job:ps/task:0"):
            value = tf.constant(1) + 1
        with tf.device("/job:worker/task:0"):
            other = value + 1
        worker, ps = servers["worker:0"], servers["ps:0"]
        lost = tf.Session(worker.target)
        handle = lost.make_callable(other)
        assert handle() == 3
        (name,) = worker.sessions.led
        # As if the connection had gone, and what was sent over it last.
        master = worker.sessions.led.pop(name)
        assert name in ps.task._parts
        with tf.Session(worker.target) as session:
            assert session.run(other) == 3
            assert name not in ps.task._parts
            with pytest.raises(tf.errors.AbortedError, match="does not know the session"):
                handle()
        master.close()


def there_and_back():
    """A value that a parameter server sends to a worker, and takes back, so that it is sent by
    itself: what is last goes with an answer, and a step knows of answers that do not come."""
    with tf.device("/job:ps/task:0"):
        given = tf.random_uniform([])
    with tf.device("/job:worker/task:0"):
        taken = given + 1.0
    with tf.device("/job:ps/task:0"):
        return tf.identity(taken)


def test_a_step_ends_whose_value_went_down_with_its_connection(cluster, monkeypatch):
    _, servers = cluster
    sender, receiver = servers["ps"], servers["worker"]
    sent = []

    def lose(*arguments):
        sent.append(arguments)
        sender._note_loss(receiver.target, tf.errors.UnavailableError(None, None, "is cut"))
        return Sent(0, 0, 0)

    with tf.Graph().as_default():
        taken = there_and_back()
        with tf.Session(receiver.target) as session:
            assert session.run(taken) >= 1.0
            with monkeypatch.context() as patch:
                to = sender._neighbours.others["/job:worker/replica:0/task:0"]
                patch.setattr(to, "deliver", lose)
                with pytest.raises(tf.errors.UnavailableError, match="may be lost"):
                    session.run(taken)
            assert sent
            assert session.run(taken) >= 1.0


def test_a_step_ends_whose_value_reaches_nobody(cluster, monkeypatch):
    _, servers = cluster
    with tf.Graph().as_default():
        taken = there_and_back()
        with tf.Session(servers["worker"].target) as session:
            assert session.run(taken) >= 1.0
            with monkeypatch.context() as patch:
                # As where the parameter server does not know the worker's host.
                patch.setattr(servers["ps"]._endpoint, "send", lambda *arguments: None)
                with pytest.raises(tf.errors.UnavailableError, match="does not reach /job:worker"):
                    session.run(taken)
            assert session.run(taken) >= 1.0
