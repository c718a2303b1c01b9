"""Optimizers that adapt the step to each element: AdaGrad, Adadelta, RMSProp, FTRL and theirs."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.core.graph.context import control_dependencies
from workbench.core.ops import api
from workbench.train.optimizers.step_optimizer import StepOptimizer


class _Accumulating(StepOptimizer):
    """An optimizer with a slot that starts at a given value."""

    _accumulator: ClassVar[str] = "accumulator"

    def _start(self, value: float) -> None:
        self._initial_value = value

    def _create_slots(self, var_list: Any) -> None:
        for var in var_list:
            self._filled_slot(var, self._accumulator, self._initial_value)

    def _filled_slot(self, var: Any, slot: str, value: float, op_name: str | None = None) -> None:
        dtype = var.dtype.base_dtype
        if var.get_shape().is_fully_defined():
            start = api.fill(var.get_shape().as_list(), api.constant(value, dtype))
        else:
            start = api.fill(api.shape(var.initialized_value()), api.constant(value, dtype))
        self._get_or_make_slot(var, start, slot, op_name or self._name)


class AdagradOptimizer(_Accumulating):
    """AdaGrad (Duchi, Hazan and Singer, 2011): steps shrink with the sum of squared gradients.

    >>> import workbench as tf
    >>> optimizer = tf.train.AdagradOptimizer(0.1)
    """

    _step = "Adagrad"
    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "accumulator"}

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(
                f"initial_accumulator_value must be positive: {initial_accumulator_value}"
            )
        super().__init__(use_locking, name, lr=(learning_rate, "learning_rate"))
        self._start(initial_accumulator_value)


class ProximalAdagradOptimizer(_Accumulating):
    """AdaGrad with L1 and L2 penalties applied exactly (Duchi and Singer, 2009)."""

    _step = "ProximalAdagrad"
    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "accumulator"}

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(
                f"initial_accumulator_value must be positive: {initial_accumulator_value}"
            )
        super().__init__(
            use_locking,
            name,
            lr=(learning_rate, "learning_rate"),
            l1=(l1_regularization_strength, "l1_regularization_strength"),
            l2=(l2_regularization_strength, "l2_regularization_strength"),
        )
        self._start(initial_accumulator_value)


class AdagradDAOptimizer(_Accumulating):
    """AdaGrad with dual averaging: keeps sparse linear models sparse (Duchi et al., 2011)."""

    _step = "AdagradDA"
    _slot_inputs: ClassVar[dict[str, str]] = {
        "gradient_accumulator": "gradient_accumulator",
        "gradient_squared_accumulator": "gradient_squared_accumulator",
    }

    def __init__(
        self,
        learning_rate: Any,
        global_step: Any,
        initial_gradient_squared_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "AdagradDA",
    ) -> None:
        if initial_gradient_squared_accumulator_value <= 0.0:
            raise ValueError(
                "initial_gradient_squared_accumulator_value must be positive: "
                f"{initial_gradient_squared_accumulator_value}"
            )
        super().__init__(
            use_locking,
            name,
            lr=(learning_rate, "learning_rate"),
            l1=(l1_regularization_strength, "l1_regularization_strength"),
            l2=(l2_regularization_strength, "l2_regularization_strength"),
        )
        self._global_step = global_step
        self._start(initial_gradient_squared_accumulator_value)

    def _create_slots(self, var_list: Any) -> None:
        for var in var_list:
            self._zeros_slot(var, "gradient_accumulator", self._name)
            self._filled_slot(var, "gradient_squared_accumulator", self._initial_value)

    def _arguments(self, var: Any) -> dict[str, Any]:
        arguments = super()._arguments(var)
        with control_dependencies(None):
            step = api.identity(self._global_step) + 1
        arguments["global_step"] = api.cast(step, "int64")
        return arguments


class AdadeltaOptimizer(StepOptimizer):
    """Adadelta (Zeiler, 2012)."""

    _step = "Adadelta"
    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "accum", "accum_update": "accum_update"}

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        super().__init__(
            use_locking,
            name,
            lr=(learning_rate, "lr"),
            rho=(rho, "rho"),
            epsilon=(epsilon, "epsilon"),
        )


class RMSPropOptimizer(_Accumulating):
    """RMSProp (Tieleman and Hinton, 2012), with momentum; `centered` uses the variance."""

    def __init__(
        self,
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        super().__init__(
            use_locking,
            name,
            lr=(learning_rate, "learning_rate"),
            rho=(decay, "decay"),
            momentum=(momentum, "momentum"),
            epsilon=(epsilon, "epsilon"),
        )
        self._centered = centered

    @property
    def _step(self) -> str:  # type: ignore[override]
        return "CenteredRMSProp" if self._centered else "RMSProp"

    @property
    def _slot_inputs(self) -> dict[str, str]:  # type: ignore[override]
        centre = {"mg": "mg"} if self._centered else {}
        return {**centre, "ms": "rms", "mom": "momentum"}

    def _create_slots(self, var_list: Any) -> None:
        for var in var_list:
            self._filled_slot(var, "rms", 1.0)
            if self._centered:
                self._zeros_slot(var, "mg", self._name)
            self._zeros_slot(var, "momentum", self._name)


class FtrlOptimizer(_Accumulating):
    """FTRL-proximal (McMahan et al., 2013), for sparse linear models."""

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
    ) -> None:
        for value, what, fine in (
            (initial_accumulator_value, "initial_accumulator_value", initial_accumulator_value > 0),
            (learning_rate_power, "learning_rate_power", learning_rate_power <= 0),
            (
                l1_regularization_strength,
                "l1_regularization_strength",
                l1_regularization_strength >= 0,
            ),
            (
                l2_regularization_strength,
                "l2_regularization_strength",
                l2_regularization_strength >= 0,
            ),
            (
                l2_shrinkage_regularization_strength,
                "l2_shrinkage_regularization_strength",
                l2_shrinkage_regularization_strength >= 0,
            ),
        ):
            if not fine:
                raise ValueError(f"{what} {value} is out of range")
        shrinkage = l2_shrinkage_regularization_strength
        extra: dict[str, Any] = {}
        if shrinkage > 0:
            extra["l2_shrinkage"] = (shrinkage, "l2_shrinkage_regularization_strength")
        super().__init__(
            use_locking,
            name,
            lr=(learning_rate, "learning_rate"),
            l1=(l1_regularization_strength, "l1_regularization_strength"),
            l2=(l2_regularization_strength, "l2_regularization_strength"),
            lr_power=(learning_rate_power, "lr_power"),
            **extra,
        )
        self._shrinks = shrinkage > 0
        self._names = (accum_name, linear_name)
        self._start(initial_accumulator_value)

    @property
    def _step(self) -> str:  # type: ignore[override]
        return "FtrlV2" if self._shrinks else "Ftrl"

    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "accum", "linear": "linear"}

    def _create_slots(self, var_list: Any) -> None:
        accum_name, linear_name = self._names
        for var in var_list:
            self._filled_slot(var, "accum", self._initial_value, accum_name or self._name)
            self._zeros_slot(var, "linear", linear_name or self._name)
