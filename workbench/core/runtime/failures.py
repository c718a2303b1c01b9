"""Errors of a run, told in the user's terms: the line, the operation, its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.registry import input_names
from workbench.core.plan.missing_feeds import missing_feeds
from workbench.core.plan.node import Node, Value

#: What a kernel's own exception becomes.
_KINDS: tuple[tuple[type[BaseException], type[errors.OpError]], ...] = (
    (MemoryError, errors.ResourceExhaustedError),
    (FileNotFoundError, errors.NotFoundError),
    (FileExistsError, errors.AlreadyExistsError),
    (PermissionError, errors.PermissionDeniedError),
    (NotImplementedError, errors.UnimplementedError),
    (StopIteration, errors.OutOfRangeError),
)


def program_error(program: Any, error: Exception) -> Exception | None:
    """The error to raise for one from a program; None to pass it on as it is."""
    found = program.failed_node(error.__traceback__)
    if isinstance(error, errors.OpError) and error.op is not None:
        if found is not None and not error.inputs:
            error.inputs = input_values(*found)
        return error.with_traceback(None)
    if found is None:
        return None
    misfit = program.plan.misfit
    if misfit is not None and not isinstance(error, errors.OpError):
        # NumPy's own words say less than the shape rule's.
        misfit.inputs = input_values(*found)
        return misfit.with_traceback(None)  # type: ignore[no-any-return]
    return run_error(found[0], found[1], error)


def run_error(node: Node, values: dict[str, Any], error: Exception) -> errors.OpError:
    """The error of an operation whose kernel failed, with the user's line first."""
    kind: type[errors.OpError] = errors.InvalidArgumentError
    if isinstance(error, errors.OpError):
        kind = type(error)
    else:
        kind = next((k for t, k in _KINDS if isinstance(error, t)), kind)
    message = error.message if isinstance(error, errors.OpError) else _plain(error)
    op = node.origin
    if op is None:
        return make_error(kind, None, message)
    text = f"{_header(op)}{message}{_inputs(node, values)}{passes_of(node)}"
    made = make_error(kind, op, text)
    made.inputs = input_values(node, values)
    return made


def in_construct(op: Operation, number: int | None = None) -> str:
    """A line that says in which conditional, or iteration of which loop, something failed."""
    line = user_line(op.frames)
    made = f", made at {line}" if line else ""
    where = "in" if number is None else f"in iteration {number} of"
    return f"\n    {where} {op.type} {op.name!r}{made}"


def passes_of(node: Node) -> str:
    """Lines that say in which iterations of which loops a node stands, where it does."""
    return "".join(in_construct(op, number) for number, op in node.passes)


def input_values(node: Node, values: dict[str, Any]) -> dict[str, Any]:
    """What went into a node, by the names of the tensors, as far as the program still has it."""
    op = node.origin
    if op is None or len(op.inputs) != len(node.inputs):
        return {}
    found = {t.name: _find(v, values) for t, v in zip(op.inputs, node.inputs, strict=True)}
    return {n: v for n, v in found.items() if isinstance(v, (np.ndarray, np.generic))}


def _plain(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if isinstance(error, ValueError) else f"{type(error).__name__}: {text}"


def make_error(kind: Any, op: Operation | None, message: str) -> errors.OpError:
    """An error of that kind, of `tf.errors.UnknownError` where the kind takes other arguments."""
    error: errors.OpError
    try:
        error = kind(None, op, message)
    except TypeError:
        error = errors.UnknownError(None, op, message)
    return error


def _header(op: Operation) -> str:
    line = user_line(op.frames)
    start = f"{line}\n  " if line else ""
    return f"{start}{op.type} {op.name!r}: "


def _inputs(node: Node, values: dict[str, Any]) -> str:
    if node.origin is None:
        return ""
    names = input_names(node.origin) if len(node.origin.inputs) == len(node.inputs) else []
    text = ""
    for i, value in enumerate(node.inputs):
        label = names[i] if i < len(names) else f"input {i}"
        found = _find(value, values)
        if isinstance(found, (np.ndarray, np.generic)):
            text += f"\n    {label}: {value.dtype.name} {np.shape(found)}"
            source = value.node.origin
            if source is not None:
                text += f" from {source.name!r}"
    return text


def _find(value: Value, values: dict[str, Any]) -> Any:
    number = value.node.number
    if value.node.is_constant:
        return value.node.constant
    if value.node.type == "Feed":
        return values.get(f"f{value.node.attrs['index']}")
    return values.get(f"v{number}", values.get(f"v{number}_{value.index}"))


def missing_feeds_error(
    order: list[Operation], fetches: list[Any], fed: list[Any]
) -> errors.InvalidArgumentError | None:
    """The error that lists every placeholder without a value, or None when none lacks one."""
    missing = missing_feeds(order, fetches, fed)
    if not missing:
        return None
    op, _ = missing[0]
    count = len(missing)
    text = (
        f"You must feed a value for placeholder tensor {op.name!r} with {_kind(op.outputs[0])}"
        if count == 1
        else f"You must feed a value for {count} placeholder tensors"
    )
    for placeholder, path in missing:
        output = placeholder.outputs[0]
        text += f"\n    {output.name!r} {output.dtype.name} {output.shape}"
        line = user_line(placeholder.frames)
        if line:
            text += f", made at {line}"
        text += f"\n      needed by {' <- '.join(_shortened(path))}"
    return errors.InvalidArgumentError(None, op, text)


#: The dtypes that TensorFlow's runtime, and so who looks for its messages, calls otherwise.
_RUNTIME_NAMES = {"float16": "half", "float32": "float", "float64": "double"}


def _kind(tensor: Tensor) -> str:
    name = tensor.dtype.base_dtype.name
    text = f"dtype {_RUNTIME_NAMES.get(name, name)}"
    if tensor.shape.ndims is not None:
        sizes = ["?" if size is None else str(size) for size in tensor.shape.as_list()]
        text += f" and shape [{','.join(sizes)}]"
    return text


def _shortened(path: list[str]) -> list[str]:
    return path if len(path) <= 8 else [*path[:4], "...", *path[-3:]]


def uninitialised_error(op: Operation) -> errors.FailedPreconditionError:
    """The error of reading a variable that has no value, with the fix."""
    line = user_line(op.frames)
    start = f"{line}\n  " if line else ""
    return errors.FailedPreconditionError(
        None,
        op,
        f"{start}Attempting to use uninitialized value {op.name}: run "
        "session.run(tf.global_variables_initializer()) first (tf.local_variables_initializer() "
        "for local variables), or restore it with tf.train.Saver.",
    )


def not_finite_error(node: Node, value: np.ndarray[Any, Any], index: int) -> errors.OpError:
    """The error of the first operation that gave NaN or infinity."""
    op = node.origin
    flat = np.asarray(value).reshape(-1)
    bad = ~np.isfinite(
        flat.astype(np.complex128) if flat.dtype.kind == "c" else flat.astype(np.float64)
    )
    kinds = [
        name
        for name, found in (("NaN", np.isnan(flat).any()), ("infinity", np.isinf(flat).any()))
        if found
    ]
    first = np.unravel_index(int(bad.argmax()), np.shape(value)) if np.shape(value) else ()
    at = f", first at {tuple(int(i) for i in first)}" if first else ""
    header = _header(op) if op is not None else ""
    return errors.InvalidArgumentError(
        None,
        op,
        f"{header}output {index} is the first with {' and '.join(kinds)}: {int(bad.sum())} of "
        f"{flat.size} elements{at}{passes_of(node)}",
    )
