"""Moving averages of variables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.core.graph.context import (
    control_dependencies,
    get_default_graph,
    name_scope,
)
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.control import group
from workbench.core.ops.state import assignment
from workbench.core.ops.state.variables import Variable
from workbench.train.optimizers import slots


def assign_moving_average(
    variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None
) -> Tensor:
    """variable -= (1 - decay) * (variable - value).

    With `zero_debias` a variable that starts at zero is corrected for that (Kingma and Ba, 2014,
    section 3), by two more variables that are kept beside it.
    """
    with (
        name_scope(name, "AssignMovingAvg", [variable, value, decay]) as scope,
        variable.graph.colocate_with(variable),
    ):
        rate = convert_to_tensor(1.0 - decay, name="decay")
        if rate.dtype.base_dtype is not variable.dtype.base_dtype:
            rate = api.cast(rate, variable.dtype.base_dtype)
        if zero_debias:
            change = _unbiased_change(variable, value, rate)
        else:
            change = (variable.value() - value) * rate
        return assignment.assign_sub(variable, change, name=scope)


def _unbiased_change(variable: Any, value: Any, rate: Tensor) -> Tensor:
    biased = slots.create_zeros_slot(variable, "biased")
    dtype = variable.dtype.base_dtype
    # A function, which is called outside of the body of a conditional.
    steps = slots.create_slot(
        variable, lambda: api.zeros([], dtype=dtype), "local_step", dtype=dtype
    )
    moved = assignment.assign_sub(biased, (biased.value() - value) * rate)
    counted = assignment.assign_add(steps, 1)
    with control_dependencies([moved, counted]):
        corrected = moved / (1 - api.pow(1.0 - rate, counted))
        return variable.value() - corrected  # type: ignore[no-any-return]


class ExponentialMovingAverage:
    """Keeps exponential moving averages of variables and tensors.

    `apply` makes the averages and the operation that updates them, `average` gives the variable of
    one, `variables_to_restore` maps names so that a `Saver` loads averages in place of variables.
    With `num_updates` the decay is min(decay, (1 + num_updates) / (10 + num_updates)).

    >>> import workbench as tf
    >>> v = tf.Variable(10.0)
    >>> average = tf.train.ExponentialMovingAverage(0.9)
    >>> update = average.apply([v])
    >>> with tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     session.run(v.assign(20.0))
    ...     session.run(update)
    ...     round(float(session.run(average.average(v))), 4)
    np.float32(20.0)
    11.0
    """

    def __init__(
        self,
        decay: Any,
        num_updates: Any = None,
        zero_debias: bool = False,
        name: str = "ExponentialMovingAverage",
    ) -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Any] = {}

    def apply(self, var_list: Iterable[Any] | None = None) -> Any:
        """Makes the averages of variables (all trainable ones by default) or tensors.

        The returned operation updates them. Raises ValueError when one has an average already,
        TypeError for what is neither float16, float32 nor float64.
        """
        graph = get_default_graph()
        if var_list is None:
            var_list = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
        var_list = list(var_list)
        for var in var_list:
            if var.dtype.base_dtype.name not in ("float16", "bfloat16", "float32", "float64"):
                raise TypeError(f"The variables must be half, float, or double: {var.name}")
            if _key(var) in self._averages:
                raise ValueError(f"Moving average already computed for: {var.name}")
            self._averages[_key(var)] = self._make(var)
        with name_scope(self._name) as scope:
            decay = convert_to_tensor(self._decay, name="decay")
            if self._num_updates is not None:
                updates = api.cast(self._num_updates, decay.dtype)
                decay = api.minimum(decay, (1.0 + updates) / (10.0 + updates))
            operations = [self._update(var, decay) for var in var_list]
            return group(*operations, name=scope)

    def _make(self, var: Any) -> Any:
        with control_dependencies(None):
            if isinstance(var, Variable):
                average = slots.create_slot(var, var.initialized_value(), self._name)
                collection = GraphKeys.MOVING_AVERAGE_VARIABLES
                if var not in get_default_graph().get_collection_ref(collection):
                    get_default_graph().add_to_collection(collection, var)
                return average
            return slots.create_zeros_slot(
                var, self._name, colocate_with_primary=var.op.type in ("Variable", "VariableV2")
            )

    def _update(self, var: Any, decay: Tensor) -> Any:
        average = self._averages[_key(var)]
        # An average that starts at zero, as a tensor's does, is corrected for it.
        debias = self._zero_debias and not isinstance(var, Variable)
        value = convert_to_tensor(var)
        return assign_moving_average(average, value, decay, zero_debias=debias)

    def average(self, var: Any) -> Any:
        """The variable of an average, or None."""
        return self._averages.get(_key(var))

    def average_name(self, var: Any) -> str:
        """The name of the average of a variable, made or not."""
        if _key(var) in self._averages:
            name: str = self._averages[_key(var)].op.name
            return name
        wanted = f"{var.op.name}/{self._name}"
        return get_default_graph().unique_name(wanted, mark_as_used=False)

    def variables_to_restore(
        self, moving_avg_variables: Iterable[Any] | None = None
    ) -> dict[str, Any]:
        """Names to variables for a `Saver` that loads averages in place of the variables."""
        graph = get_default_graph()
        if moving_avg_variables is None:
            chosen = [
                *graph.get_collection(GraphKeys.TRAINABLE_VARIABLES),
                *graph.get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES),
            ]
        else:
            chosen = list(moving_avg_variables)
        averaged = {v.op.name for v in chosen}
        names = {self.average_name(v): v for v in chosen}
        for var in graph.get_collection(GraphKeys.GLOBAL_VARIABLES):
            if var.op.name not in averaged and var.op.name not in names:
                names[var.op.name] = var
        return names


def _key(var: Any) -> tuple[Any, str]:
    return (var.graph, var.name)
