"""Options of sessions and runs on clusters, from a client in the server's process and outside."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

import workbench as tf
from workbench.core.sync.scope import Scope, entered

PS, ONE, TWO = "/job:ps/task:0", "/job:worker/task:0", "/job:worker/task:1"

pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture(params=["near", "far"])
def far(request, monkeypatch) -> None:
    """Whether the client is far: then it reaches servers over the wire alone."""
    if request.param == "far":
        monkeypatch.setattr("workbench.cluster.targets.server_at", lambda target: None)


@pytest.fixture
def servers(far, cluster) -> Iterator[dict[str, tf.train.Server]]:
    """The servers, near and far."""
    yield cluster
    tf.Session.reset(cluster["ps:0"].target)


def test_the_places_of_operations_are_logged_once(servers, capfd):
    with tf.device(PS):
        held = tf.constant(1.0, name="held")
    with tf.device(TWO):
        total = tf.add(held, 2.0, name="total")
    config = tf.ConfigProto(log_device_placement=True)
    with tf.Session(servers["worker:0"].target, config=config) as session:
        for _ in range(2):
            session.run(total)
        session.run(tf.negative(total, name="negated"))
    lines = capfd.readouterr().err.splitlines()
    assert lines.count("held: (Const): /job:ps/replica:0/task:0/device:CPU:0") == 1
    assert lines.count("total: (Add): /job:worker/replica:0/task:1/device:CPU:0") == 1
    assert lines.count("negated: (Neg): /job:worker/replica:0/task:0/device:CPU:0") == 1
    with tf.Session(servers["worker:0"].target) as session:
        session.run(total)
    assert capfd.readouterr().err == ""


def test_what_is_pinned_to_a_device_that_is_not_there_runs_on_a_processor_of_its_task(servers):
    with tf.device("/job:worker/task:1/gpu:3"):
        value = tf.sqrt(tf.constant(4.0))
    config = tf.ConfigProto(allow_soft_placement=True)
    with tf.Session(servers["worker:0"].target, config=config) as session:
        assert session.run(value) == 2.0
        assert session.placement(value)[value] == "/job:worker/replica:0/task:1/device:CPU:0"


def test_other_tasks_know_the_options_of_the_session(servers):
    with tf.device(PS):
        value = tf.constant(2.0) * 3.0
    with tf.device(ONE):
        more = value + 1.0
    config = tf.ConfigProto(intra_op_parallelism_threads=1, isolate_session_state=True)
    config.graph_options.optimizer_options.global_jit_level = tf.OptimizerOptions.OFF
    with tf.Session(servers["worker:0"].target, config=config) as session:
        assert session.run(more) == 7.0
        for server in (servers["ps:0"], servers["worker:0"]):
            assert config in server.task._configs.values()


def test_a_server_has_options_for_all_of_its_sessions(far, capfd, request):
    config = tf.ConfigProto(log_device_placement=True, intra_op_parallelism_threads=2)
    config.operation_timeout_in_ms = 100
    server = tf.train.Server.create_local_server(config=config)
    request.addfinalizer(server.stop)
    one = tf.constant(1.0, name="one")
    number = tf.FIFOQueue(1, tf.int32).dequeue()
    placed = "one: (Const): /job:local/replica:0/task:0/device:CPU:0\n"
    with tf.Session(server.target) as session:
        assert session.run(one) == 1.0
        assert session._config == config
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(number)
    assert placed in capfd.readouterr().err
    own = tf.ConfigProto(intra_op_parallelism_threads=1, operation_timeout_in_ms=50)
    with tf.Session(server.target, config=own) as session:
        assert session.run(one) == 1.0
        own.log_device_placement = True
        assert session._config == own
        assert own in server.task._configs.values()
    assert placed in capfd.readouterr().err


def test_a_run_has_its_own_deadline(servers):
    with tf.device(PS):
        number = tf.FIFOQueue(1, tf.int32).dequeue()
    with tf.device(ONE):
        more = number + 1
    with tf.Session(servers["worker:0"].target) as session:
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(more, options=tf.RunOptions(timeout_in_ms=100))
        assert session.run(tf.constant(1)) == 1


def test_a_run_that_is_cancelled_takes_nothing_from_a_queue(servers):
    with tf.device(PS):
        queue = tf.FIFOQueue(3, tf.int32, shared_name="numbers")
        number = queue.dequeue()
    with tf.device(ONE):
        more = number * 2
    caught = []
    scope = Scope()

    def run() -> None:
        with entered(scope):
            try:
                session.run(more)
            except tf.errors.OpError as error:
                caught.append(type(error))

    with tf.Session(servers["worker:0"].target) as session:
        thread = threading.Thread(target=run)
        thread.start()
        while not any(w.wants for w in session.waiting()):
            assert thread.is_alive(), caught
        scope.cancel()
        thread.join(20)
        scope.end()
        assert caught == [tf.errors.CancelledError]
        session.run(queue.enqueue(21))
        assert session.run([more, queue.size()])[0] == 42


def test_a_reset_has_the_deadline_of_its_options():
    config = tf.ConfigProto(operation_timeout_in_ms=50)
    with pytest.raises(tf.errors.DeadlineExceededError, match="did not answer within 0.1 s"):
        tf.Session.reset("tcp://127.0.0.1:1", config=config)
    with pytest.raises(tf.errors.DeadlineExceededError, match="the start of a session"):
        tf.Session("tcp://127.0.0.1:1", config=config)
