"""Getting variables by name in the open variable scope, and making them in parts."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.dtypes import as_dtype, float32
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops.state.scopes import default_store, get_variable_scope
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.core.ops.state.variable_store import VariableRequest


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
) -> Any:
    """The variable called `name` in the open variable scope: a new one, or a shared one on reuse.

    `initializer` is a value, or a function of `shape`, `dtype` and `partition_info`; without one it
    is Glorot's uniform one for floating dtypes and zeros for the others. `regularizer` gives a loss
    that is added to the collection REGULARIZATION_LOSSES; `partitioner` divides the variable into
    parts; `custom_getter(getter, name, ...)` may do something else altogether. What is left out is
    taken from the scope.

    Raises ValueError where the variable exists already and may not be reused, does not exist and
    must be, or has another shape or dtype.

    >>> import workbench as tf
    >>> tf.get_variable("matrix", [2, 3])
    <tf.Variable 'matrix:0' shape=(2, 3) dtype=float32_ref>
    """
    return get_variable_scope().get_variable(
        default_store(),
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
    )


def get_local_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = False,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
) -> Any:
    """As `get_variable`, for a variable that is not trained, saved or shared among tasks.

    It is in the collection LOCAL_VARIABLES and not in GLOBAL_VARIABLES; `trainable` is ignored.
    """
    return get_variable(
        name,
        shape,
        dtype,
        initializer,
        regularizer,
        False,
        [*(collections or ()), GraphKeys.LOCAL_VARIABLES],
        caching_device,
        partitioner,
        validate_shape,
        use_resource,
        custom_getter,
        constraint,
    )


def create_partitioned_variables(
    shape: Any,
    slicing: list[int],
    initializer: Any,
    dtype: Any = float32,
    trainable: bool = True,
    collections: Any = None,
    name: str | None = None,
    reuse: Any = None,
) -> list[Any]:
    """The parts of a variable that is divided into `slicing[i]` parts along axis i.

    >>> import workbench as tf
    >>> parts = tf.create_partitioned_variables([4, 2], [2, 1], tf.zeros_initializer())
    >>> [part.shape.as_list() for part in parts]
    [[2, 2], [2, 2]]
    """
    if len(shape) != len(slicing):
        raise ValueError(
            "The 'shape' and 'slicing' of a partitioned Variable must have the same length: "
            f"shape: {shape}, slicing: {slicing}"
        )
    if len(shape) < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1: shape: {shape}")
    with variable_scope(name, "PartitionedVariable", reuse=reuse) as scope:
        request = VariableRequest(
            scope.name,
            shape,
            as_dtype(dtype).base_dtype,
            initializer,
            scope.regularizer,
            scope.reuse,
            trainable,
            collections,
            scope.caching_device,
            lambda **unused: slicing,
            constraint=scope.constraint,
        )
        return default_store().get_partitioned(request)._get_variable_list()


def no_regularizer(_: Any) -> None:
    """A regularizer that adds nothing: it turns the one of the scope around off."""
