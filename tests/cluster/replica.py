"""One process of a training with replicas: a parameter server or a worker.

    python -m tests.cluster.replica SPEC JOB INDEX FOLDER STEPS MODE

MODE is "async", "sync" (all workers in step) or "backup" (the step goes on without the slowest).
The first worker is the chief and keeps checkpoints in FOLDER. Each worker prints, as JSON, what it
found at the end; `counted` is a variable that every update of the weights counts on.
"""

from __future__ import annotations

import json
import sys

import numpy as np

import workbench as tf

WANTED = np.array([[1.0], [-2.0], [0.5]], np.float32)


def main(spec_text: str, job: str, index: int, folder: str, steps: int, mode: str) -> None:
    """Serves, or trains until so many steps are taken."""
    spec = json.loads(spec_text)
    server = tf.train.Server(spec, job, index)
    print("up", flush=True)
    if job == "ps":
        server.join()
    is_chief = index == 0
    setter = tf.train.replica_device_setter(
        worker_device=f"/job:worker/task:{index}", cluster=tf.train.ClusterSpec(spec)
    )
    with tf.device(setter):
        step = tf.train.get_or_create_global_step()
        counted = tf.Variable(0, dtype=tf.int64, trainable=False, name="counted")
        weights = tf.Variable(tf.zeros([3, 1]), name="weights")
        x = tf.placeholder(tf.float32, [None, 3])
        loss = tf.reduce_mean(tf.square(tf.matmul(x, weights) - tf.matmul(x, WANTED)))
        optimizer = tf.train.GradientDescentOptimizer(0.05)
        count = len(spec["worker"])
        if mode != "async":
            needed = count if mode == "sync" else count - 1
            optimizer = tf.train.SyncReplicasOptimizer(optimizer, needed, count)
        train = optimizer.minimize(loss, global_step=step)
        with tf.control_dependencies([train]):
            count_on = counted.assign_add(1, use_locking=True)
        with tf.control_dependencies([count_on]):
            reached = tf.identity(step.read_value())
    hooks = [tf.train.StopAtStepHook(last_step=steps)]
    if mode != "async":
        hooks.append(optimizer.make_session_run_hook(is_chief))
    config = tf.ConfigProto(device_filters=["/job:ps", f"/job:worker/task:{index}"])
    saving = tf.train.CheckpointSaverHook(folder, save_steps=20) if is_chief else None
    rng = np.random.default_rng(index)
    found = {"taken": 0}
    with tf.train.MonitoredTrainingSession(
        server.target,
        is_chief=is_chief,
        checkpoint_dir=folder if is_chief else None,
        chief_only_hooks=[saving] if saving is not None else None,
        save_checkpoint_secs=None,
        save_summaries_steps=None,
        log_step_count_steps=None,
        hooks=hooks,
        config=config,
    ) as session:
        while not session.should_stop():
            batch = rng.normal(size=(16, 3)).astype(np.float32)
            value, counts, number = session.run([loss, count_on, reached], {x: batch})
            found["taken"] += 1
            found.update(loss=float(value), counted=int(counts), steps=int(number))
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]), sys.argv[6])
