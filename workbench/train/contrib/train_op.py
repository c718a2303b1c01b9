"""Operations that train one step: `tf.contrib.training` and slim."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workbench.core.graph.context import (
    control_dependencies,
    get_collection,
    get_collection_ref,
    name_scope,
)
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops import api
from workbench.core.ops.control import no_op, with_dependencies
from workbench.core.ops.state.variable_collections import trainable_variables
from workbench.core.platform import logging
from workbench.train.contrib.gradients import (
    Pairs,
    add_gradients_summaries,
    clip_gradient_norms,
    multiply_gradients,
)
from workbench.train.global_steps import get_or_create_global_step
from workbench.train.optimizers.optimizer import Optimizer

#: Stands for the graph's global step, where None means that none is counted.
_USE_GLOBAL_STEP = 0


def create_train_op(
    total_loss: Any,
    optimizer: Any,
    global_step: Any = _USE_GLOBAL_STEP,
    update_ops: Iterable[Any] | None = None,
    variables_to_train: list[Any] | None = None,
    transform_grads_fn: Callable[[Pairs], Pairs] | None = None,
    summarize_gradients: bool = False,
    gate_gradients: int = Optimizer.GATE_OP,
    aggregation_method: Any = None,
    colocate_gradients_with_ops: bool = False,
    check_numerics: bool = True,
) -> Any:
    """A tensor that trains one step when it is computed, and gives the loss before it.

    Args:
      total_loss: the loss.
      optimizer: the optimizer.
      global_step: the step to count; the graph's by default, None for none.
      update_ops: operations to run first; those of the collection UPDATE_OPS by default.
      variables_to_train: the variables; all trainable ones by default.
      transform_grads_fn: changes the gradients.
      summarize_gradients: whether to add summaries of the gradients.
      gate_gradients: how much of the gradients to finish before they are applied.
      aggregation_method: how gradients are added up.
      colocate_gradients_with_ops: whether gradients are computed where their operations are.
      check_numerics: whether a loss that is not finite is an error.

    >>> import workbench as tf
    >>> w = tf.get_variable("w", initializer=2.0)
    >>> train = create_train_op(w * w, tf.train.GradientDescentOptimizer(0.25))
    >>> with tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     float(session.run(train)), float(session.run(w))
    (4.0, 1.0)
    """
    if global_step is _USE_GLOBAL_STEP:
        global_step = get_or_create_global_step()
    collected = get_collection(GraphKeys.UPDATE_OPS)
    updates = collected if update_ops is None else list(update_ops)
    if any(all(each is not update for update in updates) for each in collected):
        logging.warning(
            "update_ops in create_train_op does not contain all the update_ops in "
            "GraphKeys.UPDATE_OPS"
        )
    if updates:
        with control_dependencies(updates):
            barrier = no_op(name="update_barrier")
        total_loss = with_dependencies([barrier], total_loss)
    trained = trainable_variables()
    variables = trained if variables_to_train is None else variables_to_train
    assert variables, "There are no variables to train."
    for variable in variables:
        assert any(variable is each for each in trained), f"{variable.name} is not trainable."
    grads = optimizer.compute_gradients(
        total_loss,
        variables,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
    )
    if transform_grads_fn is not None:
        grads = transform_grads_fn(grads)
    if summarize_gradients:
        with name_scope("summarize_grads"):
            add_gradients_summaries(grads)
    applied = optimizer.apply_gradients(grads, global_step=global_step)
    with name_scope("train_op"):
        if check_numerics:
            total_loss = api.check_numerics(total_loss, "LossTensor is inf or nan")
        train_op = with_dependencies([applied], total_loss)
    get_collection_ref(GraphKeys.TRAIN_OP).append(train_op)
    return train_op


def create_slim_train_op(
    total_loss: Any,
    optimizer: Any,
    global_step: Any = _USE_GLOBAL_STEP,
    update_ops: Iterable[Any] | None = None,
    variables_to_train: list[Any] | None = None,
    clip_gradient_norm: float = 0,
    summarize_gradients: bool = False,
    gate_gradients: int = Optimizer.GATE_OP,
    aggregation_method: Any = None,
    colocate_gradients_with_ops: bool = False,
    gradient_multipliers: Mapping[Any, Any] | None = None,
    check_numerics: bool = True,
) -> Any:
    """`create_train_op` that can multiply gradients, and clip them at `clip_gradient_norm`."""

    def transform(pairs: Pairs) -> Pairs:
        if gradient_multipliers:
            with name_scope("multiply_grads"):
                pairs = multiply_gradients(pairs, gradient_multipliers)
        if clip_gradient_norm > 0:
            with name_scope("clip_grads"):
                pairs = clip_gradient_norms(pairs, clip_gradient_norm)
        return pairs

    return create_train_op(
        total_loss,
        optimizer,
        global_step,
        update_ops,
        variables_to_train,
        transform,
        summarize_gradients,
        gate_gradients,
        aggregation_method,
        colocate_gradients_with_ops,
        check_numerics,
    )
