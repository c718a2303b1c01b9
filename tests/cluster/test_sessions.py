"""Sessions on clusters: what they compute, what they keep, what they fail with."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import workbench as tf
from tests.cluster.processes import Processes
from tests.cluster.servers import closed_while_it_waits

PS, WORKER = "/job:ps/task:0", "/job:worker/task:0"


pytestmark = pytest.mark.usefixtures("graph")


def test_a_training_over_two_tasks_is_the_one_of_a_single_process(servers):
    rng = np.random.default_rng(3)
    xs = rng.normal(size=(40, 3)).astype(np.float32)
    ys = (xs @ [1.0, -2.0, 0.5])[:, None].astype(np.float32)

    def train(target: str, **devices: str) -> tuple[list[float], int]:
        with tf.Graph().as_default():
            with tf.device(devices.get("held", "")):
                w = tf.Variable(np.zeros((3, 1), np.float32))
                steps = tf.train.get_or_create_global_step()
            with tf.device(devices.get("computed", "")):
                x, y = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.float32)
                loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - y))
                train_op = tf.train.AdamOptimizer(0.1).minimize(loss, global_step=steps)
            with tf.Session(target) as session:
                session.run(tf.global_variables_initializer())
                losses = [
                    session.run([loss, train_op], {x: xs[i : i + 8], y: ys[i : i + 8]})[0]
                    for i in range(0, 32, 2)
                ]
                return losses, session.run(steps)

    losses, steps = train(servers["worker:0"].target, held=PS, computed=WORKER)
    wanted, _ = train("")
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)
    assert steps == 16


def test_variables_stay_on_their_task_and_are_shared_by_sessions(servers):
    with tf.device(PS):
        count = tf.Variable(0, name="count")
    with tf.Session(servers["worker:0"].target) as first:
        first.run(count.initializer)
        first.run(count.assign_add(5))
    with tf.Session(servers["worker:1"].target) as second:
        assert second.run(count) == 5
    assert servers["ps:0"].task.containers.state.variables["count"].value == 5
    assert not servers["worker:0"].task.containers.state.variables


def test_what_is_not_pinned_runs_where_the_session_is_and_shares_its_variables(servers):
    shared = tf.Variable(1.0, name="shared")
    own = tf.get_local_variable("own", [], initializer=tf.zeros_initializer())
    total = tf.add(shared, own, name="total")
    places = []
    for worker in ("worker:0", "worker:1"):
        with tf.Session(servers[worker].target) as session:
            session.run([shared.initializer, own.initializer])
            assert session.run(total) == 1.0
            places.append(session.placement(total)[total])
    assert places == [f"/job:worker/replica:0/task:{i}/device:CPU:0" for i in (0, 1)]
    held = {name: set(server.task.containers.state.variables) for name, server in servers.items()}
    assert held == {"ps:0": {"shared"}, "worker:0": {"own"}, "worker:1": {"own"}}


def test_queues_are_shared_by_tasks_and_block_nobody_else(servers):
    with tf.device(PS):
        queue = tf.FIFOQueue(2, tf.int32, shared_name="numbers")
        number = queue.dequeue()
    with tf.device(WORKER):
        doubled = number * 2
        put = queue.enqueue(21)
    found = []
    with tf.Session(servers["worker:0"].target) as reader:
        thread = threading.Thread(target=lambda: found.append(reader.run(doubled)))
        thread.start()
        with tf.Session(servers["worker:1"].target) as writer:
            writer.run(put)
        thread.join(20)
    assert found == [42]


def test_one_step_may_wait_for_another_part_of_it(servers):
    with tf.device(PS):
        queue = tf.FIFOQueue(1, tf.float32)
        number = queue.dequeue()
    with tf.device(WORKER):
        put = queue.enqueue(tf.sqrt(tf.constant(2.25)) + tf.placeholder_with_default(0.0, []))
    with tf.Session(servers["worker:0"].target) as session:
        assert session.run([number, put])[0] == 1.5


def test_an_error_on_another_task_names_the_operation_and_the_users_line(servers):
    with tf.device(PS):
        bad = tf.check_numerics(tf.placeholder(tf.float32, name="given") / 0.0, "too much")
    with tf.device(WORKER):
        after = bad + 1.0
    with tf.Session(servers["worker:0"].target) as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"too much") as caught:
            session.run(after, {"given:0": 1.0})
        assert caught.value.op is bad.op
        assert "test_sessions.py" in str(caught.value) and "/job:ps" in str(caught.value)
        # The session goes on.
        assert session.run(tf.constant(3)) == 3


def test_a_run_has_a_deadline_on_all_tasks(servers):
    with tf.device(PS):
        queue = tf.FIFOQueue(1, tf.int32)
        number = queue.dequeue()
    with tf.device(WORKER):
        doubled = number * 2
    config = tf.ConfigProto(operation_timeout_in_ms=200)
    with (
        tf.Session(servers["worker:0"].target, config=config) as session,
        pytest.raises(tf.errors.DeadlineExceededError),
    ):
        session.run(doubled)


def test_closing_the_session_ends_its_waits_on_other_tasks(servers):
    with tf.device(PS):
        number = tf.FIFOQueue(1, tf.int32).dequeue()
    session = tf.Session(servers["worker:0"].target)
    steps = servers["ps:0"].task._mailbox._sessions
    error = closed_while_it_waits(session, number, lambda: bool(steps))
    assert error in (tf.errors.CancelledError, tf.errors.AbortedError)


def test_reset_forgets_the_variables_of_all_tasks(servers):
    with tf.device(PS):
        value = tf.Variable(1.0)
    target = servers["worker:0"].target
    with tf.Session(target) as session:
        session.run(value.initializer)
    tf.Session.reset(target)
    with (
        tf.Session(target) as session,
        pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized"),
    ):
        session.run(value)


def test_devices_are_listed_and_unknown_ones_refused(servers):
    with tf.device("/job:ps/task:7"):
        value = tf.constant(1.0) + 1.0
    with tf.Session(servers["worker:1"].target) as session:
        names = [d.name for d in session.list_devices()]
        assert names[0] == "/job:worker/replica:0/task:1/device:CPU:0"
        assert len(names) == 3
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"/job:ps/task:7.*available"):
            session.run(value)


def test_missing_feeds_are_all_named(servers):
    total = tf.placeholder(tf.float32, name="a") + tf.placeholder(tf.float32, name="b")
    with (
        tf.Session(servers["worker:0"].target) as session,
        pytest.raises(tf.errors.InvalidArgumentError, match=r"'a:0'[\s\S]*'b:0'"),
    ):
        session.run(total)


def test_loops_conditionals_and_strings_cross(servers):
    with tf.device(PS):
        n = tf.placeholder(tf.int32, [])
        total = tf.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, s + i), [0, 0])[1]
        name = tf.as_string(total)
    with tf.device(WORKER):
        text = tf.string_join(["sum ", name])
        half = tf.cond(total > 10, lambda: total // 2, lambda: total)
    with tf.Session(servers["worker:0"].target) as session:
        assert session.run([text, half], {n: 10}) == [b"sum 45", 22]
        assert session.run([text, half], {n: 4}) == [b"sum 6", 6]


def test_a_client_of_another_process_leaves_and_returns():
    with Processes(ps=1, worker=1) as processes:
        with tf.device(PS):
            w = tf.Variable(np.ones(3, np.float32))
        with tf.device(WORKER):
            up = w.assign_add(tf.ones(3) * tf.reduce_sum(w))
        target = processes.target("worker", 0).replace("tcp", "grpc")
        with tf.Session(target) as session:
            session.run(w.initializer)
            assert session.run(up).tolist() == [4.0] * 3
        with tf.Session(target) as session:
            assert session.run(w).tolist() == [4.0] * 3


def test_a_task_that_was_started_again_has_lost_its_variables():
    with Processes(ps=1, worker=1) as processes:
        with tf.device(PS):
            value = tf.Variable(7, name="value")
        with tf.device(WORKER):
            more = value + 1
        with tf.Session(processes.target("worker", 0)) as session:
            session.run(value.initializer)
            assert session.run(more) == 8
            processes.kill("ps", 0)
            processes.start("ps", 0)
            with pytest.raises((tf.errors.AbortedError, tf.errors.UnavailableError)):
                session.run(more)
        with (
            tf.Session(processes.target("worker", 0)) as session,
            pytest.raises(tf.errors.FailedPreconditionError),
        ):
            session.run(more)


def test_a_target_that_nobody_serves_is_unavailable_in_time(monkeypatch):
    monkeypatch.setattr("workbench.cluster.wire.endpoint.SILENCE_SECONDS", 0.5)
    with pytest.raises(tf.errors.UnavailableError, match="says nothing"):
        tf.Session("tcp://127.0.0.1:1")
