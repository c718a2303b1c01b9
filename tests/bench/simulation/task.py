"""A task of a small training, which counts its steps in a file until it is killed.

    python task.py WAY KIND SPEC JOB INDEX COUNTER [PIECES]

WAY is "asynchronous", "synchronous", "all-reduce", or "alone": gradients are computed, and nothing
is done with them. KIND says what there is of the training:

  whole    all of it
  hollow   all, with one number for each variable: what is left is Python, and waiting
  pushed   parameters and gradients of full size go to and fro, but nothing is computed; alone,
           gradients that are given are applied

A worker that computes nothing passes the time of a gradient between its steps with memory that is
of no use, so that servers wait as long for it, and caches are as cold. COUNTER has the steps, and
the processor time that was passed so.

With PIECES it counts, in a file of that name, what its threads do (`probes`).
"""

from __future__ import annotations

import json
import mmap
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import workbench as tf
from tests.bench.simulation import probes
from workbench.cluster.execution.leases import Leases
from workbench.cluster.wire import endpoint

Count = Callable[..., None]
#: What a file tells: steps, and seconds that were passed between them.
COUNTER = struct.Struct("qd")
#: So little is learned that numbers stay as they are at first: of what has been learned by heart
#: gradients are next to nothing, and processors are slow with the least of numbers.
_RATE = 1e-8
#: Width of the input, of the hidden layer, and of a batch; classes.
WHOLE, HOLLOW, CLASSES = (784, 100, 100), (1, 1, 1), 10
#: So many bytes are touched between two computations that are alone: as much as a processor's own
#: cache holds, which other processes use while one waits for them.
_EVICTED = 2 << 20
#: What a gradient takes about, in seconds of a processor.
_PASSED = 4e-4
#: So long nobody is taken for dead, in seconds.
_PATIENCE = 600.0


def shapes(kind: str) -> list[tuple[int, ...]]:
    """The shapes of the variables."""
    wide, hidden, _ = HOLLOW if kind == "hollow" else WHOLE
    return [(wide, hidden), (hidden,), (hidden, CLASSES), (CLASSES,)]


class Network(NamedTuple):
    """What a worker runs: what to fetch beside the training, gradients, and what is fed."""

    seen: Any
    gradients: list[Any]
    feeds: dict[Any, Any]


def network(kind: str, weights: list[Any]) -> Network:
    """The graph of a gradient: of two layers, or of nothing where gradients are pushed."""
    source = np.random.default_rng(0)
    if kind == "pushed":
        first = tf.add_n([tf.slice(tf.reshape(w, [-1]), [0], [1]) for w in weights])
        given = [tf.placeholder(tf.float32, shape) for shape in shapes(kind)]
        with tf.control_dependencies([first]):
            gradients = [tf.identity(gradient) for gradient in given]
        arrays = [source.normal(size=s).astype(np.float32) * 1e-3 for s in shapes(kind)]
        return Network(first, gradients, dict(zip(given, arrays, strict=True)))
    wide, _, batch = HOLLOW if kind == "hollow" else WHOLE
    x = tf.placeholder(tf.float32, [None, wide])
    y = tf.placeholder(tf.float32, [None, CLASSES])
    hidden = tf.nn.relu(tf.nn.xw_plus_b(x, weights[0], weights[1]))
    logits = tf.nn.xw_plus_b(hidden, weights[2], weights[3])
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=logits))
    labels = np.eye(CLASSES, dtype=np.float32)[source.integers(0, CLASSES, batch)]
    feeds = {x: source.random((batch, wide), np.float32), y: labels}
    return Network(loss, tf.gradients(loss, weights), feeds)


def _variables(kind: str) -> list[Any]:
    return [tf.Variable(tf.truncated_normal(s, stddev=0.05, seed=1)) for s in shapes(kind)]


class Idle:
    """Passes time with the memory of no use."""

    def __init__(self) -> None:
        self._memory = np.zeros(_EVICTED, np.uint8)
        #: The seconds of this thread, in all.
        self.passed = 0.0

    def pass_time(self) -> float:
        """The seconds that were passed so far."""
        began = now = time.thread_time()
        while now - began < _PASSED:
            self._memory += 1
            now = time.thread_time()
        self.passed += now - began
        probes.leave_out(now - began)
        return self.passed


