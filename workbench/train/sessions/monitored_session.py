"""Monitored sessions: they call hooks, keep threads in step, and go on after a loss."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any

from workbench.core import errors
from workbench.core.graph.context import get_default_graph
from workbench.train.coordinator import Coordinator
from workbench.train.queue_runner import start_queue_runners
from workbench.train.sessions.open_steps import OpenSteps
from workbench.train.sessions.run_hook import SessionRunHook
from workbench.train.sessions.scaffold import Scaffold
from workbench.train.sessions.session_creators import ChiefSessionCreator, SessionCreator
from workbench.train.sessions.step_context import StepContext
from workbench.train.sessions.wrapped_session import (
    RECOVERABLE_ERRORS,
    CoordinatedSession,
    HookedSession,
    RecoverableSession,
)

#: What ends the block of a session as if it had come to its end.
_ENDS = (errors.OutOfRangeError, StopIteration)


class _CoordinatedSessionCreator(SessionCreator):
    """Makes a session with its threads and hooks around it."""

    def __init__(
        self,
        session_creator: SessionCreator,
        hooks: Sequence[SessionRunHook],
        stop_grace_period_secs: float,
    ) -> None:
        self._session_creator = session_creator
        self._hooks = hooks
        self._stop_grace_period_secs = stop_grace_period_secs
        self.coord: Coordinator | None = None
        self.tf_sess: Any = None

    def create_session(self) -> CoordinatedSession:
        self.tf_sess = self._session_creator.create_session()
        # The end of the input is an error here: it ends the block of the session.
        self.coord = Coordinator(clean_stop_exception_types=[])
        made = CoordinatedSession(
            HookedSession(self.tf_sess, self._hooks), self.coord, self._stop_grace_period_secs
        )
        self.coord._call_at_error(partial(_end_steps, self.tf_sess, made.steps))
        try:
            start_queue_runners(sess=self.tf_sess, coord=self.coord)
            made.steps.do(self._tell_hooks)
        except BaseException:
            # Nobody has the session yet who could end its threads.
            made.close()
            raise
        return made

    def _tell_hooks(self) -> None:
        for hook in self._hooks:
            hook.after_create_session(self.tf_sess, self.coord)


def _end_steps(session: Any, steps: OpenSteps, error: BaseException) -> None:
    """Ends the steps of a session one of whose threads has failed: they may wait for what that
    thread was to do, and for ever."""
    if isinstance(error, RECOVERABLE_ERRORS):
        # Another session takes its place.
        session.close()
    elif not isinstance(error, _ENDS):
        steps.lose()


class BaseMonitoredSession:
    """What both kinds of monitored sessions have."""

    StepContext = StepContext

    def __init__(
        self,
        session_creator: SessionCreator | None,
        hooks: Iterable[SessionRunHook] | None,
        should_recover: bool,
        stop_grace_period_secs: float = 120,
    ) -> None:
        self._graph_was_finalized = get_default_graph().finalized
        self._hooks = list(hooks or [])
        for hook in self._hooks:
            hook.begin()
        self._coordinated_creator = _CoordinatedSessionCreator(
            session_creator or ChiefSessionCreator(), self._hooks, stop_grace_period_secs
        )
        self._sess: Any = (
            RecoverableSession(self._coordinated_creator)
            if should_recover
            else self._coordinated_creator.create_session()
        )

    @property
    def graph(self) -> Any:
        """The graph of the session; None once it is closed."""
        session = self._tf_sess()
        return None if session is None else session.graph

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Runs a step with the hooks around it; the arguments are those of `tf.Session.run`."""
        return self._open().run(
            fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata
        )

    def run_step_fn(self, step_fn: Callable[[Any], Any]) -> Any:
        """Calls `step_fn` with a `StepContext`: several runs, with hooks or without, as one step.

        It is called again in a new session where it fails with a lost worker.

        Raises:
          ValueError: `step_fn` does not take exactly one argument, called `step_context`.
        """
        names = tuple(inspect.signature(step_fn).parameters)
        if names not in (("step_context",), ("self", "step_context")):
            raise ValueError(
                "`step_fn` may either have one `step_context` argument, or `self` and "
                f"`step_context` arguments if it's an instance method. Got {names} instead."
            )
        return self._open().run_step_fn(step_fn, self._tf_sess(), run_with_hooks=None)

    def should_stop(self) -> bool:
        """Whether a hook, a thread or the end of the input has ended the training."""
        return self._sess is None or self._sess.should_stop()

    def close(self) -> None:
        """Calls the hooks' `end`, ends the threads, and closes the session."""
        self._close_internal()

    def __enter__(self) -> Any:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        is_failure = kind is not None and kind not in _ENDS
        self._close_internal(is_failure)
        return not is_failure

    def _open(self) -> Any:
        if self._sess is None:
            raise RuntimeError("Attempted to use a closed session: it has ended.")
        return self._sess

    def _close_internal(self, is_failure: bool = False) -> None:
        try:
            # After a failure the values may be those of half a step: nothing is saved then.
            if not is_failure and self._sess is not None:
                for hook in self._hooks:
                    hook.end(self._coordinated_creator.tf_sess)
        finally:
            session, self._sess = self._sess, None
            try:
                if session is None:
                    raise RuntimeError("Session is already closed.")
                session.close()
            finally:
                self._coordinated_creator.tf_sess = None
                self._coordinated_creator.coord = None
                if not self._graph_was_finalized:
                    get_default_graph()._unsafe_unfinalize()

    def _is_closed(self) -> bool:
        """Whether there is no session."""
        return self._coordinated_creator.tf_sess is None

    def _tf_sess(self) -> Any:
        """The session below the hooks."""
        return self._coordinated_creator.tf_sess


