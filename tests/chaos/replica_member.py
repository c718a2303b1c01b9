"""A member of a training with replicas, for the chaos test to disturb.

    python -m tests.chaos.replica_member STRATEGY ROSTER ADDRESS NUMBER FOLDER PACE
    python -m tests.chaos.replica_member roster ADDRESS REPLICAS

ADDRESS is where others reach it, as host:port. The optimizer itself notes in `used` which batches
were applied, and `count` is its counter of steps. In step, what a replica gives for its batch is
divided by the number of replicas as all else is, and it has given so many times as much.

FOLDER/at_NUMBER has the step that a member has taken last, FOLDER/end the one to end at, and
FOLDER/found_NUMBER, as JSON, what it has found in the end. FOLDER/taken_NUMBER has a line for each
batch that it was given, with the life in which it was, and the epoch.
"""

from __future__ import annotations

import json
import os
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
from workbench.cluster.replication.served_replica import ServedReplica
from workbench.cluster.replication.strategy import Share, TrainingState
from workbench.cluster.replication.wandering_replica import WanderingReplica
from workbench.core.files import atomic_write

BATCHES = 50_000
RATE = 0.0625
KINDS: dict[str, Any] = {
    "sync": Replica,
    "async": WanderingReplica,
    "parameter server": ServedReplica,
}


class Model:
    """A linear model, and what it was trained with.

    Args:
      strategy: how the replicas train it.
      journal: the file for what it was given.
    """

    def __init__(self, strategy: str, journal: Path) -> None:
        self._strategy, self._journal = strategy, open(journal, "a")  # noqa: SIM115
        self.batch = tf.placeholder(tf.int64, [])
        self.size = tf.placeholder(tf.float64, [])
        self.weights = tf.Variable(np.zeros((3, 1)), name="weights")
        self.used = tf.Variable(np.zeros(BATCHES), name="used")
        self.count = tf.Variable(np.int64(0), trainable=False, name="count")
        rows = tf.gather(tf.constant(ROWS), (self.batch + tf.range(8, dtype=tf.int64)) % 64)
        error = tf.reduce_mean(tf.square(tf.matmul(rows, self.weights - WANTED)))
        loss = error - self.size * tf.gather(self.used, self.batch)
        optimizer = tf.train.GradientDescentOptimizer(RATE)
        self.train = optimizer.minimize(loss, global_step=self.count)
        self.session = tf.Session()
        self.session.run(tf.global_variables_initializer())
        self._epoch = -1
        #: What `count` was when the group was formed, and the steps that were taken since.
        self.base = self.own = 0

    def feed(self, share: Share) -> dict[Any, Any]:
        """The batch of a share."""
        self._journal.write(f"{os.getpid()} {share.epoch} {share.batch}\n")
        self._journal.flush()
        if share.epoch != self._epoch:
            self._epoch, self.own = share.epoch, 0
            if self._strategy == "async":
                self.base = int(self.session.run(self.count))
        size = share.size if self._strategy == "sync" else 1
        return {self.batch: share.batch, self.size: float(size)}


def summary(state: TrainingState, own_count: int | None) -> dict[str, Any]:
    """What a member has found: how often batches were applied, where not never or once."""
    weights, used = state.variables["weights"], state.variables["used"]
    times = used / RATE
    wrong = np.flatnonzero((np.abs(times - 1) > 1e-9) & (np.abs(times) > 1e-9))[:2000]
    return {
        "steps": state.step,
        "counted": int(state.variables["count"]),
        "own count": own_count,
        "batches": int(np.flatnonzero(used).max(initial=-1)) + 1,
        "applied": float(times.sum()),
        "wrong": {int(b): float(times[b]) for b in wrong},
        "weights": [float(w).hex() for w in weights[:, 0]],
        "loss": loss_of(weights),
    }


def main(strategy: str, roster: str, address: str, number: int, folder: Path, pace: float) -> None:
    """Trains until the step that the file `end` has."""
    model = Model(strategy, folder / f"taken_{number}")
    end = folder / "end"
    with KINDS[strategy](
        model.session,
        model.train,
        f"tcp://{roster}",
        address=f"tcp://{address}",
        timeout=30.0,
        shared=False,
    ) as replica:
        print("up", flush=True)
        while True:
            (folder / f"at_{number}").write_text(str(replica.step_number))
            if end.exists() and replica.step_number >= int(end.read_text()):
                break
            time.sleep(pace)
            replica.step(None, model.feed)
            model.own += 1
        own = model.base + model.own if strategy == "async" else None
        found = summary(replica.state(), own)
        atomic_write(folder / f"found_{number}", json.dumps(found).encode())
    model.session.close()


def keep(address: str, replicas: int) -> None:
    """Keeps the roster of a training."""
    with Roster(replicas, f"tcp://{address}", grace=15.0):
        print("up", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "roster":
        keep(sys.argv[2], int(sys.argv[3]))
    strategy, roster, address, number, folder, pace = sys.argv[1:]
    main(strategy, roster, address, int(number), Path(folder), float(pace))
