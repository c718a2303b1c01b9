"""The operations that prepare, watch and save a training, whoever runs them."""

from __future__ import annotations

from typing import Any


class TrainingOperations:
    """What a training is initialised, checked, summarised and saved by. None: there is none."""

    _init_op: Any
    _init_feed_dict: Any
    _ready_op: Any
    _ready_for_local_init_op: Any
    _summary_op: Any
    _saver: Any

    @property
    def init_op(self) -> Any:
        """What initialises the variables."""
        return self._init_op

    @property
    def init_feed_dict(self) -> Any:
        """What is fed to `init_op`."""
        return self._init_feed_dict

    @property
    def ready_op(self) -> Any:
        """What gives the names of variables without a value."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        """What gives the names of variables that `local_init_op` still waits for."""
        return self._ready_for_local_init_op

    @property
    def summary_op(self) -> Any:
        """What gives the summary; None where there is nothing to tell."""
        return self._summary_op

    @property
    def saver(self) -> Any:
        """What saves and restores the variables."""
        return self._saver
