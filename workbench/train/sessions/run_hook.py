"""What goes on around each step of a monitored session: hooks, and what they ask for and get."""

from __future__ import annotations

from typing import Any, NamedTuple


class SessionRunArgs(NamedTuple):
    """What a step is to do: its fetches, the values to feed, and options.

    >>> SessionRunArgs("loss:0", {"x:0": 1.0})
    SessionRunArgs(fetches='loss:0', feed_dict={'x:0': 1.0}, options=None)
    """

    fetches: Any
    feed_dict: Any = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What came of a step: the values of a hook's own fetches, the step's options and its trace."""

    results: Any
    options: Any
    run_metadata: Any


class SessionRunContext:
    """The step that is about to run, or has just run, as its hooks see it.

    >>> context = SessionRunContext(SessionRunArgs("loss:0"), session=None)
    >>> context.request_stop()
    >>> context.stop_requested
    True
    """

    def __init__(self, original_args: SessionRunArgs, session: Any) -> None:
        self._original_args = original_args
        self._session = session
        self._stop_requested = False

    @property
    def original_args(self) -> SessionRunArgs:
        """What the caller of `run` asked for."""
        return self._original_args

    @property
    def session(self) -> Any:
        """The session below the hooks: a run of it calls none of them."""
        return self._session

    @property
    def stop_requested(self) -> bool:
        """Whether this step is to be the last."""
        return self._stop_requested

    def request_stop(self) -> None:
        """Makes this step the last: `should_stop` of the session is true after it."""
        self._stop_requested = True


class SessionRunHook:
    """Extends the steps of a monitored session; a subclass overrides what it needs.

    The order of the calls is `begin`, `after_create_session`, then `before_run` and `after_run`
    around each step, and `end`. After a recovery `after_create_session` is called again.

    >>> import workbench as tf
    >>> class CountSteps(tf.train.SessionRunHook):
    ...     def begin(self):
    ...         self.steps = 0
    ...
    ...     def after_run(self, run_context, run_values):
    ...         self.steps += 1
    >>> hook = CountSteps()
    >>> one = tf.constant(1)
    >>> with tf.train.MonitoredSession(hooks=[hook]) as session:
    ...     _ = session.run(one), session.run(one)
    >>> hook.steps
    2
    """

    def begin(self) -> None:
        """Called once, before there is a session: the graph can still be added to."""

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Called when a session was made; the graph is final. `coord` ends its threads."""

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Called before each step; what it returns is added to what the step does.

        A step may also raise, or ask `run_context` for the end.
        """
        return None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Called after each step that raised nothing, with what `before_run` asked for."""

    def end(self, session: Any) -> None:
        """Called once where the session is closed without an error; it can still be run."""
