"""The plainest training loop over a supervisor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.core.errors import AbortedError
from workbench.train.sessions.supervisor import Supervisor


def basic_train_loop(
    supervisor: Supervisor,
    train_step_fn: Callable[..., Any],
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    master: str = "",
) -> None:
    """Calls a function that trains one step until the supervisor says stop.

    After an AbortedError, which a lost worker gives, it goes on in a new session.

    Args:
      supervisor: makes the session, and says when to stop.
      train_step_fn: is called with the session, `args` and `kwargs`.
      args: further arguments.
      kwargs: further arguments by name.
      master: the target of the session.

    >>> import workbench as tf
    >>> train = tf.assign_add(tf.train.get_or_create_global_step(), 1)
    >>> supervisor = tf.train.Supervisor()
    >>> def train_step(session):
    ...     if session.run(train) == 3:
    ...         supervisor.request_stop()
    >>> tf.train.basic_train_loop(supervisor, train_step)
    """
    while True:
        try:
            with supervisor.managed_session(master) as session:
                while not supervisor.should_stop():
                    train_step_fn(session, *(args or ()), **(kwargs or {}))
            return
        except AbortedError:
            # The session was lost: the next one starts from the last checkpoint.
            continue
