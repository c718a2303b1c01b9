"""How the session of a training is made: by the chief, or by a worker that waits for it."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.train.sessions.scaffold import Scaffold
from workbench.train.sessions.session_manager import SessionManager


class SessionCreator:
    """Makes sessions, each time a new one, for a `MonitoredSession`."""

    def create_session(self) -> Any:
        """A session that is ready to train."""
        raise NotImplementedError(f"create_session is not implemented for {self}.")


class _ScaffoldCreator(SessionCreator):
    """What is the same for chief and workers."""

    def __init__(self, scaffold: Scaffold | None, master: str, config: Any) -> None:
        self._scaffold = scaffold or Scaffold()
        self._session_manager: SessionManager | None = None
        self._master = master
        self._config = config

    def _manager(self) -> SessionManager:
        """The manager of the scaffold's operations, which must be made by now."""
        if self._session_manager is None:
            self._session_manager = SessionManager(
                local_init_op=self._scaffold.local_init_op,
                ready_op=self._scaffold.ready_op,
                ready_for_local_init_op=self._scaffold.ready_for_local_init_op,
                graph=get_default_graph(),
            )
        return self._session_manager


class ChiefSessionCreator(_ScaffoldCreator):
    """Makes sessions from a checkpoint, or initialises the variables.

    Args:
      scaffold: the operations for it.
      master: the target of the session.
      config: its `ConfigProto`.
      checkpoint_dir: the folder whose latest checkpoint to start from.
      checkpoint_filename_with_path: the checkpoint to start from.
    """

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: str | None = None,
        checkpoint_filename_with_path: str | None = None,
    ) -> None:
        super().__init__(scaffold, master, config)
        self._checkpoint_dir = checkpoint_dir
        self._checkpoint_filename_with_path = checkpoint_filename_with_path

    def create_session(self) -> Any:
        self._scaffold.finalize()
        return self._manager().prepare_session(
            self._master,
            init_op=self._scaffold.init_op,
            saver=self._scaffold.saver,
            checkpoint_dir=self._checkpoint_dir,
            checkpoint_filename_with_path=self._checkpoint_filename_with_path,
            config=self._config,
            init_feed_dict=self._scaffold.init_feed_dict,
            init_fn=self._scaffold.init_fn,
        )


class WorkerSessionCreator(_ScaffoldCreator):
    """Makes sessions as soon as the chief has initialised the variables.

    Args:
      scaffold: the operations for it.
      master: the target of the session.
      config: its `ConfigProto`.
      max_wait_secs: how long to wait for the chief.
    """

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        max_wait_secs: float = 30 * 60,
    ) -> None:
        super().__init__(scaffold, master, config)
        self._max_wait_secs = max_wait_secs

    def create_session(self) -> Any:
        self._scaffold.finalize()
        return self._manager().wait_for_session(
            self._master, config=self._config, max_wait_secs=self._max_wait_secs
        )
