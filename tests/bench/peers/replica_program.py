"""A worker or parameter server of a small training with replicas, on either engine.

    python replica_program.py ENGINE SPEC JOB INDEX MODE STEPS

Data parallelism between graphs: the variables of a network with one hidden layer lie on the
parameter servers, each worker computes gradients of its own batches. MODE is "async" or "sync".
A worker says when its session is there and waits for a line of input, so that all begin together;
it prints, as JSON, how long the training took from there to its last step.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

import numpy as np

HIDDEN, BATCH = 100, 100
#: From this global step on the time of a step is taken.
WARM = 100


def main() -> None:
    """The command line."""
    engine, spec_text, job, index_text, mode, steps_text = sys.argv[1:7]
    tf = importlib.import_module("tensorflow.compat.v1" if engine == "tensorflow" else engine)
    if engine == "tensorflow":
        tf.disable_v2_behavior()
    spec, index, steps = json.loads(spec_text), int(index_text), int(steps_text)
    cluster = tf.train.ClusterSpec(spec)
    server = tf.train.Server(cluster, job_name=job, task_index=index)
    if job == "ps":
        print("up", flush=True)
        server.join()
    is_chief = index == 0
    rng = np.random.default_rng(index)
    images = rng.random((4000, 784), np.float32)
    labels = np.eye(10, dtype=np.float32)[(images[:, :10]).argmax(1)]
    setter = tf.train.replica_device_setter(
        worker_device=f"/job:worker/task:{index}", cluster=cluster
    )
    with tf.device(setter):
        step = tf.train.get_or_create_global_step()
        x = tf.placeholder(tf.float32, [None, 784])
        y = tf.placeholder(tf.float32, [None, 10])
        hidden_w = tf.Variable(tf.truncated_normal([784, HIDDEN], stddev=1 / 28, seed=1))
        hidden_b = tf.Variable(tf.zeros([HIDDEN]))
        out_w = tf.Variable(tf.truncated_normal([HIDDEN, 10], stddev=0.1, seed=2))
        out_b = tf.Variable(tf.zeros([10]))
        hidden = tf.nn.relu(tf.nn.xw_plus_b(x, hidden_w, hidden_b))
        logits = tf.nn.xw_plus_b(hidden, out_w, out_b)
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=logits))
        optimizer = tf.train.AdamOptimizer(0.01)
        if mode == "sync":
            count = len(spec["worker"])
            optimizer = tf.train.SyncReplicasOptimizer(optimizer, count, count)
        train = optimizer.minimize(loss, global_step=step)
    hooks = [tf.train.StopAtStepHook(last_step=steps)]
    if mode == "sync":
        hooks.append(optimizer.make_session_run_hook(is_chief))
    config = tf.ConfigProto(
        device_filters=["/job:ps", f"/job:worker/task:{index}"],
        intra_op_parallelism_threads=1,
        inter_op_parallelism_threads=1 if engine == "tensorflow" and mode == "async" else 0,
    )
    began = time.perf_counter()
    first = steady = None
    taken = 0
    with tf.train.MonitoredTrainingSession(
        server.target, is_chief=is_chief, hooks=hooks, config=config, log_step_count_steps=None
    ) as session:
        opened = time.perf_counter()
        print("ready", flush=True)
        sys.stdin.readline()
        go = time.perf_counter()
        while not session.should_stop():
            at = rng.integers(0, len(images) - BATCH)
            feed = {x: images[at : at + BATCH], y: labels[at : at + BATCH]}
            value, _, number = session.run([loss, train, step], feed)
            taken += 1
            if first is None:
                first = time.perf_counter()
            if steady is None and number >= WARM:
                steady = time.perf_counter(), int(number)
            if mode == "sync" and number >= steps - 1:
                # One more would hang on TensorFlow: who is second waits for a token for ever.
                break
        ended = time.perf_counter()
        assert first is not None and steady is not None
        print(
            json.dumps(
                {
                    "worker": index,
                    "open": opened - began,
                    "first": first - go,
                    "seconds": ended - go,
                    "step": 1000 * (ended - steady[0]) / max(int(number) - steady[1], 1),
                    "steps": taken,
                    "loss": float(value),
                    "global": int(number),
                }
            ),
            flush=True,
        )
        if mode == "sync":
            # Its threads for the queue of tokens would be waited for.
            os._exit(0)


if __name__ == "__main__":
    main()
