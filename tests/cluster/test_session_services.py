"""What sessions on clusters offer beside running steps: filters, traces, waits, parts, leases."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import numpy as np
import pytest

import workbench as tf
from tests.cluster.processes import Processes
from tests.cluster.servers import addresses, closed_while_it_waits
from workbench.cluster.execution.leases import Leases
from workbench.cluster.wire.message import Message

PS, WORKER = "/job:ps/task:0", "/job:worker/task:0"


pytestmark = pytest.mark.usefixtures("graph")


def test_device_filters_hide_the_devices_of_other_tasks(servers):
    config = tf.ConfigProto(device_filters=["/job:ps", "/job:worker/task:0"])
    with tf.device("/job:worker/task:1"):
        hidden = tf.constant(1.0) + 1.0
    with tf.Session(servers["worker:0"].target, config=config) as session:
        names = [d.name for d in session.list_devices()]
        assert [n for n in names if "worker" in n] == ["/job:worker/replica:0/task:0/device:CPU:0"]
        with pytest.raises(tf.errors.InvalidArgumentError, match="Cannot assign a device"):
            session.run(hidden)


def test_tasks_tell_how_many_devices_they_have():
    spec = addresses(ps=1, worker=1)
    config = tf.ConfigProto(device_count={"CPU": 3})
    with ExitStack() as stack:
        server = tf.train.Server(spec, "worker", 0)
        stack.callback(server.stop)
        stack.callback(tf.train.Server(spec, "ps", 0, config=config).stop)
        with tf.device("/job:ps/task:0/cpu:2"):
            value = tf.constant(20) + 1
        with tf.Session(server.target) as session:
            assert len([d for d in session.list_devices() if "ps" in d.name]) == 3
            assert session.run(value) == 21


def test_a_trace_has_the_operations_of_all_tasks(servers):
    with tf.device(PS):
        held = tf.Variable(np.ones(4, np.float32), name="held")
        doubled = tf.multiply(held, 2.0, name="doubled")
    with tf.device(WORKER):
        total = tf.reduce_sum(doubled, name="total")
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE, output_partition_graphs=True)
    metadata = tf.RunMetadata()
    with tf.Session(servers["worker:0"].target) as session:
        session.run(held.initializer)
        assert session.run(total, options=options, run_metadata=metadata) == 8.0
    places = {
        stats.node_name: device.device
        for device in metadata.step_stats.dev_stats
        for stats in device.node_stats
    }
    assert places["doubled"].startswith("/job:ps")
    assert places["total"].startswith("/job:worker/replica:0/task:0")
    assert len({device.device for device in metadata.step_stats.dev_stats}) == 2
    assert len(metadata.step_stats.dev_stats) == 2
    far, near = metadata.partition_graphs
    nodes = [{node.name: node for node in graph.node} for graph in (far, near)]
    assert nodes[0]["doubled"].device == nodes[0]["held"].device == places["doubled"]
    (sent,) = [node for node in far.node if node.op == "_Send"]
    (received,) = [node for node in near.node if node.op == "_Recv"]
    assert list(sent.input) == ["doubled:0"]
    assert sent.name == "sent/doubled_0/job_worker/replica_0/task_0"
    assert received.name in [name.partition(":")[0] for name in nodes[1]["total"].input]
    assert received.device == nodes[1]["total"].device == places["total"]
    assert received.attr["tensor_name"].s == sent.attr["tensor_name"].s == b"doubled:0"
    assert received.attr["send_device"].s.decode() == places["doubled"]


def test_a_trace_names_the_device_of_each_operation():
    spec, config = addresses(ps=1, worker=1), tf.ConfigProto(device_count={"CPU": 2})
    x = tf.placeholder(tf.float32, [])
    made = []
    for place in ("ps/cpu:1", "ps/cpu:0", "worker/cpu:1", "ps/cpu:1", "worker/cpu:0", "ps/cpu:0"):
        job, _, device = place.partition("/")
        with tf.device(f"/job:{job}/task:0/{device}"):
            # Two that depend on each other, and one beside them.
            made += [tf.sin(x + float(len(made))), tf.cos(made[-2] if made else x)]
            made.append(tf.while_loop(lambda v: v < 2.0, lambda v: v * v + 1.0, [made[-1]]))
    metadata, trace = tf.RunMetadata(), tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with ExitStack() as stack:
        servers = [tf.train.Server(spec, job, 0, config=config) for job in ("ps", "worker")]
        for server in servers:
            stack.callback(server.stop)
        with tf.Session(servers[1].target) as session:
            session.run(made, {x: 1.0}, options=trace, run_metadata=metadata)
            placement = session.placement(made)
    traced = {
        node.node_name: entry.device
        for entry in metadata.step_stats.dev_stats
        for node in entry.node_stats
    }
    assert {t.op.name: traced[t.op.name] for t in made} == {t.op.name: placement[t] for t in made}
    assert len({placement[t] for t in made}) == 4


@pytest.mark.parametrize("place", [PS, WORKER])
def test_waits_on_all_tasks_are_told_and_have_deadlines(servers, place):
    with tf.device(place):
        number = tf.FIFOQueue(1, tf.int32, name="numbers").dequeue(name="next")
    with tf.device(WORKER):
        more = number + 1
    caught = []

    def run() -> None:
        try:
            session.run(more, options=tf.RunOptions(timeout_in_ms=2000))
        except tf.errors.OpError as error:
            caught.append(error)

    with tf.Session(servers["worker:0"].target) as session:
        thread = threading.Thread(target=run)
        thread.start()
        deadline = time.monotonic() + 10
        while not any(w.operation == "next" for w in session.waiting()):
            assert time.monotonic() < deadline
        waiting = next(w for w in session.waiting() if w.operation == "next")
        assert waiting.wants == "1 more element" and "numbers" in waiting.resource
        thread.join(20)
    assert isinstance(caught[0], tf.errors.DeadlineExceededError)


def test_a_run_in_parts_goes_over_tasks(servers):
    with tf.device(PS):
        a = tf.placeholder(tf.float32, [], name="a")
        one = a + 1.0
    with tf.device(WORKER):
        b = tf.placeholder(tf.float32, [], name="b")
        two = one * b
    with tf.Session(servers["worker:0"].target) as session:
        handle = session.partial_run_setup([one, two], [a, b])
        assert session.partial_run(handle, one, {a: 2.0}) == 3.0
        assert session.partial_run(handle, two, {b: 5.0}) == 15.0


def test_closing_ends_the_waits_of_steps_on_the_own_task(servers):
    with tf.device(WORKER):
        number = tf.FIFOQueue(1, tf.int32).dequeue()
    session = tf.Session(servers["worker:0"].target)
    error = closed_while_it_waits(session, number, session.waiting)
    assert error is tf.errors.CancelledError


def test_many_threads_run_in_one_session_while_the_graph_grows(servers):
    with tf.device(PS):
        count = tf.Variable(0, name="count")
        up = count.assign_add(1, use_locking=True)
    with tf.device(WORKER):
        seen = up + 0
    with tf.Session(servers["worker:0"].target) as session:
        session.run(count.initializer)
        threads = [threading.Thread(target=session.run, args=(seen,)) for _ in range(40)]
        for thread in threads:
            thread.start()
        with tf.device(PS):
            later = tf.constant(3) * 4
        assert session.run(later) == 12
        for thread in threads:
            thread.join(60)
        assert session.run(count) == 40


def test_reset_of_one_container_leaves_the_others_and_ends_sessions(servers):
    target = servers["worker:0"].target
    with tf.device(PS):
        with tf.container("mine"):
            mine = tf.Variable(1.0, name="mine")
        kept = tf.Variable(2.0, name="kept")
    session = tf.Session(target)
    session.run([mine.initializer, kept.initializer])
    tf.Session.reset(target, ["mine"])
    with pytest.raises(tf.errors.AbortedError):
        session.run(kept)
    session.close()
    with tf.Session(target) as session:
        assert session.run(kept) == 2.0
        with pytest.raises(tf.errors.FailedPreconditionError):
            session.run(mine)


def test_isolated_sessions_share_no_variables(servers):
    with tf.device(PS):
        value = tf.Variable(1.0, name="isolated")
    config = tf.ConfigProto(isolate_session_state=True)
    with tf.Session(servers["worker:0"].target, config=config) as session:
        session.run(value.initializer)
        assert session.run(value) == 1.0
    with (
        tf.Session(servers["worker:0"].target) as session,
        pytest.raises(tf.errors.FailedPreconditionError),
    ):
        session.run(value)


def test_a_session_that_nobody_speaks_of_is_ended(servers):
    worker, ps = servers["worker:0"], servers["ps:0"]
    with tf.device(PS):
        value = tf.constant(1.0) + tf.placeholder_with_default(1.0, [])
    with tf.device(WORKER):
        more = value * 2.0
    ps.sessions.leases = Leases(seconds=0.0)
    with tf.Session(worker.target) as session:
        session.run(more)
        name = next(iter(worker.sessions.led))
        ps.sessions.end_expired(time.monotonic() + 1.0)
        assert name not in ps.task._parts
        with pytest.raises(tf.errors.AbortedError, match="does not know the session"):
            session.run(more)


def test_a_step_that_waits_ends_at_once_when_a_task_is_started_again():
    with Processes(ps=1, worker=1) as processes:
        with tf.device(PS):
            number = tf.FIFOQueue(1, tf.int32).dequeue()
        with tf.device(WORKER):
            more = number + 1
        caught = []

        def run() -> None:
            try:
                session.run(more)
            except tf.errors.OpError as error:
                caught.append(error)

        session = tf.Session(processes.target("worker", 0))
        thread = threading.Thread(target=run)
        thread.start()
        deadline = time.monotonic() + 20
        while not session.waiting():
            assert time.monotonic() < deadline
        processes.kill("ps", 0)
        processes.start("ps", 0)
        thread.join(15)
        session.close()
    assert isinstance(caught[0], (tf.errors.AbortedError, tf.errors.UnavailableError))


def test_peers_of_another_version_are_refused(servers):
    from workbench.cluster.commands.table import AT_ONCE

    with pytest.raises(tf.errors.FailedPreconditionError, match="version"):
        AT_ONCE["greet"](servers["ps:0"], Message("greet", {"version": 0}))
