"""Where replicas place their variables and everything else."""

from __future__ import annotations

import pytest

import workbench as tf

CLUSTER = {"ps": ["p0:2222", "p1:2222"], "worker": ["w0:2222", "w1:2222"]}

pytestmark = pytest.mark.usefixtures("graph")


@pytest.mark.parametrize(
    ("around", "options", "wanted"),
    [
        # A variable, one that is pinned further, what is computed from both.
        ("", {}, ["/job:ps/task:0", "/job:ps/task:1", "/job:worker"]),
        ("/job:moon", {}, ["/job:ps/task:0", "/job:moon", "/job:worker"]),
        ("/job:ps", {}, ["/job:ps/task:0", "/job:ps/task:1", "/job:worker"]),
        ("/job:ps", {"merge_devices": False}, ["/job:ps/task:0", "/job:ps", "/job:worker"]),
        ("/job:ps/task:0", {}, ["/job:ps/task:0", "/job:ps/task:0", "/job:worker"]),
        (
            "/cpu:1",
            {"worker_device": "/job:worker/task:1"},
            ["/job:ps/task:0", "/job:ps/task:1/device:CPU:1", "/job:worker/task:1"],
        ),
        (
            "/job:moon",
            {"cluster": None, "ps_tasks": 1, "ps_device": "/cpu:0"},
            ["/device:CPU:0", "/job:moon/device:CPU:0", "/job:worker"],
        ),
        (
            "",
            {"ps_strategy": lambda op: 1},
            ["/job:ps/task:1", "/job:ps/task:1", "/job:worker"],
        ),
        ("", {"ps_ops": ["Add", "AddV2"]}, ["/job:worker", "/job:worker", "/job:ps/task:0"]),
    ],
)
def test_devices(around, options, wanted):
    with tf.device(tf.train.replica_device_setter(**{"cluster": CLUSTER, **options})):
        first = tf.Variable(1.0)
        with tf.device(around):
            second = tf.Variable(2.0)
        total = first + second
    assert [first.device, second.device, total.device] == wanted
    assert [first.initializer.device, second.initializer.device] == wanted[:2]


@pytest.mark.parametrize(
    "cluster",
    [
        tf.train.ClusterSpec(CLUSTER),
        tf.train.ClusterSpec(CLUSTER).as_cluster_def(),
        CLUSTER,
    ],
    ids=["spec", "definition", "dictionary"],
)
def test_clusters_in_all_their_forms(cluster):
    with tf.device(tf.train.replica_device_setter(cluster=cluster)):
        variables = [tf.Variable(0.0) for _ in range(3)]
    assert [v.device for v in variables] == ["/job:ps/task:0", "/job:ps/task:1", "/job:ps/task:0"]


def test_without_parameter_servers_there_is_nothing_to_choose():
    assert tf.train.replica_device_setter(cluster={"worker": ["w0:2222"]}) is None
    assert tf.train.replica_device_setter() is None
    with pytest.raises(TypeError, match="ps_strategy must be callable"):
        tf.train.replica_device_setter(ps_tasks=1, ps_strategy=3)


def test_the_least_loaded_server_gets_a_variable():
    training = tf.contrib.training
    strategy = training.GreedyLoadBalancingStrategy(3, training.byte_size_load_fn)
    with tf.device(tf.train.replica_device_setter(ps_tasks=3, ps_strategy=strategy)):
        made = [
            tf.Variable(tf.zeros(shape, dtype))
            for shape, dtype in [
                ([10], tf.float32),  # 40 bytes
                ([6], tf.float64),  # 48
                ([], tf.int32),  # 4
                ([9], tf.float32),  # 36: as much as the first one has now
                ([1], tf.int8),
            ]
        ]
    assert [v.device[-1] for v in made] == ["0", "1", "2", "2", "0"]


def test_only_what_has_one_output_of_a_known_size_weighs():
    load = tf.contrib.training.byte_size_load_fn
    assert load(tf.zeros([2, 3]).op) == 24
    with pytest.raises(ValueError, match="single output"):
        load(tf.split(tf.zeros([4]), 2)[0].op)
    with pytest.raises(ValueError, match="fully defined"):
        load(tf.placeholder(tf.float32, [None], name="x").op)


def test_names_choose_at_random_but_always_the_same():
    strategy = tf.contrib.training.RandomStrategy(2, seed=0)
    names = ["Variable", "Variable_1", "Variable_2", "Variable_3"]
    # As TensorFlow chooses.
    assert [strategy(tf.no_op(name=name)) for name in names] == [1, 0, 1, 1]
    other = tf.contrib.training.RandomStrategy(4, seed=1)
    assert {other(tf.no_op(name=f"v{i}")) for i in range(40)} == {0, 1, 2, 3}
