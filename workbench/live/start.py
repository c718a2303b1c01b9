"""`wb.run`: begin a run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from workbench.core.runtime.base_session import BaseSession
from workbench.core.runtime.session import LocalSession
from workbench.live.engine import Engine
from workbench.live.folder import RunFolder, check_run_name
from workbench.live.queues import check_queues
from workbench.live.record import initializers
from workbench.live.run import Run
from workbench.live.run_controls import RunControls
from workbench.live.spec import Options, make_spec
from workbench.live.together import STRATEGIES, check_replicas

#: Where runs are kept, unless the user says otherwise.
PROJECT = "runs"


def run(
    train_op: Any,
    steps: int | None = None,
    feed: Any = None,
    track: Mapping[str, Any] | None = None,
    name: str | None = None,
    pool: Any = None,
    session: Any = None,
    folder: str | os.PathLike[str] | None = PROJECT,
    seed: int | None = None,
    paused: bool = False,
    snapshot_bytes: int = Options.snapshot_bytes,
    checkpoint_seconds: float = Options.checkpoint_seconds,
    checkpoint_steps: int | None = None,
    keep_checkpoints: int = Options.keep_checkpoints,
    replicas: int = 1,
    strategy: str | None = None,
    encoding: str | None = None,
) -> RunControls:
    """Trains in a thread of its own, or on a worker of a pool; returns at once.

    Without a session the run has its own, in which the graph's variables are initialised. The run
    ends after `steps` steps, at the end of the data, when it is stopped, or with an error.

    Args:
      train_op: what a step runs: an operation or tensor, or a list of them.
      steps: how many steps there are to be; None for no end.
      feed: `wb.batches(...)`, a dictionary that every step is fed, a function from the number of
        steps done to such a dictionary (it must give the same for the same number), an iterator of
        dictionaries (then the run cannot be rewound, forked or replayed), or None.
      track: scalars by name, recorded in every step.
      name: of the run and its folder; a number is added where it is taken.
      pool: the pool of workers of which one runs it, such as `wb.pool.local(workers=2)`; None for
        this process. Code is not sent there, so the feed is `wb.batches(...)` or a dictionary.
      session: the session to run in; its owner closes it, and leaves it alone meanwhile, but for
        the threads of queue runners. With a pool the run begins with a copy of its state.
      folder: the project's folder, in which the run gets its own; None keeps all in memory. With a
        pool the folder is the worker's, or None.
      seed: of random operations that have none; a random one, which is recorded, without it.
      paused: whether it waits before its first step.
      snapshot_bytes: memory for states to go back to.
      checkpoint_seconds, checkpoint_steps: how often a checkpoint is written.
      keep_checkpoints: how many of them stay, beside the first and those of `run.snapshot()`.
      replicas: how many workers of a pool train together, each with batches of its own: a step of
        "sync" takes as many batches as there are replicas. Where the pool has fewer workers, those
        it has begin, and others join when they come.
      strategy: how they do: "sync" (where several do, and it is left out), "async" or "parameter
        server".
      encoding: how replicas send each other what they learn: "bfloat16", "float16" or "int8" (in
        blocks, and with "sync" and "parameter server" what it rounds away goes with the next step);
        None for as it is. The panel of pools shows the bytes that it saves.

    Raises:
      TypeError, ValueError: an argument is not what it should be.
      UnavailableError: no worker of the pool answers.

    >>> import workbench as wb
    >>> w = wb.Variable(4.0)
    >>> loss = wb.square(w)
    >>> train = wb.train.GradientDescentOptimizer(0.25).minimize(loss)
    >>> run = wb.run(train, steps=3, track={"loss": loss}, folder=None).wait(timeout=60)
    >>> run.state, run.history["loss"].tolist(), float(run.eval(w))
    ('finished', [16.0, 4.0, 1.0], 0.5)
    >>> run.close()
    """
    check_replicas(replicas, strategy, pool, encoding)
    options = Options(snapshot_bytes, checkpoint_seconds, checkpoint_steps, keep_checkpoints)
    spec = make_spec(train_op, steps, feed, track, options)
    chosen = check_run_name(name if name is not None else "run")
    if session is not None:
        _check_session(session, spec.graph, seed)
    if session is None or pool is not None:
        check_queues(spec, pool is not None)
    if pool is not None:
        if not hasattr(pool, "start_run"):
            raise TypeError(
                f"pool must be a pool of workers, such as wb.pool.local(workers=2), not {pool!r}"
            )
        _check_pool_folder(folder)
        remote: RunControls = pool.start_run(
            spec,
            name=chosen,
            keep=folder is not None,
            session=session,
            seed=None if seed is None else _checked_seed(seed),
            paused=paused,
            replicas=int(replicas),
            strategy=STRATEGIES[0] if strategy is None else strategy,
            encoding=encoding,
        )
        return remote
    made = LocalSession(graph=spec.graph) if session is None else session
    if seed is not None:
        made.state.entropy = _checked_seed(seed)
    place = None if folder is None else RunFolder.create(folder, chosen)

    def begin(engine: Engine) -> None:
        if session is None:
            initialise(made)

    new = Run(
        spec,
        made,
        name=chosen,
        folder=place,
        owns_session=session is None,
        begin=begin,
        paused=paused,
    )
    new._loop.begins_with_a_state = session is not None
    new._begin()
    return new


def initialise(session: Any) -> None:
    """Gives the variables, tables and iterators of a new session their first values."""
    waiting = initializers(session.graph)
    if waiting:
        session.run(waiting)


def _check_pool_folder(folder: Any) -> None:
    if folder not in (PROJECT, None):
        raise ValueError(
            f"folder={folder!r} is for runs of this process: a run of a pool has its folder on its "
            "worker, or none with folder=None"
        )


def _check_session(session: Any, graph: Any, seed: int | None) -> None:
    if not isinstance(session, BaseSession):
        raise TypeError(f"session must be a session, but got {session!r:.80}")
    if session.graph is not graph:
        raise ValueError("The session runs another graph than that of train_op")
    if seed is not None:
        raise ValueError("seed is for the run's own session; the one that was given has its own")


def _checked_seed(seed: Any) -> int:
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2**63 - 1, but got {seed!r}")
    return int(seed.__index__())
