"""The supervisor: the older way to train with checkpoints and summaries on the side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from workbench.core import errors
from workbench.core.graph.graph import Graph
from workbench.core.graph.graph_files import write_graph
from workbench.core.platform import logging
from workbench.core.runtime.session import Session
from workbench.train.coordinator import Coordinator
from workbench.train.sessions.session_manager import SessionManager
from workbench.train.sessions.supervised_operations import USE_DEFAULT
from workbench.train.sessions.supervised_threads import SupervisedThreads
from workbench.train.summary_io import FileWriter


class Supervisor(SupervisedThreads):
    """Starts a session, restores or initialises it, and saves checkpoints and summaries in threads.

    The graph is final once the supervisor is made. What is not given is taken from the graph's
    collection of that name, or made; None means none.

    Args:
      graph: the graph; the default one where it is None.
      ready_op: gives the names of variables without a value.
      ready_for_local_init_op: the same, of what `local_init_op` needs.
      is_chief: whether this process initialises, saves and writes; another one waits for it.
      init_op: initialises the variables.
      init_feed_dict: what to feed to it.
      local_init_op: initialises what each process has of its own.
      logdir: the folder for checkpoints and event files; without it none are written.
      summary_op: gives the summary.
      saver: saves and restores the variables.
      global_step: the number of the step.
      save_summaries_secs: how many seconds lie between two summaries; 0 for none.
      save_model_secs: how many seconds lie between two checkpoints; 0 for none.
      recovery_wait_secs: how many seconds lie between two looks at what is waited for.
      stop_grace_secs: how long the threads have to end.
      checkpoint_basename: how the names of checkpoints start.
      session_manager: makes the sessions.
      summary_writer: writes the summaries.
      init_fn: called with the session after `init_op`.

    >>> import workbench as tf
    >>> step = tf.train.get_or_create_global_step()
    >>> train = tf.assign_add(step, 1)
    >>> supervisor = tf.train.Supervisor()
    >>> with supervisor.managed_session() as session:
    ...     while not supervisor.should_stop():
    ...         if session.run(train) == 3:
    ...             supervisor.request_stop()
    """

    def __init__(
        self,
        graph: Graph | None = None,
        ready_op: Any = USE_DEFAULT,
        ready_for_local_init_op: Any = USE_DEFAULT,
        is_chief: bool = True,
        init_op: Any = USE_DEFAULT,
        init_feed_dict: Any = None,
        local_init_op: Any = USE_DEFAULT,
        logdir: str | None = None,
        summary_op: Any = USE_DEFAULT,
        saver: Any = USE_DEFAULT,
        global_step: Any = USE_DEFAULT,
        save_summaries_secs: float = 120,
        save_model_secs: float = 600,
        recovery_wait_secs: float = 30,
        stop_grace_secs: float = 120,
        checkpoint_basename: str = "model.ckpt",
        session_manager: SessionManager | None = None,
        summary_writer: Any = USE_DEFAULT,
        init_fn: Callable[[Any], None] | None = None,
    ) -> None:
        self._is_chief = is_chief
        self._coord = Coordinator()
        self._stop_grace_secs = stop_grace_secs
        self._init_fn = init_fn
        super().__init__(
            graph,
            ready_op,
            ready_for_local_init_op,
            init_op,
            init_feed_dict,
            local_init_op,
            summary_op,
            saver,
            global_step,
        )
        self._logdir = logdir if is_chief else None
        self._save_path = os.path.join(self._logdir, checkpoint_basename) if self._logdir else None
        self._save_summaries_secs = save_summaries_secs if is_chief else None
        self._save_model_secs = save_model_secs if is_chief else None
        self._summary_writer: Any = None
        if is_chief and summary_writer is not self.USE_DEFAULT:
            self._summary_writer = summary_writer
        elif self._logdir:
            self._summary_writer = FileWriter(self._logdir)
        self._graph_added_to_summary = False
        self._is_writing = True
        self._session_manager = session_manager or SessionManager(
            local_init_op=self._local_init_op,
            ready_op=self._ready_op,
            ready_for_local_init_op=self._ready_for_local_init_op,
            graph=self._graph,
            recovery_wait_secs=recovery_wait_secs,
        )
        if not is_chief:
            self._check_devices()
        self._graph.finalize()

    def _check_devices(self) -> None:
        """Variables that processes share must say where they are."""
        for op in self._graph.get_operations():
            if op.type in ("Variable", "VariableV2") and not op.device:
                raise ValueError(
                    f"When using replicas, all Variables must have their device set: {op.name}"
                )

    @property
    def session_manager(self) -> SessionManager:
        """What makes the sessions."""
        return self._session_manager

    def prepare_or_wait_for_session(
        self,
        master: str = "",
        config: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        start_standard_services: bool = True,
    ) -> Session:
        """A session that is ready; the chief makes it so and starts its threads, others wait."""
        self._coord.clear_stop()
        if self._summary_writer:
            self._summary_writer.reopen()
            self._is_writing = True
        if self._is_chief:
            session = self._session_manager.prepare_session(
                master,
                init_op=self._init_op,
                saver=self._saver,
                checkpoint_dir=self._logdir,
                wait_for_checkpoint=wait_for_checkpoint,
                max_wait_secs=max_wait_secs,
                config=config,
                init_feed_dict=self._init_feed_dict,
                init_fn=self._init_fn,
            )
            self._write_graph()
            if start_standard_services:
                logging.info("Starting standard services.")
                self.start_standard_services(session)
        else:
            session = self._session_manager.wait_for_session(
                master, config=config, max_wait_secs=max_wait_secs
            )
        if start_standard_services:
            logging.info("Starting queue runners.")
            self.start_queue_runners(session)
        return session

    @contextmanager
    def managed_session(
        self,
        master: str = "",
        config: Any = None,
        start_standard_services: bool = True,
        close_summary_writer: bool = True,
    ) -> Iterator[Session]:
        """A session for the length of a block; at its end the threads are ended, too.

        An error in the block or in a thread ends all of them and is raised; that the input has
        ended (OutOfRangeError) is none.
        """
        session: Session | None = None
        try:
            session = self.prepare_or_wait_for_session(
                master=master, config=config, start_standard_services=start_standard_services
            )
            yield session
        except Exception as error:
            self.request_stop(error)
        finally:
            try:
                # Raises what the block or a thread failed with.
                self.stop(close_summary_writer=close_summary_writer)
            finally:
                if session is not None:
                    with suppress(errors.OpError):
                        session.close()

    def _write_graph(self) -> None:
        if self._logdir:
            definition = self._graph.as_graph_def(add_shapes=True)
            write_graph(definition, self._logdir, "graph.pbtxt")
        if self._summary_writer and not self._graph_added_to_summary:
            self._summary_writer.add_graph(self._graph)
            self._summary_writer.add_meta_graph(self._meta_graph_def)
            self._graph_added_to_summary = True

    # The spelling of TensorFlow's first versions.
    PrepareSession = prepare_or_wait_for_session
    StartQueueRunners = SupervisedThreads.start_queue_runners
    StartStandardServices = SupervisedThreads.start_standard_services
    Stop = SupervisedThreads.stop
    RequestStop = SupervisedThreads.request_stop
    Loop = SupervisedThreads.loop
    ShouldStop = SupervisedThreads.should_stop
    StopOnException = SupervisedThreads.stop_on_exception
    WaitForStop = SupervisedThreads.wait_for_stop
    SummaryComputed = SupervisedThreads.summary_computed