def applied(count: Count) -> None:
    """Applies gradients that are fed."""
    weights = _variables("whole")
    given = [tf.placeholder(tf.float32, shape) for shape in shapes("whole")]
    train = tf.train.AdamOptimizer(_RATE).apply_gradients(zip(given, weights, strict=True))
    arrays = [np.full(shape, 1e-3, np.float32) for shape in shapes("whole")]
    with tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1)) as session:
        session.run(tf.global_variables_initializer())
        call = session.make_callable(train, given)
        while True:
            call(*arrays)
            count()


def alone(kind: str, count: Count) -> None:
    """Computes gradients of what is fed."""
    weights = [tf.placeholder(tf.float32, shape) for shape in shapes(kind)]
    made = network(kind, weights)
    source = np.random.default_rng(1)
    arrays = [source.normal(size=s).astype(np.float32) * 0.05 for s in shapes(kind)]
    feeds = {**made.feeds, **dict(zip(weights, arrays, strict=True))}
    others = np.zeros(_EVICTED, np.uint8)
    with tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1)) as session:
        call = session.make_callable([made.seen, *made.gradients], list(feeds))
        while True:
            call(*feeds.values())
            others += 1
            count()


def replica(kind: str, roster: str, count: Count) -> None:
    """Trains together with other replicas."""
    from workbench.cluster.replication.replica import Replica

    weights = _variables(kind)
    made = network(kind, weights)
    train = tf.train.AdamOptimizer(_RATE).apply_gradients(zip(made.gradients, weights, strict=True))
    with tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1)) as session:
        session.run(tf.global_variables_initializer())
        with Replica(session, train, roster) as member:
            while True:
                member.step(made.seen, made.feeds)
                count()


def task(way: str, kind: str, spec: Any, job: str, index: int, count: Count) -> None:
    """A parameter server, or a worker that trains with it."""
    cluster = tf.train.ClusterSpec(spec)
    server = tf.train.Server(cluster, job_name=job, task_index=index)
    if job == "ps":
        server.join()
    place = f"/job:worker/task:{index}"
    with tf.device(tf.train.replica_device_setter(worker_device=place, cluster=cluster)):
        step = tf.train.get_or_create_global_step()
        weights = _variables(kind)
        made = network(kind, weights)
        optimizer: Any = tf.train.AdamOptimizer(_RATE)
        if way == "synchronous":
            replicas = len(spec["worker"])
            optimizer = tf.train.SyncReplicasOptimizer(optimizer, replicas, replicas)
        pairs = zip(made.gradients, weights, strict=True)
        train = optimizer.apply_gradients(pairs, global_step=step)
    hooks = [optimizer.make_session_run_hook(index == 0)] if way == "synchronous" else []
    config = tf.ConfigProto(device_filters=["/job:ps", place], intra_op_parallelism_threads=1)
    with tf.train.MonitoredTrainingSession(
        server.target,
        is_chief=index == 0,
        hooks=hooks,
        config=config,
        log_step_count_steps=None,
    ) as session:
        idle = Idle() if kind != "whole" else None
        while True:
            session.run([made.seen, train], made.feeds)
            count(idle.pass_time() if idle else 0.0)


def main() -> None:
    """The command line."""
    # It is stopped on purpose, again and again, and so are those that it talks to.
    endpoint.SILENCE_SECONDS = _PATIENCE
    Leases.expired = lambda self, now: []  # type: ignore[method-assign]
    way, kind, spec, job, index, counter, *pieces = sys.argv[1:]
    if pieces:
        probes.install(Path(pieces[0]))
    with open(counter, "r+b") as file:
        memory = mmap.mmap(file.fileno(), COUNTER.size)
    done = 0

    def count(passed: float = 0.0) -> None:
        nonlocal done
        done += 1
        memory[:] = COUNTER.pack(done, passed)

    if way == "alone" and kind == "pushed":
        applied(count)
    elif way == "alone":
        alone(kind, count)
    elif way == "all-reduce":
        replica(kind, json.loads(spec)["roster"], count)
    else:
        task(way, kind, json.loads(spec), job, int(index), count)


if __name__ == "__main__":
    main()
