"""What a session does so that its replica trains in step with the others."""

from __future__ import annotations

from typing import Any

from workbench.train.sessions.run_hook import SessionRunHook


class SyncReplicasHook(SessionRunHook):
    """Begins a replica of a `SyncReplicasOptimizer`: as the chief, or as one of the others."""

    def __init__(self, optimizer: Any, is_chief: bool, num_tokens: int) -> None:
        self._optimizer = optimizer
        self._is_chief = is_chief
        self._num_tokens = num_tokens
        self._local_init_op: Any = None
        self._ready_op: Any = None
        self._tokens_op: Any = None
        self._queue_runner: Any = None

    def begin(self) -> None:
        """Takes what it needs from the graph, which may still grow now. ValueError before
        `apply_gradients`."""
        optimizer = self._optimizer
        if not optimizer._applied:
            raise ValueError(
                "SyncReplicasOptimizer.apply_gradient should be called before using the hook."
            )
        self._ready_op = optimizer.ready_for_local_init_op
        if self._is_chief:
            self._local_init_op = optimizer.chief_init_op
            self._queue_runner = optimizer.get_chief_queue_runner()
            self._tokens_op = optimizer.get_init_tokens_op(self._num_tokens)
        else:
            self._local_init_op = optimizer.local_step_init_op

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Tells the replica its step; the chief begins to take steps, and gives out tokens."""
        missing = session.run(self._ready_op)
        if len(missing):
            names = ", ".join(name.decode() for name in missing)
            raise RuntimeError(
                f"Init operations did not make model ready for local_init. Init op: "
                f"{self._local_init_op.name}, variables without a value: {names}"
            )
        session.run(self._local_init_op)
        if self._is_chief:
            session.run(self._tokens_op)
            self._queue_runner.create_threads(session, coord=coord, daemon=True, start=True)
