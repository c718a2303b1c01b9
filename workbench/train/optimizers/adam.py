"""Adam."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import control_dependencies, get_default_graph
from workbench.core.graph.operation import Operation
from workbench.core.ops import api
from workbench.core.ops.control import group
from workbench.core.ops.state import assignment, scatter
from workbench.train.optimizers.optimizer import cast_to
from workbench.train.optimizers.step_optimizer import StepOptimizer


class AdamOptimizer(StepOptimizer):
    """Adam (Kingma and Ba, 2014).

    A sparse gradient decays the moments of all rows, and moves every row, as the dense formula
    would with zeros for the missing rows.

    >>> import workbench as tf
    >>> optimizer = tf.train.AdamOptimizer(learning_rate=0.001)
    """

    _step = "Adam"
    _slot_inputs: ClassVar[dict[str, str]] = {"m": "m", "v": "v"}

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        super().__init__(
            use_locking,
            name,
            lr=(learning_rate, "learning_rate"),
            beta1=(beta1, "beta1"),
            beta2=(beta2, "beta2"),
            epsilon=(epsilon, "epsilon"),
        )
        self._beta1, self._beta2 = beta1, beta2

    def _get_beta_accumulators(self) -> tuple[Any, Any]:
        graph = get_default_graph()
        return (
            self._get_non_slot_variable("beta1_power", graph),
            self._get_non_slot_variable("beta2_power", graph),
        )

    def _create_slots(self, var_list: Any) -> None:
        # One pair of powers serves all variables: it lives with the first by name.
        first = min(var_list, key=lambda v: v.name)
        for name, beta in (("beta1_power", self._beta1), ("beta2_power", self._beta2)):
            self._create_non_slot_variable(self._call_if_callable(beta), name, first)
        super()._create_slots(var_list)

    def _arguments(self, var: Any) -> dict[str, Any]:
        beta1_power, beta2_power = self._get_beta_accumulators()
        return {
            **super()._arguments(var),
            "beta1_power": cast_to(beta1_power.value(), var),
            "beta2_power": cast_to(beta2_power.value(), var),
        }

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Operation:
        given = self._arguments(var)
        beta1, beta2 = given["beta1"], given["beta2"]
        rate = given["lr"] * api.sqrt(1 - given["beta2_power"]) / (1 - given["beta1_power"])
        m, v = given["m"], given["v"]
        locking = self._use_locking
        decayed_m = assignment.assign(m, m * beta1, use_locking=locking)
        with control_dependencies([decayed_m]):
            new_m = scatter.scatter_add(
                m, grad.indices, grad.values * (1 - beta1), use_locking=locking
            )
        decayed_v = assignment.assign(v, v * beta2, use_locking=locking)
        with control_dependencies([decayed_v]):
            new_v = scatter.scatter_add(
                v, grad.indices, grad.values * grad.values * (1 - beta2), use_locking=locking
            )
        step = rate * new_m / (api.sqrt(new_v) + given["epsilon"])
        moved = assignment.assign_sub(var, step, use_locking=locking)
        return group(moved, new_m, new_v)

    def _finish(self, update_ops: Any, name_scope: str) -> Operation:
        """The powers of the betas grow after all variables have used them."""
        beta1_power, beta2_power = self._get_beta_accumulators()
        with control_dependencies(update_ops), get_default_graph().colocate_with(beta1_power):
            grown = [
                power.assign(power.value() * self._tensors[name], use_locking=self._use_locking)
                for power, name in ((beta1_power, "beta1"), (beta2_power, "beta2"))
            ]
        return group(*update_ops, *grown, name=name_scope)
