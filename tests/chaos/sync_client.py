"""A client of a synchronous training with a parameter server, for the chaos test to disturb.

    python -m tests.chaos.sync_client SPEC INDEX FOLDER PACE

The sessions of client INDEX are led by the server of worker INDEX; client 0 is the chief and keeps
checkpoints in FOLDER. Each step has its position in the data, of which each client takes its half.
The optimizer itself notes in `used` which positions it was given, so that what is applied and what
is noted cannot differ. All has the same bits in each training: the mean of two numbers does not
depend on their order.

The file FOLDER/end has the step at which to end. FOLDER/at_INDEX has the step that a client has
seen last; FOLDER/found has, as JSON, what the chief has found in the end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

import workbench as tf
from workbench.core.files import atomic_write

#: As many positions as there can be.
POSITIONS = 50_000
#: A power of two: what is noted for a position is exactly this.
RATE = 0.0625
SAVE_STEPS = 10
ROWS = np.random.RandomState(5).standard_normal((64, 3))
WANTED = np.array([[1.0], [-2.0], [0.5]])


def loss_of(weights: np.ndarray) -> float:
    """The loss on all of the data."""
    return float(np.mean((ROWS @ (weights - WANTED)) ** 2))


def build(index: int) -> tuple[tf.Tensor, tf.Operation, tf.train.SyncReplicasOptimizer, dict]:
    """The global step, the train operation and its optimizer, and what to look at in the end."""
    cluster = tf.train.ClusterSpec({"ps": [""], "worker": ["", ""]})
    setter = tf.train.replica_device_setter(
        worker_device=f"/job:worker/task:{index}", cluster=cluster
    )
    with tf.device(setter):
        step = tf.train.get_or_create_global_step()
        weights = tf.Variable(np.zeros((3, 1)), name="weights")
        used = tf.Variable(np.zeros(POSITIONS), name="used")
        position = step.read_value()
        rows = tf.gather(
            tf.constant(ROWS), (2 * position + index + tf.range(8, dtype=tf.int64)) % 64
        )
        error = tf.reduce_mean(tf.square(tf.matmul(rows, weights - WANTED)))
        loss = error - tf.gather(used, position)
        optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(RATE), 2)
        train = optimizer.minimize(loss, global_step=step)
    return step, train, optimizer, {"step": step, "weights": weights, "used": used}


def summary(step: int, weights: np.ndarray, used: np.ndarray) -> dict[str, object]:
    """What the test compares: which positions were not used once, and the weights' bits."""
    wanted = np.where(np.arange(POSITIONS) < step, RATE, 0.0)
    wrong = {int(p): used[p] / RATE for p in np.flatnonzero(used != wanted)[:20]}
    bits = [float(w).hex() for w in weights[:, 0]]
    return {"steps": int(step), "wrong": wrong, "weights": bits, "loss": loss_of(weights)}


def configured(index: int) -> tf.ConfigProto:
    """One way to compute: from the first step to the last, and in each life of a task."""
    config = tf.ConfigProto(device_filters=["/job:ps", f"/job:worker/task:{index}"])
    options = config.graph_options.optimizer_options
    options.global_jit_level = tf.OptimizerOptions.OFF
    return config


def main(spec: str, index: int, folder: Path, pace: float) -> None:
    """Trains until the step that the file `end` has."""
    step, train, optimizer, looked_at = build(index)
    is_chief = index == 0
    hooks = [optimizer.make_session_run_hook(is_chief)]
    checkpoints = str(folder / "checkpoints")
    saving = [tf.train.CheckpointSaverHook(checkpoints, save_steps=SAVE_STEPS)] if is_chief else []
    with tf.train.MonitoredTrainingSession(
        f"tcp://{json.loads(spec)['worker'][index]}",
        is_chief=is_chief,
        checkpoint_dir=checkpoints if is_chief else None,
        chief_only_hooks=saving,
        save_checkpoint_secs=None,
        save_summaries_steps=None,
        log_step_count_steps=None,
        hooks=hooks,
        config=configured(index),
        stop_grace_period_secs=20,
    ) as session:
        print("up", flush=True)
        while True:
            # Not in one run with the training: a checkpoint is due after the first run, and this
            # one leaves the variables alone.
            at = int(session.run(step))
            (folder / f"at_{index}").write_text(str(at))
            if (folder / "end").exists() and at >= int((folder / "end").read_text()):
                break
            time.sleep(pace)
            session.run(train)
        if is_chief:
            found = json.dumps(summary(**session.run(looked_at)))
            atomic_write(folder / "found", found.encode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
