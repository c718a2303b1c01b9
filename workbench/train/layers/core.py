"""Fully connected layers, dropout and flattening."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.train.layers.base import Layer
from workbench.train.layers.functions import as_function
from workbench.train.layers.inputs import InputSpec
from workbench.train.layers.training import known_truth, scalar_choice

Function = Callable[[Any], Any] | None
#: The default initializer of biases; unlike None it does not give way to the scope's.
ZEROS = zeros_initializer()


class Dense(Layer):
    """activation(inputs * kernel + bias), over the last axis of the input.

    `units` is the size of the output's last axis. The kernel's initializer is the one of the
    variable scope, or Glorot's.

    >>> import workbench as tf
    >>> dense = tf.layers.Dense(2, activation=tf.nn.relu)
    >>> y = dense(tf.ones([5, 3]))
    >>> y.shape.as_list(), dense.kernel.shape.as_list()
    ([5, 2], [3, 2])
    """

    def __init__(
        self,
        units: int,
        activation: Function = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = ZEROS,
        kernel_regularizer: Function = None,
        bias_regularizer: Function = None,
        activity_regularizer: Function = None,
        kernel_constraint: Function = None,
        bias_constraint: Function = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self.units = units
        self.activation = activation
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.kernel: Any = None
        self.bias: Any = None
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` [inputs, units] and `bias` [units]."""
        size = as_shape(input_shape)[-1].value
        if size is None:
            raise ValueError(
                "The last dimension of the inputs to `Dense` should be defined. Found `None`."
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.kernel = self.add_variable(
            "kernel",
            [size, self.units],
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_variable(
                "bias",
                [self.units],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """The output for `inputs` [..., inputs]."""
        inputs = convert_to_tensor(inputs, dtype=self.dtype)
        rank = inputs.shape.ndims or 2
        if rank > 2:
            outputs = api.tensordot(inputs, self.kernel, [[rank - 1], [0]])
            outputs.set_shape(self.compute_output_shape(inputs.shape))
        else:
            outputs = api.matmul(inputs, self.kernel)
        if self.use_bias:
            outputs = api.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the output: `units` in place of the last size."""
        shape = as_shape(input_shape).with_rank_at_least(2)
        if shape.ndims is None or shape[-1].value is None:
            raise ValueError(
                f"The innermost dimension of input_shape must be defined, but saw: {input_shape}"
            )
        return TensorShape([*shape[:-1], self.units])


class Dropout(Layer):
    """Sets the fraction `rate` of its input to 0 at random in training, and scales up the rest.

    `training` is said at each call, as a bool or a boolean tensor; outside of training the input
    is left as it is. `noise_shape` makes elements live and die together, see `tf.nn.dropout`.
    """

    def __init__(
        self,
        rate: Any = 0.5,
        noise_shape: Any = None,
        seed: int | None = None,
        name: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Any, training: Any = False) -> Any:
        """The input, in training with holes."""
        known = known_truth(training)
        if known is False:
            return api.identity(inputs)
        keep_prob = 1 - self.rate
        if known is None:
            # All elements are kept, unscaled, where this is 1.
            keep_prob = scalar_choice(training, keep_prob, 1.0, inputs.dtype.base_dtype)
        return api.dropout(inputs, keep_prob, noise_shape=self.noise_shape, seed=self.seed)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the input."""
        return as_shape(input_shape)


class Flatten(Layer):
    """Joins all axes but the first, the batch.

    >>> import workbench as tf
    >>> tf.layers.Flatten()(tf.placeholder(tf.float32, [None, 4, 3])).shape.as_list()
    [None, 12]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=2)

    def call(self, inputs: Any) -> Any:
        """The input as a matrix."""
        shape = self.compute_output_shape(inputs.shape)
        size = shape[1].value
        target: Any = [-1, size]
        if not size:
            # -1 cannot be worked out where there may be no element at all.
            sizes = api.shape(inputs)
            target = [sizes[0], api.reduce_prod(sizes[1:]) if size is None else 0]
        outputs = api.reshape(inputs, target)
        outputs.set_shape(shape)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """[batch, product of the rest]."""
        shape = as_shape(input_shape).with_rank_at_least(2)
        rest = shape[1:]
        count = math.prod(rest.as_list()) if rest.is_fully_defined() else None
        return TensorShape([shape[0], count])


dense = as_function(
    Dense, "dense", "The output of a new `Dense` layer, whose variables are in the scope `name`."
)


def dropout(
    inputs: Any,
    rate: Any = 0.5,
    noise_shape: Any = None,
    seed: int | None = None,
    training: Any = False,
    name: Any = None,
) -> Tensor:
    """The input, in `training` (a bool or a boolean tensor) with the fraction `rate` set to 0.

    >>> import workbench as tf
    >>> sorted(set(tf.layers.dropout(tf.ones([100]), 0.5, seed=1, training=True).eval().tolist()))
    [0.0, 2.0]
    """
    layer = Dropout(rate, noise_shape=noise_shape, seed=seed, name=name)
    outputs: Tensor = layer(inputs, training=training)
    return outputs


def flatten(inputs: Any, name: Any = None) -> Tensor:
    """The input with all axes joined but the first."""
    outputs: Tensor = Flatten(name=name)(inputs)
    return outputs
