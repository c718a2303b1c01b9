"""Hooks that start late, end the training, or find that it has failed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from workbench.core.platform import logging
from workbench.train.sessions.run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from workbench.train.sessions.step_reading import required_global_step


class StopAtStepHook(SessionRunHook):
    """Ends the training at a step.

    Args:
      num_steps: how many steps to make from where the session starts.
      last_step: the global step to end at, whatever it starts from.

    Raises:
      ValueError: both are given, or none.

    >>> import workbench as tf
    >>> step = tf.train.get_or_create_global_step()
    >>> train = tf.assign_add(step, 1)
    >>> with tf.train.MonitoredSession(hooks=[tf.train.StopAtStepHook(num_steps=3)]) as session:
    ...     while not session.should_stop():
    ...         print(session.run(train))
    1
    2
    3
    """

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        if num_steps is None and last_step is None:
            raise ValueError("One of num_steps or last_step must be specified.")
        if num_steps is not None and last_step is not None:
            raise ValueError("Only one of num_steps or last_step can be specified.")
        self._num_steps = num_steps
        self._last_step = last_step

    def begin(self) -> None:
        self._global_step_tensor = required_global_step("StopAtStepHook")

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._last_step is None:
            assert self._num_steps is not None
            self._last_step = int(session.run(self._global_step_tensor)) + self._num_steps

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._global_step_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        assert self._last_step is not None
        if run_values.results + 1 < self._last_step:
            return
        # Other workers count too, and not each run counts: only now it is worth a look.
        if run_context.session.run(self._global_step_tensor) >= self._last_step:
            run_context.request_stop()


class NanLossDuringTrainingError(RuntimeError):
    """The loss is not a number: the training has diverged."""

    def __str__(self) -> str:
        return "NaN loss during training."


class NanTensorHook(SessionRunHook):
    """Watches a loss: where it is not a number, the training fails or ends.

    Args:
      loss_tensor: the loss, a scalar.
      fail_on_nan_loss: whether to raise NanLossDuringTrainingError, or to end without an error.
    """

    def __init__(self, loss_tensor: Any, fail_on_nan_loss: bool = True) -> None:
        self._loss_tensor = loss_tensor
        self._fail_on_nan_loss = fail_on_nan_loss

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._loss_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not np.isnan(run_values.results):
            return
        if self._fail_on_nan_loss:
            logging.error("Model diverged with loss = NaN.")
            raise NanLossDuringTrainingError
        logging.warning("Model diverged with loss = NaN.")
        run_context.request_stop()


class GlobalStepWaiterHook(SessionRunHook):
    """Lets a worker start late: its first step waits until others have come so far.

    Args:
      wait_until_step: the global step to wait for.
    """

    _POLL_SECONDS = 0.5
    _STEPS_BETWEEN_MESSAGES = 1000

    def __init__(self, wait_until_step: int) -> None:
        self._wait_until_step = wait_until_step
        self._coordinator: Any = None

    def begin(self) -> None:
        self._worker_is_started = self._wait_until_step <= 0
        self._global_step_tensor = required_global_step("GlobalStepWaiterHook")

    def after_create_session(self, session: Any, coord: Any) -> None:
        self._coordinator = coord

    def before_run(self, run_context: SessionRunContext) -> None:
        if not self._worker_is_started:
            self._wait(run_context.session)
            self._worker_is_started = True

    def _wait(self, session: Any) -> None:
        logging.info("Waiting for global step %d before starting training.", self._wait_until_step)
        told = 0
        while True:
            step = int(session.run(self._global_step_tensor))
            if step >= self._wait_until_step:
                return
            if step - told > self._STEPS_BETWEEN_MESSAGES:
                logging.info(
                    "Waiting for global step %d before starting training. Current step is %d.",
                    self._wait_until_step,
                    step,
                )
                told = step
            if self._coordinator is not None and self._coordinator.should_stop():
                # Another thread has failed or is done: the step that waits would wait for ever.
                return
            time.sleep(self._POLL_SECONDS)
