"""The devices of sessions of this process."""

from __future__ import annotations

import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


@pytest.mark.parametrize(("wanted", "count"), [(None, 1), (0, 1), (3, 3)])
def test_a_session_has_as_many_processor_devices_as_its_options_say(wanted, count):
    config = None if wanted is None else tf.ConfigProto(device_count={"CPU": wanted})
    with tf.Session(config=config) as session:
        names = [device.name for device in session.list_devices()]
    assert names == [f"/job:localhost/replica:0/task:0/device:CPU:{i}" for i in range(count)]


def test_operations_run_on_a_second_device():
    with tf.device("/cpu:1"):
        total = tf.constant(1.0) + 2.0
    config = tf.ConfigProto(device_count={"CPU": 2})
    with tf.Session(config=config) as session:
        assert session.run(total) == 3.0
        assert session.placement(total)[total].endswith("CPU:1")


@pytest.mark.parametrize("served", [False, True])
def test_logs_and_traces_tell_of_the_device_that_an_operation_is_pinned_to(served, capfd):
    x = tf.placeholder(tf.float32, [])
    total, pinned = tf.sin(x, name="anywhere"), {}
    for number in (2, 0, 1):
        with tf.device(f"/cpu:{number}"):
            pinned[f"on_{number}"] = number
            total = tf.sin(total, name=f"on_{number}")
    config = tf.ConfigProto(device_count={"CPU": 3}, log_device_placement=True)
    server = tf.train.Server.create_local_server(config=config) if served else None
    task = f"/job:{'local' if served else 'localhost'}/replica:0/task:0"
    trace = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    metadata = tf.RunMetadata()
    with tf.Session(server.target if server else "", config=config) as session:
        session.run(total, {x: 1.0}, options=trace, run_metadata=metadata)
    traced = {
        node.node_name: entry.device
        for entry in metadata.step_stats.dev_stats
        for node in entry.node_stats
    }
    logged = dict(line.split(": (", 1) for line in capfd.readouterr().err.splitlines())
    for name, number in {"anywhere": 0, **pinned}.items():
        assert traced[name] == f"{task}/device:CPU:{number}"
        assert logged[name].endswith(f"): {task}/device:CPU:{number}")
    if server is not None:
        server.stop()


def test_options_stay_as_they_are():
    config = tf.ConfigProto()
    with tf.Session(config=config) as session:
        session.list_devices()
    assert config.ByteSize() == 0


#: What operations are pinned to, whether a session of one processor runs them, and whether it does
#: so with `allow_soft_placement`. Of types there is one, which stands for all.
PINNED = [
    ("/cpu:0", True, True),
    ("/job:localhost/replica:0/task:0/device:CPU:0", True, True),
    ("/gpu:3", True, True),
    ("/cpu:7", False, True),
    ("/job:localhost/task:0/cpu:1", False, True),
    ("/job:ps", False, False),
    ("/job:ps/task:0/cpu:7", False, False),
    ("/task:1", False, False),
    ("/replica:1", False, False),
]


@pytest.mark.parametrize("interactive", [False, True])
@pytest.mark.parametrize(("device", "hard", "soft"), PINNED)
def test_what_is_pinned_elsewhere_is_refused(device, hard, soft, interactive):
    make = tf.InteractiveSession if interactive else tf.Session
    for allowed, runs in ((False, hard), (True, soft)):
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, [])
            with tf.device(device):
                total = tf.add(x, 1.0, name="far")
            config = tf.ConfigProto(allow_soft_placement=allowed)
            session = make(graph=graph, config=config)
            try:
                if runs:
                    assert session.run(total, {x: 1.0}) == 2.0
                else:
                    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
                        session.run(total, {x: 1.0})
                    text = str(caught.value)
                    assert text.startswith("Cannot assign a device for operation")
                    assert "test_devices.py" in text and 'name="far"' in text
                    advice = "tf.Session('tcp://host:port')" if not soft else "allow_soft_placement"
                    assert advice in text
                # What does not need it runs all the same, and so does what is fed.
                assert session.run(x, {x: 3.0}) == 3.0
                assert session.run(total * 2.0, {total: 3.0}) == 6.0
            finally:
                session.close()


def _in_a_conditional(x):
    def far():
        with tf.device("/job:ps"):
            return x * 2.0

    return tf.cond(x > 0, far, lambda: x)


def _in_a_loop(x):
    def turn(y):
        with tf.device("/job:ps"):
            return y * 2.0

    return tf.while_loop(lambda y: y < 5.0, turn, [x])


@pytest.mark.parametrize("make", [_in_a_conditional, _in_a_loop])
def test_so_it_is_inside_of_conditionals_and_loops(make):
    x = tf.placeholder(tf.float32, [])
    y = make(x)
    with tf.Session() as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match="pinned to '/job:ps'"):
            session.run(y, {x: 1.0})
        with pytest.raises(tf.errors.InvalidArgumentError, match="pinned to '/job:ps'"):
            session.make_callable(y, [x])
        with pytest.raises(tf.errors.InvalidArgumentError, match="pinned to '/job:ps'"):
            handle = session.partial_run_setup([y], [x])
            session.partial_run(handle, y, {x: 1.0})


def test_runs_and_graphs_without_a_session_try_what_was_built_for_a_cluster():
    import workbench as wb

    with tf.device(tf.train.replica_device_setter(ps_tasks=2)):
        weight = tf.Variable(1.0)
        loss = tf.square(weight)
    train = tf.train.GradientDescentOptimizer(0.25).minimize(loss)
    run = wb.run(train, steps=3, track={"loss": loss}, folder=None)
    assert run.wait(timeout=60).state == "finished"
    assert run.history["loss"].tolist() == [1.0, 0.25, 0.0625]
    assert tf.square(weight.initial_value).eval() == 1.0
