"""The layers around a monitored session's own: hooks, the end of threads, recovery."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core import errors, protos
from workbench.core.platform import logging
from workbench.core.runtime.base_session import BaseSession
from workbench.train.sessions.hook_requests import CALLER, StepRequest
from workbench.train.sessions.open_steps import OpenSteps
from workbench.train.sessions.run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from workbench.train.sessions.step_context import StepContext
from workbench.train.sessions.step_fetches import StepFetches

#: What a step may fail with that a new session, started from the last checkpoint, can mend.
RECOVERABLE_ERRORS = (errors.AbortedError, errors.UnavailableError)

#: Seconds before the next attempt, where one after the other fails; the last one stays.
_PAUSES = (0.0, 0.1, 0.5, 2.0, 5.0)


class WrappedSession:
    """A session with something around it; what is asked of it goes on to the one inside."""

    def __init__(self, sess: Any) -> None:
        self._sess = sess

    @property
    def graph(self) -> Any:
        """The graph of the session."""
        return self._sess.graph

    @property
    def sess_str(self) -> Any:
        """The target of the session."""
        return self._sess.sess_str

    def should_stop(self) -> bool:
        """Whether the session is to be run no more."""
        if self._check_stop() or self._sess is None:
            return True
        return isinstance(self._sess, WrappedSession) and self._sess.should_stop()

    def _check_stop(self) -> bool:
        """Whether this layer wants the end."""
        return False

    def close(self) -> None:
        """Closes the session inside; closing again does nothing."""
        inner, self._sess = self._sess, None
        if inner is not None:
            try:
                inner.close()
            except RECOVERABLE_ERRORS as error:
                logging.info("A session that was lost cannot be closed: %s", error)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Runs a step."""
        return self._sess.run(*args, **kwargs)

    def run_step_fn(
        self,
        step_fn: Callable[[StepContext], Any],
        raw_session: Any,
        run_with_hooks: Callable[..., Any] | None,
    ) -> Any:
        """Calls a function with the session below the hooks, and one to run a step with them."""
        return step_fn(StepContext(raw_session, run_with_hooks or self.run))


