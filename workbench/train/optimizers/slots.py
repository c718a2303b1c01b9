"""Slots: the variables an optimizer keeps for each variable it trains."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.core.ops.state.variables import Variable


def create_slot(
    primary: Any,
    value: Any,
    name: str,
    colocate_with_primary: bool = True,
    dtype: Any = None,
) -> Any:
    """A slot that starts with `value`, called "primary/name" within the current variable scope.

    A second one of that name is called "primary/name_1", and so on. One that does not go where
    the primary goes is put where the scopes around it say.
    """
    graph = get_default_graph()
    fixed = not isinstance(value, Tensor) or value.shape.is_fully_defined()
    with variable_scope(None, f"{primary.op.name}/{name}"):
        scope = get_variable_scope()
        # A slot of a part is not cut into parts once more.
        partitioner = scope.partitioner
        scope.set_partitioner(None)
        try:
            with graph.colocate_with(primary) if colocate_with_primary else nullcontext():
                slot = get_variable(
                    "", dtype=dtype, initializer=value, trainable=False, validate_shape=fixed
                )
        finally:
            scope.set_partitioner(partitioner)
    info = primary._get_save_slice_info() if hasattr(primary, "_get_save_slice_info") else None
    if info is not None:
        # The slot of a part of a variable is a part of the whole variable's slot.
        part = slot.op.name.removeprefix(primary.op.name)
        slot._set_save_slice_info(
            Variable.SaveSliceInfo(
                info.full_name + part, info.full_shape, info.var_offset, info.var_shape
            )
        )
    return slot


def create_slot_with_initializer(
    primary: Any,
    initializer: Any,
    shape: Any,
    dtype: Any,
    name: str,
    colocate_with_primary: bool = True,
) -> Any:
    """A slot whose value an initializer makes."""
    sizes = shape.as_list() if hasattr(shape, "as_list") else shape
    return create_slot(
        primary, lambda: initializer(sizes, dtype=dtype), name, colocate_with_primary, dtype
    )


def create_zeros_slot(
    primary: Any, name: str, dtype: Any = None, colocate_with_primary: bool = True
) -> Any:
    """A slot of zeros with the shape of the variable."""
    dtype = dtype or primary.dtype.base_dtype
    if primary.get_shape().is_fully_defined():
        shape = primary.get_shape().as_list()
        return create_slot(
            primary, lambda: api.zeros(shape, dtype=dtype), name, colocate_with_primary, dtype
        )
    value = primary.initialized_value() if isinstance(primary, Variable) else primary
    zeros = api.zeros(api.shape(value), dtype=dtype)
    return create_slot(primary, zeros, name, colocate_with_primary)
