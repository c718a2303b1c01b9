"""Giving variables the values of arrays or checkpoints: `tf.contrib.framework`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.core.ops import api
from workbench.core.ops.control import group
from workbench.core.platform import logging
from workbench.train.checkpoint_reader import CheckpointReader
from workbench.train.contrib.variables import (
    get_unique_variable,
    get_variable_full_name,
    get_variables,
)
from workbench.train.saver import Saver


def assign_from_values(var_names_to_values: Mapping[str, Any]) -> tuple[Any, dict[Any, Any]]:
    """An operation that gives variables these values, and what to feed to it.

    Raises:
      ValueError: there is no such variable.
    """
    feeds: dict[Any, Any] = {}
    operations = []
    for name, value in var_names_to_values.items():
        found = get_variables(name)
        if not found:
            raise ValueError(f"Variable {name} wasn't found")
        variable = found[0] if len(found) == 1 else get_unique_variable(name)
        operations.append(_assigned(variable, np.reshape(value, variable.shape.as_list()), feeds))
    return group(*operations), feeds


def assign_from_values_fn(var_names_to_values: Mapping[str, Any]) -> Callable[[Any], Any]:
    """A function of a session that gives variables these values."""
    operation, feeds = assign_from_values(var_names_to_values)
    return lambda session: session.run(operation, feeds)


def _assigned(variable: Any, value: Any, feeds: dict[Any, Any]) -> Any:
    """An operation that assigns what it is fed; the value is added to `feeds`."""
    name = f"placeholder/{variable.op.name}"
    placeholder = api.placeholder(variable.dtype.base_dtype, variable.shape, name)
    feeds[placeholder] = value
    return variable.assign(placeholder)


def assign_from_checkpoint(
    model_path: str, var_list: Any, ignore_missing_vars: bool = False
) -> tuple[Any, dict[Any, Any]]:
    """An operation that gives variables the values of a checkpoint, and what to feed to it.

    Args:
      model_path: the checkpoint.
      var_list: the variables: a list, or a dict from the names in the checkpoint to variables or
        lists of the parts of one.
      ignore_missing_vars: only warn where the checkpoint lacks one.

    Raises:
      ValueError: the checkpoint lacks a variable, or has it in another shape.
    """
    named: dict[str, list[Any]] = {}
    if isinstance(var_list, Mapping):
        for name, value in var_list.items():
            named[name] = list(value) if isinstance(value, (list, tuple)) else [value]
    else:
        for variable in var_list:
            named.setdefault(get_variable_full_name(variable), []).append(variable)
    reader = CheckpointReader(model_path)
    feeds: dict[Any, Any] = {}
    operations = []
    for name, variables in named.items():
        if not reader.has_tensor(name):
            message = f"Checkpoint is missing variable [{name}]"
            if not ignore_missing_vars:
                raise ValueError(message)
            logging.warning(message)
            continue
        value = reader.get_tensor(name)
        for variable in variables:
            operations.append(_assigned(variable, _part(name, variable, value), feeds))
    return group(*operations), feeds


def _part(name: str, variable: Any, value: np.ndarray[Any, Any]) -> Any:
    """What of a value belongs to a variable: all of it, or a part."""
    info = getattr(variable, "_save_slice_info", None)
    if info:
        bounds = zip(info.var_offset, info.var_shape, strict=True)
        return value[tuple(slice(start, start + size) for start, size in bounds)]
    if variable.shape.as_list() != list(value.shape):
        raise ValueError(
            f"Total size of new array must be unchanged for {name} lh_shape: "
            f"[{value.shape}], rh_shape: [{variable.shape}]"
        )
    return value


def assign_from_checkpoint_fn(
    model_path: str,
    var_list: Any,
    ignore_missing_vars: bool = False,
    reshape_variables: bool = False,
) -> Callable[[Any], None] | None:
    """A function of a session that restores variables; None where there is nothing to restore.

    Args:
      model_path: the checkpoint.
      var_list: the variables: a list, or a dict from the names in the checkpoint.
      ignore_missing_vars: only warn where the checkpoint lacks one.
      reshape_variables: give the values the shapes of the variables.

    Raises:
      ValueError: there are no variables.
    """
    if not var_list:
        raise ValueError("var_list cannot be empty")
    if ignore_missing_vars:
        reader = CheckpointReader(model_path)
        named = (
            var_list
            if isinstance(var_list, Mapping)
            else {variable.op.name: variable for variable in var_list}
        )
        var_list = {}
        for name, variable in named.items():
            if reader.has_tensor(name):
                var_list[name] = variable
            else:
                logging.warning("Variable %s missing in checkpoint %s", name, model_path)
        if not var_list:
            logging.warning("No Variables to restore")
            return None
    saver = Saver(var_list, reshape=reshape_variables)
    return lambda session: saver.restore(session, model_path)
