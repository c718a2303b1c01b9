"""All declared operations, and how their samples are built."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.graph import dtypes
from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.ops import registry
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import Declaration, Sample
from workbench.core.ops.raw_control_flow import ROUTING

DECLARATIONS = registry.all_declarations()


#: Operations whose results are random: their families test distributions and reproducibility.
RANDOM = frozenset(
    t for t in DECLARATIONS if t.startswith(("Random", "Truncated", "Parameterized"))
)


#: Operations that a kernel of its own never runs: the planner treats them.
WITHOUT_KERNEL_RUN = frozenset(
    {
        "Placeholder",
        "PlaceholderV2",
        "VariableV2",
        "Variable",
        "VarHandleOp",
        "TemporaryVariable",
        "NoOp",
        "ControlTrigger",
        "RefSelect",
    }
    | ROUTING
    | CONTROL_FLOW
)


#: Operations on files and on users' functions: they have no samples, the tests of their families
#: run them.
ON_FILES = frozenset(
    "SaveV2 RestoreV2 Save SaveSlices Restore RestoreSlice MergeV2Checkpoints ReadFile WriteFile "
    "MatchingFiles GenerateVocabRemapping LoadAndRemapMatrix ImmutableConst PyFunc "
    "PyFuncStateless Abort RecordInput".split()
)


#: Operations that take what others left in the session: the tests of their families run both.
ON_SESSIONS = frozenset(
    "TakeManySparseFromTensorsMap GetSessionHandle GetSessionTensor DeleteSessionTensor".split()
)


def works_on_resources(declaration: Declaration) -> bool:
    """True for tables, queues and the like: they live in a session, and their families' tests
    run them there."""
    schema = declaration.schema
    arguments = (*schema.inputs, *schema.outputs)
    is_on_handles = any(
        a.dtype is not None
        and (
            a.dtype.name in ("resource", "variant") or (a.is_reference and a.dtype.name == "string")
        )
        for a in arguments
    )
    # The second spelling of arrays has handles that look like strings.
    is_on_handles |= declaration.type.startswith("TensorArray")
    return (is_on_handles or declaration.blocking) and not declaration.samples


def default_dtype(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype == np.float64 and not isinstance(value, (np.ndarray, np.generic)):
        return np.float32
    if array.dtype == np.int64 and not isinstance(value, (np.ndarray, np.generic)):
        return np.int32
    if array.dtype.kind == "c" and not isinstance(value, (np.ndarray, np.generic)):
        return np.complex64
    return array.dtype


def as_array(value: Any, dtype: Any) -> np.ndarray[Any, Any]:
    from workbench.core.ops.constant import to_array

    if dtype is not None:
        chosen = tf.as_dtype(dtype)
        if chosen is dtypes.string:
            return to_array(value, dtypes.string)
        return np.array(value, dtype=chosen.as_numpy_dtype)
    probe = np.asarray(value)
    if probe.dtype.kind in "SUO":
        return to_array(value, dtypes.string)
    return np.array(value, dtype=default_dtype(value))


def stated_dtype(sample: Sample, number: int) -> Any:
    """The dtype that a sample states for an input: arrays do not tell quantised ones."""
    return sample.dtype[number] if isinstance(sample.dtype, tuple) else None


def holds_text(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "SU"


def sample_inputs(declaration: Declaration, sample: Sample) -> list[Any]:
    """One entry for each input argument: an array, or a list of arrays for list inputs."""
    result: list[Any] = []
    for i, (argument, value) in enumerate(
        zip(declaration.schema.inputs, sample.inputs, strict=True)
    ):
        dtype = stated_dtype(sample, i)
        if isinstance(sample.dtype, str) and argument.dtype is None and not holds_text(value):
            dtype = sample.dtype
        if argument.dtype is not None and dtype is None and argument.dtype is not dtypes.resource:
            dtype = argument.dtype
        if argument.number_attr or argument.is_type_list:
            result.append([as_array(v, dtype) for v in value])
        else:
            result.append(as_array(value, dtype))
    return result


def build(declaration: Declaration, sample: Sample, inputs: list[Any]) -> tuple[Any, list[Any]]:
    """The operation of a sample with placeholders for its inputs, and the feeds."""
    arguments: dict[str, Any] = dict(sample.attrs)
    feeds: list[Any] = []
    for i, (argument, value) in enumerate(zip(declaration.schema.inputs, inputs, strict=True)):
        if argument.dtype is dtypes.resource:
            handle = create(
                "VarHandleOp", None, dtype=tf.as_dtype(value.dtype), shape=list(value.shape)
            )
            assign = create("AssignVariableOp", None, resource=handle.outputs[0], value=value)
            tf.get_default_graph().variable_initializers[handle] = assign
            arguments[argument.name] = handle.outputs[0]
            continue
        if argument.is_reference:
            variable = tf.Variable(value, dtype=tf.as_dtype(value.dtype))
            arguments[argument.name] = variable._variable
            continue
        values = value if isinstance(value, list) else [value]
        made = []
        for array in values:
            if is_structural(argument, array):
                made.append(tf.constant(array, stated_dtype(sample, i)))
                continue
            placeholder = tf.placeholder(tf.as_dtype(array.dtype), array.shape)
            feeds.append((placeholder, array))
            made.append(placeholder)
        arguments[argument.name] = made if isinstance(value, list) else made[0]
    attributes = declaration.schema.attributes
    if "dtype" in attributes and "dtype" not in declaration.schema.inferred:
        # `dtype` of a sample is the type of its inputs, and the attribute of that name.
        arguments.setdefault("dtype", sample.dtype or (tf.as_dtype(flat_arrays(inputs)[0].dtype)))
    return create(declaration.type, None, **arguments), feeds


def is_structural(argument: Any, array: np.ndarray[Any, Any]) -> bool:
    """Integer inputs are constants, so that shape rules know axes and sizes."""
    return array.dtype.kind in "iub"


def flat_arrays(inputs: list[Any]) -> list[np.ndarray[Any, Any]]:
    return [a for value in inputs for a in (value if isinstance(value, list) else [value])]


CASES = [
    pytest.param(declaration, sample, id=f"{name}-{i}")
    for name, declaration in sorted(DECLARATIONS.items())
    for i, sample in enumerate(declaration.samples)
]
