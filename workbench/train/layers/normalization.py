"""Batch normalisation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import ones_initializer
from workbench.train.layers.base import Layer
from workbench.train.layers.core import ZEROS, Function
from workbench.train.layers.functions import apply_once
from workbench.train.layers.inputs import InputSpec
from workbench.train.layers.renormalization import Renormalization, checked_clipping
from workbench.train.layers.training import choice, known_truth
from workbench.train.moving_averages import assign_moving_average

ONES = ones_initializer()


class BatchNormalization(Layer):
    """Normalises each channel over the batch, then scales it by `gamma` and moves it by `beta`.

    `axis` is the axis of the channels (or several). In `training`, which is said at each call as a
    bool or a boolean tensor, mean and variance are those of the batch, and the moving averages of
    both are to be updated: by the operations in the collection UPDATE_OPS, which a training step
    must run. Otherwise the moving averages are used.

    `fused` uses one operation for images [batch, height, width, channels] (by default where that is
    possible). `renorm` does batch renormalisation, with bounds "rmax", "rmin" and "dmax" in
    `renorm_clipping`. `virtual_batch_size` normalises parts of the batch apart. `adjustment` is a
    function of the input's shape that gives a scale and an offset for training.

    >>> import workbench as tf
    >>> layer = tf.layers.BatchNormalization()
    >>> y = layer(tf.constant([[1.0], [3.0]]), training=True)
    >>> [v.name.split("/")[-1] for v in layer.variables], len(layer.updates)
    (['gamma:0', 'beta:0', 'moving_mean:0', 'moving_variance:0'], 2)
    """

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

    # -- building ----------------------------------------------------------------------------

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

    # -- calling -----------------------------------------------------------------------------

    def call(self, inputs: Any, training: Any = False) -> Any:
        """The normalised `inputs`."""
        known = known_truth(training)
        if self.fused and known is not None:
            return self._fused_output(inputs, known)
        images = inputs if self.virtual_batch_size is None else self._divided(inputs)
        if images.dtype.base_dtype is not self._parameter_dtype:
            images = api.cast(images, self._parameter_dtype)
        outputs = self._plain_output(images, inputs, training)
        if outputs.dtype.base_dtype is not inputs.dtype.base_dtype:
            outputs = api.cast(outputs, inputs.dtype.base_dtype)
        if self.virtual_batch_size is not None:
            outputs = api.reshape(outputs, [-1, *_sizes(inputs, 1)])
        outputs.set_shape(inputs.shape)
        return outputs

    def _divided(self, inputs: Any) -> Any:
        """The input [virtual batch, number of them, ...]."""
        return api.reshape(inputs, [self.virtual_batch_size, -1, *_sizes(inputs, 1)])

    def _fused_output(self, inputs: Any, training: bool) -> Any:
        size = int(inputs.shape[self.axis[0]])
        gamma = api.ones([size], self._parameter_dtype) if self.gamma is None else self.gamma
        beta = api.zeros([size], self._parameter_dtype) if self.beta is None else self.beta
        output, mean, variance = api.fused_batch_norm(
            inputs,
            gamma,
            beta,
            mean=None if training else self.moving_mean,
            variance=None if training else self.moving_variance,
            epsilon=self.epsilon,
            is_training=training,
            data_format="NCHW" if self.axis == [1] else "NHWC",
        )
        if training:
            if not self._bessels_correction_test_only:
                count = self._count(inputs)
                variance *= _at_least_one(count - 1) / count
            self._update(inputs, mean, variance)
        return output

    def _count(self, inputs: Any) -> Any:
        """How many elements of a channel there are, as a number or a tensor."""
        sizes = [inputs.shape[axis].value for axis in range(4) if axis not in self.axis]
        if None not in sizes:
            return float(math.prod(sizes))
        total = api.cast(api.size(inputs), self._parameter_dtype)
        return total / float(int(inputs.shape[self.axis[0]]))

    def _plain_output(self, images: Any, inputs: Any, training: Any) -> Any:
        shift = 0 if self.virtual_batch_size is None else 1
        axes = [axis + shift for axis in self.axis]
        rank = len(images.shape)
        # Parts of the batch are normalised apart, so their axis is not summed over.
        reduced = [i for i in range(rank) if i not in axes and not (shift and i == 1)]

        def spread(value: Any) -> Any:
            """A value for each channel, in a shape that broadcasts."""
            if value is None or len(value.shape) == rank or reduced == list(range(rank - 1)):
                return value
            target = [1] * rank
            target[axes[0]] = int(images.shape[axes[0]])
            return api.reshape(value, target)

        scale, offset = spread(self.gamma), spread(self.beta)
        mean, variance = self.moving_mean, self.moving_variance
        known = known_truth(training)
        if known is not False:
            if self.adjustment is not None:
                scale, offset = _composed(*self._adjustment(inputs, training), scale, offset)
            kept = bool(shift) or len(axes) > 1
            mean, variance = self._statistics(images, reduced, kept, training)
            new_mean, new_variance = mean, variance
            if self._renormalization is not None:
                r, d, new_mean, new_variance = self._renormalization.correct(
                    mean, variance, self.epsilon, training
                )
                r = spread(api.stop_gradient(r, name="renorm_r"))
                d = spread(api.stop_gradient(d, name="renorm_d"))
                scale, offset = _composed(r, d, scale, offset)
            if shift:
                new_mean = api.reduce_mean(new_mean, 1, keep_dims=True)
                new_variance = api.reduce_mean(new_variance, 1, keep_dims=True)
            self._update(inputs, *self._chosen_updates(inputs, new_mean, new_variance, training))
        return api.batch_normalization(
            images, spread(mean), spread(variance), offset, scale, self.epsilon
        )

    def _statistics(self, images: Any, reduced: list[int], kept: bool, training: Any) -> Any:
        """Mean and variance of the batch; the moving ones where `training` turns out false."""
        mean, variance = api.moments(images, reduced, keep_dims=kept)
        if known_truth(training) is None:
            mean = choice(training, mean, _like(self.moving_mean, mean))
            variance = choice(training, variance, _like(self.moving_variance, variance))
        return mean, variance

    def _chosen_updates(self, inputs: Any, mean: Any, variance: Any, training: Any) -> Any:
        """What the averages move to: their own values where `training` turns out false."""
        if known_truth(training) is not None:
            return mean, variance
        if self.fused and self._bessels_correction_test_only:
            # As the fused operation does, which is the one of a `training` that is known.
            count = self._count(inputs)
            larger = variance * (count / _at_least_one(count - 1))
            return mean, choice(training, larger, self.moving_variance.value())
        if self.renorm or self.virtual_batch_size is not None:
            mean = choice(training, mean, self.moving_mean.value())
            variance = choice(training, variance, self.moving_variance.value())
        return mean, variance

    def _adjustment(self, inputs: Any, training: Any) -> tuple[Any, Any]:
        assert self.adjustment is not None
        scale, offset = self.adjustment(api.shape(inputs))
        if known_truth(training) is None:
            scale = choice(training, scale, api.ones_like(scale))
            offset = choice(training, offset, api.zeros_like(offset))
        return scale, offset

    def _update(self, inputs: Any, mean: Any, variance: Any) -> None:
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            update = assign_moving_average(average, value, self.momentum, zero_debias=False)
            self.add_update(update, inputs=inputs)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the input."""
        return as_shape(input_shape)


