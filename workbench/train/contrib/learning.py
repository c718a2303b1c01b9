"""Training loops as slim and `tf.contrib.training` have them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from workbench.core import errors
from workbench.core.files import atomic_write
from workbench.core.graph.context import get_default_graph, name_scope
from workbench.core.graph.graph import Graph
from workbench.core.ops import api
from workbench.core.ops.state.variable_collections import (
    global_variables_initializer,
    report_uninitialized_variables,
)
from workbench.core.ops.summary import merge_all
from workbench.core.platform import logging
from workbench.train.global_steps import get_or_create_global_step
from workbench.train.global_steps import global_step as step_number
from workbench.train.saver import Saver
from workbench.train.sessions.scaffold import default_local_init_op
from workbench.train.sessions.supervisor import Supervisor
from workbench.train.sessions.training_session import MonitoredTrainingSession

#: Stands for an argument that was not given, where None has a meaning of its own.
_USE_DEFAULT = 0
#: How often a worker that is to start late looks how far others have come, in seconds.
_POLL_SECONDS = 1.0


def train_monitored(
    train_op: Any,
    logdir: str | None,
    master: str = "",
    is_chief: bool = True,
    scaffold: Any = None,
    hooks: Any = None,
    chief_only_hooks: Any = None,
    save_checkpoint_secs: float | None = 600,
    save_summaries_steps: int | None = 100,
    config: Any = None,
    max_wait_secs: float = 7200,
) -> Any:
    """Runs `train_op` until a hook says stop; gives the last loss.

    The arguments are those of `tf.train.MonitoredTrainingSession`, with `logdir` for
    `checkpoint_dir`.

    Raises:
      ValueError: there is no folder to write to.
    """
    if logdir is None and is_chief:
        for name, value in (
            ("save_summaries_steps", save_summaries_steps),
            ("save_checkpoint_secs", save_checkpoint_secs),
        ):
            if value:
                raise ValueError(f"logdir cannot be None when {name} is not None")
    loss = None
    with MonitoredTrainingSession(
        master=master,
        is_chief=is_chief,
        checkpoint_dir=logdir,
        scaffold=scaffold,
        hooks=hooks,
        chief_only_hooks=chief_only_hooks,
        save_checkpoint_secs=save_checkpoint_secs,
        save_summaries_steps=save_summaries_steps,
        config=config,
        max_wait_secs=max_wait_secs,
    ) as session:
        while not session.should_stop():
            loss = session.run(train_op)
    return loss


def train_step(
    sess: Any, train_op: Any, global_step: Any, train_step_kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    """One step: the loss, and whether it is to be the last.

    `train_step_kwargs` holds tensors that say so ("should_stop"), whether to log ("should_log")
    and whether to trace the step ("should_trace", with "logdir" for the file).

    Raises:
      ValueError: the step may be traced, but there is no folder for the file.
    """
    started = time.time()
    options = metadata = None
    if "should_trace" in train_step_kwargs:
        if "logdir" not in train_step_kwargs:
            raise ValueError(
                "logdir must be present in train_step_kwargs when should_trace is present"
            )
        if sess.run(train_step_kwargs["should_trace"]):
            from workbench.core.protos import RunMetadata, RunOptions

            options, metadata = RunOptions(trace_level=RunOptions.FULL_TRACE), RunMetadata()
    loss = sess.run(train_op, options=options, run_metadata=metadata)
    seconds = time.time() - started
    if metadata is not None:
        _write_trace(metadata, step_number(sess, global_step), train_step_kwargs)
    if "should_log" in train_step_kwargs and sess.run(train_step_kwargs["should_log"]):
        step = step_number(sess, global_step)
        logging.info("global step %d: loss = %.4f (%.3f sec/step)", step, loss, seconds)
    is_last = "should_stop" in train_step_kwargs and sess.run(train_step_kwargs["should_stop"])
    return loss, is_last


def _write_trace(metadata: Any, step: int, train_step_kwargs: dict[str, Any]) -> None:
    from workbench.core.runtime.timeline import Timeline

    path = os.path.join(train_step_kwargs["logdir"], f"tf_trace-{step}.json")
    logging.info("Writing trace to %s", path)
    trace = Timeline(metadata.step_stats).generate_chrome_trace_format()
    atomic_write(path, trace.encode())
    writer = train_step_kwargs.get("summary_writer")
    if writer is not None:
        writer.add_run_metadata(metadata, f"run_metadata-{step}")


def train(
    train_op: Any,
    logdir: str | None,
    train_step_fn: Callable[..., tuple[Any, Any]] = train_step,
    train_step_kwargs: Any = _USE_DEFAULT,
    log_every_n_steps: int = 1,
    graph: Graph | None = None,
    master: str = "",
    is_chief: bool = True,
    global_step: Any = None,
    number_of_steps: int | None = None,
    init_op: Any = _USE_DEFAULT,
    init_feed_dict: Any = None,
    local_init_op: Any = _USE_DEFAULT,
    init_fn: Callable[[Any], None] | None = None,
    ready_op: Any = _USE_DEFAULT,
    summary_op: Any = _USE_DEFAULT,
    save_summaries_secs: float = 600,
    summary_writer: Any = _USE_DEFAULT,
    startup_delay_steps: int = 0,
    saver: Any = None,
    save_interval_secs: float = 600,
    sync_optimizer: Any = None,
    session_config: Any = None,
    session_wrapper: Callable[[Any], Any] | None = None,
    trace_every_n_steps: int | None = None,
    ignore_live_threads: bool = False,
) -> Any:
    """Trains with a supervisor: restores or initialises, runs steps, saves and writes summaries.

    Args:
      train_op: what `create_train_op` gives.
      logdir: the folder for checkpoints and event files; None for none.
      train_step_fn: runs a step; see `train_step`.
      train_step_kwargs: its last argument.
      log_every_n_steps: how many steps lie between two messages.
      graph: the graph; the default one where it is None.
      master: the target of the session.
      is_chief: whether this process initialises, saves and writes.
      global_step: the number of the step; the graph's by default.
      number_of_steps: the step to end at; None for never.
      init_op: initialises the variables.
      init_feed_dict: what to feed to it.
      local_init_op: initialises what each process has of its own.
      init_fn: called with the session after `init_op`.
      ready_op: gives the names of variables without a value.
      summary_op: gives the summary.
      save_summaries_secs: how many seconds lie between two summaries.
      summary_writer: writes the summaries.
      startup_delay_steps: how far the chief must have come before another worker starts.
      saver: saves and restores the variables.
      save_interval_secs: how many seconds lie between two checkpoints.
      sync_optimizer: None; the training is that of one process, or of workers by themselves.
      session_config: the session's `ConfigProto`.
      session_wrapper: puts something around the session.
      trace_every_n_steps: how many steps lie between two traces.
      ignore_live_threads: whether threads that do not end are no error.

    Returns:
      The last loss.

    Raises:
      ValueError: an argument is missing, or does not go with the others.
    """
    _check_arguments(train_op, logdir, summary_op, saver, trace_every_n_steps, number_of_steps)
    if sync_optimizer is not None:
        raise ValueError("sync_optimizer is not supported: use tf.train.MonitoredTrainingSession")
    graph = get_default_graph() if graph is None else graph
    with graph.as_default():
        step = get_or_create_global_step() if global_step is None else global_step
        with name_scope("init_ops"):
            makers = (
                (init_op, global_variables_initializer),
                (ready_op, report_uninitialized_variables),
                (local_init_op, default_local_init_op),
            )
            init_op, ready_op, local_init_op = (
                make() if given is _USE_DEFAULT else given for given, make in makers
            )
        arguments = train_step_kwargs
        if arguments is _USE_DEFAULT:
            with name_scope("train_step"):
                arguments = _step_arguments(
                    step,
                    number_of_steps,
                    log_every_n_steps,
                    trace_every_n_steps if is_chief else None,
                    logdir,
                )
        supervisor = Supervisor(
            graph=graph,
            is_chief=is_chief,
            logdir=logdir,
            init_op=init_op,
            init_feed_dict=init_feed_dict,
            local_init_op=local_init_op,
            ready_for_local_init_op=None,
            ready_op=ready_op,
            summary_op=merge_all() if summary_op is _USE_DEFAULT else summary_op,
            summary_writer=summary_writer,
            global_step=step,
            saver=saver or Saver(),
            save_summaries_secs=save_summaries_secs,
            save_model_secs=save_interval_secs,
            init_fn=init_fn,
        )
    if supervisor.summary_writer is not None:
        arguments["summary_writer"] = supervisor.summary_writer
    delay = 0 if is_chief else min(startup_delay_steps, number_of_steps or startup_delay_steps)
    while True:
        try:
            with supervisor.managed_session(
                master, start_standard_services=False, config=session_config
            ) as session:
                logging.info("Starting Session.")
                wrapped = session_wrapper(session) if session_wrapper is not None else session
                if is_chief and logdir:
                    supervisor.start_standard_services(session)
                while delay and step_number(session, step) < delay:
                    if supervisor.coord.wait_for_stop(_POLL_SECONDS):
                        break
                threads = supervisor.start_queue_runners(session)
                logging.info("Starting Queues.")
                loss = _steps(supervisor, train_step_fn, wrapped, train_op, step, arguments)
                if logdir and is_chief:
                    logging.info("Finished training! Saving model to disk.")
                    supervisor.saver.save(session, supervisor.save_path, global_step=step)
                    supervisor.stop(threads, ignore_live_threads=ignore_live_threads)
            return loss
        except errors.AbortedError:
            # The session was lost: the next one starts from the last checkpoint.
            logging.info("Retrying training!")


def _check_arguments(
    train_op: Any, logdir: Any, summary_op: Any, saver: Any, trace: Any, number_of_steps: Any
) -> None:
    if train_op is None:
        raise ValueError("train_op cannot be None.")
    if logdir is None:
        for name, is_given in (
            ("summary_op", summary_op is not _USE_DEFAULT and summary_op is not None),
            ("saver", saver is not None),
            ("trace_every_n_steps", trace is not None),
        ):
            if is_given:
                raise ValueError(f"Cannot provide {name} because logdir=None")
    if number_of_steps is not None and number_of_steps <= 0:
        raise ValueError("`number_of_steps` must be either None or a positive number.")


def _step_arguments(
    step: Any, last: int | None, log_every: int, trace_every: int | None, logdir: str | None
) -> dict[str, Any]:
    """What `train_step` needs: tensors that say when to stop, to log and to trace."""
    result: dict[str, Any] = {
        "should_stop": api.greater_equal(step, last) if last else api.constant(False)
    }
    if log_every > 0:
        result["should_log"] = api.equal(api.mod(step, log_every), 0)
    if trace_every is not None:
        result["should_trace"] = api.equal(api.mod(step, trace_every), 0)
        result["logdir"] = logdir
    return result


def _steps(
    supervisor: Supervisor,
    train_step_fn: Callable[..., tuple[Any, Any]],
    session: Any,
    train_op: Any,
    step: Any,
    arguments: dict[str, Any],
) -> Any:
    """Runs steps until one is the last; gives the loss of that."""
    loss = None
    try:
        while not supervisor.should_stop():
            loss, is_last = train_step_fn(session, train_op, step, arguments)
            if is_last:
                logging.info("Stopping Training.")
                supervisor.request_stop()
    except errors.OutOfRangeError:
        logging.info("Caught OutOfRangeError. Stopping Training.")
    return loss
