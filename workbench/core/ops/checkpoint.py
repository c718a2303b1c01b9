"""Saving tensors to checkpoints and restoring them: the operations behind `tf.train.Saver`."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.checkpoints.files import checkpoint_path, write_tensors
from workbench.core.checkpoints.slices import assemble, parse_slice
from workbench.core.errors import InvalidArgumentError, NotFoundError
from workbench.core.graph.constants import constant_value
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.source import user_line
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import declare

if TYPE_CHECKING:
    from workbench.core.graph.operation import Operation
    from workbench.core.graph.tensor import Tensor

Array = np.ndarray[Any, Any]


def texts(values: Any) -> list[str]:
    """The strings of an array of them, or a single one."""
    return [os.fsdecode(value) for value in as_array(values).reshape(-1).tolist()]


def _check_counts(names: Sequence[str], slices: Sequence[str], count: int) -> None:
    if not len(names) == len(slices) == count:
        raise InvalidArgumentError(
            None,
            None,
            f"There must be as many names and slices as tensors: got {len(names)} names, "
            f"{len(slices)} slices and {count} tensors",
        )


# -- saving --------------------------------------------------------------------------------------


def _save(prefix: Any, tensor_names: Any, shape_and_slices: Any, tensors: Sequence[Any]) -> None:
    # Copied first, all of them: another thread's step may go on to change the variables.
    arrays = [np.array(as_array(tensor)) for tensor in tensors]
    names, slices = texts(tensor_names), texts(shape_and_slices)
    _check_counts(names, slices, len(arrays))
    (path,) = texts(prefix)
    parts: dict[str, list[tuple[str, Array]]] = {}
    for name, part, array in zip(names, slices, arrays, strict=True):
        parts.setdefault(name, []).append((part, array))
    whole: dict[str, Array] = {}
    for name, found in parts.items():
        if len(found) > 1 and not all(part for part, _ in found):
            raise InvalidArgumentError(None, None, f"Two tensors are saved as {name!r}")
        if found[0][0]:
            whole[name] = assemble(name, [(parse_slice(part), array) for part, array in found])
        else:
            whole[name] = found[0][1]
    with suppress(OSError):
        # As TensorFlow does: the folder itself, not those above it.
        os.mkdir(os.path.dirname(path) or os.curdir)
    write_tensors(path, whole)


def _check_inputs(op: Operation, count: int) -> None:
    shape_rules.with_rank(op.inputs[0].entries, 0, "prefix")
    for tensor in op.inputs[1:3]:
        (size,) = shape_rules.with_rank(tensor.entries, 1, tensor.op.name)
        if isinstance(size, int) and size != count:
            raise ValueError(
                f"There must be as many names and slices as tensors: {size} != {count}"
            )


def _save_shape(op: Operation) -> list[Any]:
    _check_inputs(op, len(op.inputs) - 3)
    return []


declare(
    "SaveV2",
    inputs="prefix: string, tensor_names: string, shape_and_slices: string, tensors: dtypes",
    attrs="dtypes: list(type) >= 1",
    shape=_save_shape,
    kernel=_save,
    stateful=True,
    expensive=True,
)


# -- restoring -----------------------------------------------------------------------------------


class _Target(NamedTuple):
    """A variable that a restored tensor is assigned to, perhaps reshaped."""

    variable: Operation
    shape: tuple[int, ...]
    is_reshaped: bool

    def accepts(self, shape: tuple[int, ...]) -> bool:
        if self.is_reshaped:
            return math.prod(self.shape) == math.prod(shape)
        return self.shape == shape

    def __str__(self) -> str:
        line = user_line(self.variable.frames)
        return f"variable {self.variable.name!r}" + (f" (made at {line})" if line else "")


def _targets(tensor: Tensor, is_reshaped: bool = False) -> Iterator[_Target]:
    """The variables of known shape that a tensor is assigned to."""
    for op in tensor.consumers():
        if op.type in ("Reshape", "Identity") and op.inputs[0] is tensor:
            yield from _targets(op.outputs[0], is_reshaped or op.type == "Reshape")
        elif op.type in ("Assign", "AssignVariableOp") and op.inputs[1] is tensor:
            variable = op.inputs[0]
            shape = variable.entries
            if op.type == "AssignVariableOp":
                shape = variable.op.attrs["shape"].entries if "shape" in variable.op.attrs else None
            elif not op.attrs["validate_shape"]:
                shape = None
            shape = tensor.entries if is_reshaped else shape
            if shape is not None and None not in shape:
                yield _Target(variable.op, shape, is_reshaped)  # type: ignore[arg-type]


def _restore(
    prefix: Any, tensor_names: Any, shape_and_slices: Any, *, dtypes: Sequence[Any], context: Any
) -> Any:
    """The tensors of a checkpoint, read only when all of them are there and fit."""
    from workbench.core.checkpoints.reading import read_index, read_tensors

    (path,) = texts(prefix)
    names, slices = texts(tensor_names), texts(shape_and_slices)
    _check_counts(names, slices, len(dtypes))
    index = read_index(path)
    targets = [list(_targets(output)) for output in context.operation.outputs]
    _check_names(path, names, targets, index)
    shapes = [
        _part_shape(name, part, index[name].shape) for name, part in zip(names, slices, strict=True)
    ]
    _check_fit(path, names, shapes, dtypes, targets, index)
    found = read_tensors(path, dict.fromkeys(names))
    parts = (
        found[name][parse_slice(part).region] if part else found[name]
        for name, part in zip(names, slices, strict=True)
    )
    values = tuple(array if array.ndim else array[()] for array in parts)
    return values[0] if len(values) == 1 else values


def _check_names(
    path: str, names: Sequence[str], targets: Sequence[list[_Target]], index: dict[str, Any]
) -> None:
    lines = []
    for name, wanting in zip(names, targets, strict=True):
        if name not in index:
            near = difflib.get_close_matches(name, index, n=3, cutoff=0.4)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            needed = f", needed by {wanting[0]}" if wanting else ""
            lines.append(f"Key {name} not found in checkpoint{needed}{hint}")
    if lines:
        kept = [*lines[:20], *([f"and {len(lines) - 20} more"] if len(lines) > 20 else [])]
        text = "\n    ".join([*kept, f"The checkpoint is {checkpoint_path(path)}"])
        raise NotFoundError(None, None, text)


def _part_shape(name: str, part: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    if not part:
        return shape
    parsed = parse_slice(part)
    if parsed.full_shape != shape:
        raise InvalidArgumentError(
            None,
            None,
            f"A part of tensor {name!r} is asked for as one of shape {list(parsed.full_shape)}, "
            f"but it has shape {list(shape)} in the checkpoint",
        )
    return parsed.size


def _check_fit(
    path: str,
    names: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
    dtypes: Sequence[Any],
    targets: Sequence[list[_Target]],
    index: dict[str, Any],
) -> None:
    lines = []
    for name, shape, dtype, wanting in zip(names, shapes, dtypes, targets, strict=True):
        if index[name].dtype != np.dtype(dtype):
            lines.append(
                f"tensor_name = {name}; expected dtype {as_dtype(dtype).name} does not equal "
                f"original dtype {as_dtype(index[name].dtype).name}"
            )
        lines.extend(
            f"Assign requires shapes of both tensors to match. lhs shape= {list(target.shape)} "
            f"rhs shape= {list(shape)}: {target} has the first, {name!r} in the checkpoint the "
            f"second"
            for target in wanting
            if not target.accepts(shape)
        )
    if lines:
        lines.append(f"The checkpoint is {checkpoint_path(path)}")
        raise InvalidArgumentError(None, None, "\n    ".join(lines))


def _restored_shapes(op: Operation) -> list[Any]:
    _check_inputs(op, len(op.outputs))
    return shapes_of_slices(op)


def shapes_of_slices(op: Operation) -> list[Any]:
    """The shapes of restored tensors, as far as the slices that are asked for say them."""
    slices = constant_value(op.inputs[2])
    if slices is None:
        return [None] * len(op.outputs)
    try:
        return [parse_slice(part).size if part else None for part in texts(slices)]
    except InvalidArgumentError as error:
        raise ValueError(error.message) from None


declare(
    "RestoreV2",
    inputs="prefix: string, tensor_names: string, shape_and_slices: string",
    outputs="tensors: dtypes",
    attrs="dtypes: list(type) >= 1",
    shape=_restored_shapes,
    kernel=_restore,
    stateful=True,
    expensive=True,
)


def save_v2(
    prefix: Any, tensor_names: Any, shape_and_slices: Any, tensors: Any, name: str | None = None
) -> Operation:
    """An operation that writes the tensors as the checkpoint `prefix`, whole or not at all."""
    return create(
        "SaveV2",
        name,
        prefix=prefix,
        tensor_names=tensor_names,
        shape_and_slices=shape_and_slices,
        tensors=tensors,
    )


def restore_v2(
    prefix: Any, tensor_names: Any, shape_and_slices: Any, dtypes: Any, name: str | None = None
) -> list[Tensor]:
    """Tensors with the values of the checkpoint `prefix`: all of them, or an error.

    What they are assigned to is compared with the checkpoint before anything is read.
    """
    op = create(
        "RestoreV2",
        name,
        prefix=prefix,
        tensor_names=tensor_names,
        shape_and_slices=shape_and_slices,
        dtypes=dtypes,
    )
    return list(op.outputs)
