"""Sessions that bring a cluster of their own, of servers that know nothing of each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import workbench as tf
from workbench.cluster.wire.peers import Sent

pytestmark = pytest.mark.usefixtures("graph")
STORES = [f"/job:store/replica:0/task:{index}" for index in range(2)]


@pytest.fixture
def servers() -> Iterator[list[tf.train.Server]]:
    """Three servers, each a cluster of its own; the last one has two devices."""
    config = tf.ConfigProto(device_count={"CPU": 2})
    made = [tf.train.Server.create_local_server() for _ in range(2)]
    made.append(tf.train.Server.create_local_server(config=config))
    yield made
    for server in made:
        server.stop()


def cluster_of(**jobs: list[tf.train.Server]) -> tf.ConfigProto:
    """The options of a session with these jobs."""
    spec = {job: [s.target.removeprefix("tcp://") for s in tasks] for job, tasks in jobs.items()}
    return tf.ConfigProto(cluster_def=tf.train.ClusterSpec(spec).as_cluster_def())


@pytest.mark.parametrize("place", ["near", "far"])
def test_servers_have_the_names_that_the_session_gives_them(servers, place, monkeypatch):
    if place == "far":
        monkeypatch.setattr("workbench.cluster.targets.server_at", lambda target: None)
    one, two, three = servers
    with tf.device("/job:store/task:1/cpu:1"):
        held = tf.Variable([1.0, 2.0], name="held")
    with tf.device("/job:store/task:0"):
        doubled = held * 2.0
    with tf.device("/job:computer/task:0"):
        total = tf.reduce_sum(doubled) + 1.0
    config = cluster_of(computer=[one], store=[two, three])
    with tf.Session(one.target, config=config) as session:
        assert [d.name for d in session.list_devices()] == [
            "/job:computer/replica:0/task:0/device:CPU:0",
            "/job:store/replica:0/task:0/device:CPU:0",
            "/job:store/replica:0/task:1/device:CPU:0",
            "/job:store/replica:0/task:1/device:CPU:1",
        ]
        session.run(held.initializer)
        assert session.run([total, held])[0] == 7.0
        assert session.placement(total)[doubled] == "/job:store/replica:0/task:0/device:CPU:0"


def test_sessions_of_several_servers_keep_their_variables_apart_on_one(servers):
    shared = servers[2]
    with tf.device("/job:worker/task:1"):
        value = tf.Variable(0, name="value")
        up = value.assign_add(1)
    with (
        tf.Session(servers[0].target, config=cluster_of(worker=[servers[0], shared])) as first,
        tf.Session(servers[1].target, config=cluster_of(worker=[servers[1], shared])) as second,
    ):
        first.run(value.initializer)
        with pytest.raises(tf.errors.FailedPreconditionError):
            second.run(value)
        second.run(value.initializer)
        assert [first.run(up), first.run(up), second.run(up)] == [1, 2, 1]
        # Both leaders speak of their sessions: nobody takes one for the other, which it replaces.
        for server in servers[:2]:
            server._keeper._speak()
        assert [first.run(value), second.run(value)] == [2, 1]


def test_a_step_ends_whose_value_went_down_with_its_connection(servers, monkeypatch):
    leader, sender, receiver = servers

    def lose(*arguments):
        sender._note_loss(receiver.target, tf.errors.UnavailableError(None, None, "is cut"))
        return Sent(0, 0, 0)

    with tf.device("/job:store/task:0"):
        given = tf.random_uniform([])
    with tf.device("/job:store/task:1"):
        taken = given + 1.0
    with (
        tf.Session(leader.target, config=cluster_of(computer=[leader], store=servers[1:])) as one,
        # The names of the two are the other way round here, and nothing is lost.
        tf.Session(
            leader.target, config=cluster_of(computer=[leader], store=servers[:0:-1])
        ) as two,
    ):
        assert one.run(taken) >= 1.0 and two.run(taken) >= 1.0
        (master,) = [
            m for m in leader.sessions.led.values() if m.others[STORES[0]].address == sender.target
        ]
        with monkeypatch.context() as patch:
            patch.setattr(sender.task.cluster(master.name)[STORES[1]], "deliver", lose)
            with pytest.raises(tf.errors.UnavailableError, match="may be lost"):
                one.run(taken)
        assert one.run(taken) >= 1.0 and two.run(taken) >= 1.0


def test_a_server_that_is_not_in_the_cluster_leads_no_session_of_it(servers):
    with pytest.raises(tf.errors.InvalidArgumentError, match="not one of the tasks"):
        tf.Session(servers[0].target, config=cluster_of(worker=servers[1:]))
