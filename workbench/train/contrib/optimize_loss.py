"""A training step with everything around it: `tf.contrib.layers.optimize_loss`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import get_collection
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, summary
from workbench.core.ops.control import with_dependencies
from workbench.core.ops.initializers import constant_initializer, zeros_initializer
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_collections import trainable_variables
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.core.ops.static_checks import assert_scalar
from workbench.train.contrib.gradients import Pairs, scaled, values_of, with_values
from workbench.train.global_steps import assert_global_step, get_global_step
from workbench.train.moving_averages import assign_moving_average
from workbench.train.optimizers.adam import AdamOptimizer
from workbench.train.optimizers.adaptive import AdagradOptimizer, FtrlOptimizer, RMSPropOptimizer
from workbench.train.optimizers.gradient_descent import GradientDescentOptimizer
from workbench.train.optimizers.optimizer import Optimizer
from workbench.train.optimizers.step_optimizer import MomentumOptimizer

#: The optimizers that have names.
OPTIMIZER_CLS_NAMES: dict[str, Callable[..., Any]] = {
    "Adagrad": AdagradOptimizer,
    "Adam": AdamOptimizer,
    "Ftrl": FtrlOptimizer,
    "Momentum": lambda learning_rate: MomentumOptimizer(learning_rate, momentum=0.9),
    "RMSProp": RMSPropOptimizer,
    "SGD": GradientDescentOptimizer,
}

#: What can be summarized.
OPTIMIZER_SUMMARIES = [
    "learning_rate",
    "loss",
    "gradients",
    "gradient_norm",
    "global_gradient_norm",
]


def optimize_loss(
    loss: Any,
    global_step: Any,
    learning_rate: Any,
    optimizer: Any,
    gradient_noise_scale: float | None = None,
    gradient_multipliers: Mapping[Any, float] | None = None,
    clip_gradients: Any = None,
    learning_rate_decay_fn: Callable[[Any, Any], Any] | None = None,
    update_ops: Sequence[Any] | None = None,
    variables: Sequence[Any] | None = None,
    name: str | None = None,
    summaries: Sequence[str] | None = None,
    colocate_gradients_with_ops: bool = False,
    increment_global_step: bool = True,
) -> Any:
    """A tensor that trains one step when it is computed, and gives the loss before it.

    Args:
      loss: the loss, a scalar.
      global_step: the step to count; the graph's where it is None.
      learning_rate: a float, which becomes a variable, or a scalar tensor; None where the optimizer
        has its own.
      optimizer: an optimizer, a class of them, one's name ("SGD", "Adam", "Adagrad", "Ftrl",
        "Momentum", "RMSProp"), or a function that makes one of the learning rate.
      gradient_noise_scale: how much noise to add to the gradients.
      gradient_multipliers: factors of gradients, by variables or their names.
      clip_gradients: a float, which all gradients together are not to be longer than, or a
        function that changes the pairs of gradients and variables.
      learning_rate_decay_fn: gives the learning rate of the one here and the step.
      update_ops: operations to run first; those of the collection UPDATE_OPS by default.
      variables: the variables to train; all trainable ones by default.
      name: the variable scope; "OptimizeLoss" by default.
      summaries: which of OPTIMIZER_SUMMARIES to add.
      colocate_gradients_with_ops: whether gradients are computed where their operations are.
      increment_global_step: whether to count the step.

    Raises:
      ValueError: an argument is of a wrong kind.

    >>> import workbench as tf
    >>> w = tf.get_variable("w", initializer=2.0)
    >>> step = tf.train.get_or_create_global_step()
    >>> train = tf.contrib.layers.optimize_loss(w * w, step, 0.25, "SGD")
    >>> with tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     float(session.run(train)), float(session.run(w)), int(session.run(step))
    (4.0, 1.0, 1)
    """
    loss = convert_to_tensor(loss)
    assert_scalar(loss)
    if global_step is None:
        global_step = get_global_step()
    else:
        assert_global_step(global_step)
    chosen = _checked_summaries(summaries)
    with variable_scope(name, "OptimizeLoss", [loss, global_step]):
        updates = get_collection(GraphKeys.UPDATE_OPS) if update_ops is None else list(update_ops)
        if updates:
            loss = with_dependencies(updates, loss)
        rate = _rate(learning_rate)
        if rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn.")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in chosen:
                summary.scalar("learning_rate", rate)
        made = _optimizer(optimizer, rate)
        pairs = made.compute_gradients(
            loss,
            trainable_variables() if variables is None else variables,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        pairs = _changed(pairs, gradient_noise_scale, gradient_multipliers)
        if {"global_gradient_norm", "gradient_norm"} & set(chosen):
            summary.scalar("global_norm/gradient_norm", _norm(pairs))
        pairs = _clipped(pairs, clip_gradients)
        if "loss" in chosen:
            summary.scalar("loss", loss)
        _summarize(pairs, chosen, is_clipped=clip_gradients is not None)
        applied = made.apply_gradients(
            pairs, global_step=global_step if increment_global_step else None, name="train"
        )
        return with_dependencies([applied], loss)


def _checked_summaries(summaries: Sequence[str] | None) -> Sequence[str]:
    if summaries is None:
        return ["loss", "learning_rate", "global_gradient_norm"]
    for each in summaries:
        if each not in OPTIMIZER_SUMMARIES:
            raise ValueError(
                f"Summaries should be one of [{', '.join(OPTIMIZER_SUMMARIES)}], you provided "
                f"{each}."
            )
    return summaries


def _rate(learning_rate: Any) -> Any:
    """The learning rate as a tensor or variable; None where there is none."""
    if learning_rate is None:
        return None
    if isinstance(learning_rate, Tensor) and learning_rate.shape.ndims == 0:
        return learning_rate
    if not isinstance(learning_rate, float):
        raise ValueError(
            f"Learning rate should be 0d Tensor or float. Got {learning_rate} of type "
            f"{type(learning_rate)}"
        )
    if learning_rate < 0.0:
        raise ValueError(f"Invalid learning_rate {learning_rate}.")
    return get_variable(
        "learning_rate", [], trainable=False, initializer=constant_initializer(learning_rate)
    )


def _optimizer(optimizer: Any, rate: Any) -> Any:
    """The optimizer, given it, or its name, class or maker."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    is_class = isinstance(optimizer, type) and issubclass(optimizer, Optimizer)
    if isinstance(optimizer, str) or is_class:
        if rate is None:
            raise ValueError(
                "Learning rate is None, but should be specified if optimizer is "
                f"{'class' if is_class else 'string'} ({optimizer})."
            )
        if not is_class and optimizer not in OPTIMIZER_CLS_NAMES:
            raise ValueError(
                f"Optimizer name should be one of [{', '.join(OPTIMIZER_CLS_NAMES)}], you provided "
                f"{optimizer}."
            )
        maker = optimizer if is_class else OPTIMIZER_CLS_NAMES[optimizer]
        return maker(learning_rate=rate)
    if callable(optimizer):
        made = optimizer() if rate is None else optimizer(rate)
        if isinstance(made, Optimizer):
            return made
        raise ValueError(
            f"Unrecognized optimizer: function should return subclass of Optimizer. Got {made}."
        )
    raise ValueError(
        "Unrecognized optimizer: should be string, subclass of Optimizer, instance of subclass of "
        f"Optimizer or function with one argument. Got {optimizer}."
    )


