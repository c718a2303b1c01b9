"""Full-graph replication: each worker builds the whole graph, parameter servers hold it together.

A program as users write it, with flags, a Supervisor, summaries and a Saver. The workers train a
line through points; each prints what it found, as JSON.
"""

from __future__ import annotations

import json

import numpy as np

import workbench as tf

flags = tf.app.flags
flags.DEFINE_string("ps_hosts", "", "addresses of the parameter servers")
flags.DEFINE_string("worker_hosts", "", "addresses of the workers")
flags.DEFINE_string("job_name", "", "ps or worker")
flags.DEFINE_integer("task_index", 0, "number of the task in its job")
flags.DEFINE_string("logdir", "", "where checkpoints and summaries go")
flags.DEFINE_integer("steps", 100, "how many global steps are taken")
FLAGS = flags.FLAGS


def main(_: object) -> None:
    """Serves, or trains."""
    ps_hosts, worker_hosts = FLAGS.ps_hosts.split(","), FLAGS.worker_hosts.split(",")
    cluster = tf.train.ClusterSpec({"ps": ps_hosts, "worker": worker_hosts})
    server = tf.train.Server(cluster, job_name=FLAGS.job_name, task_index=FLAGS.task_index)
    print("up", flush=True)
    if FLAGS.job_name == "ps":
        server.join()
    with tf.device(
        tf.train.replica_device_setter(
            worker_device=f"/job:worker/task:{FLAGS.task_index}", cluster=cluster
        )
    ):
        x, y = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [None])
        slope = tf.Variable(0.0, name="slope")
        shift = tf.Variable(0.0, name="shift")
        loss = tf.reduce_mean(tf.square(slope * x + shift - y))
        global_step = tf.Variable(0, name="global_step", trainable=False)
        train_op = tf.train.AdagradOptimizer(0.5).minimize(loss, global_step=global_step)
        saver = tf.train.Saver(sharded=True)
        tf.summary.scalar("steepness", slope)
        summary_op = tf.summary.merge_all()
        init_op = tf.global_variables_initializer()

    supervisor = tf.train.Supervisor(
        is_chief=FLAGS.task_index == 0,
        logdir=FLAGS.logdir,
        init_op=init_op,
        # Summaries that need no feeds: a thread of the chief computes them.
        summary_op=summary_op,
        save_summaries_secs=1,
        saver=saver,
        global_step=global_step,
        recovery_wait_secs=1,
        save_model_secs=600,
    )
    points = np.random.RandomState(FLAGS.task_index)
    own = 0
    with supervisor.managed_session(server.target) as session:
        step = session.run(global_step)
        while not supervisor.should_stop() and step < FLAGS.steps:
            xs = points.uniform(-1.0, 1.0, 32).astype(np.float32)
            _, step, value = session.run(
                [train_op, global_step, loss], feed_dict={x: xs, y: 3.0 * xs - 1.0}
            )
            own += 1
        found = {"own": own, "step": int(step), "loss": float(value)}
        found["weights"] = [float(v) for v in session.run([slope, shift])]
        if FLAGS.task_index == 0:
            saver.save(session, supervisor.save_path, global_step=global_step)
    supervisor.stop()
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    tf.app.run()