def _sizes(tensor: Any, first: int) -> Sequence[Any]:
    """The sizes from axis `first` on: numbers where they are known, tensors else."""
    known = tensor.shape.as_list()
    return [
        api.shape(tensor)[axis] if known[axis] is None else known[axis]
        for axis in range(first, len(known))
    ]


def _at_least_one(count: Any) -> Any:
    return max(count, 1.0) if isinstance(count, float) else api.maximum(count, 1.0)


def _like(average: Any, batch: Any) -> Any:
    """The moving average in the shape of a statistic of the batch."""
    if average.shape.is_fully_defined() and average.shape == batch.shape:
        return average.value()
    return average + api.zeros_like(batch)


def _composed(scale: Any, offset: Any, then_scale: Any, then_offset: Any) -> tuple[Any, Any]:
    """The scale and offset of two in a row."""
    if then_scale is not None:
        scale, offset = scale * then_scale, offset * then_scale
    return scale, offset if then_offset is None else offset + then_offset


def batch_normalization(
    inputs: Any,
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
    training: Any = False,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_momentum: Any = 0.99,
    fused: bool | None = None,
    virtual_batch_size: int | None = None,
    adjustment: Callable[[Any], tuple[Any, Any]] | None = None,
) -> Tensor:
    """The output of a new `BatchNormalization` layer, whose variables are in the scope `name`.

    A training step must also run the operations in the collection UPDATE_OPS:

    >>> import workbench as tf
    >>> y = tf.layers.batch_normalization(tf.ones([4, 3]), training=True)
    >>> with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    ...     train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(y))
    """
    arguments = {
        key: value for key, value in locals().items() if key not in ("inputs", "training", "reuse")
    }
    outputs: Tensor = apply_once(BatchNormalization, inputs, arguments, reuse, training=training)
    return outputs


#: Their older names.
BatchNorm = BatchNormalization
batch_norm = batch_normalization