def _changed(
    pairs: Pairs, noise_scale: float | None, multipliers: Mapping[Any, float] | None
) -> Pairs:
    if noise_scale is not None:
        pairs = [
            (None if gradient is None else _noisy(gradient, noise_scale), variable)
            for gradient, variable in pairs
        ]
    if multipliers is not None:
        factors = [multipliers.get(v, multipliers.get(v.name)) for _, v in pairs]
        pairs = [
            (g if g is None or factor is None else scaled(g, factor), v)
            for (g, v), factor in zip(pairs, factors, strict=True)
        ]
        if not pairs:
            raise ValueError(
                "Empty list of (gradient, var) pairs encountered. This is most likely to be caused "
                "by an improper value of gradient_multipliers."
            )
    return pairs


def _noisy(gradient: Any, noise_scale: float) -> Any:
    is_sliced = isinstance(gradient, IndexedSlices)
    shape = gradient.dense_shape if is_sliced else gradient.shape.as_list()
    return gradient + api.truncated_normal(shape) * noise_scale


def _clipped(pairs: Pairs, clip_gradients: Any) -> Pairs:
    if clip_gradients is None:
        return pairs
    if isinstance(clip_gradients, float):
        clipped, _ = api.clip_by_global_norm([gradient for gradient, _ in pairs], clip_gradients)
        return [(gradient, v) for gradient, (_, v) in zip(clipped, pairs, strict=True)]
    if callable(clip_gradients):
        return list(clip_gradients(pairs))
    raise ValueError(f"Unknown type {type(clip_gradients)} for clip_gradients")


