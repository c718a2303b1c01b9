"""Batch normalisation: `tf.contrib.layers`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.graph.context import (
    add_to_collection,
    control_dependencies,
    get_collection_ref,
)
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import ones_initializer, zeros_initializer
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.normalization import offset_and_scale
from workbench.train.contrib.support import (
    add_variable_to_collections,
    check_data_format,
    collect_named_outputs,
    get_variable_collections,
    model_variable_getter,
    smart_cond,
)
from workbench.train.contrib.variables import model_variable
from workbench.train.layers.normalization import BatchNormalization
from workbench.train.layers.training import known_truth, scalar_choice
from workbench.train.moving_averages import assign_moving_average

_VARIABLES = ("moving_mean", "moving_variance", "beta", "gamma")


@add_arg_scope
def batch_norm(
    inputs: Any,
    decay: float = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Callable[..., Any] | None = None,
    param_initializers: Mapping[str, Any] | None = None,
    param_regularizers: Mapping[str, Any] | None = None,
    updates_collections: Any = GraphKeys.UPDATE_OPS,
    is_training: Any = True,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    batch_weights: Any = None,
    fused: bool | None = None,
    data_format: str = "NHWC",
    zero_debias_moving_mean: bool = False,
    scope: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_decay: float = 0.99,
    adjustment: Any = None,
) -> Any:
    """Normalises each channel over the batch; moving averages take over when it is not training.

    Args:
      inputs: [batch, ..., channels].
      decay: of the moving averages.
      center: whether to add `beta`.
      scale: whether to multiply with `gamma`.
      epsilon: is added to the variance.
      activation_fn: the activation; None for none.
      param_initializers: initializers by "beta", "gamma", "moving_mean" and "moving_variance".
      param_regularizers: regularizers by "beta" and "gamma".
      updates_collections: where the operations go that update the moving averages, which a training
        step must run; None has the output wait for them.
      is_training: a bool, or a boolean tensor.
      reuse: whether to share the variables of an earlier layer of this scope.
      variables_collections: further collections of the variables, or a dict of them.
      outputs_collections: collections for the output.
      trainable: whether `beta` and `gamma` are trained.
      batch_weights: how much each example counts, [batch].
      fused: whether to compute it with one operation; by default where that is possible.
      data_format: "NHWC" or "NCHW".
      zero_debias_moving_mean: whether the moving mean starts as if it had no zeros in it.
      scope: the variable scope; "BatchNorm", "BatchNorm_1" and so on by default.
      renorm: whether to do batch renormalisation.
      renorm_clipping: bounds "rmax", "rmin" and "dmax" of it.
      renorm_decay: of the averages of it.
      adjustment: a function of the input's shape that gives a scale and an offset for training.

    Raises:
      ValueError: the rank or the number of channels is not known, or arguments exclude each other.

    >>> import workbench as tf
    >>> y = tf.contrib.layers.batch_norm(tf.ones([4, 3]), scope="bn")
    >>> [v.name for v in tf.model_variables()], len(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    (['bn/beta:0', 'bn/moving_mean:0', 'bn/moving_variance:0'], 2)
    """
    check_data_format(data_format)
    tensor = convert_to_tensor(inputs)
    if tensor.shape.ndims is None:
        raise ValueError(f"Inputs {tensor.name} has undefined rank.")
    is_own = batch_weights is not None or zero_debias_moving_mean
    if is_own and renorm:
        raise ValueError("renorm is not supported with batch_weights or zero_debias_moving_mean")
    axis = 1 if data_format == "NCHW" else tensor.shape.ndims - 1
    channels = tensor.shape[axis : axis + 1]
    if not channels.is_fully_defined():
        raise ValueError(f"Inputs {tensor.name} has undefined channels dimension {channels}.")
    getter = model_variable_getter({})
    with variable_scope(scope, "BatchNorm", [tensor], reuse=reuse, custom_getter=getter) as opened:
        if is_own:
            variables = _own_variables(
                tensor,
                channels,
                center,
                scale,
                param_initializers,
                variables_collections,
                trainable,
            )
            outputs, updates = _weighted(
                tensor,
                axis,
                variables,
                decay,
                epsilon,
                is_training,
                batch_weights,
                zero_debias_moving_mean,
                fused is not False and batch_weights is None and tensor.shape.ndims in (2, 4),
            )
        else:
            settings = {
                "axis": axis,
                "momentum": decay,
                "epsilon": epsilon,
                "center": center,
                "scale": scale,
                "trainable": trainable,
                "renorm": renorm,
                "renorm_clipping": renorm_clipping,
                "renorm_momentum": renorm_decay,
                "adjustment": adjustment,
                "name": opened.name,
                "_scope": opened,
                "_reuse": reuse,
                **_parameters(param_initializers, param_regularizers),
            }
            outputs, updates = _of_layer(
                tensor, settings, fused, is_training, variables_collections
            )
        outputs = _with_updates(outputs, updates, updates_collections)
        if activation_fn is not None:
            outputs = activation_fn(outputs)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


def _parameters(
    initializers: Mapping[str, Any] | None, regularizers: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The initializers and regularizers as arguments of the layer."""
    zeros, ones = zeros_initializer(), ones_initializer()
    defaults = {"beta": zeros, "gamma": ones, "moving_mean": zeros, "moving_variance": ones}
    given = {**defaults, **(initializers or {})}
    return {
        **{f"{name}_initializer": given[name] for name in defaults},
        **{f"{name}_regularizer": (regularizers or {}).get(name) for name in ("beta", "gamma")},
    }


def _of_layer(
    tensor: Tensor,
    settings: dict[str, Any],
    fused: bool | None,
    is_training: Any,
    variables_collections: Any,
) -> tuple[Any, list[Any]]:
    """The output of a layer of `tf.layers`, and its updates."""
    # TensorFlow's fuses matrices too, as images of one pixel.
    is_matrix = tensor.shape.ndims == 2 and fused is not False
    is_fusible = not settings["renorm"] and settings["adjustment"] is None
    if is_matrix and is_fusible:
        shape = api.shape(tensor)
        channels = tensor.shape.as_list()[1]
        layer = BatchNormalization(**{**settings, "axis": 3, "fused": True}, dtype=tensor.dtype)
        wide = _apply(layer, api.reshape(tensor, [-1, 1, 1, channels]), is_training)
        outputs = api.reshape(wide, shape)
        outputs.set_shape(tensor.shape)
    else:
        fused = fused if is_fusible and tensor.shape.ndims == 4 else False
        layer = BatchNormalization(**settings, fused=fused, dtype=tensor.dtype)
        outputs = _apply(layer, tensor, is_training)
    for name in _VARIABLES:
        variable = getattr(layer, name)
        if variable is not None:
            add_variable_to_collections(variable, variables_collections, name)
    return outputs, list(layer.updates)


def _apply(layer: BatchNormalization, tensor: Any, is_training: Any) -> Any:
    """Calls the layer; where the updates go is decided elsewhere."""
    updates = get_collection_ref(GraphKeys.UPDATE_OPS)
    before = len(updates)
    outputs = layer(tensor, training=is_training)
    del updates[before:]
    return outputs


def _with_updates(outputs: Any, updates: list[Any], collections: Any) -> Any:
    """Has the output wait for the updates, or adds them to collections."""
    if not updates:
        return outputs
    if collections is None:
        with control_dependencies(updates):
            return api.identity(outputs)
    for key in [collections] if isinstance(collections, str) else collections:
        for update in updates:
            add_to_collection(key, update)
    return outputs


def _own_variables(
    tensor: Tensor,
    channels: Any,
    center: bool,
    scale: bool,
    initializers: Mapping[str, Any] | None,
    collections: Any,
    trainable: bool,
) -> tuple[Any, Any, Any, Any]:
    """`beta`, `gamma` and the moving averages, where no layer makes them."""
    beta, gamma = offset_and_scale(
        tensor, channels, center, scale, initializers, collections, trainable
    )

    def average(name: str, default: Any) -> Any:
        return model_variable(
            name,
            shape=channels,
            dtype=tensor.dtype.base_dtype,
            initializer=(initializers or {}).get(name, default),
            collections=get_variable_collections(collections, name),
            trainable=False,
        )

    mean = average("moving_mean", zeros_initializer())
    return beta, gamma, mean, average("moving_variance", ones_initializer())


def _weighted(
    tensor: Tensor,
    axis: int,
    variables: tuple[Any, Any, Any, Any],
    decay: float,
    epsilon: float,
    is_training: Any,
    weights: Any,
    zero_debias: bool,
    like_fused: bool,
) -> tuple[Any, list[Any]]:
    """Normalises by moments in which examples may count more or less."""
    beta, gamma, moving_mean, moving_variance = variables
    rank = tensor.shape.ndims or 0
    axes = [each for each in range(rank) if each != axis]
    if known_truth(is_training) is False:
        mean, variance, updates = moving_mean, moving_variance, []
    else:
        if weights is None:
            batch_mean, batch_variance = api.moments(tensor, axes)
        else:
            per_example = api.reshape(convert_to_tensor(weights), [-1] + [1] * (rank - 1))
            batch_mean, batch_variance = api.weighted_moments(tensor, axes, per_example)

        spread = batch_variance
        if like_fused:
            # The fused operation reports the variance divided by n - 1.
            count = api.cast(api.size(tensor) / api.size(batch_mean), tensor.dtype)
            spread = batch_variance * count / api.maximum(count - 1, 1)
        updates = [
            _average(moving_mean, batch_mean, decay, zero_debias, is_training),
            _average(moving_variance, spread, decay, False, is_training),
        ]
        mean, variance = smart_cond(
            is_training,
            lambda: (batch_mean, batch_variance),
            lambda: (api.identity(moving_mean), api.identity(moving_variance)),
        )
    parts = [mean, variance, beta, gamma]
    if axis != rank - 1:
        along = [1] * rank
        along[axis] = -1
        parts = [None if each is None else api.reshape(each, along) for each in parts]
    outputs = api.batch_normalization(tensor, *parts, epsilon)
    outputs.set_shape(tensor.shape)
    return outputs, updates


def _average(moving: Any, value: Any, decay: Any, zero_debias: bool, is_training: Any) -> Any:
    """An update of a moving average, which changes nothing outside of training."""
    if zero_debias and not known_truth(is_training):
        # It counts its updates, which must not happen outside of training.
        return smart_cond(
            is_training,
            lambda: assign_moving_average(moving, value, decay, zero_debias=True),
            lambda: api.identity(moving),
        )
    rate: Any = decay
    if not known_truth(is_training):
        rate = scalar_choice(is_training, decay, 1.0, moving.dtype.base_dtype)
    return assign_moving_average(moving, value, rate, zero_debias=zero_debias)
