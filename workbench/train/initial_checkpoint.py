"""Variables that start with the values of a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.files import local_path
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops.checkpoint import restore_v2
from workbench.core.ops.state.assignment import assign
from workbench.core.platform import logging
from workbench.train.checkpoint_reader import CheckpointReader, load_checkpoint
from workbench.train.checkpoint_state import latest_checkpoint


def init_from_checkpoint(
    ckpt_dir_or_file: str | os.PathLike[str], assignment_map: Mapping[str, Any]
) -> None:
    """Makes the initializers of variables take values from a checkpoint.

    Args:
      ckpt_dir_or_file: the checkpoint, or a folder, whose latest one is meant.
      assignment_map: from names in the checkpoint to variables of the default graph: a variable,
        its name, or the list of parts of a partitioned one. A scope maps to a scope, both with a
        slash at the end; `"/"` is all of the checkpoint, or of the graph.

    Raises:
      ValueError: the checkpoint lacks a tensor, it has another shape, there is no such variable,
        or a scope maps to something else.
      NotFoundError, DataLossError: the checkpoint is missing or damaged.

    >>> import tempfile, workbench as tf
    >>> with tempfile.TemporaryDirectory() as folder, tf.Session() as session:
    ...     old = tf.get_variable("old/w", initializer=[1.0, 2.0])
    ...     session.run(old.initializer)
    ...     path = tf.train.Saver([old]).save(session, folder + "/model")
    ...     new = tf.get_variable("new/w", [2])
    ...     tf.train.init_from_checkpoint(path, {"old/": "new/"})
    ...     session.run(new.initializer)
    ...     session.run(new).tolist()
    [1.0, 2.0]
    """
    path = local_path(ckpt_dir_or_file)
    reader = load_checkpoint(path)
    if os.path.isdir(path):
        path = latest_checkpoint(path) or path
    variables = _variables_by_name()
    for name, target in sorted(assignment_map.items()):
        found = variables.get(target) if isinstance(target, str) else _as_list(target)
        if found is not None:
            _take(reader, path, name, found)
        elif name.endswith("/") and target.endswith("/"):
            _take_scope(reader, path, name, target, variables)
        elif name.endswith("/") or target.endswith("/"):
            raise ValueError(
                f"Assignment map with scope only name {name} should map to scope only {target}. "
                "Should be 'scope/': 'other_scope/'."
            )
        else:
            raise ValueError(f"There is no variable {target!r} to take the value of {name!r}")


def _variables_by_name() -> dict[str, list[Any]]:
    """The variables of the default graph: those that are whole alone, parts together."""
    graph = get_default_graph()
    found: dict[str, list[Any]] = {}
    keys = (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES)
    for variable in dict.fromkeys(v for key in keys for v in graph.get_collection(key)):
        info = getattr(variable, "_save_slice_info", None)
        name = variable.op.name if info is None else info.full_name
        found.setdefault(name, []).append(variable)
    return found


def _as_list(target: Any) -> list[Any]:
    if isinstance(target, Sequence) or hasattr(target, "_get_variable_list"):
        return list(target)
    return [target]


def _take_scope(
    reader: CheckpointReader, path: str, name: str, target: str, variables: dict[str, list[Any]]
) -> None:
    there, here = name.removeprefix("/"), target.removeprefix("/")
    chosen = [each for each in variables if each.startswith(here)]
    if not chosen:
        raise ValueError(f"There are no variables in the scope {target!r}")
    missing = [each for each in chosen if not reader.has_tensor(there + each[len(here) :])]
    if missing:
        listed = ", ".join(f"{there}{each[len(here) :]} ({each} in {target})" for each in missing)
        raise ValueError(f"Tensor {listed} is not found in {path} checkpoint")
    for each in chosen:
        _take(reader, path, there + each[len(here) :], variables[each])


def _take(reader: CheckpointReader, path: str, name: str, variables: list[Any]) -> None:
    shapes = reader.get_variable_to_shape_map()
    if name not in shapes:
        raise ValueError(f"Tensor {name} is not found in {path} checkpoint {shapes}")
    for variable in variables:
        info = getattr(variable, "_save_slice_info", None)
        shape = variable.shape if info is None else variable.shape.__class__(info.full_shape)
        if not shape.is_compatible_with(shapes[name]):
            raise ValueError(
                f"Shape of variable {variable.op.name} ({shape}) doesn't match with shape of "
                f"tensor {name} ({shapes[name]}) from checkpoint reader."
            )
        _set_initializer(variable, path, name, "" if info is None else info.spec)
        logging.info("Initialize variable %s from checkpoint %s with %s", variable.name, path, name)


def _set_initializer(variable: Any, path: str, name: str, part: str) -> None:
    graph = variable.graph
    with graph.as_default(), graph.colocate_with(variable.op), graph.control_dependencies(None):
        (value,) = restore_v2(
            path, [name], [part], [variable.dtype.base_dtype], name="checkpoint_initializer"
        )
        if value.shape.ndims is None:
            value.set_shape(variable.shape)
        variable._initial_value = value
        variable._initializer_op = assign(variable, value, name="Assign").op
    graph.variable_initializers[variable.op] = variable._initializer_op
