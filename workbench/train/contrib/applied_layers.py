"""What contrib's layers do with all that they are given: variables, output, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.support import (
    add_variable_to_collections,
    collect_named_outputs,
    get_variable_collections,
    model_variable_getter,
)
from workbench.train.contrib.variables import model_variable
from workbench.train.layers.base import Layer

#: What the variables of `tf.layers` are called here.
RENAMED = {"kernel": "weights", "bias": "biases"}


def apply_layer(
    layer: type[Layer],
    inputs: Any,
    arguments: dict[str, Any],
    given: Mapping[str, Any],
    default_scope: str,
    kernels: Sequence[str] = ("kernel",),
    renamed: Mapping[str, str] = RENAMED,
) -> Any:
    """The output of a new layer of `tf.layers`, as contrib's functions give it.

    Args:
      layer: the kind of layer.
      inputs: its input.
      arguments: what it takes beside what is said of variables.
      given: all that contrib's function was given: what its variables and its output are to be.
      default_scope: the variable scope where none is given.
      kernels: the layer's attributes that hold weights.
      renamed: what its variables are called here.
    """
    scope, reuse, collections = given["scope"], given["reuse"], given["variables_collections"]
    has_biases = not given["normalizer_fn"] and given["biases_initializer"] is not None
    variables = {"use_bias": has_biases, "trainable": given["trainable"]}
    parts = {**dict.fromkeys(kernels, "weights"), "bias": "biases"}
    for attribute, part in parts.items():
        argument = attribute.removesuffix("_kernel")
        variables[f"{argument}_initializer"] = given[f"{part}_initializer"]
        variables[f"{argument}_regularizer"] = given[f"{part}_regularizer"]
    getter = model_variable_getter(renamed)
    with variable_scope(
        scope, default_scope, [inputs], reuse=reuse, custom_getter=getter
    ) as opened:
        tensor = convert_to_tensor(inputs)
        made = layer(
            **arguments,
            **variables,
            name=opened.name,
            dtype=tensor.dtype.base_dtype,
            _scope=opened,
            _reuse=reuse,
        )
        outputs = made(tensor)
        for attribute, part in parts.items():
            variable = getattr(made, attribute)
            if variable is not None:
                add_variable_to_collections(variable, collections, part)
        return finished(outputs, given, opened.name)


def layer_variable(
    part: str, shape: Sequence[int], dtype: Any, given: Mapping[str, Any], name: str | None = None
) -> Any:
    """A new variable of a layer: its "weights" or "biases", as `given` says of that part."""
    return model_variable(
        name or part,
        shape=shape,
        dtype=dtype,
        initializer=given[f"{part}_initializer"],
        regularizer=given[f"{part}_regularizer"],
        collections=get_variable_collections(given["variables_collections"], part),
        trainable=given["trainable"],
    )


def finished(outputs: Any, given: Mapping[str, Any], scope: str) -> Any:
    """A layer's output normalised, activated and collected, as `given` says."""
    if given["normalizer_fn"] is not None:
        outputs = given["normalizer_fn"](outputs, **(given["normalizer_params"] or {}))
    if given["activation_fn"] is not None:
        outputs = given["activation_fn"](outputs)
    return collect_named_outputs(given["outputs_collections"], scope, outputs)
