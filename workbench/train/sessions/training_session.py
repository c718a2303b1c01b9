"""`MonitoredTrainingSession`: a monitored session with the hooks that a training usually has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.train.sessions.checkpoint_hook import CheckpointSaverHook
from workbench.train.sessions.logging_hooks import StepCounterHook
from workbench.train.sessions.monitored_session import MonitoredSession
from workbench.train.sessions.run_hook import SessionRunHook
from workbench.train.sessions.scaffold import Scaffold
from workbench.train.sessions.session_creators import ChiefSessionCreator, WorkerSessionCreator
from workbench.train.sessions.summary_hook import SummarySaverHook

#: Stands for an argument that was not given, where None has a meaning of its own.
USE_DEFAULT = object()

_DEFAULT_SUMMARY_STEPS = 100


def MonitoredTrainingSession(
    master: str = "",
    is_chief: bool = True,
    checkpoint_dir: str | None = None,
    scaffold: Scaffold | None = None,
    hooks: Iterable[SessionRunHook] | None = None,
    chief_only_hooks: Iterable[SessionRunHook] | None = None,
    save_checkpoint_secs: float | None = 600,
    save_summaries_steps: Any = USE_DEFAULT,
    save_summaries_secs: Any = USE_DEFAULT,
    config: Any = None,
    stop_grace_period_secs: float = 120,
    log_step_count_steps: int | None = 100,
    max_wait_secs: float = 7200,
) -> MonitoredSession:
    """A session that goes on from the last checkpoint, saves and writes summaries as it trains.

    Args:
      master: the target of the session.
      is_chief: whether this process initialises and saves; another one waits for it.
      checkpoint_dir: the folder for checkpoints and event files; without it none are written.
      scaffold: the operations that initialise, check and save.
      hooks: further hooks.
      chief_only_hooks: hooks that only the chief has; they come first.
      save_checkpoint_secs: how many seconds lie between two checkpoints; None for none.
      save_summaries_steps: how many steps lie between two summaries; by default 100.
      save_summaries_secs: how many seconds lie between two summaries; with both None there are
        none.
      config: the session's `ConfigProto`.
      stop_grace_period_secs: how long the threads have to end.
      log_step_count_steps: how many steps lie between two counts of the steps per second.
      max_wait_secs: how long a worker waits for the chief.

    >>> import tempfile
    >>> import workbench as tf
    >>> train = tf.assign_add(tf.train.get_or_create_global_step(), 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for part in range(2):
    ...         with tf.train.MonitoredTrainingSession(checkpoint_dir=folder) as session:
    ...             print(session.run(train))
    1
    2
    """
    scaffold = scaffold or Scaffold()
    if not is_chief:
        worker = WorkerSessionCreator(scaffold, master, config, max_wait_secs)
        return MonitoredSession(worker, hooks, stop_grace_period_secs)
    if save_summaries_steps is USE_DEFAULT and save_summaries_secs is USE_DEFAULT:
        save_summaries_steps = _DEFAULT_SUMMARY_STEPS
    steps = None if save_summaries_steps is USE_DEFAULT else save_summaries_steps
    seconds = None if save_summaries_secs is USE_DEFAULT else save_summaries_secs
    all_hooks = list(chief_only_hooks or [])
    if checkpoint_dir:
        if log_step_count_steps and log_step_count_steps > 0:
            all_hooks.append(
                StepCounterHook(output_dir=checkpoint_dir, every_n_steps=log_step_count_steps)
            )
        if (steps and steps > 0) or (seconds and seconds > 0):
            all_hooks.append(
                SummarySaverHook(
                    scaffold=scaffold,
                    save_steps=steps,
                    save_secs=seconds,
                    output_dir=checkpoint_dir,
                )
            )
        if save_checkpoint_secs and save_checkpoint_secs > 0:
            all_hooks.append(
                CheckpointSaverHook(
                    checkpoint_dir, save_secs=save_checkpoint_secs, scaffold=scaffold
                )
            )
    all_hooks.extend(hooks or [])
    chief = ChiefSessionCreator(scaffold, master, config, checkpoint_dir)
    return MonitoredSession(chief, all_hooks, stop_grace_period_secs)
