"""Normalisation with learnt scale and offset, other than over batches: `tf.contrib.layers`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import ones_initializer, zeros_initializer
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.support import (
    check_data_format,
    collect_named_outputs,
    get_variable_collections,
)
from workbench.train.contrib.variables import model_variable

#: Keeps `layer_norm` from dividing by 0.
_EPSILON = 1e-12


def offset_and_scale(
    tensor: Tensor,
    shape: Any,
    center: bool,
    scale: bool,
    param_initializers: Mapping[str, Any] | None,
    variables_collections: Any,
    trainable: bool,
) -> tuple[Any, Any]:
    """The variables `beta` and `gamma`; None for what is not wanted."""

    def made(name: str, default: Any) -> Any:
        return model_variable(
            name,
            shape=shape,
            dtype=tensor.dtype.base_dtype,
            initializer=(param_initializers or {}).get(name, default),
            collections=get_variable_collections(variables_collections, name),
            trainable=trainable,
        )

    beta = made("beta", zeros_initializer()) if center else None
    gamma = made("gamma", ones_initializer()) if scale else None
    return beta, gamma


@add_arg_scope
def layer_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    activation_fn: Callable[..., Any] | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    begin_norm_axis: int = 1,
    begin_params_axis: int = -1,
    scope: Any = None,
) -> Any:
    """Normalises each example over its axes from `begin_norm_axis` on, then scales and moves it.

    Args:
      inputs: a tensor whose axes from `begin_params_axis` on are known.
      center: whether to add `beta`.
      scale: whether to multiply with `gamma`.
      activation_fn: the activation; None for none.
      reuse: whether to share the variables of an earlier layer of this scope.
      variables_collections: further collections of the variables, or a dict of them.
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      begin_norm_axis: the first axis that is normalised over.
      begin_params_axis: the first axis that `beta` and `gamma` have.
      scope: the variable scope; "LayerNorm", "LayerNorm_1" and so on by default.

    Raises:
      ValueError: the rank or an axis of the variables is not known, or an axis does not exist.

    >>> import workbench as tf
    >>> tf.contrib.layers.layer_norm(tf.ones([2, 3])).shape.as_list()
    [2, 3]
    """
    with variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as opened:
        tensor = convert_to_tensor(inputs)
        rank = tensor.shape.ndims
        if rank is None:
            raise ValueError(f"Inputs {tensor.name} has undefined rank.")
        first = begin_norm_axis + rank if begin_norm_axis < 0 else begin_norm_axis
        if begin_params_axis >= rank or first >= rank:
            raise ValueError(
                f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({first}) must be < "
                f"rank(inputs) ({rank})"
            )
        shape = tensor.shape[begin_params_axis:]
        if not shape.is_fully_defined():
            raise ValueError(
                f"Inputs {tensor.name}: shape(inputs)[{begin_params_axis}:] is not fully defined: "
                f"{tensor.shape}"
            )
        beta, gamma = offset_and_scale(
            tensor, shape, center, scale, None, variables_collections, trainable
        )
        mean, variance = api.moments(tensor, list(range(first, rank)), keep_dims=True)
        outputs = api.batch_normalization(tensor, mean, variance, beta, gamma, _EPSILON)
        outputs.set_shape(tensor.shape)
        if activation_fn is not None:
            outputs = activation_fn(outputs)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def instance_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Callable[..., Any] | None = None,
    param_initializers: Mapping[str, Any] | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """Normalises each channel of each example; see `layer_norm` for the rest.

    Raises:
      ValueError: the rank or the number of channels is not known.
    """
    tensor = convert_to_tensor(inputs)
    rank = tensor.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {tensor.name} has undefined rank.")
    check_data_format(data_format)
    axis = 1 if data_format == "NCHW" else rank - 1
    shape = tensor.shape[axis : axis + 1]
    if not shape.is_fully_defined():
        raise ValueError(f"Inputs {tensor.name} has undefined channels dimension {shape}.")
    with variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as opened:
        parameters: Sequence[Any] = offset_and_scale(
            tensor, shape, center, scale, param_initializers, variables_collections, trainable
        )
        if data_format == "NCHW":
            along = [1, -1] + [1] * (rank - 2)
            parameters = [None if each is None else api.reshape(each, along) for each in parameters]
        axes = [each for each in range(1, rank) if each != axis]
        mean, variance = api.moments(tensor, axes, keep_dims=True)
        outputs = api.batch_normalization(
            tensor, mean, variance, *parameters, epsilon, name="instancenorm"
        )
        if activation_fn is not None:
            outputs = activation_fn(outputs)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> Any:
    """Divides by the length along an axis; `epsilon` is added to its square.

    Raises:
      ValueError: the rank is not known, or there is no such axis.

    >>> import workbench as tf
    >>> unit_norm(tf.constant([[3.0, 4.0]]), dim=1).eval().round(4).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    with variable_scope(scope, "UnitNorm", [inputs]):
        tensor = convert_to_tensor(inputs)
        if not tensor.shape.ndims:
            raise ValueError("The input rank must be known.")
        if not 0 <= dim < tensor.shape.ndims:
            raise ValueError("dim must be positive but smaller than the input rank.")
        squares = api.reduce_sum(api.square(tensor), dim, keep_dims=True)
        return api.div(tensor, api.sqrt(epsilon + squares))