def _norm(pairs: Pairs) -> Any:
    return api.global_norm([gradient for gradient, _ in pairs])


def _summarize(pairs: Pairs, chosen: Sequence[str], is_clipped: bool) -> None:
    for gradient, variable in pairs:
        if gradient is None:
            continue
        values, name = values_of(gradient), variable.name.replace(":", "_")
        if "gradients" in chosen:
            summary.histogram(f"gradients/{name}", values)
        if "gradient_norm" in chosen:
            summary.scalar(f"gradient_norm/{name}", api.global_norm([values]))
    if is_clipped and {"global_gradient_norm", "gradient_norm"} & set(chosen):
        summary.scalar("global_norm/clipped_gradient_norm", _norm(pairs))


def adaptive_clipping_fn(
    std_factor: float = 2.0,
    decay: float = 0.95,
    static_max_norm: float | None = None,
    global_step: Any = None,
    report_summary: bool = False,
    epsilon: float = 1e-8,
    name: str | None = None,
) -> Callable[[Pairs], Pairs]:
    """A `clip_gradients` of `optimize_loss` that learns how long gradients usually are.

    Args:
      std_factor: how many standard deviations above the mean of the logarithms is too long.
      decay: of the moving averages.
      static_max_norm: how long gradients may be at most.
      global_step: the step, by which the averages start quicker.
      report_summary: whether to add a summary of what is too long.
      epsilon: keeps logarithms and roots finite.
      name: the variable scope; "AdaptiveMaxNorm" by default.
    """

    def average(key: str, value: Any, rate: Any) -> Any:
        moving = get_variable(
            key,
            shape=value.shape,
            dtype=value.dtype,
            initializer=zeros_initializer(),
            trainable=False,
        )
        return assign_moving_average(moving, value, rate, zero_debias=False)

    def clip(pairs: Pairs) -> Pairs:
        norm = _norm(pairs)
        with variable_scope(name, "AdaptiveMaxNorm", [norm]):
            logarithm, rate = api.log(norm + epsilon), decay
            if global_step is not None:
                count = api.cast(global_step, float32)
                rate = api.minimum(decay, count / (count + 1.0))
            mean = average("mean", logarithm, rate)
            square = average("sq_mean", api.square(logarithm), rate)
            deviation = api.sqrt(api.maximum(epsilon, square - api.square(mean)))
            longest = api.exp(mean + std_factor * deviation)
        if report_summary:
            summary.scalar("global_norm/adaptive_max_gradient_norm", longest)
        factor = api.where(norm < longest, api.ones_like(norm), api.exp(mean) / norm)
        if static_max_norm is not None:
            factor = api.minimum(static_max_norm / norm, factor)
        return [
            (None if g is None else with_values(g, lambda values: values * factor), variable)
            for g, variable in pairs
        ]

    return clip
