"""A member of a training whose replicas average their gradients, for the chaos test to disturb.

    python -m tests.chaos.replica_member ROSTER ADDRESS NUMBER FOLDER PACE
    python -m tests.chaos.replica_member roster ADDRESS REPLICAS

ADDRESS is where others reach it, as host:port. The optimizer itself notes in `used` which batches
were applied: what a replica gives for its batch is divided by the number of replicas as all else
is, and it has given so many times as much.

FOLDER/at_NUMBER has the step that a member has taken last, FOLDER/end the one to end at, and
FOLDER/found_NUMBER, as JSON, what it has found in the end.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import workbench as tf
from tests.chaos.sync_client import ROWS, WANTED, loss_of
from workbench.cluster.replication.replica import Replica
from workbench.cluster.replication.roster import Roster
from workbench.cluster.replication.strategy import Share
from workbench.core.files import atomic_write

BATCHES = 50_000
RATE = 0.0625


class Model:
    """A linear model, and what it was trained with."""

    def __init__(self) -> None:
        self.batch = tf.placeholder(tf.int64, [])
        self.size = tf.placeholder(tf.float64, [])
        self.weights = tf.Variable(np.zeros((3, 1)))
        self.used = tf.Variable(np.zeros(BATCHES))
        rows = tf.gather(tf.constant(ROWS), (self.batch + tf.range(8, dtype=tf.int64)) % 64)
        error = tf.reduce_mean(tf.square(tf.matmul(rows, self.weights - WANTED)))
        loss = error - self.size * tf.gather(self.used, self.batch)
        self.train = tf.train.GradientDescentOptimizer(RATE).minimize(loss)

    def feed(self, share: Share) -> dict[Any, Any]:
        """The batch of a share."""
        return {self.batch: share.batch, self.size: float(share.size)}


def summary(steps: int, weights: np.ndarray, used: np.ndarray) -> dict[str, Any]:
    """What a member has found: how often batches were applied that were not applied once."""
    count = int(np.flatnonzero(used).max(initial=-1)) + 1
    times = used[:count] / RATE
    wrong = {int(b): float(times[b]) for b in np.flatnonzero(np.abs(times - 1) > 1e-9)[:20]}
    bits = [float(w).hex() for w in weights[:, 0]]
    loss = loss_of(weights)
    return {"steps": steps, "batches": count, "wrong": wrong, "weights": bits, "loss": loss}


def main(roster: str, address: str, number: int, folder: Path, pace: float) -> None:
    """Trains until the step that the file `end` has."""
    model = Model()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        with Replica(
            session, model.train, f"tcp://{roster}", f"tcp://{address}", timeout=30.0, shared=False
        ) as replica:
            print("up", flush=True)
            while True:
                (folder / f"at_{number}").write_text(str(replica.step_number))
                end = folder / "end"
                if end.exists() and replica.step_number >= int(end.read_text()):
                    break
                time.sleep(pace)
                replica.step(None, model.feed)
            weights, used = session.run([model.weights, model.used])
            found = summary(replica.step_number, weights, used)
            atomic_write(folder / f"found_{number}", json.dumps(found).encode())


def keep(address: str, replicas: int) -> None:
    """Keeps the roster of a training."""
    with Roster(replicas, f"tcp://{address}", grace=15.0):
        threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "roster":
        keep(sys.argv[2], int(sys.argv[3]))
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), float(sys.argv[5]))
