"""Drawing examples again, some more often than others: `tf.contrib.training`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.identity import stop_gradient
from workbench.core.ops.random_distributions import random_poisson
from workbench.core.ops.state.shared_variables import get_local_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.moving_averages import assign_moving_average


def resample_at_rate(
    inputs: Sequence[Any],
    rates: Any,
    scope: str | None = None,
    seed: int | None = None,
    back_prop: bool = False,
) -> list[Tensor]:
    """Rows of the tensors `inputs`, each drawn as often as its rate says, on the average.

    How often a row comes is a number of its own in each run, from the Poisson distribution with the
    mean `rates[row]`; rows of all inputs stay together, in their order. Gradients flow to the
    inputs only with `back_prop`, and never to the rates.

    >>> import workbench as tf
    >>> letters, rates = tf.constant(["a", "b", "c"]), [0.0, 1.0, 2.0]
    >>> (drawn,) = tf.contrib.training.resample_at_rate([letters], rates, seed=1)
    >>> b"a" in drawn.eval()
    False
    """
    with name_scope(scope, "resample_at_rate", [*inputs, rates]):
        means = convert_to_tensor(rates, name="rates")
        counts = api.cast(random_poisson(means, [], means.dtype, seed=seed), int32)
        rows = _repeated(counts)
        drawn = [api.gather(each, rows) for each in inputs]
        return drawn if back_prop else [stop_gradient(each) for each in drawn]


def _repeated(counts: Tensor) -> Tensor:
    """The numbers of the counts, each as often as its count says."""
    most = api.reduce_max(api.concat([counts, [0]], 0))
    is_drawn = api.expand_dims(counts, 1) > api.expand_dims(api.range(most), 0)
    places: Tensor = api.where(is_drawn)
    return places[:, 0]


def weighted_resample(
    inputs: Sequence[Any],
    weights: Any,
    overall_rate: float,
    scope: str | None = None,
    mean_decay: float = 0.999,
    seed: int | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Rows of the tensors `inputs`, drawn in proportion to their weights.

    The mean weight is a moving average over the runs, in a local variable that must be initialised;
    `overall_rate` is how often a row of this weight is drawn, on the average.

    Returns the rows drawn of each input, and the rates at which these were drawn: weighted by their
    reciprocals, they stand for all rows.
    """
    with name_scope(scope, "weighted_resample", [*inputs, weights]) as drawing:
        given = convert_to_tensor(weights, name="weights")
        with variable_scope(scope, "estimate_mean"):
            average = get_local_variable(
                "estimated_mean", initializer=api.zeros([], given.dtype), dtype=given.dtype
            )
        mean = assign_moving_average(average, api.reduce_mean(given), mean_decay)
        rates = given * overall_rate / mean
        drawn = resample_at_rate([rates, *inputs], rates, scope=drawing, seed=seed)
        return drawn[1:], drawn[0]
