"""Synchronous training of replicas: gradients are collected, averaged, and applied once for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import control_dependencies, device, name_scope
from workbench.core.graph.device import DeviceSpec
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.operation import Operation
from workbench.core.ops import api
from workbench.core.ops.control import group, no_op
from workbench.core.ops.queues.accumulator_ops import CONTRIBUTOR
from workbench.core.ops.queues.accumulators import (
    ConditionalAccumulator,
    SparseConditionalAccumulator,
)
from workbench.core.ops.queues.queue_types import FIFOQueue
from workbench.core.ops.state import assignment
from workbench.core.ops.state.variable_collections import (
    global_variables,
    report_uninitialized_variables,
)
from workbench.core.ops.state.variables import Variable
from workbench.train.optimizers.optimizer import Optimizer
from workbench.train.optimizers.replica_turns import Gate, Tokens, Turns
from workbench.train.queue_runner import QueueRunner


class SyncReplicasOptimizer(Optimizer):
    """Has the replicas of a training take each step together.

    Each replica gives its gradients, marked with the step it had its variables from, to
    accumulators beside the variables; gradients of an earlier step are dropped. When
    `replicas_to_aggregate` have come for every variable, the chief applies their averages, moves
    the global step on and lets each replica on to the next step. A replica on a device of a task of
    its own gives one gradient for a step: one that was started again does not count twice. With
    more replicas than are aggregated the slowest are backup workers: their gradients of a step come
    too late, and are dropped.

    Args:
      opt: the optimizer that applies the averages.
      replicas_to_aggregate: how many gradients make a step. More than there are replicas is
        allowed: they give several for a step then.
      total_num_replicas: how many replicas there are; None for as many as are aggregated.
      variable_averages: an `ExponentialMovingAverage` to keep of `variables_to_average`.
      use_locking: whether the updates lock their variables.

    The chief runs `get_chief_queue_runner()` and `get_init_tokens_op()`; a `MonitoredSession` with
    `make_session_run_hook(is_chief)` does all of that.

    >>> import workbench as tf
    >>> server = tf.train.Server.create_local_server()
    >>> step = tf.train.get_or_create_global_step()
    >>> w = tf.Variable(4.0)
    >>> optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(0.25), 1)
    >>> train = optimizer.minimize(tf.square(w), global_step=step)
    >>> hooks = [optimizer.make_session_run_hook(is_chief=True)]
    >>> with tf.train.MonitoredTrainingSession(server.target, hooks=hooks) as session:
    ...     for _ in range(3):
    ...         _ = session.run(train)
    ...     session.run(step) >= 2
    np.True_
    >>> server.stop()
    """

    def __init__(
        self,
        opt: Optimizer,
        replicas_to_aggregate: int,
        total_num_replicas: int | None = None,
        variable_averages: Any = None,
        variables_to_average: Any = None,
        use_locking: bool = False,
        name: str = "sync_replicas",
    ) -> None:
        total = replicas_to_aggregate if total_num_replicas is None else total_num_replicas
        super().__init__(use_locking, name)
        self._opt = opt
        self._replicas_to_aggregate = replicas_to_aggregate
        self._total_num_replicas = total
        self._tokens_per_step = max(total, replicas_to_aggregate)
        self._variable_averages = variable_averages
        self._variables_to_average = variables_to_average
        self._applied = False
        self._global_step: Any = None
        self._turns: Any = None
        self._chief_queue_runner: Any = None
        self._contributor = ""
        #: What a worker that is not the chief runs before it begins, and what the chief runs.
        self.local_step_init_op: Any = None
        self.chief_init_op: Any = None
        #: The names of variables that have no values yet; empty when a worker may begin.
        self.ready_for_local_init_op: Any = None

    def compute_gradients(self, *args: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
        """The gradients of this replica, by the optimizer that is wrapped."""
        return self._opt.compute_gradients(*args, **kwargs)

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: str | None = None
    ) -> Operation:
        """An operation that gives this replica's gradients and waits for the next step.

        Raises ValueError without gradients, or without `global_step`.
        """
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required to check staleness")
        self._global_step = global_step
        # Where the replica computes, whatever is said of variables.
        anchor = no_op(name="sync_replicas_anchor")
        self._contributor = self._contributor_at(anchor.device)
        with device(anchor.device):
            local_step = Variable(
                0,
                trainable=False,
                collections=[GraphKeys.LOCAL_VARIABLES],
                dtype=global_step.dtype.base_dtype,
                name="sync_rep_local_step",
            )
        self.local_step_init_op = assignment.assign(local_step, global_step)
        self.ready_for_local_init_op = report_uninitialized_variables(global_variables())
        with name_scope(None, self._name):
            # As it was before the step: the new one is assigned at its end.
            given_for = api.identity(local_step)
            given, averaged, chief_init = self._accumulate(pairs, given_for)
            averaged = _taken_together(averaged)
            with device(global_step.device):
                update = self._opt.apply_gradients(averaged, global_step)
                self._turns = self._make_turns(global_step.dtype.base_dtype)
                with control_dependencies([update]):
                    update = self._averages(update)
                with control_dependencies([update]):
                    sync = self._turns.next(self._read_step())
                with control_dependencies(given):
                    token = self._turns.wait(given_for)
                unused = FIFOQueue(
                    1,
                    global_step.dtype.base_dtype,
                    shapes=(),
                    name="dummy_queue",
                    shared_name="dummy_queue",
                )
            train = assignment.assign(local_step, token)
            self._chief_queue_runner = QueueRunner(unused, [sync])
        self.chief_init_op = group(self.local_step_init_op, *chief_init)
        self._applied = True
        return group(train, name=name) if name else train.op

    def _accumulate(
        self, pairs: Sequence[tuple[Any, Any]], local_step: Any
    ) -> tuple[list[Operation], list[tuple[Any, Any]], list[Operation]]:
        """What gives the gradients, their averages, and what tells the accumulators the step."""
        given: list[Operation] = []
        averaged: list[tuple[Any, Any]] = []
        steps: list[Operation] = []
        for gradient, variable in pairs:
            if gradient is None:
                averaged.append((None, variable))
                continue
            with device(variable.device):
                shared = f"{variable.name}/grad_accum"
                accumulator: Any
                if isinstance(gradient, IndexedSlices):
                    accumulator = SparseConditionalAccumulator(
                        gradient.dtype, shape=(), shared_name=shared
                    )
                    given.append(
                        accumulator.apply_indexed_slices_grad(gradient, local_step=local_step)
                    )
                    average = accumulator.take_indexed_slices_grad(self._replicas_to_aggregate)
                else:
                    accumulator = ConditionalAccumulator(
                        gradient.dtype, shape=variable.get_shape(), shared_name=shared
                    )
                    given.append(accumulator.apply_grad(gradient, local_step=local_step))
                    average = accumulator.take_grad(self._replicas_to_aggregate)
                if self._contributor:
                    given[-1]._set_attr(CONTRIBUTOR, self._contributor)
                averaged.append((average, variable))
                steps.append(accumulator.set_global_step(self._global_step, name="SetGlobalStep"))
        return given, averaged, steps

    def _contributor_at(self, device_name: str) -> str:
        """What tells this replica from others; nothing where it may give several gradients."""
        is_clear = DeviceSpec.from_string(device_name).task is not None
        gives_one = self._replicas_to_aggregate <= self._total_num_replicas
        return device_name if is_clear and gives_one else ""

    def _make_turns(self, dtype: Any) -> Turns:
        return Gate(dtype) if self._contributor else Tokens(dtype, self._tokens_per_step)

    def _averages(self, update: Any) -> Any:
        if self._variable_averages is None:
            return update
        return self._variable_averages.apply(self._variables_to_average)

    def _read_step(self) -> Any:
        """The global step as it is after what was waited for."""
        return api.identity(self._global_step.read_value())

    # -- what the chief needs ----------------------------------------------------------------

    def get_chief_queue_runner(self) -> QueueRunner:
        """The queue runner of the chief, which takes the steps. ValueError before
        `apply_gradients`."""
        self._check_applied()
        runner: QueueRunner = self._chief_queue_runner
        return runner

    def get_init_tokens_op(self, num_tokens: int = -1) -> Operation:
        """What the chief runs to give the replicas their first tokens.

        `num_tokens` are given, as many as are aggregated where it is -1. Raises ValueError before
        `apply_gradients`, and for fewer than the replicas need to make a first step.
        """
        self._check_applied()
        needed = self._replicas_to_aggregate - self._total_num_replicas
        if num_tokens == -1:
            num_tokens = self._replicas_to_aggregate
        elif num_tokens < needed:
            raise ValueError(
                f"Too few tokens to finish the first step: {num_tokens} (given) vs {needed} "
                "(needed)"
            )
        if num_tokens <= 0 and not self._contributor:
            return no_op(name="no_init_tokens")
        with device(self._global_step.device), name_scope(None, self._name):
            begun: Operation = self._turns.begin(self._global_step, max(num_tokens, 0))
            return begun

    def _check_applied(self) -> None:
        if not self._applied:
            raise ValueError("Should be called after apply_gradients().")

    def make_session_run_hook(self, is_chief: bool, num_tokens: int = -1) -> Any:
        """The hook with which a `MonitoredSession` trains synchronously."""
        from workbench.train.sessions.sync_replicas_hook import SyncReplicasHook

        return SyncReplicasHook(self, is_chief, num_tokens)

    # -- of the optimizer that is wrapped ----------------------------------------------------

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        """A slot of the optimizer that is wrapped."""
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> list[str]:
        """The names of the slots of the optimizer that is wrapped."""
        return self._opt.get_slot_names(*args, **kwargs)

    def variables(self) -> list[Any]:
        """The variables of the optimizer that is wrapped."""
        return self._opt.variables()


def _taken_together(averaged: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """The averages, none of which is there before all are.

    So a step that ends while it waits for gradients, as with its chief, has updated nothing.
    """
    parts = [g.values if isinstance(g, IndexedSlices) else g for g, _ in averaged if g is not None]
    if len(parts) < 2:
        return list(averaged)
    with control_dependencies([group(*parts)]):
        return [(_passed_on(g), variable) for g, variable in averaged]


def _passed_on(average: Any) -> Any:
    if isinstance(average, IndexedSlices):
        values = _passed_on(average.values)
        return IndexedSlices(values, average.indices, average.dense_shape)
    if average is None:
        return None
    with device(average.op.device):
        return api.identity(average)
