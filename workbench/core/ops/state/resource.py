"""Resource variables: the form in which later TensorFlow versions export variables.

They are the same variables to the planner; the operations differ in that they give no value out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.state.assignment import _accumulate, replace
from workbench.core.ops.state.scatter import check_rows


def _no_kernel() -> None:
    """Never called: the planner reads variables itself."""


declare(
    "VarHandleOp",
    outputs="resource: resource",
    attrs="container: string = '', shared_name: string = '', dtype: type, shape: shape",
    shape=shape_rules.scalar,
    kernel=_no_kernel,
    stateful=True,
)


def _variable_shape(op: Any) -> list[Any]:
    source = op.inputs[0].op
    return [source.attrs["shape"].entries if source.type == "VarHandleOp" else None]


declare(
    "ReadVariableOp",
    inputs="resource: resource",
    outputs="value: dtype",
    attrs="dtype: type",
    shape=_variable_shape,
    kernel=_no_kernel,
    stateful=True,
    updates=0,
    gradient=lambda op, dy: dy,
    samples=[sample([1.0, 2.0], want=[1.0, 2.0])],
)


def _assign_variable(resource: Any, value: Any, *, inplace: bool) -> Any:
    return replace(resource, value, inplace)


declare(
    "AssignVariableOp",
    inputs="resource: resource, value: dtype",
    attrs="dtype: type",
    shape=shape_rules.no_outputs,
    kernel=_assign_variable,
    stateful=True,
    updates=1,
    allows_uninitialized=True,
    samples=[sample([1.0, 2.0], [3.0, 4.0], want=[3.0, 4.0])],
)
for _type_name, _ufunc in (("AssignAddVariableOp", np.add), ("AssignSubVariableOp", np.subtract)):
    declare(
        _type_name,
        inputs="resource: resource, value: dtype",
        attrs="dtype: type",
        shape=shape_rules.no_outputs,
        kernel=_accumulate(_ufunc),
        stateful=True,
        updates=1,
        samples=[
            sample([1.0, 2.0], [3.0, 4.0], want=[4.0, 6.0] if _ufunc is np.add else [-2.0, -2.0])
        ],
    )


def _is_initialized(resource: Any) -> np.bool_:
    return np.bool_(resource is not None)


declare(
    "VarIsInitializedOp",
    inputs="resource: resource",
    outputs="is_initialized: bool",
    shape=shape_rules.scalar,
    kernel=_is_initialized,
    stateful=True,
    updates=0,
    allows_uninitialized=True,
    samples=[sample([1.0], want=True)],
)


def _shape_of(input: Any, *, out_type: Any) -> Any:
    return np.array(np.shape(input), out_type)


def _rank_shape(op: Any) -> list[Any]:
    entries = _variable_shape(op)[0]
    return [(None if entries is None else len(entries),)]


declare(
    "VariableShape",
    inputs="input: resource",
    outputs="output: out_type",
    attrs="out_type: {int32, int64} = DT_INT32",
    shape=_rank_shape,
    kernel=_shape_of,
    stateful=True,
    updates=0,
    samples=[sample([[1.0, 2.0]], want=[1, 2])],
)


def _gather(resource: Any, indices: Any) -> Any:
    check_rows(indices, resource.shape[0])
    return resource[indices]


def _gather_shape(op: Any) -> list[Any]:
    entries, rows = _variable_shape(op)[0], op.inputs[1].entries
    return [None if entries is None or rows is None else rows + entries[1:]]


declare(
    "ResourceGather",
    inputs="resource: resource, indices: Tindices",
    outputs="output: dtype",
    attrs="validate_indices: bool = true, dtype: type, Tindices: {int32, int64}",
    shape=_gather_shape,
    kernel=_gather,
    stateful=True,
    updates=0,
    gradient=None,
    samples=[sample([[1.0], [2.0]], [1, 1], want=[[2.0], [2.0]])],
)


def _scatter_add(resource: Any, indices: Any, updates: Any, *, inplace: bool) -> Any:
    array = resource if inplace else resource.copy()
    check_rows(indices, array.shape[0])
    np.add.at(array, np.asarray(indices), updates)
    return array


declare(
    "ResourceScatterAdd",
    inputs="resource: resource, indices: Tindices, updates: dtype",
    attrs="dtype: {number}, Tindices: {int32, int64}",
    shape=shape_rules.no_outputs,
    kernel=_scatter_add,
    stateful=True,
    updates=1,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([[1.0], [2.0]], [1, 1], [[1.0], [1.0]], want=[[1.0], [4.0]])],
)
