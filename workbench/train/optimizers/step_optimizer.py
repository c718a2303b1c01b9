"""Optimizers whose step is one operation on the variable and its slots."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.core.ops.creation import create
from workbench.core.ops.training import steps as steps
from workbench.train.optimizers.optimizer import Optimizer, cast_to


class StepOptimizer(Optimizer):
    """An optimizer with the operations Apply<step> and SparseApply<step>."""

    #: The operations' name without "Apply".
    _step: ClassVar[str]
    #: The operations' name for the gradient, in the dense form.
    _gradient: ClassVar[str] = "grad"
    #: For each variable input of the operation the slot that goes there.
    _slot_inputs: ClassVar[dict[str, str]] = {}

    def __init__(self, use_locking: bool, name: str, **hyperparameters: Any) -> None:
        super().__init__(use_locking, name)
        #: Input of the operation -> (what the user gave, name of its tensor).
        self._given: dict[str, tuple[Any, str]] = hyperparameters
        self._tensors: dict[str, Any] = {}
        self._attrs: dict[str, Any] = {}

    def _create_slots(self, var_list: Any) -> None:
        for var in var_list:
            for slot in self._slot_inputs.values():
                self._zeros_slot(var, slot, self._name)

    def _prepare(self) -> None:
        self._tensors = {k: self._hyper(v, name) for k, (v, name) in self._given.items()}

    def _arguments(self, var: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = {k: cast_to(t, var) for k, t in self._tensors.items()}
        arguments.update({k: self.get_slot(var, s) for k, s in self._slot_inputs.items()})
        return {"var": var, "use_locking": self._use_locking, **self._attrs, **arguments}

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        arguments = {self._gradient: grad, **self._arguments(var)}
        return create(f"Apply{self._step}", None, **arguments)

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        arguments = self._arguments(var)
        return create(
            f"SparseApply{self._step}", None, grad=grad.values, indices=grad.indices, **arguments
        )


class MomentumOptimizer(StepOptimizer):
    """Momentum: accumulation = momentum * accumulation + gradient; var -= rate * accumulation.

    `use_nesterov=True` looks ahead (Sutskever et al., 2013).

    >>> import workbench as tf
    >>> optimizer = tf.train.MomentumOptimizer(0.1, momentum=0.9, use_nesterov=True)
    """

    _step = "Momentum"
    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "momentum"}

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(
            use_locking,
            name,
            lr=(learning_rate, "learning_rate"),
            momentum=(momentum, "momentum"),
        )
        self._attrs = {"use_nesterov": use_nesterov}


class ProximalGradientDescentOptimizer(StepOptimizer):
    """Gradient descent with L1 and L2 penalties applied exactly (Duchi and Singer, 2009)."""

    _step = "ProximalGradientDescent"
    _gradient = "delta"

    def __init__(
        self,
        learning_rate: Any,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ) -> None:
        super().__init__(
            use_locking,
            name,
            alpha=(learning_rate, "learning_rate"),
            l1=(l1_regularization_strength, "l1_regularization_strength"),
            l2=(l2_regularization_strength, "l2_regularization_strength"),
        )
