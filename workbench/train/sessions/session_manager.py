"""Making sessions that are ready: restored, initialised, checked, or waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.core.platform import logging
from workbench.core.runtime.session import Session
from workbench.train.checkpoint_state import get_checkpoint_state
from workbench.train.sessions.live_state import claim, is_further

#: The first pause of a worker that waits for the chief, in seconds; each is twice the one before.
_FIRST_PAUSE_SECONDS = 0.1


class SessionManager:
    """Makes sessions whose variables have values, from a checkpoint or by initialisation.

    Args:
      local_init_op: initialises what each process has of its own, in every new session.
      ready_op: gives the names of variables without a value; empty where all is ready.
      ready_for_local_init_op: the same, of what `local_init_op` needs.
      graph: the graph of the sessions.
      recovery_wait_secs: how many seconds lie, at most, between two looks at what is waited for.

    Raises:
      ValueError: `ready_for_local_init_op` is given without `local_init_op`.

    >>> import workbench as tf
    >>> v = tf.Variable(1.0, name="v")
    >>> manager = tf.train.SessionManager(ready_op=tf.report_uninitialized_variables())
    >>> with manager.prepare_session("", init_op=tf.global_variables_initializer()) as session:
    ...     session.run(v)
    np.float32(1.0)
    """

    def __init__(
        self,
        local_init_op: Any = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        graph: Graph | None = None,
        recovery_wait_secs: float = 30,
    ) -> None:
        if ready_for_local_init_op is not None and local_init_op is None:
            raise ValueError(
                "If you pass a ready_for_local_init_op you must also pass a local_init_op "
                f"(ready_for_local_init_op is {ready_for_local_init_op})"
            )
        self._local_init_op = local_init_op
        self._ready_op = ready_op
        self._ready_for_local_init_op = ready_for_local_init_op
        self._graph = get_default_graph() if graph is None else graph
        self._recovery_wait_secs = recovery_wait_secs

    def prepare_session(
        self,
        master: str,
        init_op: Any = None,
        saver: Any = None,
        checkpoint_dir: str | None = None,
        checkpoint_filename_with_path: str | None = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
        init_feed_dict: Any = None,
        init_fn: Callable[[Any], None] | None = None,
    ) -> Session:
        """A session that is ready: restored where there is a checkpoint, else initialised.

        Where the variables are on other tasks, and are those of the folder's training and no older
        than its latest checkpoint, they are left as they are: a chief that was started again goes
        on where the others are.

        Args:
          master: the target of the session.
          init_op: initialises the variables.
          saver: restores them.
          checkpoint_dir: the folder whose latest checkpoint to start from.
          checkpoint_filename_with_path: the checkpoint to start from.
          wait_for_checkpoint: whether to wait until the folder has one.
          max_wait_secs: how long to wait for it.
          config: the session's `ConfigProto`.
          init_feed_dict: what to feed to `init_op`.
          init_fn: called with the session after `init_op`.

        Raises:
          RuntimeError: there is no checkpoint and no way to initialise, or variables have no value
            in the end; the message names them.
          ValueError: both a folder and a checkpoint are given.
        """
        session, is_loaded = self._restore_checkpoint(
            master,
            saver,
            checkpoint_dir,
            checkpoint_filename_with_path,
            wait_for_checkpoint,
            max_wait_secs,
            config,
        )
        try:
            if not is_loaded:
                if init_op is None and not init_fn and self._local_init_op is None:
                    raise RuntimeError(
                        "Model is not initialized and no init_op or init_fn or local_init_op was "
                        "given"
                    )
                if init_op is not None:
                    session.run(init_op, feed_dict=init_feed_dict)
                if init_fn:
                    init_fn(session)
            by = f"Init op: {_name(init_op)}, init fn: {init_fn}"
            problem = self._run_local_init_op(session)
            if problem is not None:
                raise RuntimeError(
                    f"Init operations did not make model ready for local_init.  {by}, error: "
                    f"{problem}"
                )
            problem = self._not_ready(session)
            if problem is not None:
                raise RuntimeError(
                    f"Init operations did not make model ready.  {by}, local_init_op: "
                    f"{_name(self._local_init_op)}, error: {problem}"
                )
            if checkpoint_dir:
                claim(session, checkpoint_dir)
        except BaseException:
            session.close()
            raise
        return session

    def recover_session(
        self,
        master: str,
        saver: Any = None,
        checkpoint_dir: str | None = None,
        checkpoint_filename_with_path: str | None = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
    ) -> tuple[Session, bool]:
        """A session, restored where there is a checkpoint, and whether it is ready.

        Raises:
          ValueError: both a folder and a checkpoint are given.
        """
        session, is_loaded = self._restore_checkpoint(
            master,
            saver,
            checkpoint_dir,
            checkpoint_filename_with_path,
            wait_for_checkpoint,
            max_wait_secs,
            config,
        )
        try:
            problem = self._run_local_init_op(session)
            not_ready = self._not_ready(session) if is_loaded and problem is None else None
        except BaseException:
            session.close()
            raise
        if not is_loaded:
            return session, False
        source = checkpoint_dir or checkpoint_filename_with_path
        if problem is not None:
            logging.info(
                "Restoring model from %s did not make model ready for local init: %s",
                source,
                problem,
            )
            return session, False
        if not_ready is not None:
            logging.info("Restoring model from %s did not make model ready: %s", source, not_ready)
            return session, False
        logging.info("Restored model from %s", source)
        return session, True

    def wait_for_session(
        self, master: str, config: Any = None, max_wait_secs: float | None = None
    ) -> Session:
        """A session whose variables another process initialises, as soon as that has.

        Raises:
          DeadlineExceededError: they have no values after `max_wait_secs` seconds.
        """
        started = time.monotonic()
        # The chief is often ready after a moment: the first looks are soon, the others seldom.
        pause = min(_FIRST_PAUSE_SECONDS, self._recovery_wait_secs)
        while True:
            session = Session(master, graph=self._graph, config=config)
            is_kept = False
            try:
                not_ready = None
                not_ready_for_local_init = self._run_local_init_op(session)
                if not_ready_for_local_init is None:
                    not_ready = self._not_ready(session)
                    is_kept = not_ready is None
                    if is_kept:
                        return session
            finally:
                if not is_kept:
                    with suppress(errors.OpError):
                        session.close()
            waited = time.monotonic() - started
            if max_wait_secs is not None and waited + pause > max_wait_secs:
                raise errors.DeadlineExceededError(
                    None,
                    None,
                    f"Session was not ready after waiting {int(max_wait_secs)} secs. "
                    f"{not_ready_for_local_init or not_ready}",
                )
            logging.info(
                "Waiting for model to be ready.  Ready_for_local_init_op:  %s, ready: %s",
                not_ready_for_local_init,
                not_ready,
            )
            time.sleep(pause)
            pause = min(2 * pause, self._recovery_wait_secs)

    def _restore_checkpoint(
        self,
        master: str,
        saver: Any,
        checkpoint_dir: str | None,
        checkpoint_path: str | None,
        wait_for_checkpoint: bool,
        max_wait_secs: float,
        config: Any,
    ) -> tuple[Session, bool]:
        """A new session, and whether the variables have the values of a checkpoint."""
        if checkpoint_dir and checkpoint_path:
            raise ValueError(
                "Can not provide both checkpoint_dir and checkpoint_filename_with_path."
            )
        session = Session(master, graph=self._graph, config=config)
        try:
            if not saver or not (checkpoint_dir or checkpoint_path):
                return session, False
            if checkpoint_path:
                saver.restore(session, checkpoint_path)
                return session, True
            assert checkpoint_dir is not None
            state = get_checkpoint_state(checkpoint_dir)
            waited = 0.0
            while state is None:
                if not wait_for_checkpoint or waited >= max_wait_secs:
                    return session, False
                logging.info("Waiting for checkpoint to be available.")
                pause = min(self._recovery_wait_secs, max_wait_secs - waited)
                time.sleep(pause)
                waited += pause
                state = get_checkpoint_state(checkpoint_dir)
            if self._is_under_way(session, checkpoint_dir, state.model_checkpoint_path):
                logging.info(
                    "The variables are further than %s: nothing is restored.",
                    state.model_checkpoint_path,
                )
            else:
                saver.restore(session, state.model_checkpoint_path)
            saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
        except BaseException:
            session.close()
            raise
        return session, True

    def _is_under_way(self, session: Session, folder: str, checkpoint: str) -> bool:
        """Whether the variables have the values of the training that a checkpoint is of."""
        # What belongs to this process alone has no values yet, if it was started again.
        ready = self._ready_for_local_init_op
        ready = self._ready_op if ready is None else ready
        if ready is None or _missing(ready, session, "Model not ready") is not None:
            return False
        return is_further(session, folder, checkpoint)

    def _not_ready(self, session: Session) -> str | None:
        """What is not ready, or None."""
        return _missing(self._ready_op, session, "Model not ready")

    def _run_local_init_op(self, session: Session) -> str | None:
        """Runs `local_init_op`, or says what it still waits for."""
        if self._local_init_op is None:
            return None
        problem = _missing(self._ready_for_local_init_op, session, "Model not ready for local init")
        if problem is None:
            session.run(self._local_init_op)
        return problem


def _name(op: Any) -> str:
    if op is None:
        return "None"
    return str(op.name) if hasattr(op, "name") else f"<no name for {type(op)}>"


def _missing(op: Any, session: Session, problem: str) -> str | None:
    """What an operation that reports the variables without a value says; None where all have."""
    if op is None:
        return None
    try:
        value = session.run(op)
    except errors.FailedPreconditionError as error:
        if "uninitialized" not in str(error):
            logging.warning("%s : error [%s]", problem, error)
            raise
        return str(error)
    # The old way: a tensor of ranks that cannot be computed before all is ready.
    if value is None or value.dtype == np.int32 or value.size == 0:
        return None
    names = ", ".join(name.decode() for name in value)
    return f"Variables not initialized: {names}"