class HookedSession(WrappedSession):
    """Calls hooks around each step."""

    def __init__(self, sess: Any, hooks: Sequence[SessionRunHook]) -> None:
        super().__init__(sess)
        self._hooks = hooks
        self._should_stop = False
        # Sessions of other makes get the fetches as they are.
        self._fetches = StepFetches(sess.graph) if isinstance(sess, BaseSession) else None

    def _check_stop(self) -> bool:
        return self._should_stop

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Runs a step with the hooks around it.

        Raises:
          RuntimeError: a hook has asked for the end, or two feed the same tensor.
        """
        if self.should_stop():
            raise RuntimeError("Run called even after should_stop requested.")
        request = StepRequest(fetches, feed_dict, options)
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict), self._sess)
        request.add({hook: hook.before_run(context) for hook in self._hooks})
        if request.options is not None and run_metadata is None:
            run_metadata = protos.RunMetadata()
        results = self._run(request, run_metadata)
        options = protos.RunOptions() if request.options is None else request.options
        run_metadata = protos.RunMetadata() if run_metadata is None else run_metadata
        for hook in self._hooks:
            hook.after_run(context, SessionRunValues(results.get(hook), options, run_metadata))
        self._should_stop = self._should_stop or context.stop_requested
        return results[CALLER]

    def _run(self, request: StepRequest, run_metadata: Any) -> Any:
        """The values of a step, by who asked for them."""
        run = self._sess.run
        more = {"options": request.options, "run_metadata": run_metadata}
        if self._fetches is None:
            return run(fetches=request.fetches, feed_dict=request.feed_dict, **more)
        fetches, build = self._fetches.flat(request.fetches)
        if request.options is None and run_metadata is None:
            return build(run(fetches, request.feed_dict))
        return build(run(fetches, request.feed_dict, **more))


class CoordinatedSession(WrappedSession):
    """Ends with the threads of a coordinator, and they with it."""

    def __init__(self, sess: Any, coord: Any, stop_grace_period_secs: float = 120) -> None:
        super().__init__(sess)
        self._coord = coord
        self._stop_grace_period_secs = stop_grace_period_secs
        self.steps = OpenSteps(stop_grace_period_secs)

    def _check_stop(self) -> bool:
        # An error of a thread that fills a queue is an error of the training.
        self._coord.raise_requested_exception()
        return bool(self._coord.should_stop())

    def close(self) -> None:
        """Asks the threads to end, waits for them, and closes the session.

        Raises:
          Exception: what one of the threads failed with.
        """
        self._coord.request_stop()
        if self.steps.has_lost:
            # Other threads may wait for the one that failed.
            self._close_session()
        try:
            self._coord.join(
                stop_grace_period_secs=self._stop_grace_period_secs, ignore_live_threads=True
            )
        finally:
            self._close_session()

    def _close_session(self) -> None:
        try:
            super().close()
        except Exception as error:
            # Closing can fail in the middle of another error, which is the one to be seen.
            logging.warning("The session cannot be closed: %s", error)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Runs a step; where a thread was lost before it failed, that is the error."""
        return self._coordinated(self._sess.run, args, kwargs)

    def run_step_fn(self, *args: Any, **kwargs: Any) -> Any:
        """Calls a function; where a thread was lost before it failed, that is the error."""
        return self._coordinated(super().run_step_fn, args, kwargs)

    def _coordinated(
        self, act: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        try:
            return self.steps.do(act, arguments, named)
        except RECOVERABLE_ERRORS:
            raise
        except Exception as failure:
            try:
                self._coord.raise_requested_exception()
            except RECOVERABLE_ERRORS:
                # The step failed because a thread did, and that can be mended.
                raise
            except Exception as error:
                if self.steps.have_ended(failure):
                    raise
                logging.vlog(1, "A thread failed beside the step: %s", error)
            raise


class RecoverableSession(WrappedSession):
    """Makes a new session, from the last checkpoint, where a step fails with a lost worker."""

    def __init__(self, sess_creator: Any) -> None:
        self._sess_creator = sess_creator
        super().__init__(self._create_session())

    def _create_session(self) -> Any:
        attempt = 0
        while True:
            try:
                return self._sess_creator.create_session()
            except RECOVERABLE_ERRORS as error:
                logging.info(
                    "An error was raised while a session was being created. This may be due to a "
                    "preemption of a connected worker or parameter server. A new session will be "
                    "created. Error: %s",
                    error,
                )
                time.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
                attempt += 1

    def _check_stop(self) -> bool:
        try:
            return self._sess is None or self._sess._check_stop()
        except RECOVERABLE_ERRORS as error:
            logging.info(
                "An error was raised while considering whether the session is complete. This may "
                "be due to a preemption in a connected worker or parameter server. The current "
                "session will be closed and a new session will be created. Error: %s",
                error,
            )
            self.close()
            self._sess = self._create_session()
            return False
        except Exception:
            # The error itself is raised where the session is closed.
            return True

    def run(
        self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Runs a step, again in a new session where it fails with a lost worker."""
        return self._recovering(
            lambda sess: sess.run(
                fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata
            )
        )

    def run_step_fn(
        self,
        step_fn: Callable[[StepContext], Any],
        raw_session: Any,
        run_with_hooks: Callable[..., Any] | None,
    ) -> Any:
        """Calls a function, again in a new session where it fails with a lost worker."""
        first = self._sess

        def call(sess: Any) -> Any:
            # After a recovery the session below the hooks is another one.
            raw = raw_session if sess is first else self._sess_creator.tf_sess
            return sess.run_step_fn(step_fn, raw, sess.run)

        return self._recovering(call)

    def _recovering(self, act: Callable[[Any], Any]) -> Any:
        attempt = 0
        while True:
            try:
                if self._sess is None:
                    self._sess = self._create_session()
                return act(self._sess)
            except RECOVERABLE_ERRORS as error:
                logging.info(
                    "An error was raised. This may be due to a preemption in a connected worker or "
                    "parameter server. The current session will be closed and a new session will "
                    "be created. Error: %s",
                    error,
                )
                self.close()
                time.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
                attempt += 1
