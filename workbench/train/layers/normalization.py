"""Batch normalisation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.layers.core import ZEROS, Function
from workbench.train.layers.functions import apply_once
from workbench.train.layers.normalized_channels import ONES, NormalizedChannels
from workbench.train.layers.training import choice, known_truth
from workbench.train.moving_averages import assign_moving_average


class BatchNormalization(NormalizedChannels):
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
