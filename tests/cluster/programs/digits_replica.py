"""Between-graph replication of a network of two layers, in step or not, with a Supervisor.

What programs that train handwritten digits on replicas look like: a server in the worker's own
process or one that is there already, Adam, placeholders that each worker feeds with its own
batches, and a Supervisor that prepares the session or waits for it. The digits are blurred
prototypes, of which the network must tell which is which.
"""

from __future__ import annotations

import json
import math
import tempfile

import numpy as np

import workbench as tf

flags = tf.app.flags
flags.DEFINE_string("ps_hosts", "", "addresses of the parameter servers")
flags.DEFINE_string("worker_hosts", "", "addresses of the workers")
flags.DEFINE_string("job_name", None, "ps or worker")
flags.DEFINE_integer("task_index", None, "number of the task; worker 0 is the chief")
flags.DEFINE_integer("replicas_to_aggregate", None, "gradients of a step, where in step")
flags.DEFINE_integer("hidden_units", 32, "units of the hidden layer")
flags.DEFINE_integer("train_steps", 60, "global steps to take")
flags.DEFINE_integer("batch_size", 50, "examples of a batch")
flags.DEFINE_float("learning_rate", 0.01, "learning rate")
flags.DEFINE_boolean("sync_replicas", False, "whether the workers take each step together")
flags.DEFINE_boolean("existing_servers", False, "whether the servers run already")
FLAGS = flags.FLAGS

PIXELS, CLASSES = 64, 10
PROTOTYPES = np.random.RandomState(7).uniform(size=(CLASSES, PIXELS))


def examples(random: np.random.RandomState, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images and their labels, one column for each class."""
    labels = random.randint(CLASSES, size=count)
    images = PROTOTYPES[labels] + 0.3 * random.normal(size=(count, PIXELS))
    return images.astype(np.float32), np.eye(CLASSES, dtype=np.float32)[labels]


def main(_: object) -> None:
    """Serves, or trains and then validates."""
    if not FLAGS.job_name:
        raise ValueError("Must specify an explicit `job_name`")
    if FLAGS.task_index is None:
        raise ValueError("Must specify an explicit `task_index`")
    ps_spec, worker_spec = FLAGS.ps_hosts.split(","), FLAGS.worker_hosts.split(",")
    num_workers = len(worker_spec)
    cluster = tf.train.ClusterSpec({"ps": ps_spec, "worker": worker_spec})
    if FLAGS.existing_servers:
        target = "grpc://" + worker_spec[FLAGS.task_index]
    else:
        server = tf.train.Server(cluster, job_name=FLAGS.job_name, task_index=FLAGS.task_index)
        target = server.target
    print("up", flush=True)
    if not FLAGS.existing_servers and FLAGS.job_name == "ps":
        server.join()
    is_chief = FLAGS.task_index == 0
    worker_device = f"/job:worker/task:{FLAGS.task_index}/cpu:0"
    with tf.device(
        tf.train.replica_device_setter(
            worker_device=worker_device, ps_device="/job:ps/cpu:0", cluster=cluster
        )
    ):
        global_step = tf.Variable(0, name="global_step", trainable=False)
        hidden_weights = tf.Variable(
            tf.truncated_normal([PIXELS, FLAGS.hidden_units], stddev=1.0 / math.sqrt(PIXELS))
        )
        hidden_bias = tf.Variable(tf.zeros([FLAGS.hidden_units]))
        weights = tf.Variable(
            tf.truncated_normal(
                [FLAGS.hidden_units, CLASSES], stddev=1.0 / math.sqrt(FLAGS.hidden_units)
            )
        )
        bias = tf.Variable(tf.zeros([CLASSES]))
        x = tf.placeholder(tf.float32, [None, PIXELS])
        y_ = tf.placeholder(tf.float32, [None, CLASSES])
        hidden = tf.nn.relu(tf.nn.xw_plus_b(x, hidden_weights, hidden_bias))
        y = tf.nn.softmax(tf.nn.xw_plus_b(hidden, weights, bias))
        cross_entropy = -tf.reduce_sum(y_ * tf.log(tf.clip_by_value(y, 1e-10, 1.0)))
        right = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))
        accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
        opt = tf.train.AdamOptimizer(FLAGS.learning_rate)
        if FLAGS.sync_replicas:
            opt = tf.train.SyncReplicasOptimizer(
                opt,
                replicas_to_aggregate=FLAGS.replicas_to_aggregate or num_workers,
                total_num_replicas=num_workers,
                name="digits_sync_replicas",
            )
        train_step = opt.minimize(cross_entropy, global_step=global_step)
        more = {}
        if FLAGS.sync_replicas:
            more = {
                "local_init_op": opt.chief_init_op if is_chief else opt.local_step_init_op,
                "ready_for_local_init_op": opt.ready_for_local_init_op,
            }
            chief_queue_runner = opt.get_chief_queue_runner()
            sync_init_op = opt.get_init_tokens_op()
        with tempfile.TemporaryDirectory() as train_dir:
            sv = tf.train.Supervisor(
                is_chief=is_chief,
                logdir=train_dir,
                init_op=tf.global_variables_initializer(),
                recovery_wait_secs=1,
                global_step=global_step,
                **more,
            )
            config = tf.ConfigProto(
                allow_soft_placement=True,
                device_filters=["/job:ps", f"/job:worker/task:{FLAGS.task_index}"],
            )
            sess = sv.prepare_or_wait_for_session(target, config=config)
            if FLAGS.sync_replicas and is_chief:
                sess.run(sync_init_op)
                sv.start_queue_runners(sess, [chief_queue_runner])
            random = np.random.RandomState(FLAGS.task_index)
            found = {"own": 0, "step": 0}
            while found["step"] < FLAGS.train_steps:
                images, labels = examples(random, FLAGS.batch_size)
                _, step = sess.run([train_step, global_step], feed_dict={x: images, y_: labels})
                found = {"own": found["own"] + 1, "step": int(step)}
            images, labels = examples(np.random.RandomState(99), 200)
            found["accuracy"] = float(sess.run(accuracy, feed_dict={x: images, y_: labels}))
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    tf.app.run()
