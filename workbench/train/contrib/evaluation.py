"""Evaluating checkpoints, once or as they come: slim and `tf.contrib.training`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from workbench.core.graph.keys import GraphKeys
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.state.assignment import assign_add
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.core.ops.summary import merge_all
from workbench.core.platform import logging
from workbench.train.checkpoint_state import latest_checkpoint
from workbench.train.global_steps import get_or_create_global_step
from workbench.train.saver import Saver
from workbench.train.sessions.monitored_session import MonitoredSession
from workbench.train.sessions.plain_hooks import FinalOpsHook
from workbench.train.sessions.run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from workbench.train.sessions.scaffold import Scaffold
from workbench.train.sessions.session_creators import ChiefSessionCreator

#: Stands for an argument that was not given, where None has a meaning of its own.
_USE_DEFAULT = 0


def get_or_create_eval_step() -> Any:
    """The variable that counts the steps of an evaluation, made where there is none."""
    from workbench.core.graph.context import get_collection

    found = get_collection(GraphKeys.EVAL_STEP)
    if len(found) > 1:
        raise ValueError("Multiple tensors added to tf.GraphKeys.EVAL_STEP")
    if found:
        return found[0]
    with variable_scope("", reuse=None):
        return get_variable(
            "eval_step",
            shape=[],
            dtype="int64",
            initializer=zeros_initializer(),
            trainable=False,
            collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.EVAL_STEP],
        )


class StopAfterNEvalsHook(SessionRunHook):
    """Ends an evaluation after so many steps; None for never."""

    def __init__(self, num_evals: int | None, log_progress: bool = True) -> None:
        self._num_evals = num_evals
        self._log_progress = log_progress
        self._evals_completed: Any = None

    def _set_evals_completed_tensor(self, updated_eval_step: Any) -> None:
        self._evals_completed = updated_eval_step

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs({"evals_completed": self._evals_completed})

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        completed = run_values.results["evals_completed"]
        if self._log_progress:
            of = "" if self._num_evals is None else f"/{self._num_evals}"
            logging.info("Evaluation [%d%s]", completed, of)
        if self._num_evals is not None and completed >= self._num_evals:
            run_context.request_stop()


class SummaryAtEndHook(SessionRunHook):
    """Writes a summary at the end of an evaluation.

    Args:
      log_dir: the folder of the event file to write to.
      summary_writer: what to write with, in place of `log_dir`.
      summary_op: what gives the summary; all of the graph's summaries where it is None.
      feed_dict: what to feed to it.

    Raises:
      ValueError: there is nothing to write with.
    """

    def __init__(
        self,
        log_dir: str | None = None,
        summary_writer: Any = None,
        summary_op: Any = None,
        feed_dict: Any = None,
    ) -> None:
        if log_dir is None and summary_writer is None:
            raise ValueError("One of log_dir or summary_writer should be used.")
        self._log_dir = log_dir
        self._summary_writer = summary_writer
        self._summary_op = summary_op
        self._is_default = summary_op is None
        self._feed_dict = feed_dict

    def begin(self) -> None:
        if self._is_default:
            self._summary_op = merge_all()
        self._global_step = get_or_create_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._summary_writer is None and self._log_dir:
            from workbench.train.summary_io import FileWriterCache

            self._summary_writer = FileWriterCache.get(self._log_dir)

    def end(self, session: Any) -> None:
        step = int(session.run(self._global_step))
        if self._summary_op is not None:
            summary = session.run(self._summary_op, self._feed_dict)
            self._summary_writer.add_summary(summary, step)
        self._summary_writer.flush()


def wait_for_new_checkpoint(
    checkpoint_dir: str,
    last_checkpoint: str | None = None,
    seconds_to_sleep: float = 1,
    timeout: float | None = None,
) -> str | None:
    """The latest checkpoint of a folder, as soon as it is another than `last_checkpoint`.

    None where `timeout` seconds pass before.
    """
    logging.info("Waiting for new checkpoint at %s", checkpoint_dir)
    started = time.monotonic()
    while True:
        path = latest_checkpoint(checkpoint_dir)
        if path is not None and path != last_checkpoint:
            logging.info("Found new checkpoint at %s", path)
            return path
        if timeout is not None and time.monotonic() + seconds_to_sleep > started + timeout:
            return None
        time.sleep(seconds_to_sleep)


def checkpoints_iterator(
    checkpoint_dir: str,
    min_interval_secs: float = 0,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:
    """The checkpoints of a folder as they come.

    Args:
      checkpoint_dir: the folder.
      min_interval_secs: how many seconds lie between two of them at least.
      timeout: how many seconds to wait for the next one.
      timeout_fn: called then; True ends the iteration, as it ends without such a function.
    """
    path: str | None = None
    while True:
        newer = wait_for_new_checkpoint(checkpoint_dir, path, timeout=timeout)
        if newer is None:
            if timeout_fn is None:
                logging.info("Timed-out waiting for a checkpoint.")
                return
            if timeout_fn():
                return
            continue
        started = time.monotonic()
        path = newer
        yield path
        time.sleep(max(0.0, started + min_interval_secs - time.monotonic()))


def evaluate(
    checkpoints: Iterable[str],
    master: str,
    scaffold: Scaffold,
    eval_ops: Any,
    feed_dict: Any,
    final_ops: Any,
    final_ops_feed_dict: Any,
    hooks: Iterable[SessionRunHook],
    config: Any,
    most: int | None,
) -> Any:
    """Restores each checkpoint, runs operations until a hook says stop, and gives final values."""
    all_hooks = list(hooks)
    if eval_ops is not None:
        completed = assign_add(get_or_create_eval_step(), 1)
        for hook in all_hooks:
            if isinstance(hook, StopAfterNEvalsHook):
                hook._set_evals_completed_tensor(completed)
        eval_ops = [eval_ops, completed]
    final = FinalOpsHook(final_ops, final_ops_feed_dict)
    all_hooks.append(final)
    for count, path in enumerate(checkpoints, start=1):
        creator = ChiefSessionCreator(
            scaffold=scaffold, checkpoint_filename_with_path=path, master=master, config=config
        )
        with MonitoredSession(session_creator=creator, hooks=all_hooks) as session:
            logging.info("Starting evaluation of %s", path)
            if eval_ops is not None:
                while not session.should_stop():
                    session.run(eval_ops, feed_dict)
            logging.info("Finished evaluation of %s", path)
        if count == most:
            break
    return final.final_ops_values


def evaluate_repeatedly(
    checkpoint_dir: str,
    master: str = "",
    scaffold: Scaffold | None = None,
    eval_ops: Any = None,
    feed_dict: Any = None,
    final_ops: Any = None,
    final_ops_feed_dict: Any = None,
    eval_interval_secs: float = 60,
    hooks: Iterable[SessionRunHook] | None = None,
    config: Any = None,
    max_number_of_evaluations: int | None = None,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Any:
    """Evaluates the checkpoints of a folder as they come; gives the last value of `final_ops`.

    Each is restored, `eval_ops` run until a hook says stop, and then `final_ops`; see
    `checkpoints_iterator` for how it ends.
    """
    return evaluate(
        checkpoints_iterator(checkpoint_dir, eval_interval_secs, timeout, timeout_fn),
        master,
        scaffold or Scaffold(),
        eval_ops,
        feed_dict,
        final_ops,
        final_ops_feed_dict,
        hooks or [],
        config,
        max_number_of_evaluations,
    )


def evaluate_checkpoint(
    checkpoint_path: str,
    master: str = "",
    scaffold: Scaffold | None = None,
    eval_ops: Any = None,
    feed_dict: Any = None,
    final_ops: Any = None,
    final_ops_feed_dict: Any = None,
    hooks: Iterable[SessionRunHook] | None = None,
    config: Any = None,
) -> Any:
    """`tf.contrib.training.evaluate_once`: evaluates a checkpoint; gives the value of `final_ops`.

    It is restored, `eval_ops` run until a hook says stop, and then `final_ops`.
    """
    return evaluate(
        [checkpoint_path],
        master,
        scaffold or Scaffold(),
        eval_ops,
        feed_dict,
        final_ops,
        final_ops_feed_dict,
        hooks or [],
        config,
        1,
    )


def _slim_arguments(
    logdir: str,
    num_evals: int,
    summary_op: Any,
    summary_op_feed_dict: Any,
    variables_to_restore: Any,
    initial_op: Any,
    initial_op_feed_dict: Mapping[Any, Any] | None,
    hooks: Iterable[SessionRunHook] | None,
) -> tuple[Scaffold, list[SessionRunHook]]:
    """The scaffold and the hooks that slim's evaluations have."""
    chosen = merge_all() if summary_op is _USE_DEFAULT else summary_op
    all_hooks: list[SessionRunHook] = [StopAfterNEvalsHook(num_evals)]
    if chosen is not None:
        all_hooks.append(
            SummaryAtEndHook(logdir, summary_op=chosen, feed_dict=summary_op_feed_dict)
        )
    all_hooks.extend(hooks or [])
    saver = None if variables_to_restore is None else Saver(variables_to_restore)
    scaffold = Scaffold(init_op=initial_op, init_feed_dict=initial_op_feed_dict, saver=saver)
    return scaffold, all_hooks


