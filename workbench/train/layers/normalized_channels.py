"""What a layer that normalises channels is made of: its settings and its variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import as_shape
from workbench.core.ops.initializers import ones_initializer
from workbench.train.layers.base import Layer
from workbench.train.layers.core import ZEROS, Function
from workbench.train.layers.inputs import InputSpec
from workbench.train.layers.renormalization import Renormalization, checked_clipping

ONES = ones_initializer()


class NormalizedChannels(Layer):
    """Settings, scale and offset, and moving averages of each channel."""

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = ZEROS,
        gamma_initializer: Any = ONES,
        moving_mean_initializer: Any = ZEROS,
        moving_variance_initializer: Any = ONES,
        beta_regularizer: Function = None,
        gamma_regularizer: Function = None,
        beta_constraint: Function = None,
        gamma_constraint: Function = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: Any = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Callable[[Any], tuple[Any, Any]] | None = None,
        name: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, **kwargs)
        self.axis: list[int] = list(axis) if isinstance(axis, (list, tuple)) else [axis]
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta_initializer
        self.gamma_initializer = gamma_initializer
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer
        self.beta_regularizer = beta_regularizer
        self.gamma_regularizer = gamma_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_constraint = gamma_constraint
        self.renorm = renorm
        self.renorm_clipping = checked_clipping(renorm_clipping)
        self.renorm_momentum = renorm_momentum
        self.virtual_batch_size = virtual_batch_size
        self.adjustment = adjustment
        self.fused = fused
        if fused and not self._fusible:
            raise ValueError(
                "fused=True goes with none of renorm, virtual_batch_size and adjustment"
            )
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None
        self._renormalization: Renormalization | None = None
        # The fused operation divides the variance it reports by n - 1, as TensorFlow's does. Tests
        # that compare it with the plain one turn that off.
        self._bessels_correction_test_only = True

    @property
    def _fusible(self) -> bool:
        return not self.renorm and self.virtual_batch_size is None and self.adjustment is None

    def build(self, input_shape: Any) -> None:
        """Makes `gamma`, `beta`, `moving_mean` and `moving_variance`."""
        shape = as_shape(input_shape)
        rank = shape.ndims
        if not rank:
            raise ValueError(f"Input has undefined rank: {input_shape}")
        self._check_axes(rank)
        sizes = {axis: shape[axis].value for axis in self.axis}
        if None in sizes.values():
            raise ValueError(f"Input has undefined `axis` dimension. Input shape: {shape}")
        self.input_spec = InputSpec(ndim=rank, axes=sizes)
        if self.fused is None:
            self.fused = self._fusible and rank == 4 and self.axis in ([1], [3])
        elif self.fused and (rank != 4 or self.axis not in ([1], [3])):
            raise ValueError(
                "fused=True needs an input of rank 4 and axis 1 or 3, got rank "
                f"{rank} and axis {self.axis}"
            )
        params = self._parameter_shape(rank, sizes)
        dtype = self._parameter_dtype
        if self.scale:
            self.gamma = self._parameter("gamma", params, dtype)
        if self.center:
            self.beta = self._parameter("beta", params, dtype)
        self._build_averages(params, dtype)
        super().build(input_shape)

    def _check_axes(self, rank: int) -> None:
        axes = [axis + rank if axis < 0 else axis for axis in self.axis]
        if any(not 0 <= axis < rank for axis in axes) or len(set(axes)) != len(axes):
            raise ValueError(f"Invalid axis: {self.axis} for an input of rank {rank}")
        self.axis = axes
        if self.virtual_batch_size is not None:
            if self.virtual_batch_size <= 0:
                raise ValueError(
                    "virtual_batch_size must be a positive integer that divides the true batch "
                    f"size, got {self.virtual_batch_size}"
                )
            if 0 in axes:
                raise ValueError(
                    "When using virtual_batch_size, the batch dimension must be 0 and thus axis "
                    "cannot include 0"
                )
            if self.adjustment is not None:
                raise ValueError("When using virtual_batch_size, adjustment cannot be specified")

    @property
    def _parameter_dtype(self) -> Any:
        dtype = as_dtype(self.dtype or "float32")
        # Sums over a batch need more digits than half floats have.
        return as_dtype("float32") if dtype.name in ("float16", "bfloat16") else dtype

    def _parameter_shape(self, rank: int, sizes: dict[int, Any]) -> list[int]:
        if len(sizes) == 1 and self.virtual_batch_size is None:
            return [next(iter(sizes.values()))]
        shape = [sizes.get(axis, 1) for axis in range(rank)]
        return shape if self.virtual_batch_size is None else [shape[0], 1, *shape[1:]]

    def _parameter(self, name: str, shape: list[int], dtype: Any) -> Any:
        return self.add_variable(
            name,
            shape,
            dtype=dtype,
            initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            trainable=True,
        )

    def _build_averages(self, shape: list[int], dtype: Any) -> None:
        scope = self._scope
        partitioner = None if scope is None else scope.partitioner
        try:
            if scope is not None:
                # Averages are assigned as a whole.
                scope.set_partitioner(None)
            for name in ("moving_mean", "moving_variance"):
                initializer = getattr(self, f"{name}_initializer")
                average = self.add_variable(
                    name, shape, dtype=dtype, initializer=initializer, trainable=False
                )
                setattr(self, name, average)
            if self.renorm:
                self._renormalization = Renormalization(
                    self, shape, dtype, self.renorm_clipping, self.renorm_momentum
                )
        finally:
            if scope is not None:
                scope.set_partitioner(partitioner)