class MonitoredSession(BaseMonitoredSession):
    """A session that calls hooks around each step and recovers from the loss of a worker.

    It starts the queue runners of the graph. Used in a `with` block, it is closed at its end; that
    the input has ended (OutOfRangeError) or a step function asked to stop (StopIteration) is no
    error. Where a step fails with AbortedError or UnavailableError, a new session is made, from
    the last checkpoint, and the step runs again.

    Args:
      session_creator: makes the session; a `ChiefSessionCreator` by default.
      hooks: the hooks.
      stop_grace_period_secs: how long the threads have to end.

    >>> import workbench as tf
    >>> step = tf.train.get_or_create_global_step()
    >>> train = tf.assign_add(step, 1)
    >>> with tf.train.MonitoredSession(hooks=[tf.train.StopAtStepHook(last_step=2)]) as session:
    ...     while not session.should_stop():
    ...         print(session.run(train))
    1
    2
    """

    def __init__(
        self,
        session_creator: SessionCreator | None = None,
        hooks: Iterable[SessionRunHook] | None = None,
        stop_grace_period_secs: float = 120,
    ) -> None:
        super().__init__(session_creator, hooks, True, stop_grace_period_secs)


class SingularMonitoredSession(BaseMonitoredSession):
    """A monitored session that does not recover, for one process; `raw_session` is the one inside.

    Args:
      hooks: the hooks.
      scaffold: the operations that initialise, check and save.
      master: the target of the session.
      config: its `ConfigProto`.
      checkpoint_dir: the folder whose latest checkpoint to start from.
      stop_grace_period_secs: how long the threads have to end.
      checkpoint_filename_with_path: the checkpoint to start from.
    """

    def __init__(
        self,
        hooks: Iterable[SessionRunHook] | None = None,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: str | None = None,
        stop_grace_period_secs: float = 120,
        checkpoint_filename_with_path: str | None = None,
    ) -> None:
        creator = ChiefSessionCreator(
            scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path
        )
        super().__init__(creator, hooks, False, stop_grace_period_secs)

    def raw_session(self) -> Any:
        """The session below the hooks; None once it is closed."""
        return self._tf_sess()
