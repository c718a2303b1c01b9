"""Gradient descent."""

from __future__ import annotations

from typing import Any

from workbench.core.ops.creation import create
from workbench.core.ops.training import steps as steps
from workbench.train.optimizers.optimizer import Optimizer, add_to_rows, cast_to


class GradientDescentOptimizer(Optimizer):
    """Gradient descent: var -= learning_rate * gradient.

    >>> import workbench as tf
    >>> optimizer = tf.train.GradientDescentOptimizer(learning_rate=0.1)
    """

    def __init__(
        self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent"
    ) -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._learning_rate_tensor: Any = None

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._hyper(self._learning_rate, "learning_rate")

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return create(
            "ApplyGradientDescent",
            None,
            var=var,
            alpha=cast_to(self._learning_rate_tensor, var),
            delta=grad,
            use_locking=self._use_locking,
        )

    def _apply_sparse_duplicate_indices(self, grad: Any, var: Any) -> Any:
        rate = cast_to(self._learning_rate_tensor, var)
        return add_to_rows(var, grad.indices, -grad.values * rate, self._use_locking)