def evaluate_once(
    master: str,
    checkpoint_path: str,
    logdir: str,
    num_evals: int = 1,
    initial_op: Any = None,
    initial_op_feed_dict: Mapping[Any, Any] | None = None,
    eval_op: Any = None,
    eval_op_feed_dict: Any = None,
    final_op: Any = None,
    final_op_feed_dict: Any = None,
    summary_op: Any = _USE_DEFAULT,
    summary_op_feed_dict: Any = None,
    variables_to_restore: Any = None,
    session_config: Any = None,
    hooks: Iterable[SessionRunHook] | None = None,
) -> Any:
    """Evaluates a checkpoint: runs `eval_op` `num_evals` times, and gives `final_op`'s value."""
    scaffold, all_hooks = _slim_arguments(
        logdir,
        num_evals,
        summary_op,
        summary_op_feed_dict,
        variables_to_restore,
        initial_op,
        initial_op_feed_dict,
        hooks,
    )
    return evaluate(
        [checkpoint_path],
        master,
        scaffold,
        eval_op,
        eval_op_feed_dict,
        final_op,
        final_op_feed_dict,
        all_hooks,
        session_config,
        1,
    )


def evaluation_loop(
    master: str,
    checkpoint_dir: str,
    logdir: str,
    num_evals: int = 1,
    initial_op: Any = None,
    initial_op_feed_dict: Mapping[Any, Any] | None = None,
    init_fn: Any = None,
    eval_op: Any = None,
    eval_op_feed_dict: Any = None,
    final_op: Any = None,
    final_op_feed_dict: Any = None,
    summary_op: Any = _USE_DEFAULT,
    summary_op_feed_dict: Any = None,
    variables_to_restore: Any = None,
    eval_interval_secs: float = 60,
    max_number_of_evaluations: int | None = None,
    session_config: Any = None,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
    hooks: Iterable[SessionRunHook] | None = None,
) -> Any:
    """`evaluate_once` for each checkpoint of a folder, as they come."""
    scaffold, all_hooks = _slim_arguments(
        logdir,
        num_evals,
        summary_op,
        summary_op_feed_dict,
        variables_to_restore,
        initial_op,
        initial_op_feed_dict,
        hooks,
    )
    return evaluate(
        checkpoints_iterator(checkpoint_dir, eval_interval_secs, timeout, timeout_fn),
        master,
        scaffold,
        eval_op,
        eval_op_feed_dict,
        final_op,
        final_op_feed_dict,
        all_hooks,
        session_config,
        max_number_of_evaluations,
    )
